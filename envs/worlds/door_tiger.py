"""Two rooms of a privileged expert:

a door whose light only he sees, and a tiger that he need not listen for.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from dosuite.causal import (
    Array,
    Bernoulli,
    Categorical,
    Exactly,
    InputError,
    World,
    action,
    context,
    latent,
    reward,
    shift,
    terminal,
)
from dosuite.causal.errors import did_you_mean
from dosuite.causal.exact import plan_with_memory

Laws = tuple[
    tuple[float, ...], tuple[float, ...]
]  # the expert's law of the action in each state of what only he sees


def _law(expert: str, experts: Mapping[str, Laws]) -> Array:
    if expert not in experts:
        raise InputError(f"{expert!r} is not an expert; {did_you_mean(expert, experts)}")
    return np.array(experts[expert])


class Door(World):
    """Press button A (0) or B (1): A opens the door when the light is red, B when it is green; an
    open door earns 1.

    The light is mostly red, so A is the better button for whoever does not see it. The expert sees
    it and presses B mostly when that opens, so in the log B opens more often than A. Other experts
    are wrong, or biased, or so good that in the log both buttons always open.

        button <-- green --> opens
            |                  ^
            +------------------+

    Observation: Discrete(1). Action: Discrete(2). One step; the reward is 0 or 1.

    Trap: 1, since E[opens | button=1] = 0.80 > E[opens | button=0] = 0.7714.
    Way out: interventions.
    Best: 0, since E[opens | do(button=0)] = 0.6 > E[opens | do(button=1)] = 0.4.

    Source: the door of Gasse et al. (2021), and its experts.
    """

    expert: str = "noisy_good"
    green_light: float = 0.4  # P(the light is green)

    experts: ClassVar[Mapping[str, Laws]] = {  # red, green
        "noisy_good": ((0.9, 0.1), (0.4, 0.6)),
        "perfect_good": ((1.0, 0.0), (0.0, 1.0)),
        "perfect_bad": ((0.0, 1.0), (1.0, 0.0)),
        "random": ((0.5, 0.5), (0.5, 0.5)),
        "strong_good_bias": ((0.8, 0.2), (1.0, 0.0)),
        "strong_bad_bias": ((1.0, 0.0), (0.8, 0.2)),
    }

    @latent
    def green(self) -> Bernoulli:
        return Bernoulli(self.green_light)

    @action
    def button(self, green: Array) -> Categorical:
        return Categorical(_law(self.expert, self.experts)[green])

    @reward
    def opens(self, green: Array, button: Array) -> Exactly:
        return Exactly((button == green).astype(int))

    @classmethod
    def members(cls) -> Mapping[str, Mapping[str, Any]]:
        return {expert: {"expert": expert} for expert in cls.experts}

    @shift
    def red_90(self) -> World:
        """The light is red nine times in ten."""
        return replace(self, green_light=0.1)

    @shift
    def red_30(self) -> World:
        """The light is red three times in ten: the confused policy wins."""
        return replace(self, green_light=0.7)


def _pay(side: Array, door: Array) -> Array:
    return np.where(door == 0, -1.0, np.where(door == 1 + side, -100.0, 10.0))


def _loss(side: Array, door: Array) -> Exactly:
    return Exactly(-_pay(side, door))


class Tiger(World):
    """Listen (0), or open the left (1) or the right door (2): behind one is a tiger; it costs 100,
    listening 1, and the other pays 10.

    At each step a roar tells, 85 times in 100, where the tiger is, and an open door ends the
    episode. Whoever remembers the roars listens until those from one side are three ahead. The
    expert sees the tiger, so in the log a door that was opened was mostly the right one: a planner
    who takes its own choice for the expert's believes that one roar is enough.

        side_tm1 --> side --> roar
        door <-- side            (pay <-- side, door; over <-- door)

    Observation: Discrete(2), the side of the roar. Action: Discrete(3). At most 10 steps, until a
    door is opened; the reward of a step is -100, -1 or 10, and J is the return of an episode. The
    values of the confused, the causal, the best and the worst policy are those of planners with a
    memory, and the confused one plans in the log; the table of a policy has none.

    Trap: 2 1, since promised = 9.505 > J(confused) = -6.5.
    Way out: interventions.
    Best: with a memory, since J(behaviour) = 7.000 > J(causal) = 6.1077 > J(confused) = -6.5.
    Twin: none, because in the log the next roar depends on the whole past, and so it would have to
    in the twin.

    Source: the tiger of Kaelbling, Littman and Cassandra (1998); the expert noisy_good is that of
    Gasse et al. (2021)."""

    horizon: int = 10
    expert: str = "bench_good"
    accuracy: float = 0.85  # P(the roar comes from where the tiger is)

    experts: ClassVar[
        Mapping[str, Laws]
    ] = {  # tiger left, tiger right: P(listen), P(open left), P(open right)
        "bench_good": ((0.2, 0.02, 0.78), (0.2, 0.78, 0.02)),
        "noisy_good": ((0.05, 0.30, 0.65), (0.05, 0.80, 0.15)),
        "perfect_good": ((0.0, 0.0, 1.0), (0.0, 1.0, 0.0)),
    }

    @latent.starting(Bernoulli(0.5))
    def side(self, side_tm1: Array) -> Exactly:
        return Exactly(side_tm1)

    @context
    def roar(self, side: Array) -> Bernoulli:
        return Bernoulli(np.where(side == 1, self.accuracy, 1.0 - self.accuracy))

    @action
    def door(self, side: Array) -> Categorical:
        return Categorical(_law(self.expert, self.experts)[side])

    @reward
    def pay(self, side: Array, door: Array) -> Exactly:
        return Exactly(_pay(side, door))

    @terminal
    def over(self, door: Array) -> Exactly:
        return Exactly((door > 0).astype(int))

    @classmethod
    def members(cls) -> Mapping[str, Mapping[str, Any]]:
        return {expert: {"expert": expert} for expert in cls.experts}

    def twin(self) -> None:
        return None

    def values_in(self, world: World) -> Mapping[str, float]:
        """Planners with a memory:

        in the log, under interventions, in `world` itself, and for the least there.
        """
        return {
            "promised": plan_with_memory(self, seeing=True)[0],
            "j_confused": plan_with_memory(self, world, seeing=True)[1],
            "j_causal": plan_with_memory(self, world)[1],
            "j_best": plan_with_memory(world)[1],
            "j_worst": -plan_with_memory(world.do(pay=_loss))[1],
            "j_intent": np.nan,  # too many beliefs
        }

    @shift
    def faint_roar(self) -> World:
        return replace(self, accuracy=0.7)

    @shift
    def plain_roar(self) -> World:
        """One roar is enough: the confused policy wins."""
        return replace(self, accuracy=1.0)

"""Worlds with a privileged expert: a door whose light only the expert sees, and a tiger whose
place the expert knows without listening.
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
    Ranges,
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

# P(action | hidden state) of an expert: one row for each of the two values of the hidden state.
Laws = tuple[tuple[float, ...], tuple[float, ...]]

LISTEN = 0
LISTENING, WRONG_DOOR, RIGHT_DOOR = -1.0, -100.0, 10.0  # rewards of a step in Tiger


def _law(expert: str, experts: Mapping[str, Laws]) -> Array:
    """The action probabilities of an expert: (hidden states, actions).

    Raises InputError if `experts` has no such name.
    """
    if expert not in experts:
        raise InputError(f"{expert!r} is not an expert; {did_you_mean(expert, experts)}")
    return np.array(experts[expert])


class Door(World):
    """Press button A (0) or B (1): A opens the door when the light is red, B when it is green; an
    open door earns 1.

    The light is mostly red, so A is the better button for anyone who does not see the light. The
    expert sees it and presses B mostly when B opens the door, so in the log B opens more often than
    A. Other experts are wrong, or biased, or so good that in the log both buttons always open.

        button <-- green --> opens
            |                  ^
            +------------------+

    Observation: Discrete(1). Action: Discrete(2). One step; the reward is 0 or 1.

    Trap: 1, since E[opens | button=1] = 0.80 > E[opens | button=0] = 0.7714.
    Way out: interventions.
    Best: 0, since E[opens | do(button=0)] = 0.6 > E[opens | do(button=1)] = 0.4.

    Source: the door of Gasse et al. (2021), and its six experts.
    """

    held_out: ClassVar[Ranges] = {"green_light": (0.05, 0.45)}

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
    """The reward of a step: `side` is 0 (tiger left) or 1 (right), `door` the action."""
    opened = np.where(door == 1 + side, WRONG_DOOR, RIGHT_DOOR)
    return np.where(door == LISTEN, LISTENING, opened)


def _loss(side: Array, door: Array) -> Exactly:
    """The negative reward, whose best policy is the worst policy of the world."""
    return Exactly(-_pay(side, door))


class Tiger(World):
    """Listen (0), or open the left (1) or the right door (2). Behind one door is a tiger: opening
    it costs 100, listening costs 1, and the other door pays 10.

    At each step the observation is a roar, which comes from the tiger's side with probability 0.85.
    Opening a door ends the episode. The best policy remembers the roars, and listens until one side
    is three roars ahead. The expert sees the tiger, so in the log a door that was opened was mostly
    the right one. The confused planner takes its own choice of a door as evidence, as if the expert
    had made it, and believes that one roar is enough.

    Nine experts differ in how good they are. A perfect expert never listens, and neither does the
    planner that learns from it; after `very_bad`, which opens the tiger's door, the planner never
    opens a door; after `random`, whose choice is no evidence, it is not confused.

        side_tm1 --> side --> roar
        door <-- side            (pay <-- side, door; over <-- door)

    Observation: Discrete(2), the side of the roar: left (0) or right (1). Action: Discrete(3). At
    most 10 steps, until a door is opened; the reward of a step is -100, -1 or 10, and J is the
    return of an episode. J(confused), J(causal), J(best) and J(worst) are the values of planners
    that remember the episode, and the confused one plans in the log. The policies as tables, (C,
    A), have no memory.

    Trap: 2 1, since promised = 9.505 > J(confused) = -6.5.
    Way out: interventions.
    Best: with a memory, since J(behaviour) = 7.000 > J(causal) = 6.1077 > J(confused) = -6.5.
    Twin: none, because in the log the next roar depends on the whole past, and so it would have to
    in the twin.

    Source: the tiger of Kaelbling, Littman and Cassandra (1998). The experts are those
    of Gasse et al.: noisy_good, perfect_good, perfect_bad and random of the 2023 paper (Using
    Confounded Data in Latent Model-Based Reinforcement Learning), very_good, very_bad and the two
    biased ones of the 2021 preprint, with the numbers of the published programs. bench_good is our
    own."""

    held_out: ClassVar[Ranges] = {"accuracy": (0.7, 0.95)}

    horizon: int = 10
    expert: str = "bench_good"
    accuracy: float = 0.85  # P(the roar comes from where the tiger is)

    # P(listen), P(open left), P(open right) if the tiger is on the left, and on the right.
    experts: ClassVar[Mapping[str, Laws]] = {
        "bench_good": ((0.2, 0.02, 0.78), (0.2, 0.78, 0.02)),
        "noisy_good": ((0.05, 0.30, 0.65), (0.05, 0.80, 0.15)),
        "perfect_good": ((0.0, 0.0, 1.0), (0.0, 1.0, 0.0)),
        "perfect_bad": ((0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
        "very_good": ((0.05, 0.0, 0.95), (0.05, 0.95, 0.0)),
        "very_bad": ((0.05, 0.95, 0.0), (0.05, 0.0, 0.95)),
        # The published weights are 0.5, 0.5 and 0.5, which the published program normalises.
        "random": ((1 / 3, 1 / 3, 1 / 3), (1 / 3, 1 / 3, 1 / 3)),
        "strong_good_bias": ((0.05, 0.20, 0.75), (0.05, 0.95, 0.0)),
        "strong_bad_bias": ((0.05, 0.95, 0.0), (0.05, 0.20, 0.75)),
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
        """The values of planners that remember the episode: J(confused) of the plan made in the
        log, J(causal) of the plan made under interventions, J(best) and J(worst) of plans made in
        `world`. J(intent) is NaN: with the intent there are too many beliefs.
        """
        promised, _ = plan_with_memory(self, seeing=True)
        _, confused = plan_with_memory(self, world, seeing=True)
        _, causal = plan_with_memory(self, world)
        _, best = plan_with_memory(world)
        _, most_lost = plan_with_memory(world.do(pay=_loss))
        return {
            "promised": promised,
            "j_confused": confused,
            "j_causal": causal,
            "j_best": best,
            "j_worst": -most_lost,
            "j_intent": np.nan,
        }

    @shift
    def faint_roar(self) -> World:
        return replace(self, accuracy=0.7)

    @shift
    def plain_roar(self) -> World:
        """One roar is enough: the confused policy wins."""
        return replace(self, accuracy=1.0)

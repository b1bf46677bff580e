"""MountainCar with noisy observations and a lamp that shows the previous push."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np

from dosuite.causal import (
    Array,
    Categorical,
    Exactly,
    InputError,
    Normal,
    Uniform,
    World,
    action,
    context,
    latent,
    reward,
    shift,
    terminal,
)

# MountainCar-v0 of Gymnasium.
LEFT, IDLE, RIGHT = range(3)  # pushes
FORCE, GRAVITY = 0.001, 0.0025
LEFTMOST, RIGHTMOST, GOAL, FASTEST = -1.2, 0.6, 0.5, 0.07

POSITION_SCALE, VELOCITY_SCALE = 0.1, 0.02  # of the noise
ANY_PUSH = Categorical(np.full(3, 1 / 3))
RECORDED = 4000  # episodes of the log of a clone
DRIVEN = 1000  # episodes of an estimate
BANDS = 30  # bins of a continuous observation in a clone


def roll(position: Array, velocity: Array, push: Array) -> tuple[Array, Array]:
    """Position and velocity of MountainCar after a step: arrays (n,) to arrays (n,)."""
    accelerated = velocity + (push - IDLE) * FORCE - GRAVITY * np.cos(3 * position)
    velocity = np.clip(accelerated, -FASTEST, FASTEST)
    position = np.clip(position + velocity, LEFTMOST, RIGHTMOST)
    at_wall = (position == LEFTMOST) & (velocity < 0)
    return position, np.where(at_wall, 0.0, velocity)


def drive(velocity: Array) -> Array:
    """The expert: push in the direction in which the car rolls. Velocities (n,) to pushes (n,)."""
    return np.where(velocity >= 0, RIGHT, LEFT)


def _first_position(model: World, anywhere: Array) -> Uniform:
    low, high = np.where(anywhere == 1, -1.0, -0.6), np.where(anywhere == 1, 0.5, -0.4)
    return Uniform(low, high)


def _first_velocity(model: World, anywhere: Array, shove: Array) -> Exactly:
    return Exactly(anywhere * np.clip(shove, -FASTEST, FASTEST))


class CopycatCar(World):
    """Drive MountainCar, given its position and velocity with noise, and a lamp that shows the
    previous push.

    The expert sees position and velocity without noise, pushes in the direction in which the car
    rolls, and seldom changes it. So in its log the lamp predicts the next push better than the
    noisy velocity does: a clone that uses the lamp is right more often, learns to repeat its last
    push, and hardly ever turns round. With more data and more noise this becomes worse.

        velocity --> push                velocity --> seen_velocity <-- dirt
        position, velocity, push --> arrived          push_tm1 --> lamp
        position_tm1, velocity_tm1, push_tm1 --> position, velocity

    In the log the cars start anywhere; policies are valued where a car starts at rest in the valley
    (`at_rest`, the deployment). The state is continuous, so every value is estimated: J(behaviour)
    is the expert's, J(confused) that of a clone that uses the whole observation, J(causal) that of
    a clone that ignores the lamp. Both clones take the most frequent push of the log in each cell
    of a grid over what they use.

    Observation: Box(3), the noisy position, the noisy velocity and the push that the lamp shows,
    1 at first. Action: Discrete(3): left, none, right. 200 steps; each costs 1 until the car
    arrives, and J is the return of an episode.

    Trap: since J(confused) = -188 < J(causal) = -144.
    Way out: interventions.
    Best: since J(causal) = -144 < J(behaviour) = -119.
    Twin: none, because in the log the next observation depends on the whole past, and so it would
    have to in the twin.

    Source: the dynamics of MountainCar (Moore, 1990) as Gymnasium has them, the confusion of de
    Haan, Jayaraman and Levine (2019)."""

    horizon: int = 200
    sigma: float = 0.5  # of the noise, in units of 0.1 of position and 0.02 of velocity
    deployment: ClassVar[str] = "at_rest"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.sigma < 0:
            raise InputError(f"sigma is at least 0, and got {self.sigma}")

    @latent
    def anywhere(self) -> Exactly:
        return Exactly(1)

    @latent
    def shove(self) -> Normal:
        return Normal(0.0, FASTEST)

    @latent
    def dirt(self) -> Exactly:
        return Exactly(self.sigma)

    @latent.starting(_first_position)
    def position(self, position_tm1: Array, velocity_tm1: Array, push_tm1: Array) -> Exactly:
        return Exactly(roll(position_tm1, velocity_tm1, push_tm1)[0])

    @latent.starting(_first_velocity)
    def velocity(self, position_tm1: Array, velocity_tm1: Array, push_tm1: Array) -> Exactly:
        return Exactly(roll(position_tm1, velocity_tm1, push_tm1)[1])

    @latent.starting(Exactly(IDLE))
    def earlier(self, push_tm1: Array) -> Exactly:
        return Exactly(push_tm1)

    @context
    def seen_position(self, position: Array, dirt: Array) -> Normal:
        return Normal(position, POSITION_SCALE * dirt)

    @context
    def seen_velocity(self, velocity: Array, dirt: Array) -> Normal:
        return Normal(velocity, VELOCITY_SCALE * dirt)

    @context.starting(Exactly(IDLE))
    def lamp(self, push_tm1: Array) -> Exactly:
        return Exactly(push_tm1)

    @action
    def push(self, velocity: Array) -> Exactly:
        return Exactly(drive(velocity))

    @reward
    def time(self) -> Exactly:
        return Exactly(-1)

    @terminal
    def arrived(self, position: Array, velocity: Array, push: Array) -> Exactly:
        return Exactly((roll(position, velocity, push)[0] >= GOAL).astype(int))

    @shift
    def at_rest(self) -> World:
        """Cars start in the valley, at rest, as in MountainCar itself."""
        return self.do(anywhere=0)

    @shift
    def lamp_randomised(self) -> World:
        return self.at_rest().do(lamp=ANY_PUSH)

    @shift
    def lamp_constant(self) -> World:
        """The lamp always shows 1, no push."""
        return self.at_rest().do(lamp=IDLE)

    @shift
    def lamp_lagged(self) -> World:
        """The lamp shows the push before the previous one."""
        return self.at_rest().do(lamp=_before_the_last)

    @shift
    def clean(self) -> World:
        return self.at_rest().do(dirt=0)

    @shift
    def dirtier(self) -> World:
        return self.at_rest().do(dirt=2 * self.sigma)

    def dialled(self, strength: float) -> World:
        """The world whose lamp shows the previous push with probability `strength`, and otherwise a
        uniformly random push.
        """
        return self.do(lamp=_Flicker(strength) if strength else ANY_PUSH)

    def values_in(self, world: World) -> Mapping[str, float]:
        """Estimates from 1,000 episodes with the same noise for each policy; standard errors are
        about 1. J(worst) is the return of a car that never arrives.
        """
        without_lamp = tuple(name for name in self.contexts if name != "lamp")
        drivers: dict[str, Clone | Categorical] = {
            "j_confused": cloned(self, self.contexts),
            "j_causal": cloned(self, without_lamp),
            "j_uniform": ANY_PUSH,
        }
        returns = {}
        for name, driver in drivers.items():
            returns[name] = float(sampled_returns(world.do(push=driver)).mean())
        returns["j_behaviour"] = float(sampled_returns(world).mean())
        returns["j_worst"] = -float(world.horizon)
        return returns


@dataclass(frozen=True)
class _Flicker:
    """A mechanism of the lamp: the previous push with probability `strength`, otherwise one of the
    three pushes, each equally likely.
    """

    strength: float
    causes: tuple[str, ...] = ("push_tm1",)

    def __call__(self, push_tm1: Array) -> Categorical:
        previous = np.eye(3)[push_tm1.astype(int)]
        return Categorical(self.strength * previous + (1.0 - self.strength) / 3)


def _before_the_last(earlier_tm1: Array) -> Exactly:
    return Exactly(earlier_tm1)


@dataclass(frozen=True, eq=False)
class Clone:
    """A mechanism of the push: the most frequent push of a log in each cell of a grid over the
    causes.
    """

    causes: tuple[str, ...]
    edges: tuple[Array, ...]  # between the bins of each cause, ascending
    pushes: Array  # an axis for each cause

    def __call__(self, *observed: Array) -> Exactly:
        return Exactly(self.pushes[_cell(self.edges, observed)])


@lru_cache(maxsize=16)
def cloned(model: CopycatCar, causes: tuple[str, ...]) -> Clone:
    """The clone of the behaviour policy, learned from 4,000 episodes of the log, that uses only
    `causes`.

    In a cell that the log lacks, or shows equally often with either push, it pushes to the right.
    """
    log = model.sample(RECORDED, np.random.default_rng(0))
    going = _going(log)
    observed = [log[name][going] for name in causes]
    edges = tuple(_edges(values) for values in observed)
    # Pushes to the right minus pushes to the left in each cell.
    balance = np.zeros([len(edge) + 1 for edge in edges])
    np.add.at(balance, _cell(edges, observed), log["push"][going] - IDLE)
    return Clone(causes, edges, np.where(balance >= 0, RIGHT, LEFT))


def _edges(values: Array) -> Array:
    """The edges between bins: halfway between whole numbers, or at quantiles of real numbers."""
    if values.dtype.kind in "iu":
        return np.asarray(np.unique(values)[:-1] + 0.5)
    inner = np.linspace(0, 1, BANDS + 1)[1:-1]
    return np.asarray(np.quantile(values, inner))


def _cell(edges: Sequence[Array], observed: Sequence[Array]) -> tuple[Array, ...]:
    """The bin of each variable: an array (n,) for each."""
    pairs = zip(edges, observed, strict=True)
    return tuple(np.searchsorted(edge, values) for edge, values in pairs)


def _going(columns: Mapping[str, Array]) -> Array:
    """Whether each step is part of the episode, the step of the arrival included: (n, horizon)."""
    arrived = columns["arrived"].reshape(len(columns["arrived"]), -1)
    return np.asarray(np.cumsum(arrived, axis=1) - arrived == 0)


def sampled_returns(world: World) -> Array:
    """The discounted returns of 1,000 sampled episodes, whose noise is the same in every world."""
    columns = world.sample(DRIVEN, np.random.default_rng(1))
    going = _going(columns)
    rewards = columns["time"].reshape(going.shape) * going
    discounts = world.discount ** np.arange(world.horizon)
    return np.asarray(rewards @ discounts)

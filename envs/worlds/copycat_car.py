"""MountainCar behind a dirty windscreen, with the last push on the dashboard."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np

from dosuite.causal import (
    Array,
    Categorical,
    Exactly,
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
IDLE, RIGHT = 1, 2  # pushes; 0 is to the left
FORCE, GRAVITY = 0.001, 0.0025
LEFTMOST, RIGHTMOST, GOAL, FASTEST = -1.2, 0.6, 0.5, 0.07

POSITION_SCALE, VELOCITY_SCALE = 0.1, 0.02  # of the noise
ANY_PUSH = Categorical(np.full(3, 1 / 3))
RECORDED, DRIVEN, BANDS = (
    4000,
    1000,
    30,
)  # episodes of a log, episodes of an estimate, and bands of what is seen in a clone


def roll(position: Array, velocity: Array, push: Array) -> tuple[Array, Array]:
    """Position and velocity of MountainCar after a step: arrays (n,) to arrays (n,)."""
    velocity = np.clip(
        velocity + (push - IDLE) * FORCE - GRAVITY * np.cos(3 * position), -FASTEST, FASTEST
    )
    position = np.clip(position + velocity, LEFTMOST, RIGHTMOST)
    return position, np.where((position == LEFTMOST) & (velocity < 0), 0.0, velocity)


def drive(velocity: Array) -> Array:
    """The expert: push whichever way the car rolls. Velocities (n,) to pushes (n,)."""
    return np.where(velocity >= 0, RIGHT, 0)


def _first_position(model: World, anywhere: Array) -> Uniform:
    return Uniform(np.where(anywhere == 1, -1.0, -0.6), np.where(anywhere == 1, 0.5, -0.4))


def _first_velocity(model: World, anywhere: Array, shove: Array) -> Exactly:
    return Exactly(anywhere * np.clip(shove, -FASTEST, FASTEST))


class CopycatCar(World):
    """Drive MountainCar by its position and velocity, seen through noise, and by a lamp that shows
    the previous push.

    The expert sees clearly and pushes whichever way the car rolls, seldom changing sides. So in its
    log the lamp foretells the next push better than the noisy velocity does: a clone that looks at
    the lamp is right more often, learns to do what it has just done, and hardly ever turns round.
    With more data and more noise that grows worse.

        velocity --> push                velocity --> seen_velocity <-- dirt
        position, velocity, push --> arrived          push_tm1 --> lamp
        position_tm1, velocity_tm1, push_tm1 --> position, velocity

    The log is of cars that start anywhere, and policies are valued where a car starts at rest in
    the valley (`at_rest`, the deployment). Nothing here can be counted, so every value is
    estimated: J(behaviour) is the expert's, J(confused) that of a clone which sees everything,
    J(causal) that of one to which the lamp is dark. Both clones do what was mostly done in each
    cell of a grid over what they see.

    Observation: Box(3), position and velocity as they are seen and the push of the lamp, 1 at
    first. Action: Discrete(3), to the left, none and to the right. 200 steps; each costs 1 until
    the car arrives, and J is the return of an episode.

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
        """Cars start in the valley, at rest: MountainCar as it is."""
        return self.do(anywhere=0)

    @shift
    def lamp_randomised(self) -> World:
        return self.at_rest().do(lamp=ANY_PUSH)

    @shift
    def lamp_constant(self) -> World:
        """The lamp always shows the push that is none."""
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
        """From a lamp that shows a push at random (0) to one that shows the previous push (1):

        with this probability it does.
        """
        return self.do(lamp=_Flicker(strength) if strength else ANY_PUSH)

    def values_in(self, world: World) -> Mapping[str, float]:
        """Estimates from 1,000 episodes, the same units for each policy:

        standard errors are about 1.
        """
        drivers: dict[str, Clone | Categorical] = {
            "j_confused": cloned(self, self.contexts),
            "j_causal": cloned(self, tuple(name for name in self.contexts if name != "lamp")),
            "j_uniform": ANY_PUSH,
        }
        found = {name: _mean_return(world.do(push=driver)) for name, driver in drivers.items()}
        return {
            **found,
            "j_behaviour": _mean_return(world),
            "j_worst": -float(world.horizon),
        }  # who never arrives


@dataclass(frozen=True)
class _Flicker:
    """A lamp that shows the previous push, or with the other probability any of the three."""

    strength: float
    causes: tuple[str, ...] = ("push_tm1",)

    def __call__(self, push_tm1: Array) -> Categorical:
        return Categorical(
            self.strength * np.eye(3)[push_tm1.astype(int)] + (1.0 - self.strength) / 3
        )


def _before_the_last(earlier_tm1: Array) -> Exactly:
    return Exactly(earlier_tm1)


@dataclass(frozen=True, eq=False)
class Clone:
    """What was mostly done in each cell of a grid over what is seen: a mechanism of the push."""

    causes: tuple[str, ...]
    edges: tuple[Array, ...]  # of the bands of each cause, ascending
    pushes: Array  # an axis for each cause

    def __call__(self, *seen: Array) -> Exactly:
        return Exactly(self.pushes[_cell(self.edges, seen)])


@lru_cache(maxsize=16)
def cloned(model: CopycatCar, causes: tuple[str, ...]) -> Clone:
    """The clone that an associational learner makes of 4,000 episodes of the log, if it sees these
    variables alone.

    A cell that the log does not have, or has as often with either push, is driven to the right.
    """
    log = model.sample(RECORDED, np.random.default_rng(0))
    going = _going(log)
    seen = [log[name][going] for name in causes]
    edges = tuple(_edges(values) for values in seen)
    balance = np.zeros([len(edge) + 1 for edge in edges])
    np.add.at(balance, _cell(edges, seen), log["push"][going] - IDLE)
    return Clone(causes, edges, np.where(balance >= 0, RIGHT, 0))


def _edges(values: Array) -> Array:
    """Bands between whole numbers, or as many bands of numbers as there should be, each as full as
    the others.
    """
    if values.dtype.kind in "iu":
        return np.asarray(np.unique(values)[:-1] + 0.5)
    return np.asarray(np.quantile(values, np.linspace(0, 1, BANDS + 1)[1:-1]))


def _cell(edges: Sequence[Array], seen: Sequence[Array]) -> tuple[Array, ...]:
    return tuple(np.searchsorted(edge, values) for edge, values in zip(edges, seen, strict=True))


def _going(columns: Mapping[str, Array]) -> Array:
    """Whether a step belongs to the episode: (n, horizon) to truth values."""
    arrived = columns["arrived"].reshape(len(columns["arrived"]), -1)
    return np.asarray(np.cumsum(arrived, axis=1) - arrived == 0)


def _mean_return(world: World) -> float:
    columns = world.sample(DRIVEN, np.random.default_rng(1))
    going = _going(columns)
    paid = columns["time"].reshape(going.shape) * going
    return float((paid @ world.discount ** np.arange(world.horizon)).mean())

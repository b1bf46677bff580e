"""An expert whose past trembles are in the state and in the action, so that who clones the expert
is too weak.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any, ClassVar

import numpy as np
from scipy.linalg import solve_discrete_are

from dosuite.causal import (
    Array,
    Exactly,
    InputError,
    Normal,
    World,
    action,
    context,
    latent,
    reward,
    shift,
)
from dosuite.causal.exact import linear_gaussian

STATE = ("position", "velocity")
STEP = 0.1  # seconds
EFFORT = 0.1  # cost of an action, squared, where the position and the velocity, squared, cost 1
LONGEST = 20  # steps that a shock can last


@dataclass(frozen=True)
class Gain:
    """A linear controller without noise, as a mechanism of the action."""

    on_position: float
    on_velocity: float
    causes: ClassVar[tuple[str, ...]] = STATE

    def __call__(self, position: Array, velocity: Array) -> Exactly:
        return Exactly(self.on_position * position + self.on_velocity * velocity)


@dataclass(frozen=True)
class Motion:
    """The next velocity:

    `tilt` of the position, `damping` of the velocity, and what the force adds.
    """

    tilt: float
    damping: float
    causes: ClassVar[tuple[str, ...]] = ("position_tm1", "velocity_tm1", "force_tm1")

    def __call__(self, position: Array, velocity: Array, force: Array) -> Exactly:
        return Exactly(self.tilt * position + self.damping * velocity + STEP * force)


def _echo(number: int) -> Any:
    """A latent: what the shocks so far will add to the push `number` - 1 steps from now."""

    def echo(
        self: "CorrelatedNoiseLQ", shock_tm1: Array, next_echo_tm1: Array | float = 0.0
    ) -> Exactly:
        return Exactly(shock_tm1 * (number <= self.memory) + next_echo_tm1)

    echo.causes = ("shock_tm1", f"echo_{number + 1}_tm1") if number < LONGEST else ("shock_tm1",)  # type: ignore[attr-defined]
    return latent.starting(Exactly(0.0))(echo)


class Tremble:
    """The noise of a hand:

    a shock at each step, and the echoes of past ones, which the loop below writes.
    """

    @latent
    def shock(self) -> Normal:
        return Normal(0.0, 1.0)


for _number in range(1, LONGEST + 1):
    setattr(Tremble, f"echo_{_number}", _echo(_number))


class CorrelatedNoiseLQ(World, Tremble):
    """Push a cart to the origin and keep it there, at a small cost of the push.

    The log is that of the best linear controller, on whose push a shock of each step acts for
    `memory` steps more. Past shocks have moved the cart and are still in the push, so in the log
    the push goes along with the state more than the expert answers it: a clone has the smaller
    error on the log, and a gain that is too weak. To the learner's own push nothing is added. Who
    plans with the costs in the log is not deceived, for state and push tell all that follows.

        shock_tm1, echo_2_tm1 --> echo_1 --> push <-- shock, position, velocity       (and so on to echo_20)
        push --> force        position_tm1, velocity_tm1, force_tm1 --> position, velocity        cost <-- position, velocity, push

    Observation: Box (2,), the position and the velocity. Action: Box (1,), a push in [-30, 30],
    which no gain that is named here needs to leave; the pushes of the log have no bounds. 200 steps
    of 0.1 seconds; the reward of a step is -(position^2 + velocity^2 + 0.1 push^2), at most 0, and
    J is the sum over an episode, which starts with a position and a velocity that are standard
    normal. The log begins when the expert has long been at work.

    The confused policy is the clone: the linear regression of push on state, after an endless log,
    without noise. The best one is the gain that solves the Riccati equation, J(worst) that of the
    clone of a log whose shocks last for 20 steps, and J(uniform) that of any push in the bounds
    alike. A clone believes nothing of its return. With the intent in sight nothing more is earned.

    Trap: since J(causal) = -17.92 > J(confused) = -79.65 > J(worst) = -128.77.
    Way out: the state 10 steps earlier.
    Best: since J(causal) = -17.92 > J(behaviour) > J(uniform).
    Twin: none, because no world is known that has the same log and another best gain.

    Source: Swamy et al. (2022), the linear-quadratic problem with temporally correlated noise,
    where the remedy is the regression with an earlier state as the instrument."""

    action_bounds: ClassVar[tuple[float, float]] = (-30.0, 30.0)

    horizon: int = 200
    burn_in: int = 200
    memory: int = 10  # steps that a shock lasts after its own, at most 20
    tilt: float = 0.0  # what the position adds to the velocity in a step

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.memory <= LONGEST:
            raise InputError(
                f"a shock can last from 0 to {LONGEST} steps, and memory is {self.memory}"
            )

    @context.starting(Normal(0.0, 1.0))
    def position(self, position_tm1: Array, velocity_tm1: Array, force_tm1: Array) -> Exactly:
        return Exactly(position_tm1 + STEP * velocity_tm1 + STEP**2 / 2 * force_tm1)

    @context.starting(Normal(0.0, 1.0))
    def velocity(self, position_tm1: Array, velocity_tm1: Array, force_tm1: Array) -> Exactly:
        return Motion(self.tilt, 1.0)(position_tm1, velocity_tm1, force_tm1)

    @action
    def push(self, position: Array, velocity: Array, shock: Array, echo_1: Array) -> Exactly:
        return Exactly(self.expert[0] * position + self.expert[1] * velocity + shock + echo_1)

    @latent
    def force(self, push: Array) -> Exactly:
        return Exactly(push)

    @reward
    def cost(self, position: Array, velocity: Array, push: Array) -> Exactly:
        return Exactly(-(position**2 + velocity**2 + EFFORT * push**2))

    @shift
    def weak_actuator(self) -> World:
        return self.do(force=_half)

    @shift
    def strong_actuator(self) -> World:
        return self.do(force=_twice)

    @shift
    def drag(self) -> World:
        """The cart slows down by itself: the clone loses least."""
        return self.do(velocity=Motion(self.tilt, 0.9))

    @shift
    def tilted(self) -> World:
        return self.do(velocity=Motion(self.tilt + 0.1, 1.0))

    @shift
    def headwind(self) -> World:
        return self.do(velocity=Motion(self.tilt, 1.02))

    def twin(self) -> None:
        return None

    def dialled(self, strength: float) -> World:
        """How long a shock lasts, from its own step alone to `memory` more."""
        return replace(self, memory=round(strength * self.memory))

    @cached_property
    def expert(self) -> Array:
        """The gain of the best linear controller of the world before any edit, (2,):

        on the position and on the velocity.
        """
        return best_gain(replace(self, edits=()))

    def regressed_gain(self, lag: int = 0) -> Array:
        """The regression of push on state in an endless log, with the state `lag` steps earlier as
        the instrument: (2,).

        Without a lag it is the plain one, the clone's. From a lag of `memory` on, and below the
        horizon, it is the expert's gain."""
        moments = _moments(self, self.burn_in + self.horizon - lag, lag)[self.burn_in :].sum(0)
        return np.asarray(np.linalg.solve(moments[:2, :2].T, moments[2, :2]))

    def offline_error(self, gain: Array) -> float:
        """The mean squared error with which a gain (2,) predicts the pushes of an endless log."""
        miss = np.array([*-gain, 1.0])
        return float(
            (miss @ _moments(self, self.burn_in + self.horizon)[self.burn_in :] @ miss).mean()
        )

    def values_in(self, world: World) -> Mapping[str, float]:
        """Exact, by the second moments of state and push at each step."""
        best = best_gain(world)
        gains = {
            "j_confused": self.regressed_gain(),
            "j_causal": best_gain(self),
            "j_best": best,
            "j_intent": best,
            "j_worst": replace(self, memory=LONGEST).regressed_gain(),
        }
        low, high = self.action_bounds
        as_spread = Normal(
            0.0, (high - low) / np.sqrt(12.0)
        )  # of a uniform law, of which the cost needs no more
        returns = {
            name: _expected_return(world.do(push=Gain(*gain.tolist())))
            for name, gain in gains.items()
        }
        return {
            **returns,
            "j_uniform": _expected_return(world.do(push=as_spread)),
            "j_behaviour": _expected_return(world),
        }


class Pendulum(CorrelatedNoiseLQ):
    """The position drives the velocity, as in a pendulum that stands on its end: who is too weak
    pays more.

    Otherwise as CorrelatedNoiseLQ; the push is in [-150, 150]. Left to random pushes it falls, and
    soon costs more than a float of 32 bits can hold.

    Trap: since J(causal) = -67.52 > J(confused) = -229.62 > J(worst) = -294.99.
    Way out: the state 10 steps earlier.
    Best: since J(causal) = -67.52 > J(behaviour) > J(uniform).
    Twin: none, because no world is known that has the same log and another best gain.

    Source: as CorrelatedNoiseLQ.
    """

    action_bounds: ClassVar[tuple[float, float]] = (-150.0, 150.0)

    tilt: float = 0.98


def _half(push: Array) -> Exactly:
    return Exactly(0.5 * push)


def _twice(push: Array) -> Exactly:
    return Exactly(2.0 * push)


@lru_cache(maxsize=256)
def best_gain(world: World) -> Array:
    """The linear controller with the least cost over a long time, (2,):

    the solution of the discrete Riccati equation.
    """
    model = linear_gaussian(replace(world, horizon=2, burn_in=0).do(push=0.0), *STATE)
    a, b = (
        np.array(
            [[model.total_effect((cause, 0), (effect, 1)) for cause in causes] for effect in STATE]
        )
        for causes in (STATE, ("push",))
    )
    p = solve_discrete_are(a, b, np.eye(2), np.array([[EFFORT]]))
    return np.asarray(-np.linalg.solve(EFFORT + b.T @ p @ b, b.T @ p @ a)[0])


def _expected_return(world: World) -> float:
    """The exact return of an episode in a world whose actions are linear in what causes them."""
    squares = np.diagonal(_moments(world, world.horizon), axis1=1, axis2=2)
    return float(-(world.discount ** np.arange(world.horizon)) @ squares @ (1.0, 1.0, EFFORT))


@lru_cache(maxsize=256)
def _moments(world: World, steps: int, lag: int = 0) -> Array:
    """E[x s'] at each of so many steps, (steps, 3, 3), where s is position, velocity and push, and
    x the same `lag` steps later.

    With a lag, the last column, of an earlier push, lacks what its own noise leads to.
    """
    model = linear_gaussian(replace(world, horizon=2, burn_in=0), *STATE, "push")
    carried = [
        name
        for name in world.variables
        if (name in STATE or name.startswith("echo_")) and (name, 0) in model.names
    ]
    now, then = ([model.names.index((name, step)) for name in carried] for step in (0, 1))
    seen = [model.names.index((name, 0)) for name in (*STATE, "push")]
    fresh = [place for place in range(len(model.names)) if place not in now]
    spread = model.effects * model.std
    onward, shown = model.effects[np.ix_(then, now)], model.effects[np.ix_(seen, now)]
    new, new_shown = spread[np.ix_(then, fresh)], spread[np.ix_(seen, fresh)]
    later = shown @ np.linalg.matrix_power(onward, lag)
    law, found = spread[np.ix_(now, now)] @ spread[np.ix_(now, now)].T, []
    for _ in range(steps):
        found.append(later @ law @ shown.T + (new_shown @ new_shown.T if lag == 0 else 0.0))
        law = onward @ law @ onward.T + new @ new.T
    return np.array(found)

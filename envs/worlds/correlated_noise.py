"""An expert whose past noise is both in the state and in the action, so that a clone of the expert
acts too weakly.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any, ClassVar

import numpy as np

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
EFFORT = 0.1  # cost of a squared push; a squared position and a squared velocity cost 1
LONGEST = 20  # most steps that a shock can last after its own


@dataclass(frozen=True)
class Gain:
    """A linear controller without noise, as a mechanism of the push."""

    on_position: float
    on_velocity: float
    causes: ClassVar[tuple[str, ...]] = STATE

    def __call__(self, position: Array, velocity: Array) -> Exactly:
        return Exactly(self.on_position * position + self.on_velocity * velocity)


@dataclass(frozen=True)
class Motion:
    """A mechanism of the velocity: tilt x position + damping x velocity + STEP x force, where all
    causes are one step earlier.
    """

    tilt: float
    damping: float
    causes: ClassVar[tuple[str, ...]] = ("position_tm1", "velocity_tm1", "force_tm1")

    def __call__(self, position: Array, velocity: Array, force: Array) -> Exactly:
        return Exactly(self.tilt * position + self.damping * velocity + STEP * force)


def _echo(number: int) -> Any:
    """The latent `echo_{number}`: what the shocks so far add to the push `number` - 1 steps from
    now. `echo_1` is what they add to the push of this step.
    """

    def echo(
        self: "CorrelatedNoiseLQ", shock_tm1: Array, next_echo_tm1: Array | float = 0.0
    ) -> Exactly:
        return Exactly(shock_tm1 * (number <= self.memory) + next_echo_tm1)

    causes = ["shock_tm1"]
    if number < LONGEST:
        causes.append(f"echo_{number + 1}_tm1")
    echo.causes = tuple(causes)  # type: ignore[attr-defined]
    return latent.starting(Exactly(0.0))(echo)


class MovingAverageNoise:
    """The variables of the expert's noise, a moving average of shocks: a shock at each step, and
    `echo_1` to `echo_20`, which the loop below adds.
    """

    @latent
    def shock(self) -> Normal:
        return Normal(0.0, 1.0)


for _number in range(1, LONGEST + 1):
    setattr(MovingAverageNoise, f"echo_{_number}", _echo(_number))


class CorrelatedNoiseLQ(World, MovingAverageNoise):
    """Push a cart to the origin and keep it there, at a small cost of the push.

    The log is written by the best linear controller, to whose push the shock of each step is added
    at once and in the `memory` steps after. Past shocks have moved the cart and are still in the
    push, so in the log the push is correlated with the state beyond the expert's response to it: a
    clone has the smaller error on the log, and a gain that is too weak. Nothing is added to the
    learner's own push. A learner that plans with the costs in the log is not deceived, for state
    and push determine all that follows.

        shock_tm1, echo_2_tm1 --> echo_1 --> push <-- shock, position, velocity
        (and so on to echo_20)
        push --> force
        position_tm1, velocity_tm1, force_tm1 --> position, velocity
        cost <-- position, velocity, push

    Observation: Box (2,), the position and the velocity. Action: Box (1,), a push in [-30, 30],
    which no gain named here ever leaves; the pushes of the log have no bounds. 200 steps of 0.1
    seconds; the reward of a step is -(position^2 + velocity^2 + 0.1 push^2), at most 0, and J is
    the sum over an episode, which starts with a position and a velocity that are standard normal.
    The log begins after 200 steps of the expert.

    The confused policy is the clone: the linear regression of push on state in an infinite log,
    without noise. The best one is the gain that solves the Riccati equation; J(worst) is the value
    of the clone of a log whose shocks last for 20 steps, and J(uniform) that of pushes that are
    uniform in the bounds. A clone has no estimate of its return. Seeing the intent adds nothing.

    Trap: since J(causal) = -17.92 > J(confused) = -79.65 > J(worst) = -128.77.
    Way out: the state 10 steps earlier.
    Best: since J(causal) = -17.92 > J(behaviour) > J(uniform).
    Twin: none, because no world is known that has the same log and another best gain.

    Source: Swamy et al. (2022), the linear-quadratic problem with temporally correlated noise,
    where the remedy is the regression with an earlier state as the instrument."""

    action_bounds: ClassVar[tuple[float, float]] = (-30.0, 30.0)

    horizon: int = 200
    burn_in: int = 200
    memory: int = 10  # n: steps that a shock lasts after its own, at most 20
    tilt: float = 0.0  # what a unit of position adds to the velocity in a step

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
        """The cart slows down without a push: here the clone loses least."""
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
        """The world whose shocks last for this share of `memory`, rounded to steps."""
        return replace(self, memory=round(strength * self.memory))

    @cached_property
    def expert(self) -> Array:
        """The gain of the best linear controller of the unedited world on position and velocity:
        (2,).
        """
        return best_gain(replace(self, edits=()))

    def regressed_gain(self, lag: int = 0) -> Array:
        """The two-stage regression of push on state in an infinite log, with the state `lag` steps
        earlier as the instrument: (2,).

        Lag 0 gives the ordinary regression, which is the clone. From a lag of `memory` on, and
        below the horizon, it gives the expert's gain (Swamy et al., 2022)."""
        moments = _moments(self, self.burn_in + self.horizon - lag, lag)[self.burn_in :].sum(0)
        # The gain k solves E[push z'] = k' E[state z'] for the instrument z.
        state_by_instrument, push_by_instrument = moments[:2, :2], moments[2, :2]
        return np.asarray(np.linalg.solve(state_by_instrument.T, push_by_instrument))

    def offline_error(self, gain: Array) -> float:
        """The mean squared error with which a gain (2,) predicts the pushes of an infinite log."""
        moments = _moments(self, self.burn_in + self.horizon)[self.burn_in :]
        residual = np.array([*-gain, 1.0])  # push - gain @ state
        return float((residual @ moments @ residual).mean())

    def values_in(self, world: World) -> Mapping[str, float]:
        """Exact values, from the second moments of state and push at each step."""
        best = best_gain(world)
        gains = {
            "j_confused": self.regressed_gain(),
            "j_causal": best_gain(self),
            "j_best": best,
            "j_intent": best,
            "j_worst": replace(self, memory=LONGEST).regressed_gain(),
        }
        # The cost depends on the first two moments only, which a uniform push has too.
        low, high = self.action_bounds
        like_uniform = Normal(0.0, (high - low) / np.sqrt(12.0))
        returns = {
            name: _expected_return(world.do(push=Gain(*gain.tolist())))
            for name, gain in gains.items()
        }
        returns["j_uniform"] = _expected_return(world.do(push=like_uniform))
        returns["j_behaviour"] = _expected_return(world)
        return returns


class Pendulum(CorrelatedNoiseLQ):
    """The position drives the velocity, as in an inverted pendulum: a gain that is too weak costs
    more.

    Otherwise as CorrelatedNoiseLQ; the push is in [-150, 150]. Under random pushes the pendulum
    falls, and soon costs more than a 32-bit float can hold.

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
    """The linear controller with the least average cost over an infinite horizon, (2,), from the
    discrete algebraic Riccati equation.
    """
    model = linear_gaussian(replace(world, horizon=2, burn_in=0).do(push=0.0), *STATE)

    def one_step(causes: tuple[str, ...]) -> Array:
        """The effects of the causes at step 0 on the state at step 1: (2, causes)."""
        return np.array(
            [[model.total_effect((cause, 0), (state, 1)) for cause in causes] for state in STATE]
        )

    from scipy.linalg import solve_discrete_are  # slow to import

    # x' = a x + b u with the cost x'x + EFFORT u'u: u = -(r + b'pb)^-1 b'pa x.
    a, b = one_step(STATE), one_step(("push",))
    p = solve_discrete_are(a, b, np.eye(2), np.array([[EFFORT]]))
    return np.asarray(-np.linalg.solve(EFFORT + b.T @ p @ b, b.T @ p @ a)[0])


def _expected_return(world: World) -> float:
    """The exact return of an episode in a world whose push is linear in its causes."""
    squares = np.diagonal(_moments(world, world.horizon), axis1=1, axis2=2)
    discounts = world.discount ** np.arange(world.horizon)
    return float(-discounts @ squares @ (1.0, 1.0, EFFORT))


@lru_cache(maxsize=256)
def _moments(world: World, steps: int, lag: int = 0) -> Array:
    """E[x s'] at each of the first `steps` steps, (steps, 3, 3), where s is position, velocity and
    push, and x is the same `lag` steps later.

    With a lag, the last column (an earlier push) lacks the part that is due to that push's own
    noise.
    """
    model = linear_gaussian(replace(world, horizon=2, burn_in=0), *STATE, "push")
    # The linear state-space form: c' = onward c + new e, s = shown c + new_shown e, where c is what
    # is carried from step to step, and e is the noise of a step in units of its deviation.
    carried = [name for name in world.variables if name in STATE or name.startswith("echo_")]
    carried = [name for name in carried if (name, 0) in model.names]
    now = [model.names.index((name, 0)) for name in carried]
    then = [model.names.index((name, 1)) for name in carried]
    outputs = [model.names.index((name, 0)) for name in (*STATE, "push")]
    noises = [place for place in range(len(model.names)) if place not in now]
    scaled = model.effects * model.std
    onward, shown = model.effects[np.ix_(then, now)], model.effects[np.ix_(outputs, now)]
    new, new_shown = scaled[np.ix_(then, noises)], scaled[np.ix_(outputs, noises)]

    later = shown @ np.linalg.matrix_power(onward, lag)
    own_noise = new_shown @ new_shown.T if lag == 0 else 0.0
    initial = scaled[np.ix_(now, now)]
    covariance = initial @ initial.T
    moments = []
    for _ in range(steps):
        moments.append(later @ covariance @ shown.T + own_noise)
        covariance = onward @ covariance @ onward.T + new @ new.T
    return np.array(moments)

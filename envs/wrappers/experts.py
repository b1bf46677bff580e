"""The experts of the confounded classics, written by hand, and how their drivers push.

An expert maps clean observations (n, numbers), with the driver U as the last number where it sees
it, to actions. A push changes the state of the bare environment by a force before a step.
"""

from typing import Any

import numpy as np

from dosuite.causal import Array

from ..rollouts import Acting
from .gaits import gait, walk

BALANCE = np.array([0.05, 0.3, 3.0, 1.0, 0.7])  # position, speed, angle, turning, U
DRAUGHT = 0.15  # how much U counts for the lander's pilot, in the unit of its lift
CLIMB = 0.133  # of the observation for each unit of the craft's upward velocity


def turn_pole(cart: Any, force: float) -> None:
    """Add to the angular velocity of CartPole's pole, in rad/s."""
    position, speed, angle, turning = cart.state
    cart.state = np.array([position, speed, angle, turning + force])


def balance(sights: Array) -> Array:
    """CartPole: push to the side to which the pole falls, or will be blown: (n, 5) to (n,)."""
    return np.asarray(sights @ BALANCE > 0).astype(int)


def pump(observations: Array) -> Array:
    """Acrobot: a torque in the direction in which the second link turns adds energy: (n, 6) to
    (n,)."""
    return np.where(observations[:, 5] > 0, 2, 0)


def lift_lander(lunar: Any, force: float) -> None:
    """Add to the upward velocity of LunarLander's craft, in the observed unit."""
    across, up = lunar.lander.linearVelocity
    lunar.lander.linearVelocity = (across, up + force / CLIMB)


def land(sights: Array) -> Array:
    """LunarLander: lean the craft against its drift, and fire when it sinks too fast: (n, 8) or
    (n, 9) to (n,).

    Where the driver is the last number, the engine is fired against the draught that is to come.
    """
    x, height, drift, climb, angle, turning, left, right = sights.T[:8]
    lifted = DRAUGHT * sights[:, 8] if sights.shape[1] > 8 else 0.0
    wanted = np.clip(0.5 * x + drift, -0.4, 0.4)  # the angle that brings it back
    turn = 0.5 * (wanted - angle) - turning
    lift = 0.5 * (0.5 * np.abs(x) - height) - 0.5 * climb
    on_ground = left + right > 0
    turn, lift = np.where(on_ground, 0.0, turn), np.where(on_ground, -0.5 * climb, lift)
    is_lifted = (lift - lifted > 0.05) & (lift - lifted > np.abs(turn))
    sideways = np.where(turn > 0.05, 1, np.where(turn < -0.05, 3, 0))
    return np.where(is_lifted, 2, sideways)


def load(robot: Any, force: float) -> None:
    """Multiply the masses of a MuJoCo robot by 1 + force; a force below 0 lifts no load."""
    masses = vars(robot).setdefault("unloaded_masses", robot.model.body_mass.copy())
    robot.model.body_mass[:] = masses * (1 + max(force, 0.0))


def walker(robot: str) -> Acting:
    """The expert that walks by the kept gait of a MuJoCo robot: see `gaits`."""

    def walking(observations: Array) -> Array:
        return walk(gait(robot), observations)

    return walking

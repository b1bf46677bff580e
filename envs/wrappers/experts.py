"""The experts of the confounded classics, written by hand, and how their drivers push.

An expert maps clean observations (n, numbers), with the driver U as the last number where it sees
it, to actions. A push changes the state of the bare environment by a force before a step.
"""

from typing import Any

import numpy as np

from dosuite.causal import Array

BALANCE = np.array([0.1, 0.2, 1.0, 0.5, 1.0])  # position, speed, angle, turning, U


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

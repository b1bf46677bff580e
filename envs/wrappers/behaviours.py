"""Behaviour policies that act on the clean observation and on a hidden driver."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import spaces

from dosuite.causal import Array, InputError
from dosuite.causal.arrays import Floats

from ..rollouts import Acting
from ..spaces import Space, choices


@dataclass(frozen=True)
class Behaviour:
    """A policy, how it reads the hidden driver U, and its noise.

    `acts` is a function of the clean observations (n, ...), or a model of Stable-Baselines3, and
    gives actions (n,) or (n, numbers). With `sees_driver` it gets observations that are flat and
    end with U: (n, numbers + 1).

    `leaning` declares the reading of U:

    - Discrete actions: with probability `follow` the action is leaning[0] if U < 0, and leaning[1]
      if U > 0. Otherwise, with probability `noise` the action is uniform, and else that of `acts`.
    - Actions in a Box: U * leaning is added, one number or one for each number of the action, and
      normal noise with standard deviation `noise`, both in the unit of the action. There is no
      `follow`.
    """

    acts: Acting | Any
    leaning: Sequence[float] | float | None = None
    follow: float = 0.0
    noise: float = 0.0
    sees_driver: bool = False

    def check(self, space: Space) -> None:
        """Raise InputError if a setting does not fit the action space, Discrete or a Box."""
        if not hasattr(self.acts, "predict") and not callable(self.acts):
            raise InputError(f"a behaviour acts by a function or a model, and got {self.acts!r}")
        if isinstance(space, spaces.Box):
            fitting = np.broadcast_shapes(np.shape(self._added), space.shape) == space.shape
            if self.follow or not fitting or not 0 <= self.noise < np.inf:
                raise InputError(
                    f"a behaviour in {space} needs a leaning of shape {space.shape}, a noise of at "
                    f"least 0, and no follow, and got {self}"
                )
            return
        if not (0 <= self.follow <= 1 and 0 <= self.noise <= 1):
            raise InputError(
                f"follow and noise must be in [0, 1], and are {self.follow}, {self.noise}"
            )
        pair = () if self.leaning is None else np.ravel(self.leaning)
        if (self.follow or len(pair)) and (len(pair) != 2 or not all(map(space.contains, pair))):
            raise InputError(
                f"the leaning in {space} must be two of its actions, for U < 0 and for U > 0, and "
                f"is {self.leaning!r}"
            )

    def chosen(self, clean: Array, driver: Floats) -> Array:
        """The actions of `acts`: clean observations (n, ...) and U (n,) to (n, ...)."""
        if self.sees_driver:
            clean = np.column_stack([clean.reshape(len(clean), -1), driver])
        predict: Callable[..., Any] | None = getattr(self.acts, "predict", None)
        if predict is not None:
            return np.asarray(predict(clean, deterministic=True)[0])
        return np.asarray(self.acts(clean))

    def law(self, clean: Array, driver: Floats, actions: int) -> Floats:
        """P(action | clean observation, U) of Discrete actions: (n, actions)."""
        one_hot = np.eye(actions)
        law = (1 - self.noise) * one_hot[self.chosen(clean, driver).astype(int)]
        law = law + self.noise / actions
        if self.follow:
            law = (1 - self.follow) * law + self.follow * one_hot[self._leaned(driver)]
        return np.asarray(law)

    def centre(self, clean: Array, driver: Floats) -> Floats:
        """The mean action in a Box, which may leave the bounds: (n, numbers)."""
        chosen = self.chosen(clean, driver).reshape(len(driver), -1)
        return np.asarray(chosen + np.outer(driver, np.ravel(self._added)))

    def act(self, clean: Array, driver: Floats, space: Space, rng: np.random.Generator) -> Array:
        """An action of the behaviour in each row: (n,) or (n, numbers)."""
        if isinstance(space, spaces.Box):
            centre = self.centre(clean, driver)
            return np.asarray(centre + self.noise * rng.standard_normal(centre.shape))
        bounds = self.law(clean, driver, choices(space)).cumsum(1)
        return np.asarray((rng.random((len(bounds), 1)) * bounds[:, -1:] >= bounds).sum(1))

    def likelihood(self, clean: Array, driver: Floats, action: Any, space: Space) -> Floats:
        """How likely one action is in each row, up to a common factor: (n,).

        It is 0 in all rows of a Box if there is no noise and the action is none of the centres.
        """
        if not isinstance(space, spaces.Box):
            return np.asarray(self.law(clean, driver, choices(space))[:, int(action)])
        distance = np.square(self.centre(clean, driver) - np.ravel(action)).sum(1)
        if self.noise == 0:
            return np.asarray(distance == 0, dtype=float)
        return np.asarray(np.exp(-(distance - distance.min()) / (2 * self.noise**2)))

    def agrees(self, action: Any, driver: float) -> bool:
        """Whether an action is the one that U leans to; in a Box, whether its sign is that of U."""
        if self.leaning is None:
            return False
        if np.ndim(action) == 0 and np.size(self.leaning) == 2:
            return int(action) == int(self._leaned(np.array([driver]))[0])
        along = float(np.sum(np.ravel(action) * np.ravel(self.leaning)))
        return along * driver > 0

    @property
    def _added(self) -> Sequence[float] | float:
        return 0.0 if self.leaning is None else self.leaning

    def _leaned(self, driver: Floats) -> Array:
        pair = np.ravel(np.asarray(self.leaning)).astype(int)
        return np.asarray(pair[(driver > 0).astype(int)])

"""Noisy observations of three kinds, with an action shown in them."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import ArrayLike

from dosuite.causal import Array, InputError
from dosuite.causal.arrays import Floats


class NoisyView(ABC):
    """How observations of one kind are made noisy, and how an action is shown in them."""

    space: spaces.Space[Any]  # of what is shown

    @abstractmethod
    def show(self, observation: Any, action: int | None, rng: np.random.Generator) -> Any:
        """The observation with noise, and with the action unless that is None."""


def noisy_view(
    space: spaces.Space[Any], actions: int, sigma: float, scale: ArrayLike, shown: bool
) -> NoisyView:
    """The view that suits a space. `shown` says whether an action is shown in it.

    Raises InputError if no view suits the space, or if `sigma` or `scale` does not fit it.
    """
    if isinstance(space, spaces.Discrete) and space.start == 0:
        return _IntegerView(space, actions, sigma, shown)
    if not isinstance(space, spaces.Box):
        raise InputError(
            "the copycat needs observations that are a Box, or Discrete and begin at 0, and got "
            f"{space}"
        )
    if space.dtype == np.uint8 and len(space.shape) >= 2:
        return _ImageView(space, actions, sigma, scale)
    return _NumbersView(space, actions, sigma, scale, shown)


class _NumbersView(NoisyView):
    """A Box of numbers: flattened, with normal noise, and followed by the action, one-hot."""

    def __init__(self, base: spaces.Box, actions: int, sigma: float, scale: ArrayLike, shown: bool):
        self.spread = _spread(base, sigma, scale).ravel()
        is_float = np.issubdtype(base.dtype, np.floating)
        self.type = base.dtype if is_float else np.dtype(np.float32)
        self.one_hot = np.eye(actions, dtype=self.type)
        # Noise leaves every bound of the base.
        low = np.where(self.spread > 0, -np.inf, base.low.ravel())
        high = np.where(self.spread > 0, np.inf, base.high.ravel())
        if shown:
            low = np.append(low, np.zeros(actions))
            high = np.append(high, np.ones(actions))
        self.space = spaces.Box(low.astype(self.type), high.astype(self.type), dtype=self.type.type)

    def show(self, observation: Any, action: int | None, rng: np.random.Generator) -> Array:
        noise = self.spread * rng.standard_normal(len(self.spread))
        noisy = (np.ravel(observation) + noise).astype(self.type)
        return noisy if action is None else np.append(noisy, self.one_hot[action])


class _ImageView(NoisyView):
    """An image: normal noise on each byte, and a square in the upper left corner.

    The higher the number of the action, the brighter the square. Channels are the last axis if that
    has length 1, 3 or 4, and otherwise the first, as in a stack of frames; all have the square.
    """

    def __init__(self, base: spaces.Box, actions: int, sigma: float, scale: ArrayLike):
        self.space = base
        self.actions = actions
        self.spread = _spread(base, sigma, scale)
        channels_first = len(base.shape) == 3 and base.shape[-1] not in (1, 3, 4)
        height_and_width = base.shape[1:] if channels_first else base.shape[:2]
        self.side = max(1, min(height_and_width) // 8)
        square = slice(self.side), slice(self.side)
        self.corner = (slice(None), *square) if channels_first else square

    def show(self, observation: Any, action: int | None, rng: np.random.Generator) -> Array:
        noise = self.spread * rng.standard_normal(self.spread.shape)
        image: Array = np.rint(observation + noise).clip(0, 255).astype(np.uint8)
        if action is not None:
            image[self.corner] = 255 * (action + 1) // self.actions
        return image


class _IntegerView(NoisyView):
    """An integer: replaced by a uniform one with probability `sigma`, followed by the action."""

    def __init__(self, base: spaces.Discrete, actions: int, sigma: float, shown: bool):
        if sigma > 1:
            raise InputError(
                "sigma is the probability that a number is replaced by another, and got "
                f"{sigma}; take one in [0, 1]"
            )
        self.count, self.sigma = int(base.n), sigma
        self.space = spaces.MultiDiscrete([self.count, actions]) if shown else base

    def show(self, observation: Any, action: int | None, rng: np.random.Generator) -> Any:
        is_replaced = rng.random() < self.sigma
        other = rng.integers(self.count)
        value = np.int64(other if is_replaced else observation)
        return value if action is None else np.array([value, action])


def _spread(space: spaces.Box, sigma: float, scale: ArrayLike) -> Floats:
    """The standard deviation of the noise on each number of an observation."""
    try:
        return sigma * np.broadcast_to(np.asarray(scale, dtype=float), space.shape)
    except ValueError as error:
        raise InputError(
            f"the scale must be a number or have the shape {space.shape}, and got {scale!r}"
        ) from error

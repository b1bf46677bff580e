"""Observations as inputs of networks."""

import numpy as np
import torch
from gymnasium import spaces
from gymnasium.spaces import flatdim
from torch import Tensor

from dosuite.causal import Array, InputError
from dosuite.envs import Space

from .perceptrons import ImageSize


def device_named(name: str) -> torch.device:
    """The device "cpu", "cuda" or "cuda:1". Raises InputError if this machine does not have it."""
    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError) as error:
        raise InputError(
            f"there is no device {name!r} here that torch can use; leave the device out, or take "
            "cpu"
        ) from error


def image_size(space: Space) -> ImageSize | None:
    """The height and width of the images (1, height, width) of a space; None for another space."""
    if isinstance(space, spaces.Box) and space.dtype == np.uint8 and len(space.shape) == 3:
        _, height, width = space.shape
        return height, width
    return None


def brightness(pixels: Tensor) -> Tensor:
    """Bytes as numbers from 0 to 1."""
    return pixels.float() / 255


def features(space: Space, observations: Array) -> Tensor:
    """Observations as floats, (n, flatdim): one-hot if the space is discrete, pixels 0 to 1."""
    if image_size(space) is not None:
        return brightness(torch.as_tensor(observations.reshape(len(observations), -1)))
    if isinstance(space, spaces.Box):
        numbers = torch.as_tensor(np.asarray(observations, dtype=np.float32))
        return numbers.reshape(len(observations), -1)
    ones = torch.as_tensor(places(space, observations))
    return torch.zeros(len(observations), flatdim(space)).scatter_(1, ones, 1.0)


def places(space: Space, observations: Array) -> Array:
    """The positions of the ones in one-hot features of a discrete space: (n, ones)."""
    sizes = space.nvec if isinstance(space, spaces.MultiDiscrete) else [flatdim(space)]
    values = np.reshape(observations, (len(observations), -1)).astype(np.int64)
    return np.asarray(values + np.cumsum([0, *sizes[:-1]]))

"""Small networks over observations, for spaces that are too large to count."""

import numpy as np
import torch
from gymnasium import spaces
from gymnasium.spaces import flatdim
from torch import Tensor

from dosuite.causal import Array, InputError
from dosuite.envs import Space


def device_named(name: str) -> torch.device:
    """The device "cpu", "cuda" or "cuda:1". Raises InputError if this machine does not have it."""
    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError):
        raise InputError(
            f"there is no device {name!r} here that torch can use; leave the device out, or take "
            "cpu"
        ) from None


def features(space: Space, observations: Array) -> Tensor:
    """Observations as floats, (n, flatdim): one-hot where the space is discrete."""
    if isinstance(space, spaces.Box):
        return torch.as_tensor(np.asarray(observations, dtype=np.float32)).reshape(
            len(observations), -1
        )
    return torch.zeros(len(observations), flatdim(space)).scatter_(
        1, torch.as_tensor(places(space, observations)), 1.0
    )


def places(space: Space, observations: Array) -> Array:
    """Where the features of observations of a discrete space are 1: (n, ones)."""
    sizes = space.nvec if isinstance(space, spaces.MultiDiscrete) else [flatdim(space)]
    return np.asarray(
        np.reshape(observations, (len(observations), -1)).astype(np.int64)
        + np.cumsum([0, *sizes[:-1]])
    )

"""Small networks over observations, for spaces that are too large to count."""

import itertools
from collections.abc import Callable, Sequence

import numpy as np
import torch
from gymnasium import spaces
from gymnasium.spaces import flatdim
from torch import Tensor, nn

from confoundry.causal import Array, InputError
from confoundry.envs import Space

BATCH = 1024


def device_named(name: str) -> torch.device:
    """The device "cpu", "cuda" or "cuda:1". Raises InputError if this machine does not have it."""
    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError):
        raise InputError(f"there is no device {name!r} here that torch can use; leave the device out, or take cpu") from None


def features(space: Space, observations: Array) -> Tensor:
    """Observations as floats, (n, flatdim): one-hot where the space is discrete."""
    if isinstance(space, spaces.Box):
        return torch.as_tensor(np.asarray(observations, dtype=np.float32)).reshape(len(observations), -1)
    columns = np.reshape(observations, (len(observations), -1))
    sizes = np.atleast_1d(space.n if isinstance(space, spaces.Discrete) else space.nvec)  # type: ignore[attr-defined]
    return torch.cat([nn.functional.one_hot(torch.as_tensor(columns[:, i]), int(k)) for i, k in enumerate(sizes)], 1).float()


def outputs(net: nn.Module, space: Space, observations: Array) -> Tensor:
    """What a network makes of the features of observations, (n, outputs), on the device where it is."""
    values: Tensor = net(features(space, observations).to(next(net.parameters()).device))
    return values


def network(space: Space, outputs: int, hidden: Sequence[int], rng: np.random.Generator, device: str = "cpu") -> nn.Module:
    """A multi-layer perceptron from features to `outputs`, with weights drawn from `rng`, on the device.

    Raises InputError if there is no such device.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(rng.integers(2**31)))
        sizes = [flatdim(space), *hidden]
        layers = [layer for a, b in itertools.pairwise(sizes) for layer in (nn.Linear(a, b), nn.ReLU())]
        return nn.Sequential(*layers, nn.Linear(sizes[-1], outputs)).to(device_named(device))


def fit(net: nn.Module, loss: Callable[[Array], Tensor], rows: int, steps: int, rate: float, rng: np.random.Generator) -> None:
    """Take `steps` steps of Adam on `loss(indices)` over minibatches of row indices: no more than these rows need be in memory.

    Raises FloatingPointError if the loss is not finite.
    """
    optimiser = torch.optim.Adam(net.parameters(), lr=rate)
    for _ in range(steps):
        value = loss(rng.integers(rows, size=min(rows, BATCH)))
        if not torch.isfinite(value):
            raise FloatingPointError("the loss is not finite any more; try a smaller learning rate")
        optimiser.zero_grad()
        value.backward()  # type: ignore[no-untyped-call]
        optimiser.step()

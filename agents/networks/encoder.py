"""How observations enter batched networks."""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from gymnasium import spaces
from gymnasium.spaces import flatdim
from torch import Tensor

from dosuite.causal import Array
from dosuite.envs import Space, as_integer, cells

from .features import features, places
from .perceptrons import Perceptrons


class Encoder:
    """How observations enter networks: numbers as they are, one-hot features as the places of the
    ones.

    Where there are no more cells than rows, each cell enters once, and a row looks its outputs up.
    """

    def __init__(self, space: Space, rows: int, device: torch.device):
        self.space, self.rows, self.device = space, rows, device
        self.cells = cells(space) or 0  # 0 where they cannot be counted
        self.once = 0 < self.cells <= rows
        self.grid = (
            features(space, _every(space)).to(device) if self.once else torch.empty(0)
        )  # (cells, in)
        sizes = space.nvec if isinstance(space, spaces.MultiDiscrete) else np.array([self.cells])
        strides = np.cumprod([1, *sizes[:0:-1]])[::-1].copy()  # of the number of a cell, by feature
        self.strides, self.first = (
            self.tensor(strides),
            int(strides @ np.cumsum([0, *sizes[:-1]])),
        )  # what the places of cell 0 come to

    def columns(self, observations: Array) -> Array:
        """Observations (n, ...) as cells (n,) if each enters once;

        else as places of ones (n, ones) or numbers (n, in).
        """
        if isinstance(self.space, spaces.Box):
            return observations.reshape(len(observations), -1).astype(np.float32)
        return (
            as_integer(self.space, observations) if self.once else places(self.space, observations)
        )

    def tensor(self, columns: Array) -> Tensor:
        """Columns as a tensor on the device."""
        return torch.as_tensor(columns).to(self.device)

    def outputs(self, networks: Perceptrons, observed: Tensor) -> Tensor:
        """What networks make of such a tensor, (members, rows, ...): (members, rows, out)."""
        if not self.once:
            return networks(observed)  # type: ignore[no-any-return]
        values = networks(self.grid.expand(len(observed), -1, -1))
        return _looked_up(values, observed)

    def table(self, networks: Perceptrons, minibatches: int) -> Callable[[Tensor], Tensor]:
        """`outputs` of networks that do not change for so many minibatches, looked up where all
        cells are less than half the work.
        """
        if not 0 < self.cells <= self.rows * minibatches // 2:
            return partial(self.outputs, networks)
        every = self.tensor(self.columns(_every(self.space)))
        values = self.outputs(networks, every.expand(len(networks), *every.shape))
        return lambda observed: _looked_up(values, self._numbers(observed))

    def _numbers(self, observed: Tensor) -> Tensor:
        """The number of the cell in each row: (members, rows)."""
        return observed if self.once else (observed * self.strides).sum(-1).sub_(self.first)

    def features(self, observed: Tensor) -> Tensor:
        """Such a tensor as rows of features: (members, rows, in)."""
        if observed.is_floating_point() or self.once:
            return self.grid[observed] if self.once else observed
        return torch.zeros(*observed.shape[:2], flatdim(self.space), device=self.device).scatter_(
            2, observed, 1.0
        )


def _looked_up(values: Tensor, numbers: Tensor) -> Tensor:
    """Values (members, cells, out) of the cells with some numbers, (members, rows):

    (members, rows, out).
    """
    return values.gather(1, numbers[..., None].expand(-1, -1, values.shape[2]))


def _every(space: Space) -> Array:
    numbers = np.arange(cells(space) or 0)
    return (
        np.stack(np.unravel_index(numbers, space.nvec), axis=1)
        if isinstance(space, spaces.MultiDiscrete)
        else numbers
    )

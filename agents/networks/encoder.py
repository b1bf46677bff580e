"""The inputs of batched networks.

Numbers enter a network as they are, and images as bytes, of which it makes numbers from 0 to 1.
Discrete observations enter one-hot, as the positions of the
ones, so that the first layer looks rows of its weights up instead of multiplying. If a space has no
more observations ("cells") than a minibatch has rows, every cell is evaluated once per minibatch
and each row looks up the outputs of its cell.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from gymnasium import spaces
from gymnasium.spaces import flatdim
from torch import Tensor

from dosuite.causal import Array
from dosuite.envs import Space, as_integer, cells

from .features import brightness, features, image_size, places
from .perceptrons import Perceptrons


class Encoder:
    """Encodes observations of a space for networks that see `rows` rows per minibatch."""

    def __init__(self, space: Space, rows: int, device: torch.device):
        self.space = space
        self.rows = rows
        self.device = device
        self.is_image = image_size(space) is not None
        self.cells = cells(space) or 0  # 0 if the space is not discrete
        self.once = 0 < self.cells <= rows  # whether each cell is evaluated once
        self.grid = torch.empty(0)  # features of all cells, (cells, in), if evaluated once
        if self.once:
            self.grid = features(space, _all_cells(space)).to(device)
        # The number of a cell from the positions of its ones. Component i of a cell has the value
        # v_i = position_i - offset_i, and the number of the cell is sum_i stride_i v_i, in
        # row-major order. `first` is sum_i stride_i offset_i.
        sizes = space.nvec if isinstance(space, spaces.MultiDiscrete) else np.array([self.cells])
        strides = np.cumprod([1, *sizes[:0:-1]])[::-1].copy()
        offsets = np.cumsum([0, *sizes[:-1]])
        self.strides = self.tensor(strides)
        self.first = int(strides @ offsets)

    def columns(self, observations: Array) -> Array:
        """Encode observations (n, ...).

        The result has the numbers of the cells (n,) if each is evaluated once, else the positions
        of ones (n, ones), or for a Box numbers (n, in), which are bytes if it holds images.
        """
        if self.is_image:
            return observations.reshape(len(observations), -1)
        if isinstance(self.space, spaces.Box):
            return observations.reshape(len(observations), -1).astype(np.float32)
        if self.once:
            return as_integer(self.space, observations)
        return places(self.space, observations)

    def tensor(self, columns: Array) -> Tensor:
        """Encoded observations as a tensor on the device."""
        return torch.as_tensor(columns).to(self.device)

    def outputs(self, networks: Perceptrons, encoded: Tensor) -> Tensor:
        """Outputs for encoded observations: (members, rows, ...) to (members, rows, out)."""
        if not self.once:
            if self.is_image:
                encoded = brightness(encoded)
            return networks(encoded)  # type: ignore[no-any-return]
        values = networks(self.grid.expand(len(encoded), -1, -1))
        return _looked_up(values, encoded)

    def table(self, networks: Perceptrons, minibatches: int) -> Callable[[Tensor], Tensor]:
        """The function `outputs` of networks that stay fixed for a number of minibatches.

        If evaluating all cells costs less than half of evaluating all rows of these minibatches,
        all cells are evaluated now and the function looks the outputs up.
        """
        if not 0 < self.cells <= self.rows * minibatches // 2:
            return partial(self.outputs, networks)
        encoded_cells = self.tensor(self.columns(_all_cells(self.space)))
        members = len(networks)
        values = self.outputs(networks, encoded_cells.expand(members, *encoded_cells.shape))
        return lambda encoded: _looked_up(values, self._cell_numbers(encoded))

    def _cell_numbers(self, encoded: Tensor) -> Tensor:
        """The number of the cell in each row: (members, rows)."""
        if self.once:
            return encoded
        return (encoded * self.strides).sum(-1).sub_(self.first)

    def features(self, encoded: Tensor) -> Tensor:
        """Encoded observations as rows of features: (members, rows, in)."""
        if self.once:
            return self.grid[encoded]
        if self.is_image:
            return brightness(encoded)
        if encoded.is_floating_point():
            return encoded
        members, rows, _ = encoded.shape
        zeros = torch.zeros(members, rows, flatdim(self.space), device=self.device)
        return zeros.scatter_(2, encoded, 1.0)


def _looked_up(values: Tensor, numbers: Tensor) -> Tensor:
    """Values (members, cells, out) of some cells, (members, rows): (members, rows, out)."""
    outputs = values.shape[2]
    index = numbers[..., None].expand(-1, -1, outputs)
    return values.gather(1, index)


def _all_cells(space: Space) -> Array:
    """All observations of a discrete space, in row-major order."""
    numbers = np.arange(cells(space) or 0)
    if isinstance(space, spaces.MultiDiscrete):
        return np.stack(np.unravel_index(numbers, space.nvec), axis=1)
    return numbers

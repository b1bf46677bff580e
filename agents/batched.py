"""Networks, minibatches and steps of Adam with a leading axis of seeds: all seeds of a configuration learn at once.

No operation mixes seeds, and each has a generator of its own: on one thread of a CPU, a seed gets the numbers that it gets alone.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from gymnasium.spaces import flatdim
from torch import Tensor, nn

from confoundry.causal import Array
from confoundry.envs import Data, Space, as_integer, cells

from .agent import Policy
from .networks import features, places

BLOCK = 32  # minibatches that are drawn at once
NARROW = 16  # outputs of a layer; one of fewer, and of no fewer rows, is computed transposed


class Perceptrons(nn.Module):
    """Multi-layer perceptrons of one shape: weights (members, in, out) and biases (members, 1, out) in turns, layer by layer."""

    def __init__(self, layers: Iterable[Tensor]):
        super().__init__()
        self.layers = nn.ParameterList(layers)

    @staticmethod
    def drawn(sizes: Sequence[int], rngs: Sequence[np.random.Generator]) -> "Perceptrons":
        """One for each generator, drawn as `torch.nn.Linear` is: uniform within 1/sqrt(in)."""
        members = [[_uniform(rng, a, shape) for a, b in pairwise(sizes) for shape in ((a, b), (1, b))] for rng in rngs]
        return Perceptrons(torch.stack(parts) for parts in zip(*members, strict=True))

    def __len__(self) -> int:
        return len(self.layers[0])

    def forward(self, inputs: Tensor) -> Tensor:
        """Inputs (members, rows, in), or if they are one-hot the places of the ones, to outputs (members, rows, out)."""
        return perceive([*self.layers], inputs)

    def only(self, members: Sequence[int]) -> "Perceptrons":
        """A copy of some members, on the CPU."""
        return Perceptrons(layer.detach()[list(members)].cpu() for layer in self.layers)

    @torch.no_grad()
    def follow(self, other: "Perceptrons", share: float = 1.0) -> None:
        """Move towards the parameters of another by a share of the way."""
        for mine, theirs in zip(self.layers, other.layers, strict=True):
            mine.lerp_(theirs, share)


def perceive(layers: Sequence[Tensor], inputs: Tensor) -> Tensor:
    """What perceptrons with these layers make of inputs, which are as in `Perceptrons.forward`."""
    for i in range(0, len(layers), 2):
        inputs = _affine(inputs.relu_() if i else inputs, layers[i], layers[i + 1])
    return inputs


def _affine(inputs: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    if not inputs.is_floating_point():
        return _Chosen.apply(weight, inputs) + bias  # type: ignore[no-any-return, no-untyped-call]
    if weight.shape[2] == 1:  # a product with a vector would round otherwise where there is one member
        return bias + (inputs * weight.mT).sum(2, keepdim=True)
    if weight.shape[2] < NARROW <= inputs.shape[1]:
        return _Narrow.apply(inputs, weight) + bias  # type: ignore[no-any-return, no-untyped-call]
    return torch.baddbmm(bias, inputs, weight)


class _Narrow(torch.autograd.Function):
    """The product of inputs and weights of few outputs, transposed: several times as fast, forwards and backwards."""

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, weight: Tensor) -> Tensor:
        """Inputs (members, rows, in) and weights (members, in, out) to (members, rows, out)."""
        ctx.save_for_backward(inputs, weight)
        return torch.bmm(weight.mT, inputs.mT).mT

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, Tensor | None]:
        """The gradients of inputs and weights, where they are asked for."""
        inputs, weight = ctx.saved_tensors
        by_inputs, by_weight = ctx.needs_input_grad
        return torch.bmm(slope, weight.mT) if by_inputs else None, torch.bmm(slope.mT, inputs).mT if by_weight else None


class _Chosen(torch.autograd.Function):
    """The product of one-hot inputs and weights, as a sum of rows of the weights."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, ones: Tensor) -> Tensor:
        """Weights (members, in, out) and places of the ones (members, rows, ones) to (members, rows, out)."""
        members, inputs, outputs = ctx.shape = weight.shape
        places = (ones + torch.arange(0, members * inputs, inputs, device=ones.device)[:, None, None]).reshape(-1, ones.shape[2])
        ctx.save_for_backward(places)
        return nn.functional.embedding_bag(places, weight.reshape(-1, outputs), mode="sum").reshape(members, -1, outputs)

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, None]:
        """Each row of the slopes goes to the weights that it is a sum of."""
        (places,) = ctx.saved_tensors
        found = slope.new_zeros(ctx.shape).flatten(0, 1)
        for column in places.unbind(1):
            found.index_add_(0, column, slope.flatten(0, 1))
        return found.reshape(ctx.shape), None


def _uniform(rng: np.random.Generator, inputs: int, shape: tuple[int, int]) -> Tensor:
    bound = 1 / np.sqrt(inputs)
    return torch.as_tensor(rng.uniform(-bound, bound, shape)).float()


def target_of(networks: Perceptrons) -> Perceptrons:
    """A copy that is not trained."""
    return deepcopy(networks).requires_grad_(False)


class Encoder:
    """How observations enter networks: numbers as they are, one-hot features as the places of the ones.

    Where there are no more cells than rows, each cell enters once, and a row looks its outputs up.
    """

    def __init__(self, space: Space, rows: int, device: torch.device):
        self.space, self.rows, self.device = space, rows, device
        self.cells = cells(space) or 0  # 0 where they cannot be counted
        self.once = 0 < self.cells <= rows
        self.grid = features(space, _every(space)).to(device) if self.once else torch.empty(0)  # (cells, in)
        sizes = space.nvec if isinstance(space, spaces.MultiDiscrete) else np.array([self.cells])
        strides = np.cumprod([1, *sizes[:0:-1]])[::-1].copy()  # of the number of a cell, by feature
        self.strides, self.first = self.tensor(strides), int(strides @ np.cumsum([0, *sizes[:-1]]))  # what the places of cell 0 come to

    def columns(self, observations: Array) -> Array:
        """Observations (n, ...) as cells (n,) if each enters once; else as places of ones (n, ones) or numbers (n, in)."""
        if isinstance(self.space, spaces.Box):
            return observations.reshape(len(observations), -1).astype(np.float32)
        return as_integer(self.space, observations) if self.once else places(self.space, observations)

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
        """`outputs` of networks that do not change for so many minibatches, looked up where all cells are less than half the work."""
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
        return torch.zeros(*observed.shape[:2], flatdim(self.space), device=self.device).scatter_(2, observed, 1.0)


def _looked_up(values: Tensor, numbers: Tensor) -> Tensor:
    """Values (members, cells, out) of the cells with some numbers, (members, rows): (members, rows, out)."""
    return values.gather(1, numbers[..., None].expand(-1, -1, values.shape[2]))


def _every(space: Space) -> Array:
    numbers = np.arange(cells(space) or 0)
    return np.stack(np.unravel_index(numbers, space.nvec), axis=1) if isinstance(space, spaces.MultiDiscrete) else numbers


@dataclass(frozen=True)
class Batch:
    """A minibatch of each seed: (seeds, rows), and observations as an encoder has them."""

    observation: Tensor
    action: Tensor  # whole numbers, or floats where the actions are numbers
    reward: Tensor
    next_observation: Tensor
    going_on: Tensor  # 0.0 where the episode has terminated, else 1.0


def minibatches(sources: Sequence[Data], rngs: Sequence[np.random.Generator], updates: int, rows: int, encoder: Encoder) -> Iterator[Batch]:
    """So many minibatches, of `rows` rows of each log, drawn with replacement by its own generator. No more of it need be in memory."""
    for first in range(0, updates, BLOCK):
        count = min(BLOCK, updates - first)
        drawn = [_draw(data, rng.integers(len(data), size=count * rows), encoder) for data, rng in zip(sources, rngs, strict=True)]
        block = [torch.stack([part.unflatten(0, (count, rows)) for part in parts], 1) for parts in zip(*drawn, strict=True)]
        for i in range(count):
            yield Batch(*(part[i] for part in block))


def _draw(data: Data, rows: Array, encoder: Encoder) -> tuple[Tensor, ...]:
    """The parts of a batch for some rows of one log."""
    names = "observation", "action", "reward", "next_observation", "terminated"
    seen, action, reward, following, terminated = (data[name].take(rows, axis=0) for name in names)
    seen, following = encoder.columns(seen), encoder.columns(following)
    action = action.astype(np.int64 if action.dtype.kind in "iub" else np.float32)
    parts = seen, action, reward.astype(np.float32), following, (~terminated).astype(np.float32)
    return tuple(encoder.tensor(part) for part in parts)


class Learner(nn.Module):
    """The networks that an algorithm trains for some seeds, its loss, and the policies that come of them."""

    @abstractmethod
    def forward(self, batch: Batch) -> Tensor:
        """The loss of each seed, (seeds,), before a step of the optimiser; it is called once for each."""

    def parts(self) -> list[tuple[list[nn.Parameter], int]]:
        """The parameters that are trained, in parts, and how many steps apart each part takes one of its own."""
        return [([part for part in self.parameters() if part.requires_grad], 1)]

    @abstractmethod
    def policy(self, seed: int) -> Policy:
        """What a seed has learned, on the CPU."""


def train(learner: Learner, seeds: int, batches: Iterable[Batch], rate: float) -> list[bool]:
    """Take a step of Adam for each minibatch. Returns for each seed whether its loss was finite throughout.

    A seed whose loss is not finite learns nothing from there on, and touches no other.
    """
    parts = [(*_joined(part), apart) for part, apart in learner.parts()]
    optimiser = torch.optim.Adam([whole for whole, _, _ in parts], lr=rate, fused=True)
    finite = torch.ones(seeds, dtype=torch.bool)
    for step, batch in enumerate(batches, 1):
        losses = learner(batch)
        finite = finite.to(losses.device) & losses.isfinite()
        if not finite.any():
            break
        for whole, slopes, apart in parts:
            slopes.zero_()
            whole.grad = slopes if step % apart == 0 else None
        losses.where(finite, 0.0).sum().backward()
        optimiser.step()
    return finite.tolist()


def _joined(parts: Sequence[nn.Parameter]) -> tuple[Tensor, Tensor]:
    """All parameters as one vector and their gradients as another, of which each becomes a part: a step of one is a step of all."""
    whole = torch.cat([part.detach().reshape(-1) for part in parts])
    slopes = torch.zeros_like(whole)
    sizes = [part.numel() for part in parts]
    for part, numbers, slope in zip(parts, torch.split(whole, sizes), torch.split(slopes, sizes), strict=True):
        part.data, part.grad = numbers.view_as(part), slope.view_as(part)
    return whole, slopes

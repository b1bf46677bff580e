"""Networks, minibatches and steps of Adam with a leading axis of seeds: all seeds of a configuration learn at once.

No operation mixes seeds, and each has a generator of its own: on one thread of a CPU, a seed gets the numbers that it gets alone.
"""

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from gymnasium import spaces
from gymnasium.spaces import flatdim
from torch import Tensor, nn

from confoundry.causal import Array
from confoundry.envs import Data, Space, as_integer, cells

from .agent import Policy
from .networks import features

BLOCK = 32  # minibatches that are drawn at once
MOST_NUMBERS = 10_000_000  # in the features of all cells, to keep them; above, rows are encoded one by one


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

    @staticmethod
    def of(net: nn.Module) -> "Perceptrons":
        """One member, of the linear layers of a network in torch that has ReLU between them."""
        layers = [layer for layer in net.modules() if isinstance(layer, nn.Linear)]
        return Perceptrons(part.detach().cpu() for layer in layers for part in (layer.weight.mT[None], layer.bias[None, None]))

    def __len__(self) -> int:
        return len(self.layers[0])

    def forward(self, inputs: Tensor) -> Tensor:
        """Inputs (members, rows, in) to outputs (members, rows, out)."""
        last = len(self.layers) - 2
        for i in range(0, len(self.layers), 2):
            inputs = _affine(inputs, self.layers[i], self.layers[i + 1])
            inputs = inputs.relu_() if i < last else inputs
        return inputs

    def only(self, members: Sequence[int]) -> "Perceptrons":
        """A copy of some members, on the CPU."""
        return Perceptrons(layer.detach()[list(members)].cpu() for layer in self.layers)

    @torch.no_grad()
    def follow(self, other: "Perceptrons", share: float = 1.0) -> None:
        """Move towards the parameters of another by a share of the way."""
        for mine, theirs in zip(self.layers, other.layers, strict=True):
            mine.lerp_(theirs, share)


def _affine(inputs: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    if weight.shape[2] == 1:  # a product with a vector would round otherwise where there is one member
        return bias + (inputs * weight.mT).sum(2, keepdim=True)
    return torch.baddbmm(bias, inputs, weight)


def _uniform(rng: np.random.Generator, inputs: int, shape: tuple[int, int]) -> Tensor:
    bound = 1 / np.sqrt(inputs)
    return torch.as_tensor(rng.uniform(-bound, bound, shape)).float()


def target_of(networks: Perceptrons) -> Perceptrons:
    """A copy that is not trained."""
    return deepcopy(networks).requires_grad_(False)


class Encoder:
    """How observations enter networks: as rows of features, or where there are no more cells than rows, each cell once.

    Networks then see the cells instead of the rows, and a row looks its outputs up.
    """

    def __init__(self, space: Space, rows: int, device: torch.device):
        self.space, self.device = space, device
        count = cells(space) or 0
        self.grid = features(space, _every(space)).to(device) if 0 < count * flatdim(space) <= MOST_NUMBERS else None
        self.once = self.grid is not None and count <= rows

    def columns(self, observations: Array) -> Array:
        """Observations (n, ...) as cells (n,) if there is a grid of them; else as they are."""
        return observations if self.grid is None else as_integer(self.space, observations)

    def tensor(self, columns: Array) -> Tensor:
        """Columns (seeds, rows, ...) as cells (seeds, rows) if each enters once; else as features (seeds, rows, in)."""
        if self.grid is None:
            rows = columns.reshape(-1, *columns.shape[2:])
            return features(self.space, rows).to(self.device).reshape(*columns.shape[:2], -1)
        cell = torch.as_tensor(columns).to(self.device)
        return cell if self.once else self.grid.index_select(0, cell.reshape(-1)).reshape(*cell.shape, -1)

    def outputs(self, networks: Perceptrons, observed: Tensor) -> Tensor:
        """What networks make of such a tensor: (members, rows, out)."""
        if self.grid is None or not self.once:
            return networks(observed)  # type: ignore[no-any-return]
        values = networks(self.grid.expand(len(observed), -1, -1))
        return values.gather(1, observed[..., None].expand(-1, -1, values.shape[2]))  # type: ignore[no-any-return]


def _every(space: Space) -> Array:
    numbers = np.arange(cells(space) or 0)
    return np.stack(np.unravel_index(numbers, space.nvec), axis=1) if isinstance(space, spaces.MultiDiscrete) else numbers


@dataclass(frozen=True)
class Batch:
    """A minibatch of each seed: (seeds, rows), and observations as an encoder has them."""

    observation: Tensor
    action: Tensor
    reward: Tensor
    next_observation: Tensor
    going_on: Tensor  # 0.0 where the episode has terminated, else 1.0


def minibatches(sources: Sequence[Data], rngs: Sequence[np.random.Generator], updates: int, rows: int, encoder: Encoder) -> Iterator[Batch]:
    """So many minibatches, of `rows` rows of each log, drawn with replacement by its own generator. No more of it need be in memory."""
    for first in range(0, updates, BLOCK):
        shape = min(BLOCK, updates - first), rows
        drawn = [_draw(data, rng, shape, encoder) for data, rng in zip(sources, rngs, strict=True)]
        block = {name: np.stack([columns[name] for columns in drawn], axis=1) for name in drawn[0]}
        for i in range(shape[0]):
            yield _batch({name: column[i] for name, column in block.items()}, encoder)


def _draw(data: Data, rng: np.random.Generator, shape: tuple[int, int], encoder: Encoder) -> dict[str, Array]:
    rows = rng.integers(len(data), size=shape[0] * shape[1])
    columns = {name: data[name][rows] for name in ("observation", "action", "reward", "next_observation", "terminated")}
    for name in ("observation", "next_observation"):
        columns[name] = encoder.columns(columns[name])
    return {name: column.reshape(*shape, *column.shape[1:]) for name, column in columns.items()}


def _batch(columns: dict[str, Array], encoder: Encoder) -> Batch:
    return Batch(
        observation=encoder.tensor(columns["observation"]),
        action=torch.as_tensor(columns["action"]).long().to(encoder.device),
        reward=torch.as_tensor(columns["reward"]).float().to(encoder.device),
        next_observation=encoder.tensor(columns["next_observation"]),
        going_on=torch.as_tensor(~columns["terminated"]).float().to(encoder.device),
    )


class Learner(nn.Module):
    """The networks that an algorithm trains for some seeds, its loss, and the policies that come of them."""

    @abstractmethod
    def forward(self, batch: Batch) -> Tensor:
        """The loss of each seed, (seeds,), before a step of the optimiser; it is called once for each."""

    @abstractmethod
    def policy(self, seed: int) -> Policy:
        """What a seed has learned, on the CPU."""


def train(learner: Learner, seeds: int, batches: Iterable[Batch], rate: float) -> list[bool]:
    """Take a step of Adam for each minibatch. Returns for each seed whether its loss was finite throughout.

    A seed whose loss is not finite learns nothing from there on, and touches no other.
    """
    whole, slopes = _joined([part for part in learner.parameters() if part.requires_grad])
    optimiser = torch.optim.Adam([whole], lr=rate)
    finite = torch.ones(seeds, dtype=torch.bool)
    for batch in batches:
        losses = learner(batch)
        finite = finite.to(losses.device) & losses.isfinite()
        if not finite.any():
            break
        slopes.zero_()
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
    whole.grad = slopes
    return whole, slopes

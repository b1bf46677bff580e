"""Minibatches and steps of Adam with a leading axis of seeds: all seeds of a configuration learn at
once.

No operation mixes seeds, and each has a generator of its own: on one thread of a CPU, a seed gets
the numbers that it gets alone."""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from dosuite.causal import Array
from dosuite.envs import Data

from ..agent import Policy
from .encoder import Encoder

BATCH = 1024
BLOCK = 32  # minibatches that are drawn at once


@dataclass(frozen=True)
class Batch:
    """A minibatch of each seed: (seeds, rows), and observations as an encoder has them."""

    observation: Tensor
    action: Tensor  # whole numbers, or floats where the actions are numbers
    reward: Tensor
    next_observation: Tensor
    going_on: Tensor  # 0.0 where the episode has terminated, else 1.0


def minibatches(
    sources: Sequence[Data],
    rngs: Sequence[np.random.Generator],
    updates: int,
    rows: int,
    encoder: Encoder,
) -> Iterator[Batch]:
    """So many minibatches, of `rows` rows of each log, drawn with replacement by its own generator.

    No more of it need be in memory.
    """
    for first in range(0, updates, BLOCK):
        count = min(BLOCK, updates - first)
        drawn = [
            _draw(data, rng.integers(len(data), size=count * rows), encoder)
            for data, rng in zip(sources, rngs, strict=True)
        ]
        block = [
            torch.stack([part.unflatten(0, (count, rows)) for part in parts], 1)
            for parts in zip(*drawn, strict=True)
        ]
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
    """The networks that an algorithm trains for some seeds, its loss, and the policies that come of
    them.
    """

    @abstractmethod
    def forward(self, batch: Batch) -> Tensor:
        """The loss of each seed, (seeds,), before a step of the optimiser;

        it is called once for each.
        """

    def parts(self) -> list[tuple[list[nn.Parameter], int]]:
        """The parameters that are trained, in parts, and how many steps apart each part takes one
        of its own.
        """
        return [([part for part in self.parameters() if part.requires_grad], 1)]

    @abstractmethod
    def policy(self, seed: int) -> Policy:
        """What a seed has learned, on the CPU."""


def train(learner: Learner, seeds: int, batches: Iterable[Batch], rate: float) -> list[bool]:
    """Take a step of Adam for each minibatch. Returns for each seed whether its loss was finite
    throughout.

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
    """All parameters as one vector and their gradients as another, of which each becomes a part:

    a step of one is a step of all.
    """
    whole = torch.cat([part.detach().reshape(-1) for part in parts])
    slopes = torch.zeros_like(whole)
    sizes = [part.numel() for part in parts]
    for part, numbers, slope in zip(
        parts, torch.split(whole, sizes), torch.split(slopes, sizes), strict=True
    ):
        part.data, part.grad = numbers.view_as(part), slope.view_as(part)
    return whole, slopes


def fit(
    net: nn.Module,
    loss: Callable[[Array], Tensor],
    rows: int,
    steps: int,
    rate: float,
    rng: np.random.Generator,
) -> None:
    """Take `steps` steps of Adam on `loss(indices)` over minibatches of row indices: no more than
    these rows need be in memory.

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

"""Minibatches, and training, for all seeds at once.

Tensors have a leading axis of seeds, no operation mixes seeds, and each seed has its own generator.
So on one thread of a CPU, a seed gets exactly the numbers that it gets when it is trained alone.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import inf
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from dosuite.causal import Array
from dosuite.envs import Data

from ..policy import Policy
from .encoder import Encoder
from .network_agent import NetworkAgent

BATCH = 1024  # rows of a minibatch in `fit`
BLOCK = 32  # minibatches that are drawn at once
REGISTER = 64  # numbers, at least as many as a vector instruction takes
DIVERGED = "the loss is not finite any more; try a smaller learning rate"


@dataclass(frozen=True)
class Minibatch:
    """A minibatch of transitions for each seed: tensors (seeds, rows, ...)."""

    observation: Tensor  # encoded
    action: Tensor  # integers, or floats for a Box; without a further axis for one number
    reward: Tensor
    next_observation: Tensor  # encoded
    going_on: Tensor  # 0.0 if the episode has terminated, else 1.0

    @property
    def numbers(self) -> Tensor:
        """The actions of a Box: (seeds, rows, numbers)."""
        return self.action.flatten(2) if self.action.ndim > 2 else self.action[..., None]


def minibatches(
    sources: Sequence[Data],
    rngs: Sequence[np.random.Generator],
    updates: int,
    rows: int,
    encoder: Encoder,
) -> Iterator[Minibatch]:
    """Draw `updates` minibatches of `rows` rows of each log, with replacement.

    Each log has its own generator. A log may be mapped from a file: only the rows that are drawn
    are read.
    """
    for first in range(0, updates, BLOCK):
        count = min(BLOCK, updates - first)
        # the rows of `count` minibatches of each seed, drawn and read at once
        columns_by_seed = []
        for data, rng in zip(sources, rngs, strict=True):
            drawn_rows = rng.integers(len(data), size=count * rows)
            columns_by_seed.append(_columns(data, drawn_rows, encoder))
        # each column as (count, seeds, rows, ...)
        block = []
        for column_of_seeds in zip(*columns_by_seed, strict=True):
            split = [column.unflatten(0, (count, rows)) for column in column_of_seeds]
            block.append(torch.stack(split, 1))
        for i in range(count):
            yield Minibatch(*(column[i] for column in block))


def _columns(data: Data, rows: Array, encoder: Encoder) -> tuple[Tensor, ...]:
    """The columns of a batch for some rows of one log."""
    names = "observation", "action", "reward", "next_observation", "terminated"
    observation, action, reward, following, terminated = (
        data[name].take(rows, axis=0) for name in names
    )
    is_counted = action.dtype.kind in "iub"
    columns = (
        encoder.columns(observation),
        action.astype(np.int64 if is_counted else np.float32),
        reward.astype(np.float32),
        encoder.columns(following),
        (~terminated).astype(np.float32),
    )
    return tuple(encoder.tensor(column) for column in columns)


class Learner(nn.Module):
    """The networks that an algorithm trains, one for each seed, and their loss."""

    @abstractmethod
    def forward(self, batch: Minibatch) -> Tensor:
        """The loss of each seed, (seeds,). It is called once before each step of the optimiser."""

    def parts(self) -> list[tuple[list[nn.Parameter], int]]:
        """Groups of trained parameters, each with its period: it is updated every k-th step."""
        return [([part for part in self.parameters() if part.requires_grad], 1)]

    @abstractmethod
    def policy(self, seed: int) -> Policy:
        """The policy of a seed, on the CPU."""


class Training(NamedTuple):
    """How the training of all seeds went."""

    finite: list[bool]  # for each seed, whether its loss stayed finite
    losses: Array  # of each seed at each step: (steps, seeds)


def train(
    learner: Learner,
    seeds: int,
    batches: Iterable[Minibatch],
    agent: NetworkAgent,
    most_gradient: float = inf,
) -> Training:
    """Take a step of the agent's optimiser for each minibatch.

    A seed's gradient with a greater norm than `most_gradient` is shortened to it.

    From its first infinite or NaN loss on, a seed is not trained any more; the others are not
    affected.
    """
    parts = [(*_flattened(parameters), period) for parameters, period in learner.parts()]
    # a group for each part, since the fused SGD fails on a group of which some had no step yet
    optimiser = agent.optimiser_of([{"params": [values]} for values, _, _ in parts], fused=True)
    finite = torch.ones(seeds, dtype=torch.bool)
    history: list[Tensor] = []
    for step, batch in enumerate(batches, 1):
        losses = learner(batch)
        history.append(losses.detach())
        finite = finite.to(losses.device) & losses.isfinite()
        if not finite.any():
            break
        # a part without a gradient is skipped by the optimiser
        for values, gradients, period in parts:
            gradients.zero_()
            values.grad = gradients if step % period == 0 else None
        # the seeds have separate parameters, so the gradient of the sum is that of each loss
        losses.where(finite, 0.0).sum().backward()
        if most_gradient < inf:
            _shorten(learner, seeds, most_gradient)
        optimiser.step()
    losses_by_step = torch.stack(history).double().cpu().numpy()
    return Training(finite.tolist(), losses_by_step)


def _shorten(learner: Learner, seeds: int, most: float) -> None:
    """Shorten the gradient of each seed to a norm of at most `most`, over all its networks."""
    gradients = [part.grad for part in learner.parameters() if part.grad is not None]
    # (copies * seeds, ...) each, copy by copy; added one by one, since torch adds the columns of a
    # table in another order if there is one column only
    squares = [torch.split(part.flatten(1).square().sum(1), seeds) for part in gradients]
    total = torch.zeros(seeds, device=squares[0][0].device)
    for copies in squares:
        for copy in copies:
            total = total + copy
    norm = total.sqrt()
    factor = (most / (norm + 1e-6)).clamp(max=1.0)
    for part in gradients:
        by_member = factor.repeat(len(part) // seeds)
        part.mul_(by_member.reshape(-1, *[1] * (part.dim() - 1)))


def _flattened(parameters: Sequence[nn.Parameter]) -> tuple[Tensor, Tensor]:
    """Move all parameters into one vector, and their gradients into another; return both.

    The parameters become views, so that one fused step of the optimiser updates all of them.
    """
    sizes = [part.numel() for part in parameters]
    # An optimiser rounds the last numbers, which do not fill a register, differently. Zeros fill
    # it, so that no seed's result depends on its place.
    sizes.append(-sum(sizes) % REGISTER)
    filling = parameters[0].new_zeros(sizes[-1])
    values = torch.cat([*(part.detach().reshape(-1) for part in parameters), filling])
    gradients = torch.zeros_like(values)
    views = zip(torch.split(values, sizes), torch.split(gradients, sizes), strict=True)
    for part, (value, gradient) in zip(parameters, views, strict=False):  # but the filling
        part.data, part.grad = value.view_as(part), gradient.view_as(part)
    return values, gradients


def fit(
    optimiser: torch.optim.Optimizer,
    loss: Callable[[Array], Tensor],
    rows: int,
    steps: int,
    rng: np.random.Generator,
    batch: int = BATCH,
) -> None:
    """Take `steps` steps on `loss(indices)` over minibatches of row numbers below `rows`.

    Raises FloatingPointError if the loss becomes infinite or NaN.
    """
    for _ in range(steps):
        value = loss(rng.integers(rows, size=min(rows, batch)))
        if not torch.isfinite(value):
            raise FloatingPointError(DIVERGED)
        optimiser.zero_grad()
        value.backward()  # type: ignore[no-untyped-call]
        optimiser.step()

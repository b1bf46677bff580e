"""Training of the set-transformer on a population of worlds."""

from collections.abc import Callable, Sequence

import numpy as np
import torch

from dosuite.causal.arrays import Floats

from .network import WIDTH, SetTransformer, as_tensor, drawn
from .prior import Batch, Worlds, minibatch

WORLDS = 24  # of each graph in a minibatch
RATE = 2e-3  # at its highest
WARM_UP = 0.05  # of the steps


def train(
    pools: Sequence[Worlds],
    target: str,
    steps: int,
    seed: int,
    announce: Callable[[int, float], object] = lambda step, loss: None,
    width: int = WIDTH,
    count: int = WORLDS,
) -> tuple[SetTransformer, Floats]:
    """Train a network on new logs of the worlds in the pools; return it and the loss of each step.

    A minibatch has logs of `count` worlds of each pool. The loss is the mean squared error of the
    answers against the exact target, so that the best network answers with the posterior mean of
    the target given the log. Adam's rate rises linearly and then falls as a cosine. Equal seeds
    give equal networks on one thread.
    """
    network = drawn(seed, width)
    rng = np.random.default_rng([seed, 1])
    optimiser = torch.optim.Adam(network.parameters(), lr=RATE)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: rate_at(step, steps))
    losses = np.empty(steps)
    for step in range(steps):
        loss = error_of(network, minibatch(pools, target, rng, count))
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        losses[step] = float(loss.detach())
        announce(step, losses[step])
    return network, losses


def rate_at(step: int, steps: int) -> float:
    """The learning rate at a step, as a fraction of the highest one."""
    warm = max(1.0, WARM_UP * steps)
    if step < warm:
        return (step + 1) / (warm + 1)
    return 0.5 + 0.5 * float(np.cos(np.pi * (step - warm) / max(1.0, steps - warm)))


def error_of(network: SetTransformer, batches: Sequence[Batch]) -> torch.Tensor:
    """The mean over the worlds of all batches of the mean squared error of a world's answers."""
    total, count = torch.zeros(()), 0
    for batch in batches:
        rows, counts, queries, targets = map(as_tensor, batch)
        errors = (network(rows, counts, queries) - targets).square()
        total = total + errors.mean(1).sum()
        count += len(targets)
    return total / count

"""Multi-layer perceptrons with a leading axis of members:

one network for each seed, side by side.
"""

from collections.abc import Iterable, Sequence
from copy import deepcopy
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

NARROW = 16  # outputs of a layer; one of fewer, and of no fewer rows, is computed transposed


class Perceptrons(nn.Module):
    """Multi-layer perceptrons of one shape:

    weights (members, in, out) and biases (members, 1, out) in turns, layer by layer.
    """

    def __init__(self, layers: Iterable[Tensor]):
        super().__init__()
        self.layers = nn.ParameterList(layers)

    @staticmethod
    def drawn(sizes: Sequence[int], rngs: Sequence[np.random.Generator]) -> "Perceptrons":
        """One for each generator, drawn as `torch.nn.Linear` is: uniform within 1/sqrt(in)."""
        members = [
            [_uniform(rng, a, shape) for a, b in pairwise(sizes) for shape in ((a, b), (1, b))]
            for rng in rngs
        ]
        return Perceptrons(torch.stack(parts) for parts in zip(*members, strict=True))

    def __len__(self) -> int:
        return len(self.layers[0])

    def forward(self, inputs: Tensor) -> Tensor:
        """Inputs (members, rows, in), or if they are one-hot the places of the ones, to outputs
        (members, rows, out).
        """
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
    if (
        weight.shape[2] == 1
    ):  # a product with a vector would round otherwise where there is one member
        return bias + (inputs * weight.mT).sum(2, keepdim=True)
    if weight.shape[2] < NARROW <= inputs.shape[1]:
        return _Narrow.apply(inputs, weight) + bias  # type: ignore[no-any-return, no-untyped-call]
    return torch.baddbmm(bias, inputs, weight)


class _Narrow(torch.autograd.Function):
    """The product of inputs and weights of few outputs, transposed:

    several times as fast, forwards and backwards.
    """

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
        return torch.bmm(slope, weight.mT) if by_inputs else None, torch.bmm(
            slope.mT, inputs
        ).mT if by_weight else None


class _Chosen(torch.autograd.Function):
    """The product of one-hot inputs and weights, as a sum of rows of the weights."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, ones: Tensor) -> Tensor:
        """Weights (members, in, out) and places of the ones (members, rows, ones) to (members,
        rows, out).
        """
        members, inputs, outputs = ctx.shape = weight.shape
        places = (
            ones + torch.arange(0, members * inputs, inputs, device=ones.device)[:, None, None]
        ).reshape(-1, ones.shape[2])
        ctx.save_for_backward(places)
        return nn.functional.embedding_bag(places, weight.reshape(-1, outputs), mode="sum").reshape(
            members, -1, outputs
        )

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

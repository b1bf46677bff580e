"""Multi-layer perceptrons with a leading axis of members: one network per seed, side by side."""

from collections.abc import Iterable, Sequence
from copy import deepcopy
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

# a product with fewer outputs than this, and at least this many rows, is computed transposed
NARROW = 16


class Perceptrons(nn.Module):
    """Multi-layer perceptrons of one architecture, with rectified linear units.

    `layers` has weights (members, in, out) and biases (members, 1, out) in turn, layer by layer.
    """

    def __init__(self, layers: Iterable[Tensor]):
        super().__init__()
        self.layers = nn.ParameterList(layers)

    @staticmethod
    def drawn(sizes: Sequence[int], rngs: Sequence[np.random.Generator]) -> "Perceptrons":
        """A member for each generator, initialised as `torch.nn.Linear`: within 1/sqrt(in)."""
        members = [_initial_layers(sizes, rng) for rng in rngs]
        return Perceptrons(torch.stack(parts) for parts in zip(*members, strict=True))

    def __len__(self) -> int:
        return len(self.layers[0])

    def forward(self, inputs: Tensor) -> Tensor:
        """Map inputs (members, rows, in) to outputs (members, rows, out).

        Integer inputs (members, rows, ones) are the positions of the ones in one-hot inputs.
        """
        return perceive([*self.layers], inputs)

    def only(self, members: Sequence[int]) -> "Perceptrons":
        """A copy of some members, on the CPU."""
        return Perceptrons(layer.detach()[list(members)].cpu() for layer in self.layers)

    @torch.no_grad()
    def follow(self, other: "Perceptrons", share: float = 1.0) -> None:
        """Move a fraction `share` of the way to the parameters of another: Polyak averaging."""
        for mine, theirs in zip(self.layers, other.layers, strict=True):
            mine.lerp_(theirs, share)


def perceive(layers: Sequence[Tensor], inputs: Tensor) -> Tensor:
    """Outputs of perceptrons with these layers; the inputs are those of `Perceptrons.forward`."""
    for i in range(0, len(layers), 2):
        activations = inputs.relu_() if i else inputs
        inputs = _affine(activations, layers[i], layers[i + 1])
    return inputs


def target_of(networks: Perceptrons) -> Perceptrons:
    """A copy that is not trained."""
    return deepcopy(networks).requires_grad_(False)


def _initial_layers(sizes: Sequence[int], rng: np.random.Generator) -> list[Tensor]:
    """Weights (in, out) and biases (1, out) in turn, drawn in this order."""
    layers = []
    for inputs, outputs in pairwise(sizes):
        bound = 1 / np.sqrt(inputs)
        for shape in ((inputs, outputs), (1, outputs)):
            layers.append(torch.as_tensor(rng.uniform(-bound, bound, shape)).float())
    return layers


def _affine(inputs: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """inputs @ weight + bias, by the fastest route with results independent of `members`."""
    # one-hot inputs: a sum of rows of the weights
    if not inputs.is_floating_point():
        return _OneHotProduct.apply(weight, inputs) + bias  # type: ignore[no-any-return, no-untyped-call]
    # one output: torch rounds a matrix-vector product differently if there is one member only
    if weight.shape[2] == 1:
        return bias + (inputs * weight.mT).sum(2, keepdim=True)
    # few outputs, many rows: transposed
    if weight.shape[2] < NARROW <= inputs.shape[1]:
        return _TransposedProduct.apply(inputs, weight) + bias  # type: ignore[no-any-return, no-untyped-call]
    return torch.baddbmm(bias, inputs, weight)


class _TransposedProduct(torch.autograd.Function):
    """inputs @ weight as the transpose of weight^T @ inputs^T.

    For few outputs this is several times as fast, forwards and backwards.
    """

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, weight: Tensor) -> Tensor:
        """Inputs (members, rows, in) and weights (members, in, out) to (members, rows, out)."""
        ctx.save_for_backward(inputs, weight)
        return torch.bmm(weight.mT, inputs.mT).mT

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None]:
        """The gradients of inputs and weights, each only if it is needed."""
        inputs, weight = ctx.saved_tensors
        needs_inputs, needs_weight = ctx.needs_input_grad
        by_inputs = torch.bmm(gradient, weight.mT) if needs_inputs else None
        by_weight = torch.bmm(gradient.mT, inputs).mT if needs_weight else None
        return by_inputs, by_weight


class _OneHotProduct(torch.autograd.Function):
    """The product of one-hot inputs and weights, as a sum of rows of the weights."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, ones: Tensor) -> Tensor:
        """Weights (members, in, out) and positions of ones (members, rows, ones) to (members, rows,
        out).
        """
        members, inputs, outputs = ctx.shape = weight.shape
        # all members as one table of members * in rows, so that one embedding_bag sums them all
        first_rows = torch.arange(0, members * inputs, inputs, device=ones.device)
        places = (ones + first_rows[:, None, None]).reshape(-1, ones.shape[2])
        ctx.save_for_backward(places)
        table = weight.reshape(-1, outputs)
        sums = nn.functional.embedding_bag(places, table, mode="sum")
        return sums.reshape(members, -1, outputs)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        """Add the gradient of each row to the rows of the weights that it is a sum of."""
        (places,) = ctx.saved_tensors
        by_weight = gradient.new_zeros(ctx.shape).flatten(0, 1)
        for column in places.unbind(1):
            by_weight.index_add_(0, column, gradient.flatten(0, 1))
        return by_weight.reshape(ctx.shape), None

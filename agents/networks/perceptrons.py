"""Multi-layer perceptrons with a leading axis of members: one network per seed, side by side.

Those that see images begin with one convolution, which all agents share.
"""

from collections.abc import Iterable, Sequence
from copy import deepcopy
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

# a product with fewer outputs than this, and at least this many rows, is computed transposed
NARROW = 16
# The convolution: patches of PATCH x PATCH pixels, STRIDE pixels apart, to CHANNELS numbers each.
PATCH, STRIDE, CHANNELS = 4, 2, 8
# an image with at most as many pixels is convolved by one product with a matrix of all its pixels
SMALL = 128

ImageSize = tuple[int, int]  # height and width in pixels


class Perceptrons(nn.Module):
    """Multi-layer perceptrons of one architecture, with rectified linear units.

    `layers` has weights (members, in, out) and biases (members, 1, out) in turn, layer by layer.
    With the height and width of an `image`, the first of the inputs are its pixels, row by row, and
    the first layer is a convolution of them: see `perceive`.
    """

    def __init__(self, layers: Iterable[Tensor], image: Sequence[int] | None = None):
        super().__init__()
        self.layers = nn.ParameterList(layers)
        self.image = image

    @staticmethod
    def drawn(
        sizes: Sequence[int],
        rngs: Sequence[np.random.Generator],
        image: ImageSize | None = None,
    ) -> "Perceptrons":
        """A member for each generator, initialised as `torch.nn.Linear`: within 1/sqrt(in).

        `sizes` has the numbers of inputs, of units in each hidden layer, and of outputs.
        """
        members = []
        for rng in rngs:
            layers = []
            inputs, *others = sizes
            if image is not None:
                layers += _initial_layers([PATCH**2, CHANNELS], rng)
                inputs += inputs_of_image(image) - prod(image)
            members.append(layers + _initial_layers([inputs, *others], rng))
        layers_of_all = (torch.stack(parts) for parts in zip(*members, strict=True))
        return Perceptrons(layers_of_all, image)

    def __len__(self) -> int:
        return len(self.layers[0])

    def forward(self, inputs: Tensor) -> Tensor:
        """Map inputs (members, rows, in) to outputs (members, rows, out).

        Integer inputs (members, rows, ones) are the positions of the ones in one-hot inputs.
        """
        return perceive([*self.layers], inputs, self.image)

    def only(self, members: Sequence[int]) -> "Perceptrons":
        """A copy of some members, on the CPU."""
        layers = (layer.detach()[list(members)].cpu() for layer in self.layers)
        return Perceptrons(layers, self.image)

    @torch.no_grad()
    def follow(self, other: "Perceptrons", share: float = 1.0) -> None:
        """Move a fraction `share` of the way to the parameters of another: Polyak averaging."""
        for mine, theirs in zip(self.layers, other.layers, strict=True):
            mine.lerp_(theirs, share)


def perceive(
    layers: Sequence[Tensor], inputs: Tensor, image: Sequence[int] | None = None
) -> Tensor:
    """Outputs of perceptrons with these layers; the inputs are those of `Perceptrons.forward`.

    With an image, the first two layers are the weights (members, PATCH**2, CHANNELS) and the biases
    of a convolution with rectified linear units. Its outputs take the place of the pixels.
    """
    if image is not None:
        weight, bias, *layers = layers
        inputs = _convolved(inputs, weight, bias, image)
    for i in range(0, len(layers), 2):
        activations = inputs.relu_() if i else inputs
        inputs = _affine(activations, layers[i], layers[i + 1])
    return inputs


def _convolved(inputs: Tensor, weight: Tensor, bias: Tensor, image: Sequence[int]) -> Tensor:
    """Inputs (members, rows, in) with the pixels replaced by what a convolution makes of them."""
    size = prod(image)
    members, rows, others = inputs.shape
    pixels = inputs[..., :size]
    if size <= SMALL:
        by_pixel = _weights_by_pixel(weight, image)
        bias_of_all = bias.repeat(1, 1, by_pixel.shape[2] // CHANNELS)
        convolved = torch.baddbmm(bias_of_all, pixels, by_pixel).relu_()
    else:
        patches = patches_of(pixels, image).flatten(1, 2)
        convolved = _affine(patches, weight, bias).relu_().reshape(members, rows, -1)
    return convolved if others == size else torch.cat([convolved, inputs[..., size:]], -1)


def _weights_by_pixel(weight: Tensor, image: Sequence[int]) -> Tensor:
    """A convolution (members, PATCH**2, CHANNELS) as a matrix (members, pixels, outputs).

    For a small image, one product with it is faster than gathering the patches.
    """
    members, _, channels = weight.shape
    numbers = torch.arange(prod(image), device=weight.device)
    pixel_of = patches_of(numbers, image)  # (patches, PATCH**2)
    patches = len(pixel_of)
    place = pixel_of * patches + torch.arange(patches, device=weight.device)[:, None]
    repeated = weight[:, None].expand(-1, patches, -1, -1).reshape(members, -1, channels)
    empty = weight.new_zeros(members, prod(image) * patches, channels)
    filled = empty.index_copy(1, place.reshape(-1), repeated)
    return filled.reshape(members, prod(image), patches * channels)


def patches_of(pixels: Tensor, image: Sequence[int]) -> Tensor:
    """The patches of images (..., height * width), row by row: (..., patches, PATCH**2)."""
    height, width = image
    rows = pixels.reshape(*pixels.shape[:-1], height, width)
    # (..., patches down, patches across, PATCH, PATCH)
    patches: Tensor = rows.unfold(-2, PATCH, STRIDE).unfold(-2, PATCH, STRIDE)
    return patches.flatten(-2).flatten(-3, -2)


def inputs_of_image(image: Sequence[int]) -> int:
    """The number of inputs that a convolution makes of an image."""
    height, width = image
    return CHANNELS * _steps(height) * _steps(width)


def _steps(pixels: int) -> int:
    """The number of patches along a side of an image."""
    return (pixels - PATCH) // STRIDE + 1


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

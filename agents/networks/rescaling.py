"""Standardised numbers, and networks of standardised numbers as networks of the raw ones."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dosuite.causal import Array

from .perceptrons import Perceptrons


@dataclass(frozen=True)
class Standardisation:
    """Numbers as standard deviations from a mean."""

    mean: float
    spread: float

    @staticmethod
    def of(numbers: Array) -> "Standardisation":
        """By the mean and the standard deviation of some numbers; see `safe_spread`."""
        with np.errstate(invalid="ignore", over="ignore"):
            mean, deviation = float(np.mean(numbers)), float(np.std(numbers))
        return Standardisation(mean, float(safe_spread(deviation, mean)))

    def standard(self, numbers: Array) -> Tensor:
        """(numbers - mean) / spread."""
        with np.errstate(invalid="ignore", over="ignore"):
            return torch.as_tensor((numbers - self.mean) / self.spread).float()


def safe_spread(deviation: Any, mean: Any) -> Any:
    """A standard deviation, or if it is 0 or within rounding of 0, a small positive number."""
    return np.maximum(deviation, np.maximum(1e-6 * abs(mean), 1e-9))


def of_raw_inputs(net: Perceptrons, mean: Tensor, factor: Tensor) -> Perceptrons:
    """The network g(x) = net((x - mean) * factor); mean and factor are (in,) or (members, in)."""
    first, bias, *others = (layer.detach() for layer in net.layers)
    # ((x - mean) * factor) @ first = x @ weight - mean @ weight
    weight = first * factor[..., None]
    shifted_bias = bias - mean[..., None, :] @ weight
    return Perceptrons([weight, shifted_bias, *others])


def of_raw_outputs(net: Perceptrons, mean: Tensor | float, spread: Tensor | float) -> Perceptrons:
    """The network g(x) = mean + spread * net(x); mean and spread are numbers or (out,)."""
    *others, last, bias = (layer.detach() for layer in net.layers)
    raw_weight, raw_bias = last * spread, mean + bias * spread
    return Perceptrons([*others, raw_weight, raw_bias], net.image)

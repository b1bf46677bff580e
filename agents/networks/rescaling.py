"""Networks that were trained on standardised numbers, as networks of the numbers themselves."""

from torch import Tensor

from .perceptrons import Perceptrons


def of_raw_inputs(net: Perceptrons, mean: Tensor, factor: Tensor) -> Perceptrons:
    """The network whose inputs are x where those of `net` are (x - mean) * factor:

    mean and factor (in,), or (members, in).
    """
    first, bias, *others = (layer.detach() for layer in net.layers)
    weight = first * factor[..., None]
    return Perceptrons([weight, bias - mean[..., None, :] @ weight, *others])


def of_raw_outputs(net: Perceptrons, mean: float, spread: float) -> Perceptrons:
    """The network whose outputs are mean + spread * y where those of `net` are y."""
    *others, last, bias = (layer.detach() for layer in net.layers)
    return Perceptrons([*others, last * spread, mean + bias * spread])

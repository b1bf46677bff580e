"""Policies of one seed's networks."""

import numpy as np
import torch
from torch import Tensor

from dosuite.causal import Array
from dosuite.causal.exact import greedy
from dosuite.envs import Space

from ..agent import Policy
from .features import features
from .perceptrons import Perceptrons


class NetworkPolicy(Policy):
    """Acts by the logits of a network, or where there are none, takes the action of the largest
    value.

    Where there are several networks of values, the least is the value of an action. One of values
    and logits may be missing."""

    def __init__(self, space: Space, values: Perceptrons | None, logits: Perceptrons | None = None):
        self.space, self.values, self.logits = space, values, logits

    def probabilities(self, observations: Array) -> Array:
        """Softmax of the logits; without logits 1 for the best action, and ties are shared."""
        if self.logits is None:
            return greedy(np.asarray(self.action_values(observations)))
        return np.asarray(outputs(self.logits, self.space, observations)[0].softmax(1).numpy())

    def action_values(self, observations: Array) -> Array | None:
        """The networks' outputs, if there are networks of values."""
        return (
            None
            if self.values is None
            else np.asarray(outputs(self.values, self.space, observations).amin(0).numpy())
        )


class Mode(NetworkPolicy):
    """Does what its logits make most likely; ties are shared."""

    def probabilities(self, observations: Array) -> Array:
        """1 for the most likely action."""
        return greedy(super().probabilities(observations))


@torch.no_grad()
def outputs(networks: Perceptrons, space: Space, observations: Array) -> Tensor:
    """What networks make of observations: (members, n, out), in double precision."""
    return networks(features(space, observations).expand(len(networks), -1, -1)).double()  # type: ignore[no-any-return]

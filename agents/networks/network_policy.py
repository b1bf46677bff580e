"""Policies that act by the networks of one seed."""

import numpy as np
import torch
from torch import Tensor

from dosuite.causal import Array
from dosuite.causal.exact import greedy
from dosuite.envs import Space

from ..policy import Policy
from .features import features
from .perceptrons import Perceptrons


class NetworkPolicy(Policy):
    """Acts by the softmax of a network's logits, or greedily by a network's action values.

    One of `values` and `logits` may be missing; with logits, the values are only beliefs. If
    `values` has several members, the value of an action is the least of theirs.
    """

    def __init__(self, space: Space, values: Perceptrons | None, logits: Perceptrons | None = None):
        self.space = space
        self.values = values
        self.logits = logits

    def probabilities(self, observations: Array) -> Array:
        """Softmax of the logits; without logits 1 for the best action, ties split evenly."""
        if self.logits is None:
            return greedy(np.asarray(self.action_values(observations)))
        logits = outputs(self.logits, self.space, observations)[0]
        return np.asarray(logits.softmax(1).numpy())

    def action_values(self, observations: Array) -> Array | None:
        """The outputs of the value networks, if there are any."""
        if self.values is None:
            return None
        return np.asarray(outputs(self.values, self.space, observations).amin(0).numpy())


class Mode(NetworkPolicy):
    """Takes the most likely action by its logits; ties are split evenly."""

    def probabilities(self, observations: Array) -> Array:
        """1 for the most likely action."""
        return greedy(super().probabilities(observations))


@torch.no_grad()
def outputs(networks: Perceptrons, space: Space, observations: Array) -> Tensor:
    """Network outputs for observations: (members, n, out), in double precision."""
    inputs = features(space, observations).expand(len(networks), -1, -1)
    return networks(inputs).double()  # type: ignore[no-any-return]

"""Behaviour cloning: do what was done."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import nn

from confoundry.causal import Array
from confoundry.envs import Data, Space

from .agent import Agent, Policy, TabularPolicy
from .networks import fit, network, outputs
from .tabular import counts, is_tabular


@dataclass(frozen=True)
class BehaviourCloning(Agent):
    """Maximum likelihood of the logged actions given the observations: counts where they are few, else a network.

    Source: Pomerleau (1991), Efficient training of artificial neural networks for autonomous navigation.
    """

    name: ClassVar[str] = "bc"
    learns: ClassVar[tuple[str, ...]] = ("observe", "mixed")

    steps: int = 2000  # of the optimiser, if a network learns
    rate: float = 1e-3
    hidden: int = 64  # units in each of two layers
    device: str = "cpu"  # or cuda, where a network learns

    def learn(self, source: Data, rng: np.random.Generator) -> Policy:
        """Clone the log. An observation that it does not have gets uniform actions."""
        if is_tabular(source):
            taken = counts(source).sum(2)
            total = taken.sum(1, keepdims=True)
            table = np.where(total > 0, taken / np.maximum(total, 1), 1.0 / taken.shape[1])
            return TabularPolicy(table, source.observation_space)
        space = source.observation_space
        net = network(space, int(source.action_space.n), [self.hidden] * 2, rng, self.device)  # type: ignore[attr-defined]

        def loss(rows: Array) -> torch.Tensor:
            logits = outputs(net, space, source["observation"][rows])
            return nn.functional.cross_entropy(logits, torch.as_tensor(source["action"][rows]).to(logits.device))

        fit(net, loss, len(source), self.steps, self.rate, rng)
        return ClonedPolicy(net.cpu(), space)


class ClonedPolicy(Policy):
    """A network whose outputs are the logits of the actions."""

    def __init__(self, net: nn.Module, space: Space):
        self.net, self.space = net, space

    @torch.no_grad()
    def probabilities(self, observations: Array) -> Array:
        """Softmax of the logits."""
        return np.asarray(outputs(self.net, self.space, observations).double().softmax(1).numpy())

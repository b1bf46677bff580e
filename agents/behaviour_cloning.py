"""Behaviour cloning: do what was done."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from gymnasium.spaces import Box
from torch import nn

from confoundry.causal import Array
from confoundry.envs import Data, Space, choices

from .agent import Agent, ContinuousPolicy, Policy, TabularPolicy
from .networks import fit, network, outputs
from .tabular import counts, is_tabular


@dataclass(frozen=True)
class BehaviourCloning(Agent):
    """Maximum likelihood of the logged actions given the observations: counts where they are few, else a network.

    Where the action is a number, a network learns its mean by least squares, and the mean is what is done.

    Source: Pomerleau (1991), Efficient training of artificial neural networks for autonomous navigation.
    """

    name: ClassVar[str] = "bc"
    learns: ClassVar[tuple[str, ...]] = ("observe", "mixed")
    acts_in_a_box: ClassVar[bool] = True

    steps: int = 2000  # of the optimiser, if a network learns
    rate: float = 1e-3
    hidden: int = 64  # units in each of two layers
    device: str = "cpu"  # or cuda, where a network learns

    def learn(self, source: Data, rng: np.random.Generator) -> Policy:
        """Clone the log. An observation that it does not have gets uniform actions."""
        if isinstance(source.action_space, Box):
            return self._clone_numbers(source, source.action_space, rng)
        if is_tabular(source):
            taken = counts(source).sum(2)
            total = taken.sum(1, keepdims=True)
            table = np.where(total > 0, taken / np.maximum(total, 1), 1.0 / taken.shape[1])
            return TabularPolicy(table, source.observation_space)
        space = source.observation_space
        net = network(space, choices(source.action_space), [self.hidden] * 2, rng, self.device)

        def loss(rows: Array) -> torch.Tensor:
            logits = outputs(net, space, source["observation"][rows])
            return nn.functional.cross_entropy(logits, torch.as_tensor(source["action"][rows]).to(logits.device))

        fit(net, loss, len(source), self.steps, self.rate, rng)
        return ClonedPolicy(net.cpu(), space)

    def _clone_numbers(self, data: Data, actions: Box, rng: np.random.Generator) -> Policy:
        net = network(data.observation_space, 1, [self.hidden] * 2, rng, self.device)
        mean, spread = float(data["action"].mean()), max(float(data["action"].std()), 1e-9)

        def loss(rows: Array) -> torch.Tensor:
            predicted = outputs(net, data.observation_space, data["observation"][rows])[:, 0]
            wanted = torch.as_tensor((data["action"][rows] - mean) / spread).float().to(predicted.device)
            return nn.functional.mse_loss(predicted, wanted)

        fit(net, loss, len(data), self.steps, self.rate, rng)
        return ClonedMean(net.cpu(), data.observation_space, actions, mean, spread)


class ClonedPolicy(Policy):
    """A network whose outputs are the logits of the actions."""

    def __init__(self, net: nn.Module, space: Space):
        self.net, self.space = net, space

    @torch.no_grad()
    def probabilities(self, observations: Array) -> Array:
        """Softmax of the logits."""
        return np.asarray(outputs(self.net, self.space, observations).double().softmax(1).numpy())


class ClonedMean(ContinuousPolicy):
    """A network whose output is the mean action, in standard deviations from that of the log."""

    def __init__(self, net: nn.Module, space: Space, actions: Box, mean: float, spread: float):
        self.net, self.space, self.actions, self.mean, self.spread = net, space, actions, mean, spread

    @torch.no_grad()
    def act(self, observations: Array, rng: np.random.Generator) -> Array:
        """The mean action, or the bound that it passes: (n,)."""
        standard = outputs(self.net, self.space, observations)[:, 0].double().numpy()
        return np.clip(self.mean + self.spread * standard, self.actions.low[0], self.actions.high[0])

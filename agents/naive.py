"""Naive value learning: what followed an action in the log is taken for its effect."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import nn

from confoundry.causal import Array, greedy
from confoundry.envs import Data, Space

from .agent import Agent, Policy, TabularPolicy
from .networks import features, fit, network
from .tabular import is_tabular, process_of


@dataclass(frozen=True)
class Naive(Agent):
    """Fitted Q iteration on the log: by counting where observations are few, else with a network.

    Source: Ernst, Geurts and Wehenkel (2005), Tree-based batch mode reinforcement learning, figure 1.
    """

    name: ClassVar[str] = "naive"
    learns: ClassVar[tuple[str, ...]] = ("observe", "mixed")

    iterations: int = 40  # of the Bellman operator, at most the horizon, if a network learns
    steps: int = 200  # of the optimiser in each iteration
    rate: float = 1e-3
    hidden: int = 64  # units in each of two layers

    def learn(self, source: Data, rng: np.random.Generator) -> Policy:
        """Plan in the process that the log shows."""
        if not is_tabular(source):
            return self._learn_network(source, rng)
        process = process_of(source)
        return TabularPolicy(greedy(process.plan()), source.observation_space, process)

    def _learn_network(self, data: Data, rng: np.random.Generator) -> Policy:
        space = data.observation_space
        x, x_next = features(space, data["observation"]), features(space, data["next_observation"])
        a, r = torch.as_tensor(data["action"])[:, None], torch.as_tensor(data["reward"]).float()
        going_on = torch.as_tensor(~data["terminated"]).float() * data.discount
        net = network(space, int(data.action_space.n), [self.hidden] * 2, rng)  # type: ignore[attr-defined]
        target = r
        for _ in range(min(self.iterations, data.horizon)):
            goal = target

            def loss(rows: torch.Tensor, goal: torch.Tensor = goal) -> torch.Tensor:
                return nn.functional.mse_loss(net(x[rows]).gather(1, a[rows])[:, 0], goal[rows])

            fit(net, loss, len(data), self.steps, self.rate, rng)
            with torch.no_grad():
                target = r + going_on * net(x_next).max(1).values
        return GreedyPolicy(net, space)


class GreedyPolicy(Policy):
    """A network whose outputs are action values; the best action is taken."""

    def __init__(self, net: nn.Module, space: Space):
        self.net, self.space = net, space

    def probabilities(self, observations: Array) -> Array:
        """1 for the best action; ties are shared."""
        return greedy(self.action_values(observations))

    @torch.no_grad()
    def action_values(self, observations: Array) -> Array:
        """The network's outputs."""
        return np.asarray(self.net(features(self.space, observations)).double().numpy())

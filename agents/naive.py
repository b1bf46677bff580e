"""Naive value learning: what followed an action in the log is taken for its effect."""

from copy import deepcopy
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import nn

from confoundry.causal import Array, greedy
from confoundry.envs import Data, choices

from .agent import Agent, Policy, TabularPolicy
from .batched import Perceptrons
from .network_policy import NetworkPolicy
from .networks import fit, network, outputs
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
    device: str = "cpu"  # or cuda, where a network learns

    def learn(self, source: Data, rng: np.random.Generator) -> Policy:
        """Plan in the process that the log shows."""
        if not is_tabular(source):
            return self._learn_network(source, rng)
        process = process_of(source)
        return TabularPolicy(greedy(process.plan()), source.observation_space, process)

    def _learn_network(self, data: Data, rng: np.random.Generator) -> Policy:
        space = data.observation_space
        net = network(space, choices(data.action_space), [self.hidden] * 2, rng, self.device)
        before: nn.Module | None = None
        for _ in range(min(self.iterations, data.horizon)):

            def loss(rows: Array, before: nn.Module | None = before) -> torch.Tensor:
                values = outputs(net, space, data["observation"][rows])
                taken = torch.as_tensor(data["action"][rows])[:, None].to(values.device)
                return nn.functional.mse_loss(values.gather(1, taken)[:, 0], _target(data, rows, before, values.device))

            fit(net, loss, len(data), self.steps, self.rate, rng)
            before = deepcopy(net)
        return NetworkPolicy(space, Perceptrons.of(net))


@torch.no_grad()
def _target(data: Data, rows: Array, net: nn.Module | None, device: torch.device) -> torch.Tensor:
    """The reward, and the best value afterwards according to a network: none of it without one."""
    reward = torch.as_tensor(data["reward"][rows]).float().to(device)
    if net is None:
        return reward
    going_on = torch.as_tensor(~data["terminated"][rows]).float().to(device) * data.discount
    values = outputs(net, data.observation_space, data["next_observation"][rows])
    return reward + going_on * values.max(1).values

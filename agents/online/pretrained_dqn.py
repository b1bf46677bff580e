"""Deep Q-learning, first on a log and then online."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from stable_baselines3 import DQN as SB3DQN
from stable_baselines3.common.vec_env import VecEnv
from torch import nn

from dosuite.causal import InputError

from ..networks.features import image_size
from ..networks.perceptrons import Perceptrons
from ..policy import Policy
from ..settings import at_least_one
from ..sources import Practice
from .base import SB3Agent, practise, settings
from .dqn import DQN, replayed


@dataclass(frozen=True)
class PretrainedDQN(SB3Agent):
    """Deep Q-learning on a log, continued online from the network learned there.

    Online only the practice is replayed, since rows of the log would confound the values for good.
    So with little practice the agent believes the log, and with enough it forgets it. On the log
    the discount is that of the task.

    Source: Mnih et al. (2015), algorithm 1, twice; the setting is that of Nair et al. (2020), AWAC.
    """

    name: ClassVar[str] = "pretrained-dqn"
    learns: ClassVar[tuple[str, ...]] = ("intervene",)
    needs: ClassVar[frozenset[str]] = frozenset({"log"})

    envs: int = 32
    rate: float = 1e-3
    batch: int = 256  # transitions in a minibatch
    updates: int = 800  # gradient steps on the log; online there is one per `envs` steps
    sync: int = 50  # gradient steps between copies to the target network
    # initial fraction of random actions online; it falls to 0.05 during the first half
    epsilon: float = 0.2

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least_one(self, "batch", "updates", "sync")
        if not 0.05 <= self.epsilon <= 1:
            raise InputError(f"{self.name}: epsilon must be in [0.05, 1], and is {self.epsilon}")

    def learn_from(self, source: Practice, rng: np.random.Generator) -> Policy:
        """Learn from the log, and then for the steps of the practice.

        Raises FloatingPointError if the loss on the log becomes infinite or NaN.
        """
        offline = DQN(
            self.batch, self.rate, self.hidden, self.device, updates=self.updates, sync=self.sync
        )
        pretrained: Any = offline.learn_from(source.log_for(self.name), rng)

        def build(batch: VecEnv, practice: Practice) -> SB3DQN:
            algorithm = self._algorithm(batch, practice)
            copy_weights(pretrained.values, algorithm.q_net)
            copy_weights(pretrained.values, algorithm.q_net_target)
            return algorithm

        return practise(self, self.envs, build, source, rng)

    def _algorithm(self, batch: VecEnv, practice: Practice) -> SB3DQN:
        common: dict[str, Any] = settings(self, batch, practice)
        if image_size(batch.observation_space) is None:
            # numbers enter unscaled, as they entered the network that learned from the log
            common["policy_kwargs"].pop("features_extractor_class")
        replay = replayed(self, practice)
        return SB3DQN(**common, **replay, exploration_initial_eps=self.epsilon)


@torch.no_grad()
def copy_weights(source: Perceptrons, net: nn.Module) -> None:
    """Copy perceptrons with one member into a network of torch with layers of the same sizes."""
    layers = [layer for layer in net.modules() if isinstance(layer, nn.Linear)]
    weights, biases = source.layers[::2], source.layers[1::2]
    for layer, weight, bias in zip(layers, weights, biases, strict=True):
        layer.weight.copy_(weight[0].mT)
        layer.bias.copy_(bias[0, 0])

"""Deep Q-learning that begins with what a log has taught it."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from stable_baselines3 import DQN as SB3DQN
from stable_baselines3.common.vec_env import VecEnv
from torch import nn

from dosuite.causal import InputError

from ..agent import Policy, Practice
from ..networks.perceptrons import Perceptrons
from ..settings import at_least_one
from .base import OnlineAgent, practise, settings
from .dqn import DQN, replayed


@dataclass(frozen=True)
class PretrainedDQN(OnlineAgent):
    """Deep Q-learning on a log, and then online, from the network that the log has taught.

    Only practice is replayed online: rows of the log would confound it for good. So with little
    practice it believes the log, and with enough it forgets it. On the log the discount is the
    task's.

    Source: Mnih et al. (2015), algorithm 1, twice; the setting is that of Nair et al. (2020), AWAC.
    """

    name: ClassVar[str] = "pretrained-dqn"
    learns: ClassVar[tuple[str, ...]] = ("intervene",)
    needs: ClassVar[frozenset[str]] = frozenset({"log"})

    envs: int = 32
    rate: float = 1e-3
    batch: int = 256  # rows of a minibatch
    updates: int = 800  # gradient steps on the log; online, one for every `envs` steps
    sync: int = 50  # gradient steps between copies to the target network
    epsilon: float = (
        0.2  # share of random actions online, at first; it falls to 0.05 in half of the practice
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least_one(self, "batch", "updates", "sync")
        if not 0.05 <= self.epsilon <= 1:
            raise InputError(f"{self.name}: epsilon must be in [0.05, 1], and is {self.epsilon}")

    def learn(self, source: Practice, rng: np.random.Generator) -> Policy:
        """Learn from the log, and then for the steps of the practice.

        Raises FloatingPointError if the loss on the log is not finite.
        """
        offline = DQN(
            self.batch, self.rate, self.hidden, self.device, updates=self.updates, sync=self.sync
        )
        learned: Any = offline.learn(source.log_for(self.name), rng)

        def begun(batch: VecEnv, practice: Practice) -> SB3DQN:
            algorithm = self._algorithm(batch, practice)
            for net in (algorithm.q_net, algorithm.q_net_target):
                copy(learned.values, net)
            return algorithm

        return practise(self, begun, source, rng)

    def _algorithm(self, batch: VecEnv, practice: Practice) -> SB3DQN:
        given: dict[str, Any] = settings(self, batch, practice)
        given["policy_kwargs"].pop(
            "features_extractor_class"
        )  # it sees numbers as the network of the log did
        return SB3DQN(**given, **replayed(self, practice), exploration_initial_eps=self.epsilon)


@torch.no_grad()
def copy(source: Perceptrons, net: nn.Module) -> None:
    """Copy the only member into a network of torch with layers of the same sizes."""
    layers = [layer for layer in net.modules() if isinstance(layer, nn.Linear)]
    for layer, weight, bias in zip(layers, source.layers[::2], source.layers[1::2], strict=True):
        layer.weight.copy_(weight[0].mT)
        layer.bias.copy_(bias[0, 0])

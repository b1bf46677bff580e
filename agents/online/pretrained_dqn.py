"""Deep Q-learning, first on a log and then online."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from stable_baselines3 import DQN as SB3DQN
from stable_baselines3.common.vec_env import VecEnv
from torch import nn

from dosuite.causal import InputError
from dosuite.envs import Data

from ..networks.features import image_size
from ..networks.perceptrons import Perceptrons
from ..policy import Policy
from ..settings import at_least_one, one_of
from ..sources import Practice
from .base import SB3Agent, practise, settings
from .dqn import DQN, replayed

REPLAYS = ("practice", "both")
HEADS = ("kept", "fresh")


@dataclass(frozen=True)
class PretrainedDQN(SB3Agent):
    """Deep Q-learning on a log, continued online from the network learned there.

    With `replay="practice"` only the practice is replayed online, since rows of the log would
    confound the values for good: with little practice the agent believes the log, and with enough
    it forgets it. With "both", the rows of the log stay in the replay buffer beside those of the
    practice. With `head="fresh"` the last layer is drawn anew before the practice, so that only the
    representation is kept. On the log the discount is that of the task. With an empty log it is DQN
    with unscaled numbers.

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
    replay: str = "practice"  # or both: the practice and the log
    head: str = "kept"  # or fresh
    starts: int = 256  # steps of practice before online learning, at most a quarter of them all
    gradients: int = 1  # gradient steps for each `envs` steps of practice

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least_one(self, "batch", "updates", "sync", "starts", "gradients")
        one_of(self, "replay", REPLAYS)
        one_of(self, "head", HEADS)
        if not 0.05 <= self.epsilon <= 1:
            raise InputError(f"{self.name}: epsilon must be in [0.05, 1], and is {self.epsilon}")

    def learn_from(self, source: Practice, rng: np.random.Generator) -> Policy:
        """Learn from the log, and then for the steps of the practice.

        Raises FloatingPointError if the loss on the log becomes infinite or NaN.
        """
        offline = DQN(
            self.batch, self.rate, self.hidden, self.device, updates=self.updates, sync=self.sync
        )
        log = source.log_for(self.name)
        pretrained: Any = offline.learn_from(log, rng) if len(log) else None

        def build(batch: VecEnv, practice: Practice) -> SB3DQN:
            algorithm = self._algorithm(batch, practice)
            if pretrained is None:
                return algorithm
            copy_weights(pretrained.values, algorithm.q_net, with_head=self.head == "kept")
            algorithm.q_net_target.load_state_dict(algorithm.q_net.state_dict())
            if self.replay == "both":
                fill(algorithm.replay_buffer, log)
            return algorithm

        return practise(self, self.envs, build, source, rng, self.points)

    def _algorithm(self, batch: VecEnv, practice: Practice) -> SB3DQN:
        common: dict[str, Any] = settings(self, batch, practice)
        if image_size(batch.observation_space) is None:
            # numbers enter unscaled, as they entered the network that learned from the log
            common["policy_kwargs"].pop("features_extractor_class")
        replay = replayed(self, practice)
        replay["learning_starts"] = min(self.starts, practice.steps // 4)
        if self.replay == "both":
            replay["buffer_size"] += len(practice.log_for(self.name)) + self.envs
        return SB3DQN(
            **common,
            **replay,
            gradient_steps=self.gradients,
            exploration_initial_eps=self.epsilon,
        )


@torch.no_grad()
def copy_weights(source: Perceptrons, net: nn.Module, with_head: bool = True) -> None:
    """Copy perceptrons with one member into a network of torch with layers of the same sizes.

    Without the head, the last layer is left out.
    """
    layers = [layer for layer in net.modules() if isinstance(layer, nn.Linear)]
    copied = list(zip(layers, source.layers[::2], source.layers[1::2], strict=True))
    for layer, weight, bias in copied if with_head else copied[:-1]:
        layer.weight.copy_(weight[0].mT)
        layer.bias.copy_(bias[0, 0])


def fill(buffer: Any, log: Data) -> None:
    """Write the rows of a log to a replay buffer: as many rows at once as it has environments.

    Rows that fill no whole line are left out.
    """
    envs = buffer.n_envs
    for first in range(0, len(log) - envs + 1, envs):
        rows = log.at(slice(first, first + envs))
        buffer.add(
            rows["observation"],
            rows["next_observation"],
            rows["action"],
            rows["reward"].astype(np.float32),
            rows["terminated"] | rows["truncated"],
            [{"TimeLimit.truncated": bool(cut)} for cut in rows["truncated"] & ~rows["terminated"]],
        )

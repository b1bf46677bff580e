"""Proximal policy optimisation with memory."""

from dataclasses import dataclass
from typing import Any, ClassVar

from sb3_contrib import RecurrentPPO as ContribPPO
from stable_baselines3.common.vec_env import VecEnv

from ..sources import Practice
from .base import settings
from .ppo import PPO


@dataclass(frozen=True)
class RecurrentPPO(PPO):
    """PPO whose actor and critic are LSTMs, which remember the observations of the episode.

    Source: Hausknecht and Stone (2015), Deep recurrent Q-learning, for the memory; Schulman et al.
    (2017) for the rest, by sb3-contrib.
    """

    name: ClassVar[str] = "recurrent-ppo"
    acts_in_a_box: ClassVar[bool] = False

    hidden: int = 64  # units of each layer, and of the LSTMs
    entropy: float = 0.0  # weight of the entropy bonus

    def _algorithm(self, batch: VecEnv, practice: Practice) -> Any:
        common = {**settings(self, batch, practice), "policy": "MlpLstmPolicy"}
        common["policy_kwargs"] |= {"net_arch": [self.hidden], "lstm_hidden_size": self.hidden}
        return ContribPPO(**common, **self._rollouts())

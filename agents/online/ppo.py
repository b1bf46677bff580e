"""Proximal policy optimisation."""

from dataclasses import dataclass
from typing import Any, ClassVar

from stable_baselines3 import PPO as SB3PPO
from stable_baselines3.common.vec_env import VecEnv

from ..settings import at_least_one
from ..sources import Practice
from .base import SB3Agent, settings


@dataclass(frozen=True)
class PPO(SB3Agent):
    """Proximal policy optimisation, online, in many environments at once.

    With the ratio r = pi(a | o) / pi_old(a | o) and the generalised advantage estimate A, it
    maximises E[min(r A, clip(r, 0.8, 1.2) A)] (equation 7), next to a value loss and an entropy
    bonus (equation 9).

    Source: Schulman et al. (2017), Proximal policy optimization algorithms, algorithm 1, by
    Stable-Baselines3.
    """

    name: ClassVar[str] = "ppo"
    acts_in_a_box: ClassVar[bool] = True

    rollout: int = 16  # steps of each environment between updates
    epochs: int = 6
    entropy: float = 0.01  # weight of the entropy bonus

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least_one(self, "rollout", "epochs")

    def _algorithm(self, batch: VecEnv, practice: Practice) -> Any:
        return SB3PPO(**settings(self, batch, practice), **self._rollouts())

    def _rollouts(self) -> dict[str, Any]:
        half = max(2, self.envs * self.rollout // 2)
        return {
            "n_steps": self.rollout,
            "batch_size": half,
            "n_epochs": self.epochs,
            "ent_coef": self.entropy,
        }

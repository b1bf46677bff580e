"""Advantage actor-critic."""

from dataclasses import dataclass
from typing import ClassVar

from stable_baselines3 import A2C as SB3A2C
from stable_baselines3.common.vec_env import VecEnv

from ..agent import Practice
from ..settings import at_least_one
from .base import OnlineAgent, settings


@dataclass(frozen=True)
class A2C(OnlineAgent):
    """Advantage actor-critic, online, in many environments at once.

    Source: Mnih et al. (2016), algorithm S3, in its synchronous form by Stable-Baselines3.
    """

    name: ClassVar[str] = "a2c"
    acts_in_a_box: ClassVar[bool] = True

    rollout: int = 5  # steps of each environment between updates
    entropy: float = 0.01  # weight of its bonus

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least_one(self, "rollout")

    def _algorithm(self, batch: VecEnv, practice: Practice) -> SB3A2C:
        return SB3A2C(
            **settings(self, batch, practice), n_steps=self.rollout, ent_coef=self.entropy
        )

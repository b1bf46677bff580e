"""Advantage actor-critic."""

from dataclasses import dataclass
from typing import ClassVar

from stable_baselines3 import A2C as SB3A2C
from stable_baselines3.common.vec_env import VecEnv

from ..settings import at_least_one
from ..sources import Practice
from .base import SB3Agent, settings


@dataclass(frozen=True)
class A2C(SB3Agent):
    """Advantage actor-critic, online, in many environments at once.

    It minimises, over n-step returns R and with the advantage A = R - V(o),

        -E[log pi(a | o) A] + 0.5 E[(R - V(o))^2] - entropy E[H(pi(. | o))].

    Source: Mnih et al. (2016), Asynchronous methods for deep reinforcement learning, algorithm S3,
    in the synchronous form of Stable-Baselines3.
    """

    name: ClassVar[str] = "a2c"
    acts_in_a_box: ClassVar[bool] = True

    rollout: int = 5  # steps of each environment between updates
    entropy: float = 0.01  # weight of the entropy bonus

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least_one(self, "rollout")

    def _algorithm(self, batch: VecEnv, practice: Practice) -> SB3A2C:
        common = settings(self, batch, practice)
        return SB3A2C(**common, n_steps=self.rollout, ent_coef=self.entropy)

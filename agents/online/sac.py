"""Soft actor-critic."""

from dataclasses import dataclass
from typing import ClassVar

from stable_baselines3 import SAC as SB3SAC
from stable_baselines3.common.vec_env import VecEnv

from dosuite.causal import InputError

from ..settings import at_least_one
from ..sources import Practice
from .base import SB3Agent, settings


@dataclass(frozen=True)
class SAC(SB3Agent):
    """Soft actor-critic for real-valued actions, with an adaptive temperature.

    With temperature t it maximises E[sum of r + t H(pi(. | o))] (equation 1), and adapts t to a
    target entropy (section 5). It acts by the mean of its actor.

    Source: Haarnoja et al. (2018), Soft actor-critic algorithms and applications, algorithm 1, by
    Stable-Baselines3.
    """

    name: ClassVar[str] = "sac"
    acts_in_a_box: ClassVar[bool] = True
    counts_actions: ClassVar[bool] = False

    rate: float = 1e-3
    envs: int = 16  # there is one gradient step per `envs` environment steps
    batch: int = 256  # transitions in a minibatch
    random: float = 0.1  # fraction of the practice, at its beginning, with random actions only
    temperature: float = 0.01  # initial value

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least_one(self, "batch")
        if not (0 <= self.random < 1 and self.temperature > 0):
            raise InputError(
                f"sac: random must be in [0, 1) and temperature above 0, and are {self.random} "
                f"and {self.temperature}"
            )

    def _algorithm(self, batch: VecEnv, practice: Practice) -> SB3SAC:
        return SB3SAC(
            **settings(self, batch, practice),
            batch_size=self.batch,
            buffer_size=practice.steps + self.envs,
            learning_starts=int(self.random * practice.steps),
            train_freq=1,
            gradient_steps=1,
            ent_coef=f"auto_{self.temperature}",
        )

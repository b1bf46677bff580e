"""Twin delayed deep deterministic policy gradients, for actions that are numbers."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from stable_baselines3 import TD3 as SB3TD3
from stable_baselines3.common.noise import NormalActionNoise
from stable_baselines3.common.vec_env import VecEnv

from dosuite.causal import InputError

from ..agent import Practice
from ..settings import at_least_one
from .base import OnlineAgent, settings


@dataclass(frozen=True)
class TD3(OnlineAgent):
    """Twin delayed deep deterministic policy gradients: it explores by noise on its actions, and
    acts without it.

    Source: Fujimoto, van Hoof and Meger (2018), algorithm 1, by Stable-Baselines3.
    """

    name: ClassVar[str] = "td3"
    acts_in_a_box: ClassVar[bool] = True
    counts_actions: ClassVar[bool] = False

    rate: float = 3e-3
    envs: int = 8  # there is one gradient step for so many steps
    delay: int = 2  # gradient steps of the critics for each of the actor
    batch: int = 512  # steps of a minibatch
    decay: float = 1e-3  # of the weights, so that the actor does not stick to a bound
    random: float = (
        0.2  # share of the practice that begins it, with actions at random and nothing learned
    )
    noise: float = (
        0.5  # standard deviation of the exploration afterwards, where actions are from -1 to 1
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least_one(self, "batch", "delay")
        if not (0 <= self.random < 1 and self.noise >= 0 and self.decay >= 0):
            given = f"{self.random}, {self.noise} and {self.decay}"
            raise InputError(
                f"td3: random must be in [0, 1), and noise and decay at least 0, and are {given}"
            )

    def _algorithm(self, batch: VecEnv, practice: Practice) -> SB3TD3:
        given: dict[str, Any] = settings(self, batch, practice)
        given["policy_kwargs"]["optimizer_kwargs"] = {"weight_decay": self.decay}
        return SB3TD3(
            **given,
            batch_size=self.batch,
            buffer_size=practice.steps + self.envs,
            learning_starts=int(self.random * practice.steps),
            train_freq=1,
            gradient_steps=1,
            policy_delay=self.delay,
            action_noise=NormalActionNoise(np.zeros(1), np.full(1, self.noise)),
        )

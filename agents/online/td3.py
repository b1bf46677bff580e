"""Twin delayed deep deterministic policy gradients."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from stable_baselines3 import TD3 as SB3TD3
from stable_baselines3.common.noise import NormalActionNoise
from stable_baselines3.common.vec_env import VecEnv

from dosuite.causal import InputError

from ..settings import at_least_one
from ..sources import Practice
from .base import SB3Agent, settings


@dataclass(frozen=True)
class TD3(SB3Agent):
    """Twin delayed deep deterministic policy gradients, for real-valued actions.

    Two critics regress on r + discount min_i Q_i'(o', mu'(o') + clipped noise) (equations 10 and
    14), and the actor mu ascends Q_1(o, mu(o)) every `delay` steps. It explores by normal noise on
    its actions, and acts without noise.

    Source: Fujimoto, van Hoof and Meger (2018), Addressing function approximation error in
    actor-critic methods, algorithm 1, by Stable-Baselines3.
    """

    name: ClassVar[str] = "td3"
    acts_in_a_box: ClassVar[bool] = True
    counts_actions: ClassVar[bool] = False

    rate: float = 3e-3
    envs: int = 8  # there is one gradient step per `envs` environment steps
    delay: int = 2  # gradient steps of the critics for each of the actor
    batch: int = 512  # transitions in a minibatch
    decay: float = 1e-3  # weight decay, which keeps the actor from saturating at a bound
    random: float = 0.2  # fraction of the practice, at its beginning, with random actions only
    noise: float = 0.5  # standard deviation of exploration, for actions in [-1, 1]

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least_one(self, "batch", "delay")
        if not (0 <= self.random < 1 and self.noise >= 0 and self.decay >= 0):
            values = f"{self.random}, {self.noise} and {self.decay}"
            raise InputError(
                f"td3: random must be in [0, 1), and noise and decay at least 0, and are {values}"
            )

    def _algorithm(self, batch: VecEnv, practice: Practice) -> SB3TD3:
        common: dict[str, Any] = settings(self, batch, practice)
        common["policy_kwargs"]["optimizer_kwargs"] = {"weight_decay": self.decay}
        return SB3TD3(
            **common,
            batch_size=self.batch,
            buffer_size=practice.steps + self.envs,
            learning_starts=int(self.random * practice.steps),
            train_freq=1,
            gradient_steps=1,
            policy_delay=self.delay,
            action_noise=NormalActionNoise(np.zeros(1), np.full(1, self.noise)),
        )

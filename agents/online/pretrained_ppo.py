"""Proximal policy optimisation that begins as a clone of who wrote the log."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from gymnasium.spaces import Box
from stable_baselines3 import PPO as SB3PPO
from stable_baselines3.common.vec_env import VecEnv

from dosuite.causal import Array
from dosuite.envs import Data
from dosuite.envs.gym.sb3 import UNIT, stretched

from ..agent import Policy, Practice
from ..networks.training import fit
from ..settings import at_least_one
from .base import practise
from .ppo import PPO


@dataclass(frozen=True)
class PretrainedPPO(PPO):
    """Behaviour cloning of a log into the actor, and then PPO online.

    The critic learns online alone. Numbers beyond the bounds of a Box are cloned as the bounds.

    Source: Pomerleau (1991) for the clone, Schulman et al. (2017) for the rest; the setting is that
    of Rajeswaran et al. (2018)."""

    name: ClassVar[str] = "pretrained-ppo"
    learns: ClassVar[tuple[str, ...]] = ("intervene",)
    needs: ClassVar[frozenset[str]] = frozenset({"log"})

    updates: int = 500  # gradient steps of cloning

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least_one(self, "updates")

    def learn(self, source: Practice, rng: np.random.Generator) -> Policy:
        """Clone the log, and then learn for the steps of the practice, rounded up to whole
        rollouts.
        """
        log = source.log_for(self.name)

        def begun(batch: VecEnv, practice: Practice) -> SB3PPO:
            algorithm: SB3PPO = self._algorithm(batch, practice)
            self._clone(algorithm, log, rng)
            return algorithm

        return practise(self, begun, source, rng)

    def _clone(self, algorithm: SB3PPO, log: Data, rng: np.random.Generator) -> None:
        actor, actions = algorithm.policy, log["action"]
        if isinstance(log.action_space, Box):
            actions = stretched(actions, UNIT, log.action_space)[:, None].astype(np.float32)

        def loss(rows: Array) -> torch.Tensor:
            seen, _ = actor.obs_to_tensor(log["observation"][rows])
            _, likelihood, _ = actor.evaluate_actions(
                seen, torch.as_tensor(actions[rows]).to(actor.device)
            )
            return -likelihood.mean()

        actor.set_training_mode(True)
        fit(actor, loss, len(log), self.updates, self.rate, rng)

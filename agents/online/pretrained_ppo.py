"""Proximal policy optimisation that starts from a clone of the behaviour policy."""

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

from ..networks.training import fit
from ..policy import Policy
from ..settings import at_least_one
from ..sources import Practice
from .base import practise
from .ppo import PPO


@dataclass(frozen=True)
class PretrainedPPO(PPO):
    """Behaviour cloning of a log into the actor, and then PPO online.

    Cloning minimises -E[log pi(a | o)] over the log. The critic learns online only. Logged actions
    beyond the bounds of a Box are cloned as the bounds.

    Source: Pomerleau (1991) for the clone, Schulman et al. (2017) for the rest; the setting is that
    of Rajeswaran et al. (2018).
    """

    name: ClassVar[str] = "pretrained-ppo"
    learns: ClassVar[tuple[str, ...]] = ("intervene",)
    needs: ClassVar[frozenset[str]] = frozenset({"log"})

    entropy: float = 0.0  # weight of the entropy bonus
    updates: int = 500  # gradient steps of cloning

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least_one(self, "updates")

    def learn_from(self, source: Practice, rng: np.random.Generator) -> Policy:
        """Clone the log, then train for the steps of the practice, rounded up to whole rollouts.

        With an empty log it is PPO.
        """
        log = source.log_for(self.name)

        def build(batch: VecEnv, practice: Practice) -> SB3PPO:
            algorithm: SB3PPO = self._algorithm(batch, practice)
            if len(log):
                self._clone(algorithm, log, rng)
            return algorithm

        return practise(self, self.envs, build, source, rng, self.points)

    def _clone(self, algorithm: SB3PPO, log: Data, rng: np.random.Generator) -> None:
        actor, actions = algorithm.policy, log["action"]
        if isinstance(log.action_space, Box):
            actions = stretched(actions, UNIT, log.action_space)[:, None].astype(np.float32)

        def loss(rows: Array) -> torch.Tensor:
            observations, _ = actor.obs_to_tensor(log["observation"][rows])
            targets = torch.as_tensor(actions[rows]).to(actor.device)
            _, log_likelihood, _ = actor.evaluate_actions(observations, targets)
            return -log_likelihood.mean()

        actor.set_training_mode(True)
        optimiser = torch.optim.Adam(actor.parameters(), lr=self.rate)
        fit(optimiser, loss, len(log), self.updates, rng)

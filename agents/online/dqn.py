"""Deep Q-learning: online by Stable-Baselines3; on a log, in batches of seeds."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from stable_baselines3 import DQN as SB3DQN
from stable_baselines3.common.vec_env import VecEnv

from dosuite.envs import Data

from ..agent import Policy, Practice
from ..offline.base import OfflineAgent, Task
from ..offline.fitted_q import QLearner, dqn_loss
from ..settings import at_least_one, check_discount
from .base import practise, settings


@dataclass(frozen=True)
class DQN(OfflineAgent):
    """Deep Q-learning: online in many environments by Stable-Baselines3, or offline from a log, all
    seeds at once.

    Source: Mnih et al. (2015), algorithm 1.
    """

    name: ClassVar[str] = "dqn"
    learns: ClassVar[tuple[str, ...]] = ("observe", "mixed", "intervene", "counterfactual")

    envs: int = 32
    updates: int = 800  # gradient steps on a log; online, one for every `envs` steps
    sync: int = 50  # gradient steps between copies to the target network
    discount: float = 0.99  # online: of what follows, unless the task's is smaller

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least_one(self, "envs", "updates", "sync")
        check_discount(self)

    def learn(self, source: Data | Practice, rng: np.random.Generator) -> Policy:
        """Learn from the log for `updates` gradient steps, or for the steps of the practice.

        Raises FloatingPointError if the loss on a log is not finite any more.
        """
        return (
            super().learn(source, rng)
            if isinstance(source, Data)
            else practise(self, self._algorithm, source, rng)
        )

    def _updates(self, horizon: int) -> int:
        return self.updates

    def _learner(self, task: Task) -> QLearner:
        return QLearner(task, dqn_loss, self.sync)

    def _algorithm(self, batch: VecEnv, practice: Practice) -> SB3DQN:
        return SB3DQN(**settings(self, batch, practice), **replayed(self, practice))


def replayed(agent: Any, practice: Practice) -> dict[str, Any]:
    """What the algorithms that learn values online are told alike:

    all practice is replayed, in minibatches of an agent's size.
    """
    return {
        "batch_size": agent.batch,
        "buffer_size": practice.steps + agent.envs,
        "learning_starts": agent.batch,
        "train_freq": 1,
        "target_update_interval": agent.envs * agent.sync,
        "exploration_fraction": 0.5,
    }

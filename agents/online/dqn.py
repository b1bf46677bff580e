"""Deep Q-learning: online by Stable-Baselines3, and on logs for all seeds at once."""

from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
from stable_baselines3 import DQN as SB3DQN
from stable_baselines3.common.vec_env import VecEnv

from dosuite.envs import Data

from ..offline.base import BatchedAgent, Task
from ..offline.fitted_q import QLearner, dqn_loss
from ..policy import Policy
from ..settings import at_least_one, check_discount
from ..sources import Practice
from .base import practise, settings


class ReplaySettings(Protocol):
    """The settings that decide how a replay buffer is used."""

    @property
    def envs(self) -> int:
        """Parallel environments."""

    @property
    def batch(self) -> int:
        """Transitions in a minibatch."""

    @property
    def sync(self) -> int:
        """Gradient steps between copies to the target network."""


@dataclass(frozen=True)
class DQN(BatchedAgent):
    """Deep Q-learning: online in many environments, or offline from a log.

    It minimises the Huber loss between Q(o, a) and r + discount max_b Q'(o', b), where Q' is a copy
    of Q that is renewed every `sync` steps. Online it is the algorithm of Stable-Baselines3.

    Source: Mnih et al. (2015), Human-level control through deep reinforcement learning,
    algorithm 1.
    """

    name: ClassVar[str] = "dqn"
    learns: ClassVar[tuple[str, ...]] = ("observe", "mixed", "intervene", "counterfactual")

    envs: int = 32
    updates: int = 800  # gradient steps on a log; online there is one per `envs` environment steps
    sync: int = 50  # gradient steps between copies to the target network
    discount: float = 0.99  # online: upper limit of the discount

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least_one(self, "envs", "sync")
        check_discount(self)

    def learn_from(self, source: Data | Practice, rng: np.random.Generator) -> Policy:
        """Learn from a log for `updates` gradient steps, or online for the steps of the practice.

        Raises FloatingPointError if the loss on a log becomes infinite or NaN.
        """
        if isinstance(source, Data):
            return super().learn_from(source, rng)
        return practise(self, self.envs, self._algorithm, source, rng, self.points)

    def _learner(self, task: Task) -> QLearner:
        return QLearner(task, dqn_loss, self.sync)

    def _algorithm(self, batch: VecEnv, practice: Practice) -> SB3DQN:
        common: dict[str, Any] = settings(self, batch, practice)
        kind, arguments = self.optimiser_kind
        common["policy_kwargs"] |= {"optimizer_class": kind, "optimizer_kwargs": arguments}
        common["policy_kwargs"]["net_arch"] = self.layers
        return SB3DQN(**common, **replayed(self, practice))


def replayed(agent: ReplaySettings, practice: Practice) -> dict[str, Any]:
    """The arguments of value-based algorithms: a replay buffer that keeps the whole practice."""
    return {
        "batch_size": agent.batch,
        "buffer_size": practice.steps + agent.envs,
        "learning_starts": agent.batch,
        "train_freq": 1,
        "target_update_interval": agent.envs * agent.sync,
        "exploration_fraction": 0.5,
    }

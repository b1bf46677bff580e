"""Deep Q-learning of the law of the return."""

from dataclasses import dataclass
from typing import Any, ClassVar

from sb3_contrib import QRDQN as ContribQRDQN
from stable_baselines3.common.vec_env import VecEnv

from ..agent import Practice
from ..settings import at_least_one
from .base import OnlineAgent, settings
from .dqn import replayed


@dataclass(frozen=True)
class QRDQN(OnlineAgent):
    """Deep Q-learning by quantile regression: it learns quantiles of the return of each action, and
    takes the one of the best mean.

    Source: Dabney et al. (2018), algorithm 1, by sb3-contrib; 20 quantiles do as well here as the
    paper's 200."""

    name: ClassVar[str] = "qr-dqn"

    envs: int = 32
    rate: float = 1e-3
    batch: int = 256  # steps of a minibatch
    # gradient steps between copies to the target network; there is one for every `envs` steps
    sync: int = 50
    quantiles: int = 20

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least_one(self, "batch", "sync", "quantiles")

    def _algorithm(self, batch: VecEnv, practice: Practice) -> ContribQRDQN:
        given: dict[str, Any] = settings(self, batch, practice)
        given["policy_kwargs"]["n_quantiles"] = self.quantiles
        return ContribQRDQN(**given, **replayed(self, practice))

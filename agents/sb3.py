"""PPO and DQN from Stable-Baselines3, online in the batched environment; on a log, DQN learns in batches of seeds."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from gymnasium.spaces import Box
from stable_baselines3 import DQN as SB3DQN
from stable_baselines3 import PPO as SB3PPO
from stable_baselines3.common.utils import set_random_seed

from confoundry.causal import Array
from confoundry.envs import Data, choices
from confoundry.envs.sb3 import BatchedVecEnv, Rescaled, stretched

from .agent import Agent, ContinuousPolicy, Policy, Practice
from .batched import Perceptrons
from .fitted_q import QLearner, dqn_loss
from .network_policy import NetworkPolicy
from .networks import device_named
from .offline import OfflineAgent, Task, at_least_one


@dataclass(frozen=True)
class PPO(Agent):
    """Proximal policy optimisation, online, in many environments at once.

    Source: Schulman et al. (2017), algorithm 1, by Stable-Baselines3.
    """

    name: ClassVar[str] = "ppo"
    learns: ClassVar[tuple[str, ...]] = ("intervene", "counterfactual")
    acts_in_a_box: ClassVar[bool] = True

    envs: int = 64
    rollout: int = 16  # steps of each environment between updates
    epochs: int = 6
    rate: float = 3e-3
    hidden: int = 32  # units in each of two layers
    device: str = "cpu"  # or cuda

    def learn(self, source: Practice, rng: np.random.Generator) -> Policy:
        """Learn for the steps of the practice, rounded up to whole rollouts."""
        set_random_seed(int(rng.integers(2**31)))  # and none to the algorithm, which would seed the environment with it
        batch = BatchedVecEnv(source.make(self.envs))
        bounds = batch.action_space if isinstance(batch.action_space, Box) else None
        algorithm = SB3PPO(
            "MlpPolicy",
            batch if bounds is None else Rescaled(batch, bounds),
            n_steps=self.rollout,
            batch_size=self.envs * self.rollout // 2,
            n_epochs=self.epochs,
            learning_rate=self.rate,
            gamma=source.discount,
            policy_kwargs={"net_arch": [self.hidden, self.hidden]},
            device=device_named(self.device),
        )
        algorithm.learn(source.steps)
        return ActorPolicy(algorithm) if bounds is None else NormalActorPolicy(algorithm, bounds)


@dataclass(frozen=True)
class DQN(OfflineAgent):
    """Deep Q-learning: online in many environments by Stable-Baselines3, or offline from a log, all seeds at once.

    Source: Mnih et al. (2015), algorithm 1.
    """

    name: ClassVar[str] = "dqn"
    learns: ClassVar[tuple[str, ...]] = ("observe", "mixed", "intervene", "counterfactual")

    envs: int = 32
    updates: int = 800  # gradient steps on a log; online, one for every `envs` steps
    sync: int = 50  # gradient steps between copies to the target network

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least_one(self, "envs", "updates", "sync")

    def learn(self, source: Data | Practice, rng: np.random.Generator) -> Policy:
        """Learn from the log for `updates` gradient steps, or for the steps of the practice.

        Raises FloatingPointError if the loss on a log is not finite any more.
        """
        if isinstance(source, Data):
            return super().learn(source, rng)
        seed = int(rng.integers(2**31))
        set_random_seed(seed)  # and none to the algorithm, which would seed the environment with it
        algorithm = self._online(source, seed)
        return NetworkPolicy(algorithm.observation_space, Perceptrons.of(algorithm.q_net))

    def _updates(self, horizon: int) -> int:
        return self.updates

    def _learner(self, task: Task) -> QLearner:
        return QLearner(task, dqn_loss, self.sync)

    def _settings(self, discount: float) -> dict[str, Any]:
        settings = {"batch_size": self.batch, "learning_rate": self.rate, "gamma": discount, "device": device_named(self.device)}
        return {**settings, "policy": "MlpPolicy", "policy_kwargs": {"net_arch": [self.hidden, self.hidden]}}

    def _online(self, practice: Practice, seed: int) -> SB3DQN:
        env = BatchedVecEnv(practice.make(self.envs))
        choices(env.action_space)  # or it refuses
        algorithm = SB3DQN(
            env=env,
            buffer_size=practice.steps + self.envs,
            learning_starts=self.batch,
            train_freq=1,
            target_update_interval=self.envs * self.sync,
            exploration_fraction=0.5,
            **self._settings(practice.discount),
        )
        algorithm.action_space.seed(seed)  # exploration draws from it
        return algorithm.learn(practice.steps)


class ActorPolicy(Policy):
    """An actor of Stable-Baselines3, with its own probabilities. It has no action values."""

    def __init__(self, algorithm: Any):
        self.algorithm = algorithm

    @torch.no_grad()
    def probabilities(self, observations: Array) -> Array:
        """The actor's own."""
        tensor, _ = self.algorithm.policy.obs_to_tensor(observations)
        return np.asarray(self.algorithm.policy.get_distribution(tensor).distribution.probs.double().cpu().numpy())


class NormalActorPolicy(ContinuousPolicy):
    """An actor of Stable-Baselines3 on a `Rescaled` batch: its actions are normal, and those beyond a bound are moved to it."""

    def __init__(self, algorithm: Any, bounds: Box):
        self.algorithm, self.bounds = algorithm, bounds

    @torch.no_grad()
    def act(self, observations: Array, rng: np.random.Generator) -> Array:
        """Draw from the actor's own law: (n,)."""
        tensor, _ = self.algorithm.policy.obs_to_tensor(observations)
        law = self.algorithm.policy.get_distribution(tensor).distribution
        mean, std = (part.double().cpu().numpy()[:, 0] for part in (law.mean, law.stddev))
        return stretched(mean + std * rng.standard_normal(len(mean)), self.bounds)

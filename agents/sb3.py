"""PPO and DQN from Stable-Baselines3: online in the batched environment, and DQN on a log through its own replay buffer."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from gymnasium.spaces import Box
from stable_baselines3 import DQN as SB3DQN
from stable_baselines3 import PPO as SB3PPO
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.utils import polyak_update, set_random_seed

from confoundry.causal import Array, greedy
from confoundry.envs import Data, choices
from confoundry.envs.sb3 import BatchedVecEnv, Rescaled, stretched

from .agent import Agent, ContinuousPolicy, Policy, Practice
from .networks import device_named


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
class DQN(Agent):
    """Deep Q-learning: online in many environments, or offline from a log that fills its replay buffer.

    The buffer is in memory, so a log must fit there.

    Source: Mnih et al. (2015), algorithm 1, by Stable-Baselines3.
    """

    name: ClassVar[str] = "dqn"
    learns: ClassVar[tuple[str, ...]] = ("observe", "mixed", "intervene", "counterfactual")

    envs: int = 32
    updates: int = 800  # gradient steps on a log; online, one for every `envs` steps
    batch: int = 256
    rate: float = 1e-3
    hidden: int = 32  # units in each of two layers
    sync: int = 50  # gradient steps between copies to the target network
    device: str = "cpu"  # or cuda

    def learn(self, source: Data | Practice, rng: np.random.Generator) -> Policy:
        """Learn from the log for `updates` gradient steps, or for the steps of the practice."""
        seed = int(rng.integers(2**31))
        set_random_seed(seed)  # and none to the algorithm, which would seed the environment with it
        algorithm = self._offline(source) if isinstance(source, Data) else self._online(source, seed)
        return ValuePolicy(algorithm)

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

    def _offline(self, data: Data) -> SB3DQN:
        choices(data.action_space)  # or it refuses
        algorithm = SB3DQN(env=None, buffer_size=len(data), _init_setup_model=False, **self._settings(data.discount))  # type: ignore[arg-type]
        algorithm.observation_space, algorithm.action_space, algorithm.n_envs = data.observation_space, data.action_space, 1
        algorithm._setup_model()
        algorithm.set_logger(Logger(None, []))
        buffer: Any = algorithm.replay_buffer
        for name, column in (("observations", "observation"), ("next_observations", "next_observation"), ("actions", "action")):
            array = getattr(buffer, name)
            array[:] = data[column].reshape(array.shape)
        buffer.rewards[:, 0], buffer.timeouts[:, 0] = data["reward"], data["truncated"]
        buffer.dones[:, 0] = data["terminated"] | data["truncated"]
        buffer.full = True
        for _ in range(0, self.updates, self.sync):
            algorithm.train(self.sync, self.batch)
            polyak_update(algorithm.q_net.parameters(), algorithm.q_net_target.parameters(), 1.0)
        return algorithm


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


class ValuePolicy(Policy):
    """A value network of Stable-Baselines3; the best action is taken."""

    def __init__(self, algorithm: Any):
        self.algorithm = algorithm

    def probabilities(self, observations: Array) -> Array:
        """1 for the best action."""
        return greedy(self.action_values(observations))

    @torch.no_grad()
    def action_values(self, observations: Array) -> Array:
        """The network's outputs."""
        tensor, _ = self.algorithm.policy.obs_to_tensor(observations)
        return np.asarray(self.algorithm.q_net(tensor).double().cpu().numpy())

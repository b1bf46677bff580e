"""What the algorithms of Stable-Baselines3 share as agents:

practice in a batch of environments, and the policies that come of it.
"""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from gymnasium.spaces import Box
from sb3_contrib.ars.policies import ARSPolicy
from sb3_contrib.common.recurrent.policies import RecurrentActorCriticPolicy
from stable_baselines3.common.torch_layers import FlattenExtractor
from stable_baselines3.common.utils import set_random_seed
from stable_baselines3.common.vec_env import VecEnv
from torch import Tensor, nn

from dosuite.causal import Array, InputError
from dosuite.causal.exact import greedy
from dosuite.envs import Space
from dosuite.envs.gym.sb3 import BatchedVecEnv, Rescaled, stretched

from ..agent import Agent, ContinuousPolicy, MemoryPolicy, Player, Policy, Practice
from ..networks.features import device_named
from ..settings import at_least_one, check_actions, check_discount

Build = Callable[[VecEnv, Practice], Any]  # an algorithm, ready to learn in the batch


@dataclass(frozen=True)
class OnlineAgent(Agent):
    """An agent that practises in many environments at once by an algorithm of Stable-Baselines3.

    Actions of a Box it sees as numbers from -1 to 1. Raises InputError if a setting is out of
    range."""

    learns: ClassVar[tuple[str, ...]] = ("intervene", "counterfactual")

    envs: int = 64
    rate: float = 3e-3  # of Adam
    hidden: int = 32  # units in each of two layers
    device: str = "cpu"  # or cuda
    discount: float = 0.99  # of what follows, unless the task's is smaller

    def __post_init__(self) -> None:
        at_least_one(self, "envs", "hidden")
        check_discount(self)
        if not self.rate > 0:
            raise InputError(f"{self.name}: rate must be positive, and is {self.rate}")

    def learn(self, source: Practice, rng: np.random.Generator) -> Policy:
        """Learn for the steps of the practice, rounded up to whole rollouts.

        Raises InputError if it cannot take the actions.
        """
        return practise(self, self._algorithm, source, rng)

    @abstractmethod
    def _algorithm(self, batch: VecEnv, practice: Practice) -> Any:
        """An algorithm of Stable-Baselines3, ready to learn in the batch."""


def practise(agent: Agent, build: Build, practice: Practice, rng: np.random.Generator) -> Policy:
    """Let the algorithm that `build` makes learn for the steps of a practice, in the `envs`
    environments of an agent.
    """
    seed = int(rng.integers(2**31))
    set_random_seed(seed)  # and none to the algorithm, which would seed the environment with it
    batch = BatchedVecEnv(practice.make(agent.envs))  # type: ignore[attr-defined]
    space = batch.action_space
    check_actions(agent, space)
    algorithm = build(Rescaled(batch, space) if isinstance(space, Box) else batch, practice)
    algorithm.action_space.seed(seed)  # exploration draws from it
    return policy_of(algorithm.learn(practice.steps), space)


def settings(agent: Any, batch: VecEnv, practice: Practice) -> dict[str, Any]:
    """What the algorithms are told alike: the batch, the discount, and rate, networks and device of
    an agent.

    They go on in mind past a horizon, which no observation shows, so without a discount values
    would have no limit, and whoever comes to an end sooner would gain nothing by it."""
    networks = {
        "policy": "MlpPolicy",
        "policy_kwargs": {"net_arch": [agent.hidden] * 2, "features_extractor_class": Features},
    }
    told = {
        "gamma": min(practice.discount, agent.discount),
        "learning_rate": agent.rate,
        "device": device_named(agent.device),
    }
    return {**networks, "env": batch, **told}


class Features(FlattenExtractor):
    """What networks see of an observation:

    one-hot where it is discrete; numbers are standardised by all that were seen in training.
    """

    def __init__(self, observation_space: Space):
        super().__init__(observation_space)
        self._features_dim = int(self._features_dim)  # which torch asks of an LSTM
        norm = nn.BatchNorm1d(
            self._features_dim, affine=False, momentum=None
        )  # Stable-Baselines3 copies its averages to target networks
        self.norm = norm if isinstance(observation_space, Box) else None

    def forward(self, observations: Tensor) -> Tensor:
        """Features (n, size), by the averages so far and not by those of the minibatch."""
        seen = super().forward(observations)
        if self.norm is None:
            return seen
        if self.training:
            self.norm(seen.detach())
        return nn.functional.batch_norm(seen, self.norm.running_mean, self.norm.running_var)


def policy_of(algorithm: Any, actions: Space) -> Policy:
    """How an algorithm of Stable-Baselines3 acts, in a space that is its own, or a Box that it has
    seen rescaled.

    Raises InputError if it is recurrent and its actions are numbers.
    """
    net = algorithm.policy
    if isinstance(actions, Box) and isinstance(net, RecurrentActorCriticPolicy):
        raise InputError("a recurrent actor is asked here for actions that can be counted only")
    if isinstance(actions, Box):
        return (
            NormalActorPolicy(algorithm, actions)
            if hasattr(net, "get_distribution")
            else ActorOfNumbers(algorithm, actions)
        )
    if isinstance(net, RecurrentActorCriticPolicy):
        return RecurrentPolicy(algorithm)
    if hasattr(net, "get_distribution"):
        return ActorPolicy(algorithm)
    return ChosenPolicy(algorithm) if isinstance(net, ARSPolicy) else ValuePolicy(algorithm)


class ActorPolicy(Policy):
    """An actor of Stable-Baselines3, with its own probabilities. It has no action values."""

    def __init__(self, algorithm: Any):
        self.algorithm = algorithm

    @torch.no_grad()
    def probabilities(self, observations: Array) -> Array:
        """The actor's own."""
        return _numbers(
            self.algorithm.policy.get_distribution(
                _seen(self.algorithm, observations)
            ).distribution.probs
        )


class ValuePolicy(Policy):
    """A network of action values of Stable-Baselines3, or one of their quantiles:

    it takes the action of the largest value.
    """

    def __init__(self, algorithm: Any):
        self.algorithm = algorithm

    def probabilities(self, observations: Array) -> Array:
        """1 for the best action, and ties are shared."""
        return greedy(np.asarray(self.action_values(observations)))

    @torch.no_grad()
    def action_values(self, observations: Array) -> Array | None:
        """The network's outputs, or the means of its quantiles."""
        net, seen = self.algorithm.policy, _seen(self.algorithm, observations)
        return _numbers(
            net.q_net(seen) if hasattr(net, "q_net") else net.quantile_net(seen).mean(1)
        )


class ChosenPolicy(Policy):
    """A policy of Stable-Baselines3 that names an action and nothing else."""

    def __init__(self, algorithm: Any):
        self.algorithm = algorithm

    def probabilities(self, observations: Array) -> Array:
        """1 for the action that is named."""
        chosen, _ = self.algorithm.predict(observations, deterministic=True)
        return np.asarray(np.eye(int(self.algorithm.action_space.n))[chosen])


class RecurrentPolicy(MemoryPolicy):
    """A recurrent actor of Stable-Baselines3:

    what it has seen of an episode is in the state of its LSTM.
    """

    def __init__(self, algorithm: Any):
        self.algorithm = algorithm

    def probabilities(self, observations: Array) -> Array:
        """The actor's own at the first step of an episode."""
        return self._step(observations, self._start(len(observations)))[0]

    def play(self, episodes: int, rng: np.random.Generator) -> Player:
        """Begin so many episodes."""
        state = self._start(episodes)

        def act(observations: Array, rewards: Array) -> Array:
            nonlocal state
            probabilities, state = self._step(observations, state)
            bounds = probabilities.cumsum(axis=1)
            return np.asarray((rng.random((episodes, 1)) * bounds[:, -1:] >= bounds).sum(axis=1))

        return act

    def _start(self, episodes: int) -> tuple[Tensor, ...]:
        """The two parts of the state of the LSTM, (layers, episodes, units), before a first step."""
        lstm = self.algorithm.policy.lstm_actor
        return tuple(
            torch.zeros(lstm.num_layers, episodes, lstm.hidden_size, device=self.algorithm.device)
            for _ in range(2)
        )

    @torch.no_grad()
    def _step(
        self, observations: Array, state: tuple[Tensor, ...]
    ) -> tuple[Array, tuple[Tensor, ...]]:
        first = torch.zeros(
            len(observations), device=self.algorithm.device
        )  # no state is to be forgotten
        law, state = self.algorithm.policy.get_distribution(
            _seen(self.algorithm, observations), state, first
        )
        return _numbers(law.distribution.probs), state


class NormalActorPolicy(ContinuousPolicy):
    """An actor of Stable-Baselines3 whose actions are normal;

    those beyond a bound are moved to it.
    """

    def __init__(self, algorithm: Any, bounds: Box):
        self.algorithm, self.bounds = algorithm, bounds

    @torch.no_grad()
    def act(self, observations: Array, rng: np.random.Generator) -> Array:
        """Draw from the actor's own law: (n,)."""
        law = self.algorithm.policy.get_distribution(
            _seen(self.algorithm, observations)
        ).distribution
        mean, std = (_numbers(part)[:, 0] for part in (law.mean, law.stddev))
        return stretched(
            mean + std * rng.standard_normal(len(mean)), self.bounds, self.algorithm.action_space
        )


class ActorOfNumbers(ContinuousPolicy):
    """An actor of Stable-Baselines3 that is made noisy to explore, and acts here without the noise."""

    def __init__(self, algorithm: Any, bounds: Box):
        self.algorithm, self.bounds = algorithm, bounds

    def act(self, observations: Array, rng: np.random.Generator) -> Array:
        """The actor's own choice: (n,)."""
        chosen, _ = self.algorithm.predict(observations, deterministic=True)
        return stretched(chosen[:, 0].astype(np.float64), self.bounds, self.algorithm.action_space)


def _seen(algorithm: Any, observations: Array) -> Tensor:
    algorithm.policy.set_training_mode(
        False
    )  # so that acting leaves the averages of the features as they are
    tensor: Tensor = algorithm.policy.obs_to_tensor(observations)[0]
    return tensor


def _numbers(values: Tensor) -> Array:
    return np.asarray(values.double().cpu().numpy())

"""What agents that train an algorithm of Stable-Baselines3 share."""

import random
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
import torch
from gymnasium.spaces import Box
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.torch_layers import FlattenExtractor
from stable_baselines3.common.utils import set_random_seed
from stable_baselines3.common.vec_env import VecEnv
from torch import Tensor, nn

from dosuite.envs import Space
from dosuite.envs.gym.sb3 import BatchedVecEnv, Rescaled

from ..agent import Agent, OnlineAgent
from ..networks.features import device_named, image_size
from ..networks.perceptrons import CHANNELS, PATCH, inputs_of_image, patches_of
from ..points import PointsAhead, check_points, points_of
from ..policy import Policy
from ..settings import at_least_one, check_actions, check_discount, positive
from ..sources import Practice
from .sb3_policies import acting_by, copy_of, policy_of

Build = Callable[[VecEnv, Practice], Any]  # makes an algorithm that is ready to learn


class NetworkSettings(Protocol):
    """The settings of an agent that algorithms of Stable-Baselines3 have in common."""

    @property
    def rate(self) -> float:
        """The learning rate of Adam."""

    @property
    def hidden(self) -> int:
        """Units in each of two layers."""

    @property
    def device(self) -> str:
        """A device of torch."""

    @property
    def discount(self) -> float:
        """An upper limit of the discount."""


@dataclass(frozen=True)
class SB3Agent(OnlineAgent):
    """An agent that trains an algorithm of Stable-Baselines3 in many parallel environments.

    The actions of a Box are rescaled to [-1, 1]. Raises InputError if a setting is out of range.
    """

    rounds_up: ClassVar[bool] = True

    envs: int = 64
    rate: float = 3e-3  # learning rate of Adam
    hidden: int = 32  # units in each of two layers
    device: str = "cpu"  # or cuda
    discount: float = 0.99  # upper limit of the discount; a smaller one of the task is used
    # of the practice: the value is read before it, and after 1/2, 1/4, ... 1/2^points of its steps
    points: int = 0

    def __post_init__(self) -> None:
        at_least_one(self, "envs", "hidden")
        check_discount(self)
        check_points(self)
        positive(self, "rate")

    def learn_from(self, source: Practice, rng: np.random.Generator) -> Policy:
        """Train for the steps of the practice, rounded up to whole rollouts.

        Raises InputError if the agent cannot take the actions.
        """
        return practise(self, self.envs, self._algorithm, source, rng, self.points)

    @abstractmethod
    def _algorithm(self, batch: VecEnv, practice: Practice) -> Any:
        """An algorithm of Stable-Baselines3 that is ready to learn in the batch."""


class Keeper(BaseCallback):
    """Keeps copies of the network at points of a practice, by the steps that led to them.

    A copy is taken after the updates on a rollout: the first that reaches a point or goes beyond.
    """

    def __init__(self, points: Sequence[int]):
        super().__init__()
        self.ahead = PointsAhead(points)
        self.kept: dict[int, Any] = {}

    def _on_rollout_start(self) -> None:
        steps = self.model.num_timesteps  # `self.num_timesteps` is of the last step
        if self.ahead.reached(steps):
            self.kept[steps] = copy_of(self.model.policy)

    def _on_step(self) -> bool:
        return True


def practise(
    agent: Agent,
    envs: int,
    build: Build,
    practice: Practice,
    rng: np.random.Generator,
    points: int = 0,
) -> Policy:
    """Train the algorithm that `build` makes in `envs` environments for the steps of a practice.

    Its policies at the `points` (see `points_of`) are kept as `earlier` ones.

    Algorithms draw from the global generators, which are put back afterwards.
    """
    seed = int(rng.integers(2**31))
    batch = BatchedVecEnv(practice.make(envs))
    space = batch.action_space
    check_actions(agent, space)
    with global_generators_kept():
        set_random_seed(seed)  # an algorithm that is given a seed would reseed the environments too
        algorithm = build(Rescaled(batch, space) if isinstance(space, Box) else batch, practice)
        algorithm.set_logger(Logger(None, []))  # without one it would leave an empty folder
        algorithm.action_space.seed(seed)  # exploration samples from the space
        keeper = Keeper(points_of(practice.steps, points))
        policy = policy_of(algorithm.learn(practice.steps, keeper if points else None), space)
        if points:
            policy.earlier = {steps: acting_by(net, space) for steps, net in keeper.kept.items()}
        return policy


@contextmanager
def global_generators_kept() -> Iterator[None]:
    """Put the global generators of Python, NumPy and torch back in their state at the end."""
    of_python, of_numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    # of torch, the generators of all devices
    with torch.random.fork_rng():
        try:
            yield
        finally:
            random.setstate(of_python)
            np.random.set_state(of_numpy)  # noqa: NPY002


def settings(agent: NetworkSettings, batch: VecEnv, practice: Practice) -> dict[str, Any]:
    """The arguments that all algorithms get: environments, discount, learning rate and networks.

    The algorithms bootstrap at the horizon, which no observation shows. Without a discount their
    values would have no limit, and ending an episode early would gain nothing.
    """
    return {
        "policy": "MlpPolicy",
        "policy_kwargs": {"net_arch": [agent.hidden] * 2, "features_extractor_class": Features},
        "env": batch,
        "gamma": min(practice.discount, agent.discount),
        "learning_rate": agent.rate,
        "device": device_named(agent.device),
    }


class Features(FlattenExtractor):
    """The inputs of networks: discrete observations one-hot, numbers standardised, images
    convolved.

    Numbers are standardised by the running mean and variance of all observations in training. The
    convolution of images is that of the networks that learn from logs: see `Perceptrons`.
    """

    def __init__(self, observation_space: Space):
        super().__init__(observation_space)
        self._features_dim = int(self._features_dim)  # an LSTM of torch refuses NumPy integers
        self.image = image_size(observation_space)
        self.norm = None
        if self.image is not None:
            self._features_dim = inputs_of_image(self.image)
            self.convolution = nn.Linear(PATCH**2, CHANNELS)
            return
        # a BatchNorm, since Stable-Baselines3 copies its averages to target networks
        norm = nn.BatchNorm1d(self._features_dim, affine=False, momentum=None)
        self.norm = norm if isinstance(observation_space, Box) else None

    def forward(self, observations: Tensor) -> Tensor:
        """Features (n, size), standardised by the running averages, not by those of the batch."""
        features = super().forward(observations)
        if self.image is not None:
            return self.convolution(patches_of(features, self.image)).relu().flatten(1)  # type: ignore[no-any-return]
        if self.norm is None:
            return features
        if self.training:
            self.norm(features.detach())  # updates the averages
        return nn.functional.batch_norm(features, self.norm.running_mean, self.norm.running_var)

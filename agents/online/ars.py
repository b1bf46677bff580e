"""Augmented random search."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from gymnasium.spaces import Box
from sb3_contrib import ARS as ContribARS
from sb3_contrib.ars.policies import ARSPolicy
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper, VecNormalize
from torch import nn

from dosuite.causal import InputError
from dosuite.envs import Space

from ..agent import Agent, Policy, Practice
from ..networks.features import device_named
from ..settings import at_least_one
from .base import Features, practise

EPSILON = 1e-5  # added to a variance, by VecNormalize as by the features


@dataclass(frozen=True)
class ARS(Agent):
    """Augmented random search of a linear policy: it plays whole episodes with the weights moved
    both ways along random directions.

    It sees numbers standardised (V2-t) or as they are (V1-t: where bad weights make an unstable
    world run away, averages of all that was seen say nothing of where it is to be held), and the
    rest one-hot. Of actions that can be counted it takes the one with the largest output.

    Source: Mania, Guy and Recht (2018), algorithm 2, by sb3-contrib.
    """

    name: ClassVar[str] = "ars"
    learns: ClassVar[tuple[str, ...]] = ("intervene", "counterfactual")
    acts_in_a_box: ClassVar[bool] = True

    envs: int = 4  # episodes that a candidate is tried in, all at once
    rate: float = 0.03  # step size
    hidden: int = 0  # units in each of two layers; with none the policy is linear
    device: str = "cpu"  # or cuda
    directions: int = 4
    top: int = 2  # directions that are followed, the best ones
    spread: float = 0.05  # standard deviation of what is added to a weight
    standardise: bool = True  # numbers, by all that were seen

    def __post_init__(self) -> None:
        at_least_one(self, "envs", "directions", "top")
        if not (self.rate > 0 and self.spread > 0 and self.hidden >= 0):
            given = f"{self.rate}, {self.spread} and {self.hidden}"
            raise InputError(
                f"ars: rate and spread must be positive and hidden at least 0, and are {given}"
            )
        if self.top > self.directions:
            raise InputError(
                f"ars: top must be at most {self.directions}, the number of directions, and is "
                f"{self.top}"
            )

    def learn(self, source: Practice, rng: np.random.Generator) -> Policy:
        """Search for the steps of the practice, rounded up to whole rounds.

        Raises InputError if it cannot take the actions.
        """
        return practise(self, self._algorithm, source, rng)

    def _algorithm(self, batch: VecEnv, practice: Practice) -> ContribARS:
        scaled = self.standardise and isinstance(batch.observation_space, Box)
        played = Played(batch, practice.discount)
        return Search(
            Searched,
            VecNormalize(played, norm_reward=False, clip_obs=np.inf, epsilon=EPSILON)
            if scaled
            else played,
            n_delta=self.directions,
            n_top=self.top,
            learning_rate=self.rate,
            delta_std=self.spread,
            zero_policy=not self.hidden,
            n_eval_episodes=self.envs,
            policy_kwargs={"net_arch": [self.hidden] * 2 if self.hidden else []},
            device=device_named(self.device),
        )


class Searched(ARSPolicy):
    """A policy that sees the features that those of the other algorithms see, and whose actions are
    cut off at their bounds.
    """

    def __init__(self, observation_space: Space, action_space: Space, net_arch: list[int]):
        super().__init__(
            observation_space,
            action_space,
            net_arch,
            nn.Tanh,
            with_bias=bool(net_arch),
            squash_output=False,
        )

    def make_features_extractor(self) -> Features:
        return Features(self.observation_space)


class Played(VecEnvWrapper):
    """A batch whose rewards are discounted from the first step of an episode on, for they are
    summed, and whose steps are counted.
    """

    def __init__(self, batch: VecEnv, discount: float):
        super().__init__(batch)
        self.discount, self.steps = discount, 0

    def reset(self) -> Any:
        """As the batch's."""
        self.weight = np.ones(self.num_envs)
        return self.venv.reset()

    def step_wait(self) -> Any:
        """As the batch's, but for the rewards."""
        observations, rewards, done, infos = self.venv.step_wait()
        weight, self.weight = self.weight, np.where(done, 1.0, self.discount * self.weight)
        self.steps += self.num_envs
        return observations, rewards * weight, done, infos


class Search(ContribARS):
    """The search, which counts every step of a batch and leaves the averages that it has
    standardised by in the policy.
    """

    def _trigger_callback(self, _locals: Any, _globals: Any, callback: Any, n_envs: int) -> None:
        """It is called for each environment whose episode counts, and not for those that wait for
        the last.
        """
        super()._trigger_callback(_locals, _globals, callback, 0)
        self.num_timesteps = self.env.steps  # type: ignore[union-attr]

    def _excluded_save_params(self) -> list[str]:
        return [*super()._excluded_save_params(), "weights"]  # which are the policy's

    def learn(self, *given: Any, **settings: Any) -> Any:
        super().learn(*given, **settings)
        if self._vec_normalize_env is not None:
            features: Any = self.policy.features_extractor
            seen: Any = self._vec_normalize_env.obs_rms
            features.norm.running_mean.copy_(torch.as_tensor(seen.mean))
            features.norm.running_var.copy_(torch.as_tensor(seen.var))
        return self

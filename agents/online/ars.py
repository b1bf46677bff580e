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

from ..agent import OnlineAgent
from ..networks.features import device_named
from ..policy import Policy
from ..settings import MOST, at_least_one, at_most
from ..sources import Practice
from .base import Features, practise

EPSILON = 1e-5  # added to a variance, by VecNormalize as by Features


@dataclass(frozen=True)
class ARS(OnlineAgent):
    """Augmented random search of a linear policy by whole episodes.

    Each round tries the weights M + spread d_k and M - spread d_k in random directions d_k, and
    moves M by rate / (top sigma) times the sum of (R_k+ - R_k-) d_k over the best directions, where
    sigma is the standard deviation of their returns R. Numbers are standardised (V2-t) or not
    (V1-t: where bad weights make an unstable world diverge, averages over everything seen do not
    describe the states to hold it in); the rest is one-hot. Of finitely many actions it takes the
    one with the largest output.

    Source: Mania, Guy and Recht (2018), Simple random search provides a competitive approach to
    reinforcement learning, algorithm 2, by sb3-contrib.
    """

    name: ClassVar[str] = "ars"
    acts_in_a_box: ClassVar[bool] = True
    rounds_up: ClassVar[bool] = True

    envs: int = 4  # parallel episodes in which each candidate is tried
    rate: float = 0.009  # step size
    hidden: int = 0  # units in each of two layers; 0 makes the policy linear
    device: str = "cpu"  # or cuda
    directions: int = 4
    top: int = 2  # how many of the best directions are followed
    spread: float = 0.05  # standard deviation of the perturbation of a weight
    standardise: bool = True  # whether numbers are standardised by all observations so far

    def __post_init__(self) -> None:
        at_least_one(self, "envs", "directions", "top")
        if not (self.rate > 0 and self.spread > 0 and self.hidden >= 0):
            values = f"{self.rate}, {self.spread} and {self.hidden}"
            raise InputError(
                f"ars: rate and spread must be positive and hidden at least 0, and are {values}"
            )
        at_most(self, MOST["hidden"], "hidden")
        if self.top > self.directions:
            raise InputError(
                f"ars: top must be at most {self.directions}, the number of directions, and is "
                f"{self.top}"
            )

    def learn_from(self, source: Practice, rng: np.random.Generator) -> Policy:
        """Search for the steps of the practice, rounded up to whole rounds.

        Raises InputError if the agent cannot take the actions.
        """
        return practise(self, self.envs, self._algorithm, source, rng)

    def _algorithm(self, batch: VecEnv, practice: Practice) -> ContribARS:
        env: VecEnv = Played(batch, practice.discount)
        if self.standardise and isinstance(batch.observation_space, Box):
            env = VecNormalize(env, norm_reward=False, clip_obs=np.inf, epsilon=EPSILON)
        return Search(
            Searched,
            env,
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
    """A policy with the inputs of the other algorithms, and actions clipped to their bounds."""

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
    """A batch with discounted rewards, which add up to the return, and a step counter."""

    def __init__(self, batch: VecEnv, discount: float):
        super().__init__(batch)
        self.discount = discount
        self.steps = 0

    def reset(self) -> Any:
        self.weight = np.ones(self.num_envs)
        return self.venv.reset()

    def step_wait(self) -> Any:
        observations, rewards, done, infos = self.venv.step_wait()
        weight, self.weight = self.weight, np.where(done, 1.0, self.discount * self.weight)
        self.steps += self.num_envs
        return observations, rewards * weight, done, infos


class Search(ContribARS):
    """The search, which counts every step of a batch and stores the averages that it standardised
    by in the policy.
    """

    def _trigger_callback(self, _locals: Any, _globals: Any, callback: Any, n_envs: int) -> None:
        """Set the number of steps to that of the batch.

        The parent counts only environments whose episode still goes on, not those that wait for
        the last one to end.
        """
        super()._trigger_callback(_locals, _globals, callback, 0)
        self.num_timesteps = self.env.steps  # type: ignore[union-attr]

    def _excluded_save_params(self) -> list[str]:
        return [*super()._excluded_save_params(), "weights"]  # the policy has them

    def learn(self, *arguments: Any, **settings: Any) -> Any:
        super().learn(*arguments, **settings)
        if self._vec_normalize_env is not None:
            features: Any = self.policy.features_extractor
            averages: Any = self._vec_normalize_env.obs_rms
            features.norm.running_mean.copy_(torch.as_tensor(averages.mean).flatten())
            features.norm.running_var.copy_(torch.as_tensor(averages.var).flatten())
        return self

"""Rollouts: one episode in each copy of an environment, step by step."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium.vector import VectorEnv

from dosuite.agents import Player
from dosuite.causal import Array


@dataclass(frozen=True)
class Step:
    """One step of n parallel episodes: arrays (n, ...) in the order of the copies."""

    going: Array  # whether the episode of this copy was still going; elsewhere the rest is void
    observation: Array
    action: Array
    reward: Array
    next_observation: Array
    terminated: Array
    truncated: Array


def rollout(envs: VectorEnv[Any, Any, Any], player: Player, seed: int | None) -> Iterator[Step]:
    """Play one episode in every copy, and yield each step until the last episode is over.

    Without a seed the copies go on with their own randomness.
    """
    observation, _ = envs.reset(seed=seed)
    going, reward = np.ones(envs.num_envs, dtype=bool), np.zeros(envs.num_envs)
    while going.any():
        action = np.asarray(player(observation, reward))
        following, reward, terminated, truncated, _ = envs.step(action)
        yield Step(going, observation, action, reward, following, terminated, truncated)
        going = going & ~(terminated | truncated)
        observation = following

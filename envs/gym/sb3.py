"""Stable-Baselines3 on the batched environment, without a Python loop over environments."""

from copy import deepcopy
from typing import Any

import numpy as np
from gymnasium.spaces import Box
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper

from dosuite.causal import Array

from .causal_env import CausalVectorEnv

UNIT = Box(-1.0, 1.0, (1,), np.float32)  # how Stable-Baselines3 likes its actions


class BatchedVecEnv(VecEnv):
    """A `CausalVectorEnv` as the `VecEnv` that Stable-Baselines3 trains on:

    `PPO("MlpPolicy", BatchedVecEnv(env))`.
    """

    def __init__(self, env: CausalVectorEnv):
        self._env = env
        self._actions: Any = None
        super().__init__(env.num_envs, env.single_observation_space, env.single_action_space)

    def reset(self) -> Any:
        """The first observations of all environments, (num_envs, ...);

        seeds are those of the last `seed(...)`.
        """
        seeds = self._seeds if any(seed is not None for seed in self._seeds) else None
        observations, _ = self._env.reset(seed=seeds)
        self._reset_seeds()
        self._reset_options()
        return observations

    def step_async(self, actions: Any) -> None:
        """Take note of the actions."""
        self._actions = actions

    def step_wait(self) -> Any:
        """Observations, rewards, dones and infos;

        where an episode ended, its last observation is in the info.
        """
        observations, rewards, terminated, truncated, about = self._env.step(self._actions)
        done = terminated | truncated
        infos: list[dict[str, Any]] = [{}] * self.num_envs  # one for all to whom nothing happened
        for i in np.flatnonzero(done):
            infos[i] = {
                "terminal_observation": about["final_obs"][i],
                "TimeLimit.truncated": bool(truncated[i]),
            }
        return observations, rewards.astype(np.float32), done, infos

    def close(self) -> None:
        """Close the environments."""
        self._env.close()

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """The attribute of the batched environment, once for each environment asked for."""
        return [getattr(self._env, attr_name) for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Not supported: the environments of a batch share their attributes."""
        raise NotImplementedError("the environments of a batch share their attributes")

    def env_method(
        self, method_name: str, *method_args: Any, indices: Any = None, **method_kwargs: Any
    ) -> list[Any]:
        """Not supported: the environments of a batch are one object."""
        raise NotImplementedError("the environments of a batch are one object")

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        """No environment of a batch is wrapped."""
        return [False for _ in self._get_indices(indices)]


class Rescaled(VecEnvWrapper):
    """A batch whose actions are numbers from -1 to 1, as Stable-Baselines3 advises, and are
    stretched to the bounds of a Box.
    """

    def __init__(self, batch: VecEnv, bounds: Box):
        super().__init__(batch, action_space=deepcopy(UNIT))
        self._bounds = bounds

    def reset(self) -> Any:
        """As the batch's."""
        return self.venv.reset()

    def step_async(self, actions: Array) -> None:
        """Take note of the actions, (num_envs, 1)."""
        self.venv.step_async(stretched(actions, self._bounds))

    def step_wait(self) -> Any:
        """As the batch's."""
        return self.venv.step_wait()


def stretched(actions: Array, bounds: Box, within: Box = UNIT) -> Array:
    """Numbers within a Box, at whose bounds they are cut off, as numbers between other bounds:

    the same shape.
    """
    (low, high), (least, most) = (
        (float(box.low[0]), float(box.high[0])) for box in (bounds, within)
    )
    return np.asarray(low + (high - low) * (actions.clip(least, most) - least) / (most - least))

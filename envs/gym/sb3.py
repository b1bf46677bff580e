"""Stable-Baselines3 on the batched environment, without a Python loop over environments."""

from copy import deepcopy
from typing import Any

import numpy as np
from gymnasium.spaces import Box
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper

from dosuite.causal import Array, InputError

from .vector_env import CausalVectorEnv

UNIT = Box(-1.0, 1.0, (1,), np.float32)  # the action space that Stable-Baselines3 recommends


class BatchedVecEnv(VecEnv):
    """A `CausalVectorEnv`, or another batch, as a `VecEnv`, on which Stable-Baselines3 trains.

    `PPO("MlpPolicy", BatchedVecEnv(env))`. Raises InputError if the batch's autoreset mode is not
    SAME_STEP.
    """

    def __init__(self, env: CausalVectorEnv | SyncVectorEnv):
        if env.autoreset_mode is not AutoresetMode.SAME_STEP:
            raise InputError(
                "Stable-Baselines3 begins a new episode in the same step: make the batch with "
                f"autoreset_mode=SAME_STEP, and not {env.autoreset_mode.name}"
            )
        self._env = env
        self._actions: Any = None
        super().__init__(env.num_envs, env.single_observation_space, env.single_action_space)

    def reset(self) -> Any:
        """The first observations of all environments, (num_envs, ...).

        Seeds are those of the last `seed(...)`, if it was called since the last reset.
        """
        seeds = self._seeds if any(seed is not None for seed in self._seeds) else None
        observations, _ = self._env.reset(seed=seeds)
        self._reset_seeds()
        self._reset_options()
        return observations

    def step_async(self, actions: Any) -> None:
        """Store the actions for `step_wait`."""
        self._actions = actions

    def step_wait(self) -> Any:
        """Observations, rewards, dones and infos.

        The info of an episode that ended holds its last observation.
        """
        observations, rewards, terminated, truncated, about = self._env.step(self._actions)
        done = terminated | truncated
        # Infos are only read: environments in mid-episode share an empty one, since making one for
        # each would take longer than the step.
        empty: dict[str, Any] = {}
        infos = [empty] * self.num_envs
        for i in np.flatnonzero(done):
            infos[i] = {
                "terminal_observation": about["final_obs"][i],
                "TimeLimit.truncated": bool(truncated[i] and not terminated[i]),
            }
        return observations, rewards.astype(np.float32), done, infos

    def close(self) -> None:
        """Close the environments."""
        self._env.close()

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """The batch's attribute, once for each environment in `indices`."""
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
        """False for each environment in `indices`."""
        return [False for _ in self._get_indices(indices)]


class Rescaled(VecEnvWrapper):
    """A batch whose actions in [-1, 1] are stretched to the bounds of a Box."""

    def __init__(self, batch: VecEnv, bounds: Box):
        super().__init__(batch, action_space=deepcopy(UNIT))
        self._bounds = bounds

    def reset(self) -> Any:
        """The first observations of the batch."""
        return self.venv.reset()

    def step_async(self, actions: Array) -> None:
        """Stretch the actions, (num_envs, 1), and store them for `step_wait`."""
        self.venv.step_async(stretched(actions, self._bounds))

    def step_wait(self) -> Any:
        """Observations, rewards, dones and infos of the batch."""
        return self.venv.step_wait()


def stretched(actions: Array, bounds: Box, within: Box = UNIT) -> Array:
    """Numbers in the Box `within`, clipped to it, as numbers in the Box `bounds`: same shape."""
    low, high = float(bounds.low[0]), float(bounds.high[0])
    least, most = float(within.low[0]), float(within.high[0])
    clipped = actions.clip(least, most)
    return np.asarray(low + (high - low) * (clipped - least) / (most - least))

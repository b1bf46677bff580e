"""The ice-cream worlds of the benchmark written by hand: as Gymnasium classes, and in JAX.

All sides return the same at each step, except that JAX leaves out `final_obs`, which saves it work.
"""

from collections.abc import Callable
from typing import Any

import gymnasium
from gymnasium import spaces

Rollout = Callable[[], Any]


class IceCreamByHand(gymnasium.Env[Any, Any]):
    """`IceCreamDays` as a user would write it for Gymnasium."""

    def __init__(self) -> None:
        self.observation_space = spaces.Discrete(2)
        self.action_space = spaces.Discrete(2)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Observe the shorts of the first day."""
        super().reset(seed=seed)
        self._day = 0
        self._heat = self.np_random.random() < 0.5
        return self._dress(), {}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        """Observe the shorts of the next day, and get the reward of the last."""
        pay = self._shorts - 0.2 * action
        self._day += 1
        self._heat = self.np_random.random() < 0.1 + 0.8 * self._heat
        return self._dress(), pay, False, self._day == 8, {}

    def _dress(self) -> int:
        self._shorts = int(self.np_random.random() < 0.05 + 0.85 * self._heat)
        return self._shorts


class ShortsByHand(gymnasium.Env[Any, Any]):
    """`IceCreamShorts`, which has one step, as a user would write it for Gymnasium."""

    def __init__(self) -> None:
        self.observation_space = spaces.Discrete(1)
        self.action_space = spaces.Discrete(2)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Start an episode without an observation."""
        super().reset(seed=seed)
        return 0, {}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        """Get the reward of the shorts less the cost of the ice cream."""
        heat = self.np_random.random() < 0.5
        shorts = int(self.np_random.random() < 0.05 + 0.85 * heat)
        return 0, shorts - 0.2 * action, True, False, {"shorts": shorts}


def jax_idiomatic(envs: int, steps: int) -> Rollout:
    """IceCreamDays in the idiom of gymnax, compiled.

    `step_env` and `reset` both draw, with their own keys, and `where` selects one of the results.
    The rollout steps `envs` environments `steps` times with random actions, and returns
    observations, actions, rewards, terminations and truncations, each (steps, envs). Raises
    ImportError without JAX.
    """
    import jax
    import jax.numpy as jnp

    def dress(key: Any, heat: Any, day: Any) -> Any:
        shorts = jax.random.bernoulli(key, 0.05 + 0.85 * heat).astype(jnp.int32)
        return shorts, (heat, shorts, day)

    def reset(key: Any) -> Any:
        key_heat, key_shorts = jax.random.split(key)
        return dress(key_shorts, jax.random.bernoulli(key_heat).astype(jnp.int32), jnp.int32(0))

    def step_env(key: Any, state: Any, action: Any) -> Any:
        heat, shorts, day = state
        key_heat, key_shorts = jax.random.split(key)
        heat = jax.random.bernoulli(key_heat, 0.1 + 0.8 * heat).astype(jnp.int32)
        return (
            *dress(key_shorts, heat, day + 1),
            shorts - 0.2 * action,
            jnp.bool_(False),
            day + 1 == 8,
        )

    def step(key: Any, state: Any, action: Any) -> Any:
        key_step, key_reset = jax.random.split(key)
        *going_on, reward, terminated, truncated = step_env(key_step, state, action)
        observation, state = jax.tree.map(
            lambda a, b: jnp.where(terminated | truncated, a, b), reset(key_reset), tuple(going_on)
        )
        return observation, state, reward, terminated, truncated

    def turn(carry: Any, _: None) -> Any:
        key, state = carry
        key, key_action, key_step = jax.random.split(key, 3)
        action = jax.random.bernoulli(key_action).astype(jnp.int32)
        observation, state, *ends = step(key_step, state, action)
        return (key, state), (observation, action, *ends)

    def rollout(key: Any) -> Any:
        key, key_reset = jax.random.split(key)
        return jax.lax.scan(turn, (key, reset(key_reset)[1]), None, steps)[1]

    return _compiled(rollout, envs)


def jax_fused(envs: int, steps: int) -> Rollout:
    """IceCreamDays in JAX, fused by hand.

    One key a step, folded in, draws three numbers, and a reset only changes the probability of
    heat. This was the fastest variant tried: splitting keys takes 1.3 times as long, the generators
    "rbg" and "unsafe_rbg" at least 4 times. Arguments, outputs and errors are those of
    `jax_idiomatic`.
    """
    import jax
    import jax.numpy as jnp

    def turn(carry: Any, step: Any) -> Any:
        key, heat, shorts, day = carry
        noise = jax.random.uniform(jax.random.fold_in(key, step), (3,))
        action = (noise[0] < 0.5).astype(jnp.int32)
        reward = shorts - 0.2 * action
        truncated = day == 7
        heat = (noise[1] < jnp.where(truncated, 0.5, 0.1 + 0.8 * heat)).astype(jnp.int32)
        shorts = (noise[2] < 0.05 + 0.85 * heat).astype(jnp.int32)
        state = key, heat, shorts, jnp.where(truncated, 0, day + 1)
        return state, (shorts, action, reward, jnp.bool_(False), truncated)

    def rollout(key: Any) -> Any:
        key, key_reset = jax.random.split(key)
        noise = jax.random.uniform(key_reset, (2,))
        heat = (noise[0] < 0.5).astype(jnp.int32)
        shorts = (noise[1] < 0.05 + 0.85 * heat).astype(jnp.int32)
        return jax.lax.scan(turn, (key, heat, shorts, jnp.int32(0)), jnp.arange(steps))[1]

    return _compiled(rollout, envs)


def _compiled(rollout: Callable[[Any], Any], envs: int) -> Rollout:
    import jax

    jax.config.update("jax_platforms", "cpu")
    keys = jax.random.split(jax.random.key(0), envs)
    run = jax.jit(jax.vmap(rollout, out_axes=1)).lower(keys).compile()
    return lambda: jax.block_until_ready(run(keys))

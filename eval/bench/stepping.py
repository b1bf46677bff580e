"""Stepping through worlds, against JAX, Gymnasium's environments, MiniGrid and NumPy's generator.

Our side is `VectorEnv.step` in a Python loop that draws random actions with NumPy's SFC64, with
autoreset and `final_obs` on, and keeps the outputs of a step until the next one has ended. Both
sides of a comparison are set up, compiled and reset before the clock starts.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from importlib import import_module
from typing import Any

import gymnasium
import numpy as np
from gymnasium.envs.registration import EnvSpec
from gymnasium.vector import SyncVectorEnv, VectorEnv

from dosuite.causal import Array, World
from dosuite.envs import CausalVectorEnv, Population
from dosuite.envs.worlds.river import ConfoundedRiver

from .handwritten import IceCreamByHand, Rollout, jax_fused, jax_idiomatic
from .timing import Comparison, Curve, Resize, Sides, Work, full
from .worlds import GridWalk, IceCreamDays, SepsisSized, wide

STEPS = "steps/s"
IDIOMATIC = "the same in JAX, jit(vmap(scan)), in gymnax's idiom"
FUSED = "the same in JAX, jit(vmap(scan)), fused by hand"
MINIGRID = "MiniGrid-Empty in SyncVectorEnv, 64"


def _generator() -> np.random.Generator:
    return np.random.Generator(np.random.SFC64(0))


def _stepping(env: VectorEnv[Any, Any, Any], steps: int) -> Work:
    """`steps` steps of a vector environment with random actions."""
    env.reset(seed=0)
    space: Any = env.single_action_space
    rng, envs, choices = _generator(), env.num_envs, space.n

    def run() -> object:
        for _ in range(steps):
            outputs = env.step(_random_actions(rng, choices, envs))
        return outputs

    return Work(run, steps * envs)


def _random_actions(rng: np.random.Generator, choices: int, size: int) -> Array:
    """Uniform actions (size,), drawn as fast as NumPy can; of two, a random bit each, as in JAX."""
    if choices == 2:
        return rng.integers(0, 2, size=size, dtype=bool).view(np.int8)
    return rng.integers(0, choices, size=size)


def _ours(model: World, envs: int, resize: Resize = full) -> Work:
    return _stepping(CausalVectorEnv(model, resize(envs)), steps=max(8, 2**18 // envs))


def _against_jax(peer: Callable[[int, int], Rollout], envs: int, resize: Resize) -> Sides:
    steps = max(128, 2**19 // envs)
    ours = _ours(IceCreamDays(), envs, resize)
    return ours, Work(peer(resize(envs), steps), steps * resize(envs))


def _against_sync(resize: Resize) -> Sides:
    ours = _ours(IceCreamDays(), 1024, resize)
    return ours, _stepping(SyncVectorEnv([IceCreamByHand] * resize(1024)), 32)


def _against_cartpole(resize: Resize) -> Sides:
    cartpole = gymnasium.make_vec(
        "CartPole-v1", resize(1024), vectorization_mode="vector_entry_point"
    )
    return _ours(IceCreamDays(), 1024, resize), _stepping(cartpole, 256)


def _wide_against_small(resize: Resize) -> Sides:
    return _ours(wide(14), 16_384, resize), _ours(IceCreamDays(), 16_384, resize)


def _many_against_one(resize: Resize) -> Sides:
    population = Population("RandomSCM", range(resize(1024)))
    return _stepping(population.vector_env(), 256), _ours(population[0], 1024, resize)


def _against_generator(resize: Resize) -> Sides:
    """The peer only draws an action and 32 random bits for each environment."""
    envs, rng = resize(262_144), _generator()

    def draw() -> tuple[Array, Array]:
        actions = _random_actions(rng, 2, envs)
        return actions, rng.integers(0, 2**32, size=envs, dtype=np.uint32)

    return _ours(IceCreamDays(), 262_144, resize), Work(draw, envs)


def _against_minigrid(model: World, resize: Resize) -> Sides:
    import_module("minigrid")  # registers its environments
    minigrids = gymnasium.make_vec("MiniGrid-Empty-5x5-v0", resize(64), vectorization_mode="sync")
    return _ours(model, 4096, resize), _stepping(minigrids, 16)


def _digits_against_pixels(resize: Resize) -> Sides:
    wrappers: Any = import_module("minigrid.wrappers")
    ours = _ours(ConfoundedRiver(observation="digits"), 1024, resize)
    pixels = [lambda: wrappers.RGBImgObsWrapper(gymnasium.make("MiniGrid-Empty-5x5-v0"))]
    return ours, _stepping(SyncVectorEnv(pixels * resize(64)), 16)


def _scalar(resize: Resize) -> Sides:
    days = EnvSpec(
        "IceCreamDays-v0",
        entry_point="dosuite.envs.gym.causal_env:CausalEnv",
        kwargs={"world": IceCreamDays()},
    )
    ours = _one_by_one(gymnasium.make(days), resize(2000))
    return ours, _one_by_one(gymnasium.make("CartPole-v1"), resize(2000))


def _one_by_one(env: gymnasium.Env[Any, Any], steps: int) -> Work:
    """`steps` steps of a scalar environment, reset at the end of each episode."""
    env.reset(seed=0)
    actions = _generator().integers(0, 2, size=steps).tolist()

    def run() -> None:
        for action in actions:
            _, _, terminated, truncated, _ = env.step(action)
            if terminated or truncated:
                env.reset()

    return Work(run, steps)


def _step_work(model: World, envs: int = 4096) -> Work:
    """A unit is one call of `step`, for all environments."""
    work = _ours(model, envs)
    return replace(work, units=work.units / envs)


def _step_at_horizon(horizon: int) -> Work:
    return _step_work(IceCreamDays(horizon=horizon))


def _step_of_variables(variables: int) -> Work:
    return _step_work(wide(variables))


def _jax_comparison(
    envs: int, against: str, target: float, peer: Callable[[int, int], Rollout]
) -> Comparison:
    sides = partial(_against_jax, peer, envs)
    return Comparison(_ice_cream(envs), against, target, STEPS, "jax", sides)


def _gymnasium_comparison(
    measured: str, against: str, target: float, sides: Callable[[Resize], Sides]
) -> Comparison:
    return Comparison(measured, against, target, STEPS, "gymnasium", sides)


def _minigrid_comparison(world: str, model: World) -> Comparison:
    measured = f"{world}, 4,096 environments"
    sides = partial(_against_minigrid, model)
    return Comparison(measured, MINIGRID, 500, STEPS, "minigrid", sides)


def _ice_cream(envs: int) -> str:
    return f"ice-cream world, {envs:,} environments"


STEPPING_COMPARISONS = (
    _jax_comparison(16_384, IDIOMATIC, 8, jax_idiomatic),
    _jax_comparison(16_384, FUSED, 8, jax_fused),
    _jax_comparison(1024, IDIOMATIC, 6, jax_idiomatic),
    _jax_comparison(1024, FUSED, 6, jax_fused),
    _gymnasium_comparison(
        _ice_cream(1024), "the same as a plain class in SyncVectorEnv", 80, _against_sync
    ),
    _gymnasium_comparison(
        _ice_cream(1024), "CartPole, vector_entry_point, 1,024", 2.5, _against_cartpole
    ),
    Comparison(
        "a 14-variable ice-cream world, 16,384 environments",
        "the 4-variable one",
        0.8,
        STEPS,
        "dosuite",
        _wide_against_small,
    ),
    Comparison(
        "1,024 random worlds, one in each environment",
        "1,024 environments of one of them",
        0.5,
        STEPS,
        "dosuite",
        _many_against_one,
    ),
    Comparison(
        _ice_cream(262_144),
        "drawing the actions and 32 bits a step",
        0.25,
        STEPS,
        "numpy",
        _against_generator,
    ),
    _gymnasium_comparison("scalar step through gym.make", "CartPole through gym.make", 1, _scalar),
    _minigrid_comparison("sepsis-sized world", SepsisSized()),
    _minigrid_comparison("9 x 5 grid", GridWalk()),
    Comparison(
        "ConfoundedRiver on digits, 1,024 environments",
        "pixels of MiniGrid-Empty in SyncVectorEnv, 64",
        20,
        STEPS,
        "minigrid",
        _digits_against_pixels,
    ),
)

STEPPING_CURVES = (
    Curve(
        "a step of all environments",
        "environments",
        (1024, 4096, 16_384, 65_536, 262_144),
        partial(_step_work, IceCreamDays()),
    ),
    Curve("a step of 4,096 environments", "horizon", (8, 32, 128, 512), _step_at_horizon),
    Curve("a step of 4,096 environments", "variables", (4, 6, 8, 10, 14), _step_of_variables),
)

"""What `dosuite bench` times, and against whom. Both sides of a row are set up, compiled and reset
before the clock starts.

Our side of stepping is `VectorEnv.step` in a Python loop that draws random actions with NumPy's
SFC64, with autoreset and `final_obs` on, and keeps what a step hands out until the next one has
ended."""

import os
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import gymnasium
import minari
import numpy as np
from gymnasium.envs.registration import EnvSpec
from gymnasium.vector import SyncVectorEnv, VectorEnv
from minari.data_collector import EpisodeBuffer
from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv

from dosuite.causal import Array, Bernoulli, InputError, World, value, values
from dosuite.envs import CausalVectorEnv, Log, collect
from dosuite.envs.gym.sb3 import BatchedVecEnv
from dosuite.envs.worlds.ice_cream import IceCreamShorts
from dosuite.envs.worlds.river import MarkovRiver

from . import agents as bench_agents
from . import exact as bench_exact
from .handwritten import IceCreamByHand, Rollout, ShortsByHand, jax_fused, jax_idiomatic
from .timing import Curve, Growth, Record, Row, Scale, Work, full, grow, measure, one_core
from .worlds import Grid, IceCreamDays, SepsisSized, wide

Sides = tuple[Work, Work]


def timed(only: str = "", say: Callable[[str], object] = str) -> tuple[list[Record], list[Growth]]:
    """Time the rows and the curves that have the text `only` in their titles; `say` is told the
    title of each beforehand.

    Raises InputError if there are none.
    """
    rows = [row for row in ROWS if only in row.title]
    curves = [curve for curve in CURVES if only in curve.title]
    if not rows and not curves:
        raise InputError(
            f"no row of the benchmark has the text {only!r}; try JAX, Minari or horizon"
        )
    records, growths = [], []
    with one_core():
        for row in rows:
            say(row.title)
            records.append(measure(row))
        for curve in curves:
            say(curve.title)
            growths.append(grow(curve))
    return records, growths


def _generator() -> np.random.Generator:
    return np.random.Generator(np.random.SFC64(0))


def _stepping(env: VectorEnv[Any, Any, Any], steps: int) -> Work:
    """So many steps of a vector environment."""
    env.reset(seed=0)
    space: Any = env.single_action_space
    rng, envs, choices = _generator(), env.num_envs, space.n

    def run() -> object:
        for _ in range(steps):
            kept = env.step(_draw(rng, choices, envs))
        return kept

    return Work(run, steps * envs)


def _draw(rng: np.random.Generator, choices: int, size: int) -> Array:
    """Random actions, as cheaply as NumPy draws them:

    of two, a random bit each, as JAX draws them too.
    """
    return (
        rng.integers(0, 2, size=size, dtype=bool).view(np.int8)
        if choices == 2
        else rng.integers(0, choices, size=size)
    )


def _ours(model: World, envs: int, scale: Scale = full) -> Work:
    return _stepping(CausalVectorEnv(model, scale(envs)), steps=max(8, 2**18 // envs))


def _against_jax(peer: Callable[[int, int], Rollout], envs: int, scale: Scale) -> Sides:
    steps = max(128, 2**19 // envs)
    return _ours(IceCreamDays(), envs, scale), Work(peer(scale(envs), steps), steps * scale(envs))


def _against_sync(scale: Scale) -> Sides:
    return _ours(IceCreamDays(), 1024, scale), _stepping(
        SyncVectorEnv([IceCreamByHand] * scale(1024)), 32
    )


def _against_cartpole(scale: Scale) -> Sides:
    cartpole = gymnasium.make_vec(
        "CartPole-v1", scale(1024), vectorization_mode="vector_entry_point"
    )
    return _ours(IceCreamDays(), 1024, scale), _stepping(cartpole, 256)


def _wide_against_small(scale: Scale) -> Sides:
    return _ours(wide(14), 16_384, scale), _ours(IceCreamDays(), 16_384, scale)


def _against_generator(scale: Scale) -> Sides:
    """The peer draws an action and 32 bits for each environment, and does nothing else."""
    envs, rng = scale(262_144), _generator()

    def draw() -> tuple[Array, Array]:
        return _draw(rng, 2, envs), rng.integers(0, 2**32, size=envs, dtype=np.uint32)

    return _ours(IceCreamDays(), 262_144, scale), Work(draw, envs)


def _against_minigrid(model: World, scale: Scale) -> Sides:
    import_module("minigrid")  # which registers its environments
    minigrids = gymnasium.make_vec("MiniGrid-Empty-5x5-v0", scale(64), vectorization_mode="sync")
    return _ours(model, 4096, scale), _stepping(minigrids, 16)


def _scalar(scale: Scale) -> Sides:
    days = EnvSpec(
        "IceCreamDays-v0",
        entry_point="dosuite.envs.gym.causal_env:CausalEnv",
        kwargs={"world": IceCreamDays()},
    )
    return _one_by_one(gymnasium.make(days), scale(2000)), _one_by_one(
        gymnasium.make("CartPole-v1"), scale(2000)
    )


def _one_by_one(env: gymnasium.Env[Any, Any], steps: int) -> Work:
    env.reset(seed=0)
    actions = _generator().integers(0, 2, size=steps).tolist()

    def run() -> None:
        for action in actions:
            _, _, terminated, truncated, _ = env.step(action)
            if terminated or truncated:
                env.reset()

    return Work(run, steps)


class _Table:
    """A memoryless policy as Stable-Baselines3 wants one: nothing cheaper can be evaluated."""

    def __init__(self, actions: Array):
        self.actions = actions

    def predict(
        self,
        observation: Any,
        state: Any = None,
        episode_start: Any = None,
        deterministic: bool = False,
    ) -> tuple[Any, Any]:
        return self.actions[observation], state


PADDLE = np.array([0, 1, 1, 1, 0])  # in each cell of the river


def _evaluation(new: bool, scale: Scale) -> Sides:
    """The value of a policy in 20 rivers, against 100 episodes in one of them;

    `new` ones are compiled in the time that is taken.
    """
    river, policy, rng = MarkovRiver(), np.eye(2)[PADDLE], _generator()
    known = [river.do(current=Bernoulli(p)) for p in np.linspace(0.05, 0.95, 20)]

    def run() -> Array:
        return values(
            [river.do(current=Bernoulli(p)) for p in rng.random(20)] if new else known, policy
        )

    run()
    envs = BatchedVecEnv(CausalVectorEnv(known[0], scale(64)))
    return Work(run, 20), Work(
        partial(evaluate_policy, _Table(PADDLE), envs, scale(100), warn=False)
    )


def _logs(scale: Scale) -> Sides:
    """Both sides write a file and read all of it back;

    Minari is spared the logged variables, the labels and the latents.
    """
    log, episodes = collect(IceCreamShorts(), scale(1_000_000), seed=0), scale(4000)
    columns = (
        log.columns[name]
        for name in (
            "observation",
            "next_observation",
            "action",
            "reward",
            "terminated",
            "truncated",
        )
    )
    buffers = [
        EpisodeBuffer(
            observations=np.array([o, p]),
            actions=a[None],
            rewards=r[None],
            terminations=d[None],
            truncations=t[None],
            infos={},
        )
        for o, p, a, r, d, t in zip(*(column[:episodes] for column in columns), strict=True)
    ]
    return Work(partial(_write_and_read, log), len(log)), Work(
        partial(_through_minari, log, buffers), episodes
    )


def _write_and_read(log: Log) -> Log:
    with TemporaryDirectory() as folder:
        return Log.load(
            replace(log).save(Path(folder) / "log.arrow")
        )  # a copy: a log keeps its hash once it is computed


def _through_minari(log: Log, buffers: list[EpisodeBuffer]) -> list[Any]:
    spaces = {"observation_space": log.observation_space, "action_space": log.action_space}
    with (
        TemporaryDirectory() as folder,
        patch.dict(os.environ, MINARI_DATASETS_PATH=folder),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter(
            "ignore", UserWarning
        )  # it would have an author's address and a link to code
        minari.create_dataset_from_buffers("bench/log-v0", buffers, data_format="hdf5", **spaces)
        return list(minari.load_dataset("bench/log-v0").iterate_episodes())


def _training(peer: Callable[[int], VecEnv], scale: Scale) -> Sides:
    envs = scale(64)
    return _ppo(BatchedVecEnv(CausalVectorEnv(IceCreamShorts(), envs))), _ppo(peer(envs))


def _as_documented(envs: int) -> VecEnv:
    """Each environment made by `gymnasium.make` and monitored, all in a `DummyVecEnv`."""
    return make_vec_env("dosuite.envs:IceCreamShorts-v0", envs, env_kwargs={"render_mode": None})


def _bare(envs: int) -> VecEnv:
    """The least that there is to step through."""
    return DummyVecEnv([ShortsByHand] * envs)


def _ppo(envs: VecEnv) -> Work:
    rollout = 64 * envs.num_envs
    learner = PPO(
        "MlpPolicy", envs, n_steps=64, batch_size=rollout, n_epochs=4, seed=0, device="cpu"
    )
    return Work(lambda: learner.learn(2 * rollout), 2 * rollout)


def _log_work(rows: int) -> Work:
    return Work(lambda: _write_and_read(collect(IceCreamShorts(), rows, seed=0)))


def _value_work(horizon: int) -> Work:
    river = replace(MarkovRiver(), horizon=horizon)
    return Work(partial(value, river, np.eye(2)[PADDLE]))


def _step_work(model: World, envs: int = 4096) -> Work:
    """A unit is one call of `step`."""
    return replace(work := _ours(model, envs), units=work.units / envs)


STEPS, WORLD = "steps/s", "ice-cream world, {} environments".format
IDIOMATIC, FUSED = (
    "the same in JAX, jit(vmap(scan)), in gymnax's idiom",
    "the same in JAX, jit(vmap(scan)), fused by hand",
)
PPO_SHORTS = "PPO on IceCreamShorts-v0 by the batched adapter, 64 environments"
MINIGRID = "MiniGrid-Empty in SyncVectorEnv, 64"
EVALUATION, EVALUATE = (
    "exact value of a memoryless policy under 20 shifts",
    "evaluate_policy, 100 episodes, 64 environments",
)

ROWS = (
    Row(WORLD("16,384"), IDIOMATIC, 8, STEPS, "jax", partial(_against_jax, jax_idiomatic, 16_384)),
    Row(WORLD("16,384"), FUSED, 8, STEPS, "jax", partial(_against_jax, jax_fused, 16_384)),
    Row(WORLD("1,024"), IDIOMATIC, 6, STEPS, "jax", partial(_against_jax, jax_idiomatic, 1024)),
    Row(WORLD("1,024"), FUSED, 6, STEPS, "jax", partial(_against_jax, jax_fused, 1024)),
    Row(
        WORLD("1,024"),
        "the same as a plain class in SyncVectorEnv",
        80,
        STEPS,
        "gymnasium",
        _against_sync,
    ),
    Row(
        WORLD("1,024"),
        "CartPole, vector_entry_point, 1,024",
        2.5,
        STEPS,
        "gymnasium",
        _against_cartpole,
    ),
    Row(
        "a 14-variable ice-cream world, 16,384 environments",
        "the 4-variable one",
        0.8,
        STEPS,
        "dosuite",
        _wide_against_small,
    ),
    Row(
        WORLD("262,144"),
        "drawing the actions and 32 bits a step",
        0.25,
        STEPS,
        "numpy",
        _against_generator,
    ),
    Row(
        "scalar step through gym.make", "CartPole through gym.make", 1, STEPS, "gymnasium", _scalar
    ),
    Row(
        EVALUATION, EVALUATE, 500, "evaluations/s", "stable-baselines3", partial(_evaluation, False)
    ),
    Row(
        f"{EVALUATION}, compiled anew",
        EVALUATE,
        None,
        "evaluations/s",
        "stable-baselines3",
        partial(_evaluation, True),
    ),
    Row(
        "a log of 1 M one-step episodes, written and read",
        "Minari HDF5, from 4,000",
        1000,
        "episodes/s",
        "minari",
        _logs,
        turns=5,
    ),
    Row(
        PPO_SHORTS,
        "the same by make_vec_env, in DummyVecEnv",
        1.6,
        STEPS,
        "stable-baselines3",
        partial(_training, _as_documented),
    ),
    Row(
        PPO_SHORTS,
        "a plain class in a bare DummyVecEnv",
        1.6,
        STEPS,
        "stable-baselines3",
        partial(_training, _bare),
    ),
    Row(
        "sepsis-sized world, 4,096 environments",
        MINIGRID,
        500,
        STEPS,
        "minigrid",
        partial(_against_minigrid, SepsisSized()),
    ),
    Row(
        "9 x 5 grid, 4,096 environments",
        MINIGRID,
        500,
        STEPS,
        "minigrid",
        partial(_against_minigrid, Grid()),
    ),
    *bench_exact.ROWS,
    *bench_agents.ROWS,
)

CURVES = (
    Curve(
        "a step of all environments",
        "environments",
        (1024, 4096, 16_384, 65_536, 262_144),
        partial(_step_work, IceCreamDays()),
    ),
    Curve(
        "a step of 4,096 environments",
        "horizon",
        (8, 32, 128, 512),
        lambda horizon: _step_work(IceCreamDays(horizon=horizon)),
    ),
    Curve(
        "a step of 4,096 environments",
        "variables",
        (4, 6, 8, 10, 14),
        lambda variables: _step_work(wide(variables)),
    ),
    Curve(
        "a log recorded, written and read",
        "rows",
        (10_000, 30_000, 100_000, 300_000, 1_000_000),
        _log_work,
    ),
    Curve("the exact value of a policy", "horizon", (8, 32, 128, 512, 2048), _value_work),
    *bench_exact.CURVES,
)

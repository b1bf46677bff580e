"""Policy evaluation and PPO against Stable-Baselines3, and log files against Minari."""

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import minari
import numpy as np
from minari.data_collector import EpisodeBuffer
from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv

from dosuite.causal import Array, Bernoulli, value, values
from dosuite.envs import CausalVectorEnv, Log, collect
from dosuite.envs.gym.sb3 import BatchedVecEnv
from dosuite.envs.worlds.ice_cream import IceCreamShorts
from dosuite.envs.worlds.river import MarkovRiver

from .handwritten import ShortsByHand
from .timing import Comparison, Curve, Resize, Sides, Work

PADDLE = np.array([0, 1, 1, 1, 0])  # the evaluated policy: an action for each cell of the river
SHIFTS = 20

STABLE_BASELINES = "stable-baselines3"
EVALUATION = f"exact value of a memoryless policy under {SHIFTS} shifts"
EVALUATE = "evaluate_policy, 100 episodes, 64 environments"
PPO_SHORTS = "PPO on IceCreamShorts-v0 by the batched adapter, 64 environments"
MINARI_FOLDER = "MINARI_DATASETS_PATH"


class _TablePolicy:
    """A memoryless policy with the interface of Stable-Baselines3, as cheap as can be."""

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


def _evaluation(compile_anew: bool, resize: Resize) -> Sides:
    """The value of a policy in 20 rivers, against 100 episodes in one of them.

    With `compile_anew` the rivers are new in each call, and compiling them is timed too.
    """
    river, policy = MarkovRiver(), np.eye(2)[PADDLE]
    rng = np.random.Generator(np.random.SFC64(0))
    known = [river.do(current=Bernoulli(p)) for p in np.linspace(0.05, 0.95, SHIFTS)]

    def run() -> Array:
        if compile_anew:
            return values([river.do(current=Bernoulli(p)) for p in rng.random(SHIFTS)], policy)
        return values(known, policy)

    run()  # compiles the known rivers
    envs = BatchedVecEnv(CausalVectorEnv(known[0], resize(64)))
    peer = partial(evaluate_policy, _TablePolicy(PADDLE), envs, resize(100), warn=False)
    return Work(run, SHIFTS), Work(peer)


def _value_work(horizon: int) -> Work:
    river = replace(MarkovRiver(), horizon=horizon)
    return Work(partial(value, river, np.eye(2)[PADDLE]))


def _logs(resize: Resize) -> Sides:
    """Both sides write a file and read it back.

    Minari's file lacks logged variables, labels and latents.
    """
    log, episodes = collect(IceCreamShorts(), resize(1_000_000), seed=0), resize(4000)
    buffers = [_buffer(log, row) for row in range(episodes)]
    ours = Work(partial(_write_and_read, log), len(log))
    return ours, Work(partial(_through_minari, log, buffers), episodes)


def _buffer(log: Log, row: int) -> EpisodeBuffer:
    """A row of a log as an episode of Minari."""
    columns = {name: column[row] for name, column in log.columns.items()}
    return EpisodeBuffer(
        observations=np.array([columns["observation"], columns["next_observation"]]),
        actions=columns["action"][None],
        rewards=columns["reward"][None],
        terminations=columns["terminated"][None],
        truncations=columns["truncated"][None],
        infos={},
    )


def _write_and_read(log: Log) -> Log:
    copy = replace(log)  # a log computes its hash once, and a copy has to compute it again
    with TemporaryDirectory() as folder:
        return Log.load(copy.save(Path(folder) / "log.arrow"))


def _through_minari(log: Log, buffers: list[EpisodeBuffer]) -> list[Any]:
    spaces = {"observation_space": log.observation_space, "action_space": log.action_space}
    with TemporaryDirectory() as folder, _minari_in(folder), warnings.catch_warnings():
        # it asks for an author's address and a link to code
        warnings.simplefilter("ignore", UserWarning)
        minari.create_dataset_from_buffers("bench/log-v0", buffers, data_format="hdf5", **spaces)
        return list(minari.load_dataset("bench/log-v0").iterate_episodes())


@contextmanager
def _minari_in(folder: str) -> Iterator[None]:
    """Let Minari keep its data sets in a folder."""
    before = os.environ.get(MINARI_FOLDER)
    os.environ[MINARI_FOLDER] = folder
    try:
        yield
    finally:
        if before is None:
            del os.environ[MINARI_FOLDER]
        else:
            os.environ[MINARI_FOLDER] = before


def _log_work(rows: int) -> Work:
    return Work(lambda: _write_and_read(collect(IceCreamShorts(), rows, seed=0)))


def _training(peer: Callable[[int], VecEnv], resize: Resize) -> Sides:
    envs = resize(64)
    return _ppo(BatchedVecEnv(CausalVectorEnv(IceCreamShorts(), envs))), _ppo(peer(envs))


def _as_documented(envs: int) -> VecEnv:
    """Each environment made by `gymnasium.make` and monitored, all in a `DummyVecEnv`."""
    return make_vec_env("dosuite.envs:IceCreamShorts-v0", envs, env_kwargs={"render_mode": None})


def _bare(envs: int) -> VecEnv:
    """Plain classes in a `DummyVecEnv`: the least work a step can be."""
    return DummyVecEnv([ShortsByHand] * envs)


def _ppo(envs: VecEnv) -> Work:
    rollout = 64 * envs.num_envs
    learner = PPO(
        "MlpPolicy", envs, n_steps=64, batch_size=rollout, n_epochs=4, seed=0, device="cpu"
    )
    return Work(lambda: learner.learn(2 * rollout), 2 * rollout)


def _evaluation_comparison(measured: str, target: float | None, compile_anew: bool) -> Comparison:
    sides = partial(_evaluation, compile_anew)
    return Comparison(measured, EVALUATE, target, "evaluations/s", STABLE_BASELINES, sides)


def _training_comparison(against: str, peer: Callable[[int], VecEnv]) -> Comparison:
    sides = partial(_training, peer)
    return Comparison(PPO_SHORTS, against, 1.6, "steps/s", STABLE_BASELINES, sides)


LIBRARY_COMPARISONS = (
    _evaluation_comparison(EVALUATION, 500, compile_anew=False),
    _evaluation_comparison(f"{EVALUATION}, compiled anew", None, compile_anew=True),
    Comparison(
        "a log of 1 M one-step episodes, written and read",
        "Minari HDF5, from 4,000",
        1000,
        "episodes/s",
        "minari",
        _logs,
        turns=5,
    ),
    _training_comparison("the same by make_vec_env, in DummyVecEnv", _as_documented),
    _training_comparison("a plain class in a bare DummyVecEnv", _bare),
)

LIBRARY_CURVES = (
    Curve(
        "a log recorded, written and read",
        "rows",
        (10_000, 30_000, 100_000, 300_000, 1_000_000),
        _log_work,
    ),
    Curve("the exact value of a policy", "horizon", (8, 32, 128, 512, 2048), _value_work),
)

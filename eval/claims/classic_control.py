"""Classic control, where nothing is confounded:

offline agents learn from logs of mixed quality, and must reach what they are known to.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import gymnasium
import numpy as np
import pandas as pd
import torch

from dosuite.agents import Player, Policy, make_agent
from dosuite.causal import Array
from dosuite.envs import Data

from .. import metrics

DISCOUNT = 0.99
TRIALS = 20  # episodes in which a policy is tried, the same for all
TRIED = 100_000  # the seed of the first, and the next has the next: none is in a log


class Course(NamedTuple):
    """An environment of Gymnasium, and the controller that writes its log: each episode has one of
    the levels of noise.

    The controller takes observations (n, ...), levels (n,) and a generator to actions (n,).
    """

    environment: str
    episodes: int
    levels: tuple[float, ...]
    controller: Callable[[Array, Array, np.random.Generator], Array]


class Target(NamedTuple):
    """The mean return that an agent is to reach, and why;

    none if it is not expected to solve the course.
    """

    environment: str
    agent: str  # with settings
    least: float | None
    reason: str


def balance(observations: Array, noise: Array, rng: np.random.Generator) -> Array:
    """CartPole:

    push towards where the pole falls and the cart drifts; a share `noise` of the actions is random.
    """
    push = observations @ np.array([0.1, 0.2, 1.0, 0.5]) > 0
    return np.asarray(
        np.where(rng.random(len(push)) < noise, rng.integers(2, size=len(push)), push)
    )


def swing_up(observations: Array, noise: Array, rng: np.random.Generator) -> Array:
    """Pendulum:

    pump energy until it stands upright and hold it there; `noise` is the standard deviation of the
    torque, of at most 2.
    """
    cosine, sine, speed = observations.T
    energy = speed**2 / 2 + 15 * (
        cosine - 1
    )  # 0 where it is enough to stand upright, in the units of the environment
    pump, hold = -energy * np.where(speed < 0, -1, 1), -(10 * np.arctan2(sine, cosine) + 2 * speed)
    return np.asarray(
        np.clip(
            np.clip(np.where(cosine > 0.9, hold, pump), -2, 2)
            + noise * rng.normal(size=len(speed)),
            -2,
            2,
        )
    )


COURSES = (
    Course("CartPole-v1", 200, (0.0, 0.25, 0.5, 0.75, 1.0), balance),
    Course("Pendulum-v1", 250, (0.0, 0.5, 1.0, 2.0, 4.0), swing_up),
)

SOLVED = "Gymnasium calls 475 solved, and a fifth of the log is a controller that gets 500"
UPRIGHT = (
    "it stands upright from most starts; the controller without noise gets -177 in these episodes"
)
TARGETS = (
    Target("CartPole-v1", "bc", None, "it clones a mixture"),
    Target(
        "CartPole-v1",
        "dqn:updates=3000,hidden=64",
        None,
        "nothing keeps down the values of actions that the log lacks",
    ),
    Target("CartPole-v1", "cql:updates=3000,hidden=64", 475.0, SOLVED),
    Target("CartPole-v1", "iql:updates=3000,hidden=64", 475.0, SOLVED),
    Target("CartPole-v1", "decision-transformer", 475.0, SOLVED),
    Target("Pendulum-v1", "bc", None, "it clones a mixture"),
    Target("Pendulum-v1", "td3-bc", -200.0, UPRIGHT),
    Target("Pendulum-v1", "decision-transformer:aim=1.0,updates=4000,hidden=64", -200.0, UPRIGHT),
)


def mixed_log(course: Course, seed: int = 0) -> Data:
    """The log of a course:

    its episodes have the levels of noise in turns. Equal seeds give equal logs.
    """
    rng = np.random.default_rng(seed)
    noise = np.resize(course.levels, course.episodes)
    rows, _ = played(
        course.environment,
        lambda observations, rewards: course.controller(observations, noise, rng),
        course.episodes,
        seed,
    )
    env = gymnasium.make(course.environment)
    horizon = env.spec.max_episode_steps if env.spec else None
    return Data(rows, (), env.observation_space, env.action_space, horizon or 0, DISCOUNT)


def played(
    environment: str, player: Player, episodes: int, seed: int
) -> tuple[dict[str, Array], Array]:
    """The columns of so many episodes, sorted by episode and step, and the return of each,
    (episodes,), undiscounted.
    """
    env = gymnasium.make_vec(environment, episodes, vectorization_mode="sync")
    shape = env.action_space.shape
    observations, _ = env.reset(seed=seed)
    going, rewards = np.ones(episodes, dtype=bool), np.zeros(episodes)
    steps: list[list[Array]] = []
    while going.any():
        action = np.asarray(player(observations, rewards))
        following, rewards, terminated, truncated, _ = env.step(
            action.reshape(shape).astype(env.action_space.dtype)
        )
        columns = observations.copy(), action, rewards, following.copy(), terminated, truncated
        steps.append(
            [
                np.flatnonzero(going),
                np.full(going.sum(), len(steps)),
                *(column[going] for column in columns),
            ]
        )
        going &= ~(terminated | truncated)
        observations = following
    env.close()
    names = (
        "episode",
        "step",
        "observation",
        "action",
        "reward",
        "next_observation",
        "terminated",
        "truncated",
    )
    rows = dict(zip(names, map(np.concatenate, zip(*steps, strict=True)), strict=True))
    order = np.lexsort((rows["step"], rows["episode"]))
    return {name: column[order] for name, column in rows.items()}, np.bincount(
        rows["episode"], rows["reward"], episodes
    )


def tried(target: Target, data: Data, seeds: int) -> Array:
    """The mean return of what each seed has learned, in the same episodes for all:

    (seeds,); NaN where learning failed.
    """
    torch.set_num_threads(1)
    agent: Any = make_agent(target.agent)
    policies = agent.learn_all(
        [data] * seeds, [np.random.default_rng(seed) for seed in range(seeds)]
    )
    return np.array(
        [
            np.nan if isinstance(policy, Exception) else _return_of(policy, target.environment, s)
            for s, policy in enumerate(policies)
        ]
    )


def _return_of(policy: Policy, environment: str, seed: int) -> float:
    _, returns = played(
        environment, policy.play(TRIALS, np.random.default_rng(seed)), TRIALS, TRIED
    )
    return float(returns.mean())


def results(targets: Sequence[Target], seeds: int) -> pd.DataFrame:
    """A row for each target:

    the interquartile mean over seeds of the mean return as `iqm`, its interval, and whether it is
    reached.
    """
    logs = {course.environment: mixed_log(course) for course in COURSES}
    return pd.DataFrame(
        [
            {**target._asdict(), **_held(target, tried(target, logs[target.environment], seeds))}
            for target in targets
        ]
    )


def _held(target: Target, values: Array) -> dict[str, Any]:
    iqm, low, high = metrics.interval(values, np.zeros(len(values)), np.random.default_rng(0))
    reached = (
        ""
        if target.least is None
        else "yes"
        if not np.isnan(values).any() and iqm >= target.least
        else "no"
    )
    return {"iqm": iqm, "low": low, "high": high, "reached": reached}

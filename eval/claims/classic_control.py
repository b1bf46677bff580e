"""Classic control, where nothing is confounded.

Offline agents learn from logs of mixed quality, and must reach the returns that they are known to
reach.
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

from ..runs.rollout import rollout
from ..scores import metrics

DISCOUNT = 0.99
TRIALS = 20  # episodes in which a policy is scored, the same for all policies
# seed of the first trial; the next ones have the next seeds, and none of them is in a log
FIRST_TRIAL = 100_000

Rows = dict[str, Array]  # the columns of a log by name


class Course(NamedTuple):
    """An environment of Gymnasium, and the controller that writes its log.

    Each episode has one level of noise. The controller maps observations (n, ...), levels (n,) and
    a generator to actions (n,).
    """

    environment: str
    episodes: int
    levels: tuple[float, ...]
    controller: Callable[[Array, Array, np.random.Generator], Array]


class Target(NamedTuple):
    """The mean return that an agent is to reach, and why."""

    environment: str
    agent: str  # with settings
    least: float | None  # None if the agent is not expected to solve the course
    reason: str


def balance(observations: Array, noise: Array, rng: np.random.Generator) -> Array:
    """The controller of CartPole: push towards where the pole falls and the cart drifts.

    A share `noise` of the actions is random.
    """
    push = observations @ np.array([0.1, 0.2, 1.0, 0.5]) > 0
    is_random = rng.random(len(push)) < noise
    return np.asarray(np.where(is_random, rng.integers(2, size=len(push)), push))


def swing_up(observations: Array, noise: Array, rng: np.random.Generator) -> Array:
    """The controller of Pendulum: pump energy until it can stand upright, and hold it there.

    `noise` is the standard deviation of the torque, whose largest size is 2.
    """
    cosine, sine, speed = observations.T
    # in the units of the environment; 0 if it is enough to stand upright
    energy = speed**2 / 2 + 15 * (cosine - 1)
    pump = -energy * np.where(speed < 0, -1, 1)
    hold = -(10 * np.arctan2(sine, cosine) + 2 * speed)
    torque = np.clip(np.where(cosine > 0.9, hold, pump), -2, 2)
    return np.asarray(np.clip(torque + noise * rng.normal(size=len(speed)), -2, 2))


COURSES = (
    Course("CartPole-v1", 200, (0.0, 0.25, 0.5, 0.75, 1.0), balance),
    Course("Pendulum-v1", 250, (0.0, 0.5, 1.0, 2.0, 4.0), swing_up),
)

MIXTURE = "it clones a mixture"
OVERESTIMATES = "nothing limits the values of actions that the log lacks"
SOLVED = "Gymnasium calls 475 solved, and a fifth of the log is a controller that gets 500"
UPRIGHT = (
    "it stands upright from most starts; the controller without noise gets -177 in these episodes"
)
TARGETS = (
    Target("CartPole-v1", "bc", None, MIXTURE),
    Target("CartPole-v1", "dqn:updates=3000,hidden=64", None, OVERESTIMATES),
    Target(
        "CartPole-v1",
        "cql:updates=3000,hidden=64,batch=256,rate=0.001,alpha=1,sync=50",
        475.0,
        SOLVED,
    ),
    Target(
        "CartPole-v1",
        "iql:updates=3000,hidden=64,batch=256,rate=0.001,expectile=0.7,temperature=3",
        475.0,
        SOLVED,
    ),
    Target(
        "CartPole-v1",
        "decision-transformer:rate=0.001,hidden=32,updates=1000,aim=0.9",
        475.0,
        SOLVED,
    ),
    Target("Pendulum-v1", "bc", None, MIXTURE),
    Target("Pendulum-v1", "td3-bc:batch=256,rate=0.002,hidden=64,updates=8000", -200.0, UPRIGHT),
    Target(
        "Pendulum-v1",
        "decision-transformer:rate=0.001,aim=1.0,updates=4000,hidden=64",
        -200.0,
        UPRIGHT,
    ),
)


def mixed_log(course: Course, seed: int = 0) -> Data:
    """The log of a course, whose episodes take the levels of noise in turn.

    Equal seeds give equal logs.
    """
    rng = np.random.default_rng(seed)
    noise = np.resize(course.levels, course.episodes)

    def player(observations: Array, rewards: Array) -> Array:
        return course.controller(observations, noise, rng)

    rows, _ = rolled_out(course.environment, player, course.episodes, seed)
    env = gymnasium.make(course.environment)
    horizon = env.spec.max_episode_steps if env.spec else None
    return Data(rows, (), env.observation_space, env.action_space, horizon or 0, DISCOUNT)


def rolled_out(environment: str, player: Player, episodes: int, seed: int) -> tuple[Rows, Array]:
    """The columns of parallel episodes, and the undiscounted return of each: (episodes,).

    Rows are sorted by episode and step.
    """
    envs = gymnasium.make_vec(environment, episodes, vectorization_mode="sync")
    space = envs.action_space
    actions: list[Array] = []  # as the player gives them; the environment needs its own type

    def typed_player(observations: Array, rewards: Array) -> Array:
        actions.append(np.asarray(player(observations, rewards)))
        return actions[-1].reshape(space.shape).astype(space.dtype)

    steps: list[Rows] = []
    for step in rollout(envs, typed_player, seed):
        columns = {
            "episode": np.arange(episodes),
            "step": np.full(episodes, len(steps)),
            "observation": step.observation,
            "action": actions[-1],
            "reward": step.reward,
            "next_observation": step.next_observation,
            "terminated": step.terminated,
            "truncated": step.truncated,
        }
        steps.append({name: column[step.going] for name, column in columns.items()})
    envs.close()
    rows = {name: np.concatenate([step[name] for step in steps]) for name in steps[0]}
    order = np.lexsort((rows["step"], rows["episode"]))
    returns = np.bincount(rows["episode"], rows["reward"], episodes)
    return {name: column[order] for name, column in rows.items()}, returns


def mean_returns(target: Target, data: Data, seeds: int) -> Array:
    """The mean return of what each seed learns: (seeds,); NaN where learning failed.

    All are scored in the same episodes.
    """
    torch.set_num_threads(1)
    agent: Any = make_agent(target.agent)
    generators = [np.random.default_rng(seed) for seed in range(seeds)]
    policies = agent.learn_all([data] * seeds, generators)
    returns = []
    for seed, policy in enumerate(policies):
        failed = isinstance(policy, Exception)
        returns.append(np.nan if failed else _mean_return(policy, target.environment, seed))
    return np.array(returns)


def _mean_return(policy: Policy, environment: str, seed: int) -> float:
    player = policy.play(TRIALS, np.random.default_rng(seed))
    _, returns = rolled_out(environment, player, TRIALS, FIRST_TRIAL)
    return float(returns.mean())


def target_scores(targets: Sequence[Target], seeds: int) -> pd.DataFrame:
    """A row for each target: its fields, the interval of the mean return, and if it is `reached`.

    The interval is `iqm`, the interquartile mean over seeds, `low` and `high`.
    """
    logs = {course.environment: mixed_log(course) for course in COURSES}
    records = []
    for target in targets:
        returns = mean_returns(target, logs[target.environment], seeds)
        records.append({**target._asdict(), **_score(target, returns)})
    return pd.DataFrame(records)


def _score(target: Target, returns: Array) -> dict[str, Any]:
    iqm, low, high = metrics.interval(returns)
    reached = ""
    if target.least is not None:
        complete = not np.isnan(returns).any()
        reached = "yes" if complete and iqm >= target.least else "no"
    return {"iqm": iqm, "low": low, "high": high, "reached": reached}

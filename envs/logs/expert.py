"""Logs of experts in any Gymnasium environment."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import count, islice
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box

from dosuite.causal import Columns
from dosuite.causal.counts import whole_number

from ..opaque_world import OpaqueWorld
from ..rollouts import Acting, Transition, rollout
from .log import Log


def expert_log(
    env: gymnasium.Env[Any, Any],
    expert: Acting,
    rows: int,
    seed: int,
    sight: Callable[[], Any] | None = None,
) -> Log:
    """The log of an expert in any Gymnasium environment, `rows` rows long.

    Actions are Discrete, or in a Box with one axis.

    The last episode is truncated after the last row. The first reset gets `seed`, later ones none.
    Without `sight` the expert acts on the observation, and the propensity is 1. With `sight` the
    expert acts on `sight()`, which the latents record as `clean`, and the propensity is NaN, since
    the log does not show what the expert acted on. Raises InputError if `rows` is below 1,
    or `rows` or `seed` is not an integer.
    """
    rows = whole_number("rows", rows, 1)
    seed = whole_number("seed", seed)
    columns = _columns(env, expert, rows, seed, sight)
    clean = columns.pop("clean")
    columns["regime"] = np.zeros(rows, dtype=np.int8)
    columns["propensity"] = np.full(rows, 1.0 if sight is None else np.nan)
    latents: Columns = {} if sight is None else {"clean": clean}
    return Log(
        columns,
        logged=(),
        observation_space=env.observation_space,
        action_space=env.action_space,
        horizon=_horizon(env) or int(columns["step"].max()) + 1,
        discount=1.0,
        origin={"environment": str(env), "seed": seed, "rows": rows},
        latents=latents,
    )


def _columns(
    env: gymnasium.Env[Any, Any],
    expert: Acting,
    rows: int,
    seed: int,
    sight: Callable[[], Any] | None,
) -> Columns:
    """The first `rows` steps of the expert, and in `clean` what it acted on."""
    columns: dict[str, list[Any]] = defaultdict(list)
    steps = islice(_steps(env, expert, seed, sight), rows)
    for number, (episode, step, transition) in enumerate(steps, start=1):
        cut = number == rows and not transition.terminated
        columns["episode"].append(episode)
        columns["step"].append(step)
        columns["observation"].append(transition.observation)
        columns["action"].append(transition.action)
        columns["reward"].append(transition.reward)
        columns["next_observation"].append(transition.next_observation)
        columns["terminated"].append(transition.terminated)
        columns["truncated"].append(transition.truncated or cut)
        columns["clean"].append(transition.acted_on)
    stacked = {name: np.stack(column) for name, column in columns.items()}
    if isinstance(env.action_space, Box):
        stacked["action"] = stacked["action"].astype(float)
        if env.action_space.shape == (1,):
            stacked["action"] = stacked["action"][:, 0]
    return stacked


def _steps(
    env: gymnasium.Env[Any, Any], expert: Acting, seed: int, sight: Callable[[], Any] | None
) -> Iterator[tuple[int, int, Transition]]:
    """Episode, step and transition, without end."""
    for episode in count():
        transitions = rollout(env, expert, None if episode else seed, sight)
        for step, transition in enumerate(transitions):
            yield episode, step, transition


def _horizon(env: gymnasium.Env[Any, Any]) -> int | None:
    """The largest number of steps of an episode, if the environment declares one."""
    if isinstance(env.unwrapped, OpaqueWorld):
        return env.unwrapped.horizon
    return env.spec.max_episode_steps if env.spec else None

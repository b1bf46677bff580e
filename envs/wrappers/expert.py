"""Logs of experts in any environment of Gymnasium, and values estimated by rollouts.

Episodes have the same seeds for every policy, so that differences between policies are paired.
"""

from collections import defaultdict
from collections.abc import Callable
from typing import Any, NamedTuple, Self

import gymnasium
import numpy as np

from dosuite.causal import Array, InputError

from ..gym.opaque_world import OpaqueWorld
from ..logs.log import Log

Acting = Callable[[Array], Array]  # from observations (n, ...) to actions (n,)


class PolicyValue(NamedTuple):
    """The expected return of a policy: exact, or estimated from episodes with a standard error."""

    value: float
    std_error: float
    exact: bool = False

    @classmethod
    def of(cls, returns: Array) -> Self:
        """The mean of the returns of episodes, (n,).

        Raises InputError if there are fewer than 2.
        """
        if len(returns) < 2:
            raise InputError(f"a standard error needs 2 episodes or more, and got {len(returns)}")
        return cls(float(returns.mean()), float(returns.std(ddof=1) / np.sqrt(len(returns))))


def seeds_of_episodes(episodes: int, seed: int) -> list[int]:
    """The seeds of so many episodes, the same for every policy."""
    return [int(own) for own in np.random.SeedSequence(seed).generate_state(episodes)]


def estimated_value(
    env: gymnasium.Env[Any, Any], policy: Acting, episodes: int, seed: int
) -> PolicyValue:
    """The mean undiscounted return of a policy. Episode i has the same seed for every policy, so
    that differences are paired.

    Raises InputError if there are fewer than 2 episodes.
    """
    returns = np.zeros(max(episodes, 0))
    for number, own in enumerate(seeds_of_episodes(len(returns), seed)):
        observation, _ = env.reset(seed=own)
        over = False
        while not over:
            observation, reward, terminated, truncated, _ = env.step(_choice(policy, observation))
            returns[number] += float(reward)
            over = terminated or truncated
    return PolicyValue.of(returns)


def expert_log(
    env: gymnasium.Env[Any, Any],
    expert: Acting,
    rows: int,
    seed: int,
    sight: Callable[[], Any] | None = None,
) -> Log:
    """The log of an expert in any environment of Gymnasium whose actions are whole numbers.

    The last episode is cut, and truncated, after `rows` steps in all. The expert sees what the
    environment shows, so the propensity is 1; or what `sight` gives, which then is in the latents,
    as `clean`, and the propensity is NaN. Raises InputError if there are to be no rows."""
    if rows < 1:
        raise InputError(f"a log needs 1 row or more, and got {rows}")
    columns: dict[str, list[Any]] = defaultdict(list)
    episode = longest = 0
    while len(columns["reward"]) < rows:
        observation, _ = env.reset(seed=None if episode else seed)
        step, over = 0, False
        while not over:
            clean = observation if sight is None else sight()
            action = _choice(expert, clean)
            following, reward, terminated, truncated, _ = env.step(action)
            cut = len(columns["reward"]) + 1 == rows and not terminated
            row = {
                "episode": episode,
                "step": step,
                "observation": observation,
                "action": action,
                "reward": float(reward),
            }
            row |= {
                "next_observation": following,
                "terminated": terminated,
                "truncated": truncated or cut,
                "clean": clean,
            }
            for name, entry in row.items():
                columns[name].append(entry)
            observation, step, over = following, step + 1, terminated or truncated or cut
        episode, longest = episode + 1, max(longest, step)
    arrays = {name: np.stack(column) for name, column in columns.items()}
    clean = arrays.pop("clean")
    arrays |= {
        "regime": np.zeros(rows, dtype=np.int8),
        "propensity": np.full(rows, 1.0 if sight is None else np.nan),
    }
    origin = {"environment": str(env), "seed": seed, "rows": rows}
    latents = {} if sight is None else {"clean": clean}
    return Log(
        arrays,
        (),
        env.observation_space,
        env.action_space,
        _horizon(env) or longest,
        1.0,
        origin,
        latents,
    )


def _choice(policy: Acting, observation: Any) -> int:
    return int(policy(np.asarray(observation)[None])[0])


def _horizon(env: gymnasium.Env[Any, Any]) -> int | None:
    """How many steps an episode has at most, where the environment says so."""
    if isinstance(env.unwrapped, OpaqueWorld):
        return env.unwrapped.horizon
    return env.spec.max_episode_steps if env.spec else None

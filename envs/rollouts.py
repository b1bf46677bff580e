"""Rollouts of a policy in any Gymnasium environment, and values estimated from them.

Episode i has the same seed for every policy, so that differences between policies are paired.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Self

import gymnasium
import numpy as np
from gymnasium.spaces import Box

from dosuite.causal import Array, InputError
from dosuite.causal.counts import whole_number

Acting = Callable[[Array], Array]  # from observations (n, ...) to actions (n,)
# from observations (n, ...) and the rewards of the previous step (n,), 0 at the first, to actions
Playing = Callable[[Array, Array], Array]


class Transition(NamedTuple):
    """One step of an episode."""

    observation: Any
    acted_on: Any  # the observation, or what the policy saw in its place
    action: Any  # an int, or an array of the shape of the Box
    reward: float
    next_observation: Any
    terminated: bool
    truncated: bool


class PolicyValue(NamedTuple):
    """The expected return of a policy: exact, or estimated from episodes with a standard error."""

    value: float
    std_error: float
    exact: bool = False

    @classmethod
    def of(cls, returns: Array) -> Self:
        """The mean of the returns of episodes, (n,), and its standard error.

        Raises InputError if there are fewer than 2 episodes.
        """
        if len(returns) < 2:
            raise InputError(f"a standard error needs 2 episodes or more, and got {len(returns)}")
        std_error = returns.std(ddof=1) / np.sqrt(len(returns))
        return cls(float(returns.mean()), float(std_error))


def seeds_of_episodes(episodes: int, seed: int) -> list[int]:
    """The seeds of `episodes` episodes, the same for every policy."""
    seed = whole_number("seed", seed, 0)
    return [int(state) for state in np.random.SeedSequence(seed).generate_state(episodes)]


def rollout(
    env: gymnasium.Env[Any, Any],
    policy: Acting,
    seed: int | None,
    sight: Callable[[], Any] | None = None,
) -> Iterator[Transition]:
    """The transitions of one episode, from `env.reset(seed=seed)` to its end.

    The policy acts on the observation, or, where there is a `sight`, on what `sight()` returns.
    """
    observation, _ = env.reset(seed=seed)
    over = False
    while not over:
        acted_on = observation if sight is None else sight()
        action = typed_action(env.action_space, policy(np.asarray(acted_on)[None])[0])
        following, reward, terminated, truncated, _ = env.step(action)
        yield Transition(
            observation, acted_on, action, float(reward), following, terminated, truncated
        )
        observation = following
        over = terminated or truncated


def typed_action(space: gymnasium.Space[Any], chosen: Any) -> Any:
    """What a policy chose as an environment takes it: an int, or an array of a Box's shape."""
    if isinstance(space, Box):
        return np.asarray(chosen, dtype=space.dtype).reshape(space.shape)
    return int(chosen)


def estimated_value(
    env: gymnasium.Env[Any, Any],
    policy: Acting,
    episodes: int,
    seed: int,
    sight: Callable[[], Any] | None = None,
) -> PolicyValue:
    """The mean undiscounted return of a policy, and its standard error.

    The policy acts on the observation, or, where there is a `sight`, on what that returns. Raises
    InputError if there are fewer than 2 episodes.
    """
    seed = whole_number("seed", seed, 0)
    returns = np.zeros(max(whole_number("episodes", episodes), 0))
    for number, own_seed in enumerate(seeds_of_episodes(len(returns), seed)):
        for transition in rollout(env, policy, own_seed, sight):
            returns[number] += transition.reward
    return PolicyValue.of(returns)

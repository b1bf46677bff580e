"""What confounding costs in the classics: a learner of the log against one of an experiment.

The same learner gets the log of the behaviour, which sees the hidden driver, and the log of an
experimenter who does not, of equal size: the placebo of `experiment_log`, whose actions have the
same law, so that at strength 0 the two logs have one law. The gap is what the second earns more
than the first. All values are estimated, in the same episodes for both. The gaps are kept in
`confounded_gaps.csv`; measure some of them, or all, anew with

    python -m dosuite.eval.claims.confounded_gaps ConfoundedCartPole-v0
"""

import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
from gymnasium.vector import SyncVectorEnv
from scipy.special import stdtrit

from dosuite.agents import Policy, make_agent
from dosuite.causal import Array, InputError
from dosuite.causal.arrays import Floats
from dosuite.causal.counts import whole_number
from dosuite.causal.errors import did_you_mean
from dosuite.envs import CLASSICS, Log, confounded_log, experiment_log, make_classic

from ..runs.rollout import rollout
from .kept_gaps import Gap, write_gaps

SEEDS = 10
EPISODES = 10  # in which each policy is scored
# seed of the first episode of a score; no log has it, as logs have their own seed once
FIRST_EPISODE = 1_000_000
LEVEL = 0.95  # of intervals
STRENGTHS = (1.0, 0.0)


def measured_gap(
    environment: str, strength: float = 1.0, seeds: int = SEEDS, episodes: int = EPISODES
) -> Gap:
    """Train on the logs of each seed, and score what is learned.

    Raises InputError if there is no such classic, or there are fewer than 2 seeds.
    """
    if environment not in CLASSICS:
        raise InputError(f"there is no {environment!r}; {did_you_mean(environment, CLASSICS)}")
    seeds = whole_number("seeds", seeds, 2)
    recipe = CLASSICS[environment]
    make = partial(make_classic, environment, strength)
    confounded = _scores(make, environment, confounded_log, seeds, episodes)
    experimental = _scores(make, environment, experiment_log, seeds, episodes)
    expert = _expert_scores(make, seeds, episodes)
    difference = experimental - confounded
    half = stdtrit(seeds - 1, (1 + LEVEL) / 2) * _error(difference)
    return Gap(
        environment,
        strength,
        seeds,
        recipe.rows,
        recipe.learner,
        *_mean(confounded),
        *_mean(experimental),
        *_mean(expert),
        float(difference.mean()),
        float(difference.mean() - half),
        float(difference.mean() + half),
    )


def _mean(scores: Floats) -> tuple[float, float]:
    return float(scores.mean()), _error(scores)


def _error(scores: Floats) -> float:
    return float(scores.std(ddof=1) / np.sqrt(len(scores)))


def _scores(
    make: Callable[[], Any],
    environment: str,
    collect: Callable[..., Log],
    seeds: int,
    episodes: int,
) -> Floats:
    """The mean return of what each seed learns from its log: (seeds,)."""
    recipe = CLASSICS[environment]
    logs = [collect(make(), recipe.rows, seed).view(seed) for seed in range(seeds)]
    data = [replace(log, discount=recipe.discount) for log in logs]
    generators = [np.random.default_rng(seed) for seed in range(seeds)]
    policies = make_agent(recipe.learner).learn_all(data, generators)
    scores = np.zeros(seeds)
    for seed, policy in enumerate(policies):
        if isinstance(policy, Exception):
            raise policy
        scores[seed] = returns(make, policy, episodes, first_episode(seed, episodes)).mean()
    return scores


def first_episode(seed: int, episodes: int) -> int:
    """The seed of the first episode in which the policies of a seed are scored."""
    return FIRST_EPISODE + seed * episodes


def returns(make: Callable[[], Any], policy: Policy, episodes: int, first: int) -> Floats:
    """The undiscounted returns of a policy in episodes with the seeds first, first + 1, ...

    The result is (episodes,). Equal seeds give equal starts and drivers for every policy.
    """
    envs = SyncVectorEnv([make] * episodes)
    space: Any = envs.action_space
    player = policy.play(episodes, np.random.default_rng(first))

    def typed_player(observations: Array, rewards: Array) -> Array:
        return np.asarray(player(observations, rewards)).reshape(space.shape).astype(space.dtype)

    total = np.zeros(episodes)
    for step in rollout(envs, typed_player, first):
        total += step.reward * step.going
    envs.close()
    return total


def _expert_scores(make: Callable[[], Any], seeds: int, episodes: int) -> Floats:
    """The mean return of the behaviour, which sees the driver, in the same episodes: (seeds,)."""
    env = make()
    scores = np.zeros(seeds)
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        for number in range(episodes):
            env.reset(seed=first_episode(seed, episodes) + number)
            over = False
            while not over:
                clean, driver = env.sensed(env.sight()[None])
                action = env.behaviour.act(clean, driver, env.action_space, rng)[0]
                _, reward, terminated, truncated, _ = env.step(action)
                scores[seed] += reward / episodes
                over = terminated or truncated
    return scores


def main() -> None:
    """Measure the gaps of the classics that are named, or of all, and keep them in the file."""
    torch.set_num_threads(1)
    for environment in sys.argv[1:] or CLASSICS:
        for strength in STRENGTHS:
            gap = measured_gap(environment, strength)
            write_gaps([gap])
            print(gap, flush=True)


if __name__ == "__main__":
    main()

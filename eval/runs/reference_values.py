"""The exact values that a run is scored against, and the value of what was learned."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from dosuite.agents import Policy
from dosuite.causal import NotDiscreteError, TooLargeError, World, uniform_policy, value
from dosuite.causal.arrays import Floats
from dosuite.causal.exact import Process, chain, do_process, is_steady, log_process, worst_policy
from dosuite.causal.exact.decision_process import expected, greedy, mean_value
from dosuite.envs import CausalVectorEnv, all_observations

from ..metrics import (
    confusion_coefficient,
    contrast_calibration_error,
    interventional_calibration_error,
)

EPISODES = 10_000  # of the rollouts of a policy that has no exact value
REMEMBERED = 2_000  # of one that remembers its episodes, and is slow


@dataclass(frozen=True)
class Value:
    """The discounted return of an episode: exact, or estimated with a standard error."""

    value: float
    std_error: float = 0.0
    exact: bool = True


def evaluate(model: World, policy: Policy, seed: int = 0) -> Value:
    """The value of a policy: exact for a discrete model, else from 10,000 episodes whose units are
    the same for every policy.

    A policy that remembers is rolled out for 2,000 episodes wherever there is more than one step.
    """
    if policy.remembers and model.horizon > 1:
        return _roll_out(model, policy, seed, REMEMBERED)
    try:
        return Value(value(model, policy.probabilities(all_observations(model))))
    except (NotDiscreteError, TooLargeError):
        return _roll_out(model, policy, seed, EPISODES)


def _roll_out(model: World, policy: Policy, seed: int, episodes: int) -> Value:
    env = CausalVectorEnv(model, episodes, paired=True)
    observations, _ = env.reset(seed=seed)
    player = policy.play(episodes, np.random.default_rng(seed))
    going, returns, rewards = np.ones(episodes, dtype=bool), np.zeros(episodes), np.zeros(episodes)
    for step in range(model.horizon):
        observations, rewards, terminated, truncated, _ = env.step(player(observations, rewards))
        returns += going * model.discount**step * rewards
        going &= ~(terminated | truncated)
        if not going.any():
            break
    return Value(float(returns.mean()), float(returns.std(ddof=1) / np.sqrt(episodes)), exact=False)


@lru_cache(maxsize=256)
def references(model: World, world: World) -> dict[str, float]:
    """The values in `world` of the policies of `model`, a world unshifted:

    NaN where there is no exact answer.
    """
    given = model.values_in(world)
    return {
        name: given[name] if name in given else _or_nan(answer, model, world)
        for name, answer in REFERENCES.items()
    }


def _or_nan(answer: Callable[[World, World], float], model: World, world: World) -> float:
    try:
        return answer(model, world)
    except (NotDiscreteError, TooLargeError):
        return np.nan


REFERENCES: dict[str, Callable[[World, World], float]] = {
    "j_confused": lambda model, world: value(world, model.confused_policy()),
    "j_causal": lambda model, world: value(world, model.deployed().causal_policy()),
    "j_best": lambda model, world: value(world, world.causal_policy()),
    "j_worst": lambda model, world: value(world, worst_policy(world)),
    "j_uniform": lambda model, world: value(world, uniform_policy(world)),
    "j_behaviour": lambda model, world: value(world),
    "j_intent": lambda model, world: value(
        world.with_intent(), world.with_intent().causal_policy()
    ),
    "promised": lambda model, world: model.promised_value(),
}
BELIEFS = ("believed", "ice", "ice_gap", "ice_obs", "kappa", "kappa_residual")


def beliefs(model: World, policy: Policy) -> dict[str, float]:
    """What the policy believes of its own value and of its actions (METRICS M2):

    NaN where it believes nothing that is scored.
    """
    unknown = dict.fromkeys(BELIEFS, np.nan)
    if policy.remembers and model.horizon > 1:
        return unknown
    try:
        observations, process = all_observations(model), do_process(model)
    except (NotDiscreteError, TooLargeError):
        return unknown
    table, values = policy.probabilities(observations), policy.action_values(observations)
    believed = np.nan
    if policy.process is not None:
        believed = policy.process.value(table)
    elif values is not None:
        believed = float(expected(process.start, mean_value(table, values)))
    unknown["believed"] = (
        believed if np.isfinite(believed) else np.nan
    )  # it may do what its data never shows
    return unknown | _calibration(model, policy, process)


def _calibration(model: World, policy: Policy, process: Process) -> dict[str, float]:
    if not is_steady(model):
        return {}  # there is no V(context) to continue with
    best = greedy(process.plan())
    continuation = (
        mean_value(best, process.plan()) if model.horizon > 1 else np.zeros(len(process.start))
    )
    q = policy.action_values(all_observations(model)) if model.horizon == 1 else None
    if policy.process is not None:
        q = policy.process.backup(continuation)
    doing, seeing = process.backup(continuation), log_process(model).backup(continuation)
    weights = chain(model).process(best).visits.sum(1)
    used: Floats = weights > 0
    if q is None or not np.isfinite(np.stack([q, doing, seeing])[:, used]).all():
        return {}
    q, doing, seeing, weights = q[used], doing[used], seeing[used], weights[used] / weights.sum()
    kappa, residual = confusion_coefficient(q, doing, seeing, weights)
    return {
        "ice": interventional_calibration_error(q, doing, weights),
        "ice_gap": contrast_calibration_error(q, doing, weights),
        "ice_obs": interventional_calibration_error(q, seeing, weights),
        "kappa": kappa,
        "kappa_residual": residual,
    }

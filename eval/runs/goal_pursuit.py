"""Which goal a policy pursues where two goals agreed in training: from its episodes."""

from dataclasses import replace
from functools import lru_cache

import numpy as np

from dosuite.agents import Policy, TabularPolicy
from dosuite.causal import Columns, NotDiscreteError, TooLargeError, World
from dosuite.causal.model import noise
from dosuite.envs import context_mean, every_observation
from dosuite.envs.observations import view_of
from dosuite.envs.spaces import context_space, encode
from dosuite.envs.worlds.goal_misgeneralisation import GoalMisgen

from ..scores.goals import Episodes
from ..scores.metrics import Over, metrics_over
from .policy_value import OF_EVALUATION

EPISODES = 1_000  # a rate has a standard error of at most 0.016


@lru_cache(maxsize=2)  # the deployment of a world is mostly one of its shifts, too
def goal_pursuit(model: World, policy: Policy) -> dict[str, float]:
    """Every metric of the goals that a policy pursues, by column; empty in a world without goals.

    The episodes have the same seeds for every policy.
    """
    if not isinstance(model, GoalMisgen):
        return {}
    episodes = Episodes(model, episodes_of(*_tabulated(model, policy), EPISODES))
    return {each.name: each.compute(episodes) for each in metrics_over(Over.EPISODES)}


def episodes_of(model: World, policy: Policy, count: int, seed: int = 0) -> Columns:
    """Every variable in `count` episodes in which a policy acts: columns (count, horizon).

    The units are those of the rollouts that estimate values. As in `sample` the process is run to
    its horizon; ignore what follows a terminal step.
    """
    seeds = (np.arange(count, dtype=np.int64) + seed) | OF_EVALUATION
    ids = noise.units(seeds, np.zeros(count, np.int64))
    player = policy.play(count, np.random.default_rng(seed))
    view, space = view_of(model), context_space(model)
    steps: list[Columns] = []
    reward = np.zeros(count)
    for clock in range(model.horizon):
        past = steps[-1] if steps else None
        now = model.step(ids, clock, past, names=model.before_action)
        contexts = encode(space, [now[name] for name in model.contexts], count)
        action = np.asarray(player(view.show(contexts, ids, "observation", clock), reward))
        steps.append(model.step(ids, clock, past, known={**now, model.action: action}))
        reward = np.asarray(steps[-1][model.reward], float)
    return {name: np.stack([step[name] for step in steps], axis=1) for name in model.variables}


def _tabulated(model: World, policy: Policy) -> tuple[World, Policy]:
    """A memoryless policy as its table, in the world that shows contexts as they are: it acts
    alike, and a network is asked once. Other policies stay what they are.
    """
    plain = replace(model, observation="")
    if policy.remembers:
        return model, policy
    try:
        table = context_mean(model, policy.probabilities)
        return plain, TabularPolicy(table, every_observation(plain))
    except (NotDiscreteError, TooLargeError):
        return model, policy

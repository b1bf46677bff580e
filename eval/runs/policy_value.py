"""The value of a policy: exact where the model is discrete, else estimated by rollouts."""

from typing import Any

import numpy as np

from dosuite.agents import Policy
from dosuite.causal import NotDiscreteError, TooLargeError, World, value
from dosuite.causal.arrays import Flags, Integers
from dosuite.envs import CausalVectorEnv, context_mean
from dosuite.envs.rollouts import PolicyValue

from .rollout import rollout

EPISODES = 10_000  # in the rollouts of a memoryless policy that has no exact value
EPISODES_WITH_MEMORY = 2_000  # in those of a policy that remembers its episode, which is slow
OF_EVALUATION = np.int64(-(2**63))  # the bit that is set in the seeds of evaluation, and no others


def policy_value(model: World, policy: Policy, seed: int = 0) -> PolicyValue:
    """The expected discounted return of an episode under a policy.

    It is exact for a memoryless policy in a discrete model whose contexts have finitely many
    observations. Otherwise it is the mean of 10,000
    episodes, 2,000 for a policy with memory, whose noise is the same for every policy.
    """
    if policy.remembers and model.horizon > 1:
        return estimated_by_rollouts(model, policy, seed, EPISODES_WITH_MEMORY)
    try:
        table = context_mean(model, policy.probabilities)
        exact = value(model, table)
    except (NotDiscreteError, TooLargeError):
        return estimated_by_rollouts(model, policy, seed, EPISODES)
    return PolicyValue(exact, 0.0, exact=True)


def estimated_by_rollouts(model: World, policy: Policy, seed: int, episodes: int) -> PolicyValue:
    """The mean discounted return of `episodes` episodes, and its standard error."""
    envs = EvaluationEnv(model, episodes, paired=True)
    player = policy.play(episodes, np.random.default_rng(seed))
    returns = np.zeros(episodes)
    for number, step in enumerate(rollout(envs, player, seed)):
        returns += step.going * model.discount**number * step.reward
    return PolicyValue.of(returns)


class EvaluationEnv(CausalVectorEnv):
    """A batch of units that no seed of any other environment reaches.

    Seeds are taken modulo 2^63 elsewhere; here they are those numbers minus 2^63, so that an agent
    cannot practise on the units that it is scored on.
    """

    def _seeds(self, seed: Any) -> tuple[Flags, Integers]:
        given, seeds = super()._seeds(seed)
        return given, seeds | OF_EVALUATION

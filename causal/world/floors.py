"""What no learner can exceed that has one log of two worlds: the floor of its regret.

Two worlds with the same observational law have the same logs, so that a learner gives one answer to
both, whatever its size, its pre-training or the rows of the log. Its mean value over the two worlds
is at most that of the best single policy, and its mean error at least half of the distance between
the worlds (Le Cam's two-point method; Tsybakov, 2009, Introduction to nonparametric estimation,
section 2.2).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..arrays import Floats
from ..errors import InputError, TooLargeError
from ..exact.belief_planning import plan_for_all, plan_with_memory
from ..exact.confounding import by_context, rows
from ..exact.policies import do_process, value
from ..exact.policy_search import best_for_all
from ..model.scm import SCM
from .world import World

EVEN = (0.5, 0.5)


@dataclass(frozen=True)
class Floor:
    """What no learner with one log of two worlds exceeds, in the mean of the two."""

    value: float  # the most that one policy earns
    regret: float  # the least by which it falls short of the best policies of the two worlds
    # the least mean absolute error of E[reward | do(action), context] of a step: (C, A), half the
    # difference between the worlds
    error: Floats
    # the least mean total variation of P(reward, other outcomes | do(action), context): (C, A)
    law_error: Floats
    policy: Floats | None  # (C, A), a memoryless policy that earns `attained`; None with memory
    attained: float  # what the policy earns; NaN with memory
    exact: bool  # whether `value` is the most itself, and not an upper bound of it


def floor(world: World, other: World | None = None, memory: bool = False) -> Floor:
    """The floor of a pair of worlds, each with probability 1/2.

    Without `other` the pair is the deployment of `world` and that of its twin. The policies are
    memoryless, (C, A), or with `memory` those that remember contexts, actions and rewards of their
    episode. In worlds whose intent is observed they see it. In one step the answer is exact. Over
    several steps the best memoryless policy is bounded by branch and bound, and the best policy
    with memory by the plan in the mixture of the worlds, or, where that is too large, by the plans
    of a learner that knows in which world it is: `exact` says which.

    Raises InputError if the world has no twin, or if no policy can be played in both worlds;
    NotDiscreteError or TooLargeError where a world has no exact answer.
    """
    first, second = pair_of(world, other)
    return _floor(first, second, memory and world.horizon > 1)


def pair_of(world: World, other: World | None = None) -> tuple[World, World]:
    """The two worlds of a floor: those given, or the deployments of a world and of its twin."""
    if other is not None:
        return world, other
    twin = world.twin()
    if twin is None:
        raise InputError(
            f"{type(world).__name__} has no twin, and so no floor; name the other world"
        )
    return world.deployed(), twin.deployed()


@lru_cache(maxsize=256)
def _floor(world: World, other: World, memory: bool) -> Floor:
    pair = world, other
    search = best_for_all(pair, EVEN)
    most, exact = search.bound, search.bound == search.value
    best = [value(each, each.causal_policy()) for each in pair]
    if memory:
        best = [plan_with_memory(each)[0] for each in pair]
        try:
            most, exact = plan_for_all(pair, EVEN), True
        except TooLargeError:
            most, exact = float(np.mean(best)), False
    means = [do_process(each).reward for each in pair]
    return Floor(
        value=most,
        regret=max(0.0, float(np.mean(best)) - most),
        error=abs(means[0] - means[1]) / 2,
        law_error=_variation(pair) / 2,
        policy=None if memory else search.policy,
        attained=np.nan if memory else search.value,
        exact=exact,
    )


def _variation(pair: Sequence[SCM]) -> Floats:
    """The total variation between the laws of what follows an action, in two worlds: (C, A)."""
    laws = []
    for model in pair:
        names = (*model.contexts, model.action, model.reward, *model.names("terminal"))
        joint = by_context(model, rows(model, names, acted=True))
        mass = joint.sum(-1, keepdims=True)
        laws.append(joint / np.where(mass > 0, mass, 1.0))
    return np.asarray(abs(laws[0] - laws[1]).sum(-1) / 2)

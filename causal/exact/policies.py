"""Exact answers about the episodes of discrete models:

policy values, the best policy and the confused one.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import product

import numpy as np

from ..arrays import Floats
from ..errors import InputError, TooLargeError
from ..graphs.step_graph import LAG, is_markov
from ..model.elimination import conditional
from ..model.scm import SCM
from ..model.structure import Variable
from ..tolerances import RELATIVE_TIE
from .decision_process import Process, greedy, mean_value
from .markov_chain import SMALL, Chain, SmallChains, chain, returns

MOST_POLICIES = 2**14  # deterministic policies that are tried one by one


@lru_cache(maxsize=512)
def log_process(model: SCM) -> Process:
    """The process that an endless log shows:

    next context and reward given context and action, pooled over recorded steps.
    """
    closed = chain(model, open_loop=False)
    return closed.process(np.ones(closed.shape[:2]))


@lru_cache(maxsize=512)
def do_process(model: SCM) -> Process:
    """The process under interventions: the same, when the actions are drawn uniformly."""
    return chain(model).process(uniform_policy(model))


def value(model: SCM, policy: Floats | None = None) -> float:
    """The exact discounted return of an episode: of a memoryless policy (C, A), or of the behaviour
    policy if there is none.

    Raises InputError if the policy has the wrong shape or a row is not a probability law.
    """
    if policy is None:
        closed = chain(model, open_loop=False)
        return float(closed.values(np.ones((1, *closed.shape[:2])))[0] / closed.recorded)
    return float(chain(model).values(_checked(model, policy)[None])[0])


def values(worlds: Sequence[SCM], policy: Floats) -> Floats:
    """The exact discounted returns of a memoryless policy (C, A) in several worlds, such as shifted
    ones: (worlds,).

    Raises InputError as `value` does.
    """
    if not worlds:
        return np.zeros(0)
    policy = _checked(worlds[0], policy)
    if (together := _together(tuple(worlds))) is not None:
        return returns(together, policy[None])
    return np.array([value(world, policy) for world in worlds])


@lru_cache(maxsize=64)
def _together(worlds: tuple[SCM, ...]) -> "SmallChains | None":
    chains = [chain(world) for world in worlds]
    alike = len({(one.shape, one.model.horizon, one.model.discount) for one in chains}) == 1
    if (
        len(
            {
                tuple(tuple(world.tables.support(name).tolist()) for name in world.contexts)
                for world in worlds
            }
        )
        > 1
    ):
        raise InputError("the worlds of one policy must have the same contexts")
    dense = [one for one in chains if isinstance(one, Chain)]
    return (
        SmallChains.of(dense)
        if alike and len(dense) == len(chains) and np.prod(chains[0].shape) <= SMALL
        else None
    )


def _checked(model: SCM, policy: Floats) -> Floats:
    policy = np.asarray(policy, dtype=float)
    shape = chain(model).shape[:2]
    if policy.shape != shape:
        raise InputError(
            f"a policy of {type(model).__name__} has shape {shape}, and got {policy.shape}"
        )
    if not (
        (policy >= 0).all() and (abs(policy.sum(1) - 1.0) <= 1e-6).all()
    ):  # so that NaN is refused too
        raise InputError("every row of a policy must be probabilities that sum to 1")
    return policy


def uniform_policy(model: SCM) -> Floats:
    """Every action alike: (C, A)."""
    contexts, actions, _ = chain(model).shape
    return np.full((contexts, actions), 1.0 / actions)


def behaviour_policy(model: SCM) -> Floats:
    """The propensity P(action | context), latents summed out, pooled over recorded steps: (C, A).

    Uniform in contexts that the log never shows.
    """
    visits = log_process(model).visits
    return conditional(visits, unseen=1.0 / visits.shape[1])


def associational_policy(model: SCM) -> Floats:
    """The plan in the process that an endless log shows, ties shared: (C, A)."""
    return greedy(log_process(model).plan())


def associational_value(model: SCM) -> float:
    """What the plan in the process of the log is worth in that process."""
    process = log_process(model)
    return process.value(greedy(process.plan()))


def best_policy(model: SCM) -> Floats:
    """The best deterministic memoryless policy in this world under intervention, ties shared: (C,
    A).

    Where context and action screen the future off from the past, and one policy is best at every
    step, it is the plan in the interventional process; elsewhere the best deterministic policy, by
    trying all. Raises TooLargeError if these are more than 2**14."""
    return _extreme_policy(model, best=True)


def worst_policy(model: SCM) -> Floats:
    """The worst deterministic memoryless policy under intervention, found as the best one is:

    (C, A).
    """
    return _extreme_policy(model, best=False)


@lru_cache(maxsize=512)
def _extreme_policy(model: SCM, best: bool) -> Floats:
    """The best or the worst deterministic memoryless policy, ties shared:

    (C, A). Raises TooLargeError if there are too many.
    """
    if (plan := _steady_plan(model, best)) is not None:
        return plan
    contexts, actions, _ = chain(model).shape
    if actions**contexts > MOST_POLICIES:
        raise TooLargeError(
            f"{type(model).__name__} has {actions}**{contexts} memoryless policies, and the most "
            f"to try is {MOST_POLICIES}"
        )
    policies = np.eye(actions)[np.array(list(product(range(actions), repeat=contexts)))]
    values = chain(model).values(policies) * (1 if best else -1)
    margin = RELATIVE_TIE * max(1.0, abs(values).max())
    winners = policies[values >= values.max() - margin]
    shared = (winners.sum(0) > 0) / (winners.sum(0) > 0).sum(-1, keepdims=True)
    as_good = abs(value(model, shared) - value(model, winners[0])) <= margin
    return np.asarray(shared if as_good else winners[0])


def is_steady(model: SCM) -> bool:
    """Whether under intervention the context and action alone tell what follows, alike at every
    step.

    A first context may have a law of its own, as long as it has no other cause in its step than
    contexts."""

    def first_of_its_own(variable: Variable) -> bool:
        causes = {
            cause
            for cause in variable.first.causes + variable.later.causes
            if not cause.endswith(LAG)
        }
        return variable.role == "context" and causes <= set(model.contexts)

    alike = all(v.first == v.later or first_of_its_own(v) for v in model.variables.values())
    return model.horizon == 1 or (alike and is_markov(model.graph))


def _steady_plan(model: SCM, best: bool) -> Floats | None:
    """The plan in the interventional process;

    None if it is no optimum because the time or the past matters beside the context.
    """
    if not is_steady(model):
        return None
    process = do_process(model)
    process = process if best else replace(process, reward=-process.reward)
    values = process.plan()
    plan = greedy(values)
    changing = float(
        process.start @ mean_value(plan, values)
    )  # what a plan that changes with the step is worth
    return (
        plan if process.value(plan) >= changing - RELATIVE_TIE * max(1.0, abs(changing)) else None
    )

"""Exact answers about the episodes of discrete models: policy values and reference policies.

A policy is an array (C, A): the probability of each action in each of the C contexts.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import product

import numpy as np

from ..arrays import Floats
from ..errors import InputError, TooLargeError, short
from ..graphs.step_graph import LAG, is_markov
from ..model.elimination import conditional
from ..model.scm import SCM, check_model
from ..model.structure import Variable
from ..tolerances import RELATIVE_TIE
from .decision_process import Process, greedy, mean_value
from .markov_chain import SMALL, Chain, SmallChains, chain, returns

MOST_POLICIES = 2**14  # deterministic policies that are tried one by one


@lru_cache(maxsize=512)
def log_process(model: SCM) -> Process:
    """The decision process that infinite observational data show.

    Its reward and next context given context and action are pooled over all recorded steps.
    """
    closed = chain(model, open_loop=False)
    return closed.process(np.ones(closed.shape[:2]))


@lru_cache(maxsize=512)
def do_process(model: SCM) -> Process:
    """The decision process under interventions, pooled over steps of the uniform policy."""
    return chain(model).process(uniform_policy(model))


def value(model: SCM, policy: Floats | None = None) -> float:
    """The exact discounted return of an episode, in units of the reward.

    `policy` is memoryless, (C, A); without one it is the behaviour policy. Raises InputError if the
    policy has the wrong shape or a row is not a probability distribution.
    """
    check_model(model)
    if policy is None:
        closed = chain(model, open_loop=False)
        return float(closed.values(np.ones((1, *closed.shape[:2])))[0] / closed.recorded)
    return float(chain(model).values(_checked(model, policy)[None])[0])


def values(worlds: Sequence[SCM], policy: Floats) -> Floats:
    """The exact discounted returns of one memoryless policy (C, A) in several worlds: (worlds,).

    Shifted worlds are valued at once where they are small. Raises InputError as `value` does, and
    if the worlds differ in their contexts.
    """
    if isinstance(worlds, SCM) or not isinstance(worlds, Sequence):
        raise InputError("values takes a list of models; value(model, policy) takes one")
    if not worlds:
        return np.zeros(0)
    for world in worlds:
        check_model(world)
    policy = _checked(worlds[0], policy)
    stacked = _stacked(tuple(worlds))
    if stacked is not None:
        return returns(stacked, policy[None])
    return np.array([value(world, policy) for world in worlds])


@lru_cache(maxsize=64)
def _stacked(worlds: tuple[SCM, ...]) -> SmallChains | None:
    """The chains of worlds in one stack; None if they are large or differ in shape."""
    if len({_context_values(world) for world in worlds}) > 1:
        raise InputError("the worlds of one policy must have the same contexts")
    chains = [chain(world) for world in worlds]
    dense = [one for one in chains if isinstance(one, Chain)]
    shapes = {(one.shape, one.model.horizon, one.model.discount) for one in chains}
    small = np.prod(chains[0].shape) <= SMALL
    if len(shapes) > 1 or len(dense) < len(chains) or not small:
        return None
    return SmallChains.of(dense)


def _context_values(model: SCM) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(model.tables.support(name).tolist()) for name in model.contexts)


def _checked(model: SCM, policy: Floats) -> Floats:
    policy = _as_numbers(policy)
    shape = chain(model).shape[:2]
    if policy.shape != shape:
        raise InputError(
            f"a policy of {type(model).__name__} has shape {shape}, and got {policy.shape}"
        )
    # Written so that NaN fails both comparisons.
    is_law = (policy >= 0).all() and (abs(policy.sum(1) - 1.0) <= 1e-6).all()
    if not is_law:
        raise InputError("every row of a policy must be probabilities that sum to 1")
    return policy


def _as_numbers(policy: Floats) -> Floats:
    try:
        return np.asarray(policy, dtype=float)
    except (TypeError, ValueError):
        raise InputError(
            f"a policy is a table of probabilities (contexts, actions), and got {short(policy)}"
        ) from None


def uniform_policy(model: SCM) -> Floats:
    """Every action equally likely: (C, A)."""
    check_model(model)
    contexts, actions, _ = chain(model).shape
    return np.full((contexts, actions), 1.0 / actions)


def behaviour_policy(model: SCM) -> Floats:
    """The propensity P(action | context), with latents summed out: (C, A).

    It is pooled over recorded steps, and uniform in contexts that the log never shows.
    """
    check_model(model)
    visits = log_process(model).visits
    return conditional(visits, unseen=1.0 / visits.shape[1])


def associational_policy(model: SCM) -> Floats:
    """The optimal plan in the process that infinite observational data show: (C, A).

    Ties are split evenly.
    """
    return greedy(log_process(model).plan())


def associational_value(model: SCM) -> float:
    """The return of the associational policy as that process predicts it."""
    process = log_process(model)
    return process.value(greedy(process.plan()))


def best_policy(model: SCM) -> Floats:
    """The best deterministic memoryless policy under interventions: (C, A). Ties are split evenly.

    Where the context and the action determine the distribution of the future, and one policy is
    best at every step, it is the plan in the interventional process. Elsewhere all deterministic
    policies are tried. Raises TooLargeError if there are more than 2**14.
    """
    return _extreme_policy(model, best=True)


def worst_policy(model: SCM) -> Floats:
    """The worst deterministic memoryless policy under interventions, found as the best: (C, A)."""
    return _extreme_policy(model, best=False)


@lru_cache(maxsize=512)
def _extreme_policy(model: SCM, best: bool) -> Floats:
    plan = _stationary_plan(model, best)
    return _searched(model, best) if plan is None else plan


def _searched(model: SCM, best: bool) -> Floats:
    """The best or the worst of all deterministic memoryless policies."""
    contexts, actions, _ = chain(model).shape
    if actions**contexts > MOST_POLICIES:
        raise TooLargeError(
            f"{type(model).__name__} has {actions}**{contexts} memoryless policies, and the most "
            f"to try is {MOST_POLICIES}"
        )
    policies = np.eye(actions)[np.array(list(product(range(actions), repeat=contexts)))]
    scores = chain(model).values(policies) * (1 if best else -1)
    margin = RELATIVE_TIE * max(1.0, abs(scores).max())
    winners = policies[scores >= scores.max() - margin]
    # Split ties evenly in each context, if the mixture is as good as the policies it mixes.
    chosen = winners.sum(0) > 0
    mixture = chosen / chosen.sum(-1, keepdims=True)
    as_good = abs(value(model, mixture) - value(model, winners[0])) <= margin
    return np.asarray(mixture if as_good else winners[0])


def is_steady(model: SCM) -> bool:
    """Whether the interventional process is a time-homogeneous MDP in the context.

    The first context may have its own distribution, as long as its other causes in the same step
    are contexts.
    """
    if model.horizon == 1:
        return True
    variables = model.variables.values()
    homogeneous = all(v.first == v.later or _starts_context(model, v) for v in variables)
    return homogeneous and is_markov(model.graph)


def _starts_context(model: SCM, variable: Variable) -> bool:
    """Whether a variable is a context that depends, within its step, on contexts only."""
    causes = variable.first.causes + variable.later.causes
    same_step = {cause for cause in causes if not cause.endswith(LAG)}
    return variable.role == "context" and same_step <= set(model.contexts)


def _stationary_plan(model: SCM, best: bool) -> Floats | None:
    """The plan in the interventional process, if one stationary policy is optimal there, or None.

    It is none where time or the past matters in addition to the context.
    """
    if not is_steady(model):
        return None
    process = do_process(model)
    if not best:
        process = replace(process, reward=-process.reward)
    action_values = process.plan()
    plan = greedy(action_values)
    # The return of the optimal plan, which may change with the step.
    optimum = float(process.start @ mean_value(plan, action_values))
    tolerance = RELATIVE_TIE * max(1.0, abs(optimum))
    return plan if process.value(plan) >= optimum - tolerance else None

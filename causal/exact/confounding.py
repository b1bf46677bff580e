"""Distances between observational and interventional distributions of a row of the log.

A row is a recorded step of infinite data, drawn uniformly from all steps; `next x` is the context x
one step later. The same row under do(action) is compared with it.
"""

from collections.abc import Sequence

import networkx as nx
import numpy as np

from ..arrays import Array, Floats
from ..errors import NotDiscreteError
from ..graphs.step_graph import LAG, unroll
from ..model.elimination import Factor, conditional, eliminate
from ..model.scm import SCM

NEXT = "next "


def outcomes(model: SCM) -> tuple[str, ...]:
    """What an action may affect: the reward, the end of the episode, and the next contexts."""
    following = model.contexts if model.horizon > 1 else ()
    return (model.reward, *model.names("terminal"), *(NEXT + name for name in following))


def confounders(model: SCM) -> tuple[str, ...]:
    """The variables, latent or logged, that confound the action of a step with a reward.

    They cause the action, and cause a reward of this step or a later one other than through the
    action, given the contexts of the step. Empty where the confusion has another source: selection,
    a context that is a collider, a goal that is a proxy.
    """
    # Step 1 of an unrolled graph stands for any step: it has a past, and a long enough future.
    graph = unroll(model.graph, len(model.graph) + 2)
    act = (model.action, 1)
    # Paths through the contexts are blocked.
    graph.remove_nodes_from({(name, 1) for name in model.contexts})
    without_action = graph.copy()
    without_action.remove_node(act)
    causes_of_reward = set()
    for name, step in without_action:
        if name == model.reward and step >= 1:
            causes_of_reward |= nx.ancestors(without_action, (name, step))
    common = nx.ancestors(graph, act) & causes_of_reward
    names = {name for name, step in common if step == 1}
    candidates = model.names("latent", "logged")
    return tuple(name for name in candidates if name in names and not _is_constant(model, name))


def _is_constant(model: SCM, name: str) -> bool:
    try:
        return len(model.tables.support(name)) == 1
    except NotDiscreteError:
        return False


def rows(model: SCM, names: Sequence[str], acted: bool = False) -> Array:
    """P(names) in a row of the log: one axis per name, in the order of `model.tables.support`.

    If `acted`, P(names | do(action)) for each action, which is one of the names: the behaviour
    policy took all steps before, and every row is recorded. Raises NotDiscreteError or
    TooLargeError where there is no exact answer.
    """
    tables = model.tables
    later = [name for name in names if name.startswith(NEXT)]
    now = [name for name in names if name not in later]
    keep = tuple(dict.fromkeys([*now, *(tables.carried if later else ())]))
    recorded = () if acted else tables.recorded
    cut = (model.action,) if acted else ()

    # Add up the recorded steps; the message carries the past from each step to the next.
    law, message = np.zeros(()), tuple[Factor, ...]()
    for step in range(model.burn_in + model.horizon):
        if step >= model.burn_in:
            law = law + tables.slice(keep, step == 0, (*recorded, *message), cut=cut)
        message = tables.passed_on(message, first=step == 0)

    factors = [Factor(keep, law)]
    if later:
        factors.append(_following(model, later))
    joint = eliminate(factors, names)
    actions = len(tables.support(model.action)) if acted else 1
    return np.asarray(joint / joint.sum() * actions)


def _following(model: SCM, later: Sequence[str]) -> Factor:
    """P(next contexts | what a step carries over)."""
    carried = model.tables.carried
    past = tuple(name + LAG for name in carried)
    contexts = (name.removeprefix(NEXT) for name in later)
    law = model.tables.slice((*past, *contexts), first=False)
    return Factor((*carried, *later), law)


def total_variation(model: SCM) -> Floats:
    """The distance of P(outcomes | context, action) from P(outcomes | context, do(action)): (C, A).

    It is in [0, 1], and NaN for pairs that the log never shows.
    """
    names = (*model.contexts, model.action, *outcomes(model))
    observed = conditional(by_context(model, rows(model, names)))
    done = conditional(by_context(model, rows(model, names, acted=True)))
    return np.asarray(abs(observed - done).sum(-1) / 2)


def mutual_information(model: SCM) -> float:
    """I(action; latents | context) in nats, in a row of the log.

    The latents are those of the step that the action does not cause.
    """
    effects = nx.descendants(model.graph, model.action)
    latents = [name for name in model.names("latent") if name not in effects]
    joint = by_context(model, rows(model, (*model.contexts, model.action, *latents)))
    p_action = joint.sum(2, keepdims=True)  # axes: context, action, latents
    p_latents = joint.sum(1, keepdims=True)
    p_context = joint.sum((1, 2), keepdims=True)
    ratio = np.divide(
        joint * p_context, p_action * p_latents, where=joint > 0, out=np.ones_like(joint)
    )
    return max(0.0, float((joint * np.log(ratio)).sum()))


def overlap(model: SCM, *given: str) -> float:
    """The smallest P(action | context, given) in a row of the log, over actions and conditions."""
    joint = rows(model, (*model.contexts, *given, model.action))
    policy = conditional(joint.reshape(-1, joint.shape[-1]))
    return float(np.nanmin(policy))


def by_context(model: SCM, joint: Array) -> Floats:
    """A table with the axes contexts, action, rest as (C, A, rest)."""
    split = len(model.contexts)
    contexts, actions = int(np.prod(joint.shape[:split])), joint.shape[split]
    return np.asarray(joint.reshape(contexts, actions, -1))

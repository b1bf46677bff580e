"""How far seeing is from doing: exact laws of a row of the log, of the same row with the action
set, and their distances.

A row is a recorded step of an endless log, drawn from all of its steps alike. In it `next x` is the
context x one step later."""

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
    """What an action may lead to:

    the reward, the end of the episode, and the next contexts if there is a next step.
    """
    following = model.contexts if model.horizon > 1 else ()
    return (model.reward, *model.names("terminal"), *(NEXT + name for name in following))


def confounders(model: SCM) -> tuple[str, ...]:
    """The variables, latent or logged, that cause the action of a step and, not through it, a
    reward, whatever the contexts of the step.

    Empty where confusion comes of something else: of selection, of a context that is a collider, of
    a goal that is a proxy."""
    graph = unroll(model.graph, len(model.graph) + 2)
    here = {(name, 1) for name in model.contexts}
    act = (model.action, 1)
    graph.remove_nodes_from(here)
    beside = graph.copy()
    beside.remove_node(act)
    paid = {
        cause
        for node in beside
        if node[0] == model.reward and node[1] >= 1
        for cause in nx.ancestors(beside, node)
    }
    found = {name for name, step in nx.ancestors(graph, act) & paid if step == 1}
    return tuple(
        name
        for name in model.names("latent", "logged")
        if name in found and not _is_constant(model, name)
    )


def _is_constant(model: SCM, name: str) -> bool:
    try:
        return len(model.tables.support(name)) == 1
    except NotDiscreteError:
        return False


def rows(model: SCM, names: Sequence[str], acted: bool = False) -> Array:
    """P(names) in a row of the log: an axis for each name, in the order of `model.tables.support`.

    If `acted`, P(names | do(action)) for each action, which is one of the names: the behaviour policy took all steps before,
    and every row is recorded. Raises NotDiscreteError or TooLargeError where there is no exact answer.
    """
    table = model.tables
    later = [name for name in names if name.startswith(NEXT)]
    keep = tuple(
        dict.fromkeys(
            [*(name for name in names if name not in later), *(table.carried if later else ())]
        )
    )
    recorded = () if acted else table.recorded
    law, message = np.zeros(()), tuple[Factor, ...]()
    for step in range(model.burn_in + model.horizon):
        if step >= model.burn_in:
            law = law + table.slice(
                keep, step == 0, (*recorded, *message), cut=(model.action,) if acted else ()
            )
        message = table.passed_on(message, first=step == 0)
    joint = eliminate([Factor(keep, law), *([_following(model, later)] if later else [])], names)
    return np.asarray(joint / joint.sum() * (len(table.support(model.action)) if acted else 1))


def _following(model: SCM, later: Sequence[str]) -> Factor:
    """P(next contexts | what a step carries over)."""
    table = model.tables
    past = tuple(name + LAG for name in table.carried)
    law = table.slice((*past, *(name.removeprefix(NEXT) for name in later)), first=False)
    return Factor((*table.carried, *later), law)


def total_variation(model: SCM) -> Floats:
    """The distance of P(outcomes | context, action) and P(outcomes | context, do(action)), 0 to 1:

    (C, A), nan if never seen.
    """
    names = (*model.contexts, model.action, *outcomes(model))
    seen, done = (by_context(model, rows(model, names, acted)) for acted in (False, True))
    return np.asarray(abs(conditional(seen) - conditional(done)).sum(-1) / 2)


def mutual_information(model: SCM) -> float:
    """I(action;

    latents | context) in nats, in a row of the log, of the latents of its step that the action does
    not cause.
    """
    hidden = [
        name
        for name in model.names("latent")
        if name not in nx.descendants(model.graph, model.action)
    ]
    joint = by_context(model, rows(model, (*model.contexts, model.action, *hidden)))
    action, latents, context = (
        joint.sum(2, keepdims=True),
        joint.sum(1, keepdims=True),
        joint.sum((1, 2), keepdims=True),
    )
    some = joint > 0
    ratio = np.divide(joint * context, action * latents, where=some, out=np.ones_like(joint))
    return max(0.0, float((joint * np.log(ratio)).sum()))


def overlap(model: SCM, *given: str) -> float:
    """The least P(action | context, given) in a row of the log, over all actions and all that is
    seen of the rest.
    """
    joint = rows(model, (*model.contexts, *given, model.action))
    policy = conditional(joint.reshape(-1, joint.shape[-1]))
    return float(np.nanmin(policy))


def by_context(model: SCM, joint: Array) -> Floats:
    """(C, A, rest) of a table with the axes contexts, action, rest."""
    split = len(model.contexts)
    return np.asarray(joint.reshape(int(np.prod(joint.shape[:split])), joint.shape[split], -1))

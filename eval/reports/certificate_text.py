"""A certificate in words: a line for each fact, with its number."""

from collections.abc import Iterator
from itertools import product

import numpy as np

from dosuite.causal import Array, NotDiscreteError, TooLargeError, World
from dosuite.causal.exact import confounders
from dosuite.causal.identification import ActionEffect, Answer
from dosuite.causal.world import Certificate, Confounding, Promise
from dosuite.causal.world.intervals import Intervals

MOST_SHOWN = 4  # intervals
MOST_CONTEXTS = 8  # of a policy
NOTHING = 5e-10  # a number that is rounding

MOST_NAMED = 3  # confounders

Line = tuple[str, str]  # what it is about, and what is so


def origin(model: World) -> str:
    """What confounds in a world:

    hidden common causes of action and reward by name, logged ones, or what else it is.
    """
    names = confounders(model)
    if names:
        logged = [
            name + " (in the log)" * (model.variables[name].role == "logged")
            for name in names[:MOST_NAMED]
        ]
        return ", ".join([*logged, *["..."] * (len(names) > MOST_NAMED)])
    if model.names("selection"):
        return "selection"
    try:
        asked = ActionEffect.of(model)
        open_path = not asked.graph.cut(out_of={asked.x}).separated(
            asked.x, asked.y, (*asked.z, *asked.survived)
        )
    except (NotDiscreteError, TooLargeError):
        return ""
    return "a collider" if open_path else "nothing"


def lines(model: World, found: Certificate) -> Iterator[Line]:
    """What a certificate says of its model."""
    if found.confounding is not None:
        yield "confounded", _confounded(found.confounding)
        told = f"tell {found.confounding.information:.4f} nats of {model.action} beyond the context (mutual information)"
        yield "hidden causes", told
    if found.overlap is not None:
        yield "overlap", _overlap(found)
    yield (
        "formula",
        ("" if model.horizon == 1 else "for one step, ")
        + _formula(found.answer, found.identified, model),
    )
    if found.intervals is not None:
        yield "effect", _effect(model, found.intervals)
    if found.best is not None:
        yield "best plan", f"earns {_interval(*found.best)} in an episode"
    if found.maximin is not None:
        yield "guarantee", _promise(model, found.maximin, "is sure of")
    if found.minimax_regret is not None and found.minimax_regret.value > NOTHING:
        yield (
            "regret",
            _promise(model, found.minimax_regret, "falls short of the best policy by at most"),
        )
    if found.confused_regret is not None:
        yield (
            "confused",
            f"the confused policy falls short of the best by at most {found.confused_regret:.4f}",
        )
    yield from (("note", note) for note in found.notes)


def _confounded(found: Confounding) -> str:
    unseen = (
        f"; {found.unseen} of the {found.pairs} pairs of context and action never occur"
        if found.unseen
        else ""
    )
    if found.largest <= NOTHING:
        return (
            f"not in what the log shows: there seeing is doing{unseen}"
            if unseen
            else "no: seeing is doing"
        )
    return f"yes: doing differs from seeing by {found.mean:.4f} on average, {found.largest:.4f} at most (total variation){unseen}"


def _overlap(found: Certificate) -> str:
    seen = f"every action has probability {found.overlap:.4f} or more in its context"
    return (
        seen
        if found.adjusted_overlap is None
        else f"{seen}, and {found.adjusted_overlap:.4f} or more given what to adjust for"
    )


def _formula(answer: Answer, identified: bool | None, model: World) -> str:
    """What the graph says, and whether the log has the rows for it."""
    if answer.hedge is not None:
        outer, inner = (
            ", ".join(n for n in forest.nodes if "[" not in n)
            for forest in (answer.hedge.outer, answer.hedge.inner)
        )
        return f"none: hidden causes tie {outer} together (a hedge around {inner})"
    if not answer.estimands:
        return (
            "none was found in the rows that are recorded"
            if model.names("selection")
            else "none was found"
        )
    lacking = {
        True: "",
        False: "; but the log lacks rows that it needs",
        None: "; whether the log has the rows for it is not known",
    }
    return f"{_method(answer)}: {answer.estimands[0]}{lacking[identified]}"


def _method(answer: Answer) -> str:
    if answer.sets == ((),):
        return "nothing needed"
    if answer.sets:
        return f"adjust for {' or for '.join(', '.join(chosen) for chosen in answer.sets)}"
    names = {"seeing": "nothing needed", "back-door": "adjust", "front-door": "front door"}
    return names.get(answer.estimands[0].method, "beyond back door and front door")


def _effect(model: World, found: Intervals) -> str:
    """The bounds on the effect of every action in every context, or their width."""
    name = f"E({model.reward} | do({model.action}){', context' if model.contexts else ''})"
    width = (
        ""
        if found.width <= NOTHING
        else f"; width up to {found.width:.4f}, {'sharp' if found.sharp else 'outer'}"
    )
    ends = [(c, a) for c, a in np.ndindex(found.low.shape) if not np.isnan(found.low[c, a])]
    if len(ends) > MOST_SHOWN:
        return f"{name} is {'known' if not width else 'bounded'} for {len(ends)} pairs of context and action{width}"
    where = [
        f"{model.action}={a}{context}"
        for context in _contexts(model)
        for a in range(found.low.shape[1])
    ]
    shown = [
        f"{_interval(float(found.low[c, a]), float(found.high[c, a]))} at "
        f"{where[c * found.low.shape[1] + a]}"
        for c, a in ends
    ]
    return f"{name} is {'; '.join(shown)}{width}"


def _contexts(model: World) -> list[str]:
    supports = [model.tables.support(name) for name in model.contexts]
    names = [
        [f", {name}={value:g}" for value in support]
        for name, support in zip(model.contexts, supports, strict=True)
    ]
    return ["".join(values) for values in product(*names)]


def _interval(low: float, high: float) -> str:
    return f"{low:.4f}" if high - low <= NOTHING else f"{low:.4f} to {high:.4f}"


def _promise(model: World, promise: Promise, claim: str) -> str:
    return f"{model.action} {_policy(promise.policy)} {claim} {promise.value:.4f}, and earns {promise.earned:.4f} here"


def _policy(policy: Array) -> str:
    """The action in each context, or the actions with their probabilities."""
    if len(policy) > MOST_CONTEXTS:
        return f"by a rule for {len(policy)} contexts"
    return " | ".join(_law(row) for row in policy)


def _law(row: Array) -> str:
    taken = np.flatnonzero(row >= 0.0005)
    return str(taken[0]) if len(taken) == 1 else " or ".join(f"{a} ({row[a]:.3f})" for a in taken)

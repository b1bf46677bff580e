"""A certificate in words: a line for each fact, with its number."""

from collections.abc import Iterator
from itertools import product

import numpy as np

from dosuite.causal import Array, NotDiscreteError, TooLargeError, World
from dosuite.causal.exact import confounders
from dosuite.causal.identification.action_effect import ActionEffect, Answer
from dosuite.causal.world import Certificate, Confounding, Promise
from dosuite.causal.world.intervals import Intervals

from .rounding import number_text

MOST_INTERVALS = 4  # that are printed one by one
MOST_CONTEXTS = 8  # of a policy that is printed as a table
MOST_CONFOUNDERS = 3  # that are named
ROUNDING = 5e-10  # differences of at most this are rounding
NEGLIGIBLE_SHARE = 0.0005  # probabilities of an action below this are left out

Line = tuple[str, str]  # the subject, and the fact


def origin(model: World) -> str:
    """What confounds in a world.

    The hidden common causes of action and reward by name, marked if the log has them; or
    "selection", "a collider" or "nothing"; "" if that is not known.
    """
    names = confounders(model)
    if names:
        return ", ".join(_confounder_texts(model, names))
    if model.names("selection"):
        return "selection"
    try:
        question = ActionEffect.of(model)
        # without the action's own effects: is there another open path to the reward?
        graph = question.graph.cut(out_of={question.x})
        given = (*question.z, *question.survived)
        is_open = not graph.separated(question.x, question.y, given)
    except (NotDiscreteError, TooLargeError):
        return ""
    return "a collider" if is_open else "nothing"


def _confounder_texts(model: World, names: tuple[str, ...]) -> list[str]:
    texts = []
    for name in names[:MOST_CONFOUNDERS]:
        is_logged = model.variables[name].role == "logged"
        texts.append(f"{name} (in the log)" if is_logged else name)
    if len(names) > MOST_CONFOUNDERS:
        texts.append("...")
    return texts


def lines(model: World, certificate: Certificate) -> Iterator[Line]:
    """The facts of a certificate about its model."""
    if certificate.confounding is not None:
        yield "confounded", _confounded(certificate.confounding)
        nats = certificate.confounding.information
        yield (
            "hidden causes",
            f"tell {_number(nats)} nats of {model.action} beyond the context (mutual information)",
        )
    if certificate.overlap is not None:
        yield "overlap", _overlap(certificate)
    scope = "" if model.horizon == 1 else "for one step, "
    yield "formula", scope + _formula(certificate.answer, certificate.identified, model)
    if certificate.intervals is not None:
        yield "effect", _effect(model, certificate.intervals)
    yield from _promises(model, certificate)
    for note in certificate.notes:
        yield "note", note


def _promises(model: World, certificate: Certificate) -> Iterator[Line]:
    """What policies are worth, as far as the log tells."""
    if certificate.best is not None:
        yield "best plan", f"earns {_interval(*certificate.best)} in an episode"
    if certificate.maximin is not None:
        yield "guarantee", _promise(model, certificate.maximin, "guarantees at least")
    minimax = certificate.minimax_regret
    if minimax is not None and minimax.value > ROUNDING:
        claim = "falls short of the best policy by at most"
        yield "regret", _promise(model, minimax, claim)
    if certificate.confused_regret is not None:
        yield (
            "confused",
            "the confused policy falls short of the best by at most "
            f"{_number(certificate.confused_regret)}",
        )


def _confounded(confounding: Confounding) -> str:
    unseen = ""
    if confounding.unseen:
        unseen = (
            f"; {confounding.unseen} of the {confounding.pairs} pairs of context and action never "
            "occur"
        )
    if confounding.largest > ROUNDING:
        return (
            f"yes: doing differs from seeing by {_number(confounding.mean)} on average, "
            f"{_number(confounding.largest)} at most (total variation){unseen}"
        )
    if unseen:
        return f"not in what the log shows: there seeing is doing{unseen}"
    return "no: seeing is doing"


def _overlap(certificate: Certificate) -> str:
    overlap = number_text(certificate.overlap or 0.0, 4)
    text = f"every action has probability {overlap} or more in its context"
    if certificate.adjusted_overlap is None:
        return text
    return f"{text}, and {_number(certificate.adjusted_overlap)} or more given what to adjust for"


def _formula(answer: Answer, identified: bool | None, model: World) -> str:
    """The formula that the graph gives, and whether the log has the rows that it needs."""
    if answer.hedge is not None:
        outer, inner = (
            ", ".join(name for name in forest.nodes if "[" not in name)
            for forest in (answer.hedge.outer, answer.hedge.inner)
        )
        return f"none: {outer} share hidden causes (a hedge around {inner})"
    if not answer.estimands:
        if model.names("selection"):
            return "none was found in the rows that are recorded"
        return "none was found"
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


def _effect(model: World, intervals: Intervals) -> str:
    """The bounds on the effect of every action in every context; if these are many, their width."""
    context = ", context" if model.contexts else ""
    name = f"E({model.reward} | do({model.action}){context})"
    width = ""
    if intervals.width > ROUNDING:
        kind = "sharp" if intervals.sharp else "outer"
        width = f"; width up to {_number(intervals.width)}, {kind}"
    known = [
        (c, a) for c, a in np.ndindex(intervals.low.shape) if not np.isnan(intervals.low[c, a])
    ]
    if len(known) > MOST_INTERVALS:
        verb = "bounded" if width else "known"
        return f"{name} is {verb} for {len(known)} pairs of context and action{width}"
    contexts = _contexts(model)
    texts = []
    for c, a in known:
        ends = _interval(float(intervals.low[c, a]), float(intervals.high[c, a]))
        texts.append(f"{ends} at {model.action}={a}{contexts[c]}")
    return f"{name} is {'; '.join(texts)}{width}"


def _contexts(model: World) -> list[str]:
    """Every context as a text, in the order of the rows: ", stones=1, age=0"."""
    texts = []
    for name in model.contexts:
        texts.append([f", {name}={value:g}" for value in model.tables.support(name)])
    return ["".join(values) for values in product(*texts)]


def _interval(low: float, high: float) -> str:
    return _number(low) if high - low <= ROUNDING else f"{_number(low)} to {_number(high)}"


def _promise(model: World, promise: Promise, claim: str) -> str:
    policy = _policy(promise.policy)
    return (
        f"{model.action} {policy} {claim} {_number(promise.value)}, and earns "
        f"{_number(promise.earned)} here"
    )


def _policy(policy: Array) -> str:
    """The action in each context, or the actions with their probabilities."""
    if len(policy) > MOST_CONTEXTS:
        return f"by a rule for {len(policy)} contexts"
    return " | ".join(_choice(row) for row in policy)


def _choice(probabilities: Array) -> str:
    taken = np.flatnonzero(probabilities >= NEGLIGIBLE_SHARE)
    if len(taken) == 1:
        return str(taken[0])
    return " or ".join(f"{a} ({number_text(probabilities[a], 3)})" for a in taken)


def _number(value: float) -> str:
    return number_text(value, 4)

"""Exact inference against pgmpy and pyAgrum: P(y | do(x)) for all x, which both sides must answer alike to 1e-12.

What each side keeps is kept warm, and no answer is kept. We keep the tables and the order of
summing. pgmpy's inference keeps the network alone. pyAgrum's keeps the junction tree and each
message that the new evidence does not change; its `causalImpact` keeps the causal model, and
identifies the effect each time."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np

from dosuite.causal import ADMG, World, effect, expectation, identify, parse_graph
from dosuite.envs.worlds.ice_cream import IceCreamShorts
from dosuite.envs.worlds.river import MarkovRiver

from .bayes_nets import alarm, import_pgmpy, import_pyagrum, in_pgmpy, in_pyagrum
from .timing import Curve, Row, Scale, Work

Query = tuple[
    Callable[[], Any], Callable[[Any], Any]
]  # a peer's question, and what turns its answer into an array (x, y)
Peer = Callable[[World, str, str], Query]  # of a model, an outcome and a treatment
Question = Callable[[], tuple[World, str, str]]


def _ice_cream() -> tuple[World, str, str]:
    return IceCreamShorts(), "pay", "ice_cream"


def _alarm() -> tuple[World, str, str]:
    """What the setting of the ventilator does to the blood pressure."""
    model = alarm(action="VENTMACH", reward="BP")
    return model, model.reward, model.action


def _sides(question: Question, peer: Peer, scale: Scale) -> tuple[Work, Work]:
    model, y, x = question()
    ask, read = peer(model, y, x)
    np.testing.assert_allclose(read(ask()), effect(model, y, x), rtol=0, atol=1e-12)
    return Work(partial(effect, model, y, x)), Work(ask)


def _pgmpy_causal(model: World, y: str, x: str) -> Query:
    """The documented way: a query for each value, adjusted for the causes of x."""
    inference, actions = (
        import_pgmpy().inference.CausalInference(in_pgmpy(model)),
        range(_size(model, x)),
    )

    def ask() -> list[Any]:
        return [inference.query([y], do={x: action}, show_progress=False) for action in actions]

    return ask, lambda answers: [answer.values for answer in answers]


def _pgmpy_at_once(model: World, y: str, x: str) -> Query:
    """The quickest way found: P(x, y) in the network in which x has no causes and is uniform."""
    inference = import_pgmpy().inference.VariableElimination(in_pgmpy(model, cut=x))
    return lambda: inference.query(
        [x, y], show_progress=False
    ), lambda answer: answer.values * _size(model, x)


def _pyagrum_causal(model: World, y: str, x: str) -> Query:
    """The documented way:

    the formula that do-calculus finds is evaluated for all values at once.
    """
    causal = import_pyagrum().causal
    known = causal.CausalModel(in_pyagrum(model))
    return lambda: causal.causalImpact(known, on=y, doing=x)[1], lambda answer: answer.reorganize(
        [y, x]
    ).toarray()


def _pyagrum_each(model: World, y: str, x: str) -> Query:
    """The quickest way found:

    evidence of x that is changed from value to value, where x has no causes.
    """
    inference, actions = (
        import_pyagrum().LazyPropagation(in_pyagrum(model, cut=x)),
        range(_size(model, x)),
    )
    inference.addTarget(y)
    inference.addEvidence(x, 0)

    def posterior(action: int) -> Any:
        inference.chgEvidence(x, action)
        inference.makeInference()
        return inference.posterior(y)

    def ask() -> list[Any]:
        return [posterior(action) for action in actions]

    return ask, lambda answers: [answer.toarray() for answer in answers]


def _size(model: World, name: str) -> int:
    return len(model.tables.support(name))


def _last_step(horizon: int) -> Work:
    river = replace(MarkovRiver(), horizon=horizon)
    return Work(partial(expectation, river, river.reward, step=horizon - 1))


def _do_last_step(horizon: int) -> Work:
    river = replace(MarkovRiver(), horizon=horizon)
    return Work(partial(effect, river, river.reward, river.action, step=horizon - 1))


def _identification(nodes: int) -> Work:
    """P(last | do(first)) in 30 random graphs, of two arrows and one bidirected edge for each node
    on average.
    """
    rng, names = np.random.default_rng(0), [f"v{i}" for i in range(nodes)]

    def draw() -> ADMG:
        pairs = list(combinations(names, 2))
        arrows, arcs = (rng.random(len(pairs)) < edges / (nodes - 1) for edges in (4.0, 2.0))
        texts = [f"{a} -> {b}" for (a, b), there in zip(pairs, arrows, strict=True) if there]
        texts += [f"{a} <-> {b}" for (a, b), there in zip(pairs, arcs, strict=True) if there]
        return parse_graph("; ".join([*names, *texts]))

    graphs = [draw() for _ in range(30)]
    return Work(lambda: [identify(graph, names[-1], names[0]) for graph in graphs], units=30)


ICE_CREAM, ALARM, ANSWERS = (
    "P(pay | do(ice_cream)), 4 variables",
    "P(BP | do(VENTMACH)), ALARM, 37 variables",
    "answers/s",
)
CAUSAL_QUERY, AT_ONCE = (
    "CausalInference.query for each value",
    "VariableElimination.query in the network without arrows into x",
)
EACH = "LazyPropagation for each value in the network without arrows into x"

ROWS = (
    Row(ICE_CREAM, CAUSAL_QUERY, 100, ANSWERS, "pgmpy", partial(_sides, _ice_cream, _pgmpy_causal)),
    Row(ICE_CREAM, AT_ONCE, None, ANSWERS, "pgmpy", partial(_sides, _ice_cream, _pgmpy_at_once)),
    Row(
        ICE_CREAM,
        "causalImpact",
        10,
        ANSWERS,
        "pyagrum",
        partial(_sides, _ice_cream, _pyagrum_causal),
    ),
    Row(ICE_CREAM, EACH, 10, ANSWERS, "pyagrum", partial(_sides, _ice_cream, _pyagrum_each)),
    Row(ALARM, CAUSAL_QUERY, 20, ANSWERS, "pgmpy", partial(_sides, _alarm, _pgmpy_causal)),
    Row(ALARM, AT_ONCE, None, ANSWERS, "pgmpy", partial(_sides, _alarm, _pgmpy_at_once)),
)

CURVES = (
    Curve("identifying an effect in a random graph", "nodes", (5, 10, 20, 30), _identification),
    Curve("E(toll) at the last step of MarkovRiver", "horizon", (10, 50, 100, 200), _last_step),
    Curve(
        "P(toll | do(paddle)) at the last step of MarkovRiver",
        "horizon",
        (10, 50, 100, 200),
        _do_last_step,
    ),
)

"""Exact inference, P(y | do(x)) for all x, against pgmpy and pyAgrum.

Both sides must agree to 1e-12. Each side keeps its compiled state between calls, but no answers: we
keep the tables and the elimination order; pgmpy keeps only the network; pyAgrum keeps the junction
tree and every message that new evidence does not change, and its `causalImpact` keeps the causal
model but identifies the effect in each call.
"""

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
from .timing import Comparison, Curve, Resize, Sides, Work

# a function that asks a peer, and one that turns its answer into an array (x, y)
Query = tuple[Callable[[], Any], Callable[[Any], Any]]
Peer = Callable[[World, str, str], Query]  # model, outcome, treatment -> query
Problem = Callable[[], tuple[World, str, str]]  # model, outcome, treatment


def _ice_cream() -> tuple[World, str, str]:
    return IceCreamShorts(), "pay", "ice_cream"


def _alarm() -> tuple[World, str, str]:
    """The effect of the ventilator's setting on the blood pressure."""
    model = alarm(action="VENTMACH", reward="BP")
    return model, model.reward, model.action


def _sides(problem: Problem, peer: Peer, resize: Resize) -> Sides:
    """Both sides of a problem. Raises AssertionError if they do not agree."""
    model, y, x = problem()
    ask, read = peer(model, y, x)
    np.testing.assert_allclose(read(ask()), effect(model, y, x), rtol=0, atol=1e-12)
    return Work(partial(effect, model, y, x)), Work(ask)


def _pgmpy_causal(model: World, y: str, x: str) -> Query:
    """pgmpy's documented way: a query for each value of x, adjusted for the causes of x."""
    inference = import_pgmpy().inference.CausalInference(in_pgmpy(model))
    actions = range(_size(model, x))

    def ask() -> list[Any]:
        return [inference.query([y], do={x: action}, show_progress=False) for action in actions]

    def read(answers: list[Any]) -> list[Any]:
        return [answer.values for answer in answers]

    return ask, read


def _pgmpy_at_once(model: World, y: str, x: str) -> Query:
    """The fastest way found in pgmpy: P(x, y) where x has no causes and is uniform."""
    inference = import_pgmpy().inference.VariableElimination(in_pgmpy(model, cut=x))

    def ask() -> Any:
        return inference.query([x, y], show_progress=False)

    def read(answer: Any) -> Any:
        return answer.values * _size(model, x)

    return ask, read


def _pyagrum_causal(model: World, y: str, x: str) -> Query:
    """pyAgrum's documented way: identify by do-calculus, evaluate for all values of x at once."""
    causal = import_pyagrum().causal
    known = causal.CausalModel(in_pyagrum(model))

    def ask() -> Any:
        return causal.causalImpact(known, on=y, doing=x)[1]

    def read(answer: Any) -> Any:
        return answer.reorganize([y, x]).toarray()

    return ask, read


def _pyagrum_each(model: World, y: str, x: str) -> Query:
    """The fastest way found in pyAgrum: change the evidence of x, which has no causes."""
    inference = import_pyagrum().LazyPropagation(in_pyagrum(model, cut=x))
    actions = range(_size(model, x))
    inference.addTarget(y)
    inference.addEvidence(x, 0)

    def posterior(action: int) -> Any:
        inference.chgEvidence(x, action)
        inference.makeInference()
        return inference.posterior(y)

    def ask() -> list[Any]:
        return [posterior(action) for action in actions]

    def read(answers: list[Any]) -> list[Any]:
        return [answer.toarray() for answer in answers]

    return ask, read


def _size(model: World, name: str) -> int:
    return len(model.tables.support(name))


def _last_step(horizon: int) -> Work:
    river = replace(MarkovRiver(), horizon=horizon)
    return Work(partial(expectation, river, river.reward, step=horizon - 1))


def _do_last_step(horizon: int) -> Work:
    river = replace(MarkovRiver(), horizon=horizon)
    return Work(partial(effect, river, river.reward, river.action, step=horizon - 1))


def _identification(nodes: int) -> Work:
    """P(last | do(first)) in 30 random graphs."""
    rng, names = np.random.default_rng(0), [f"v{i}" for i in range(nodes)]
    graphs = [_random_graph(names, rng) for _ in range(30)]
    return Work(lambda: [identify(graph, names[-1], names[0]) for graph in graphs], units=30)


def _random_graph(names: list[str], rng: np.random.Generator) -> ADMG:
    """On average two directed edges and one bidirected edge for each node."""
    pairs = list(combinations(names, 2))
    others = len(names) - 1
    directed = rng.random(len(pairs)) < 4.0 / others
    bidirected = rng.random(len(pairs)) < 2.0 / others
    texts = list(names)
    for edge, present in (("->", directed), ("<->", bidirected)):
        texts += [f"{a} {edge} {b}" for (a, b), there in zip(pairs, present, strict=True) if there]
    return parse_graph("; ".join(texts))


ICE_CREAM = "P(pay | do(ice_cream)), 4 variables"
ALARM = "P(BP | do(VENTMACH)), ALARM, 37 variables"
CAUSAL_QUERY = "CausalInference.query for each value"
AT_ONCE = "VariableElimination.query in the network without arrows into x"
EACH = "LazyPropagation for each value in the network without arrows into x"


def _inference(
    measured: str, against: str, target: float | None, package: str, problem: Problem, peer: Peer
) -> Comparison:
    sides = partial(_sides, problem, peer)
    return Comparison(measured, against, target, "answers/s", package, sides)


INFERENCE_COMPARISONS = (
    _inference(ICE_CREAM, CAUSAL_QUERY, 100, "pgmpy", _ice_cream, _pgmpy_causal),
    _inference(ICE_CREAM, AT_ONCE, None, "pgmpy", _ice_cream, _pgmpy_at_once),
    _inference(ICE_CREAM, "causalImpact", 10, "pyagrum", _ice_cream, _pyagrum_causal),
    _inference(ICE_CREAM, EACH, 10, "pyagrum", _ice_cream, _pyagrum_each),
    _inference(ALARM, CAUSAL_QUERY, 20, "pgmpy", _alarm, _pgmpy_causal),
    _inference(ALARM, AT_ONCE, None, "pgmpy", _alarm, _pgmpy_at_once),
)

HORIZONS = (10, 50, 100, 200)
INFERENCE_CURVES = (
    Curve("identifying an effect in a random graph", "nodes", (5, 10, 20, 30), _identification),
    Curve("E(toll) at the last step of MarkovRiver", "horizon", HORIZONS, _last_step),
    Curve(
        "P(toll | do(paddle)) at the last step of MarkovRiver", "horizon", HORIZONS, _do_last_step
    ),
)

"""Graphs on which identification is easily wrong, and independent libraries."""

from collections import Counter
from typing import Any

import networkx as nx
import numpy as np
import pytest
from graph_worlds import (
    EXACT,
    M_BIAS,
    NAPKIN,
    conditional,
    distance,
    known,
    napkin,
    random_world,
    unknown,
)
from identification_laws import check_hedge
from libraries import library

from dosuite.causal import (
    ADMG,
    Estimand,
    Factor,
    Hedge,
    identify,
    latent_projection,
)
from dosuite.causal.identification import TabularModel

# The traps.


def test_line_7_on_the_napkin() -> None:
    found = known(NAPKIN, "y", "x")
    assert (
        str(found) == "P(y | do(x)) = [Σ_w P(w) P(x, y | r, w)] / [Σ_w P(w) P(x | r, w)], for any r"
    )
    joint = napkin().law("wrxy")
    assert found.evaluate(joint).table[1] == pytest.approx([0.425, 0.650], abs=1e-12)
    seen = joint.table.sum((0, 1))
    assert seen[:, 1] / seen.sum(1) == pytest.approx([0.6356, 0.4556], abs=5e-5)


def test_a_conditional_query_is_identified_though_the_unconditional_one_is_not() -> None:
    graph = "x -> z; x <-> z; z -> y"
    unknown(graph, ["y", "z"], "x")
    assert str(known(graph, "y", "x", "z")) == "P(y | do(x), z) = P(y | z)"
    assert unknown(NAPKIN + "; x -> z; x <-> z", ["z"], "x").roots == ("z",)


def test_m_bias_is_identified_without_its_collider_and_not_given_it() -> None:
    assert str(known(M_BIAS, "y", "x")) == "P(y | do(x)) = P(y | x)"
    hedge = unknown(M_BIAS, "y", "x", "m")
    assert set(hedge.outer.nodes) == {"x", "m", "y"}
    check_hedge(hedge)


def test_treatments_and_outcomes_may_be_vectors_of_many_values() -> None:
    found = known("a -> x1 -> b -> x2 -> y1; a -> y1; b -> y2; a <-> b", ["y1", "y2"], ["x1", "x2"])
    rng = np.random.default_rng(0)
    sizes = dict(zip(("a", "x1", "b", "x2", "y1", "y2", "u"), (3, 4, 2, 3, 5, 2, 4), strict=True))
    causes = {
        "u": (),
        "a": ("u",),
        "x1": ("a",),
        "b": ("x1", "u"),
        "x2": ("b",),
        "y1": ("x2", "a"),
        "y2": ("b",),
    }
    world = TabularModel(
        {
            name: Factor(
                (*before, name),
                rng.dirichlet(np.ones(sizes[name]), tuple(sizes[cause] for cause in before)),
            )
            for name, before in causes.items()
        }
    )
    answer = found.evaluate(world.law(("a", "x1", "b", "x2", "y1", "y2")))
    assert answer.names == ("y1", "y2", "x1", "x2")
    assert distance(answer, conditional(world, answer.names[:2], answer.names[2:], ())) < EXACT


def test_an_outcome_that_is_an_ancestor_of_the_treatment_is_left_alone() -> None:
    assert str(known("y -> x; x <-> y", "y", "x")) == "P(y | do(x)) = P(y)"
    assert str(known("y -> w -> x; x <-> w", "y", "x", "w")) == "P(y | do(x), w) = P(y | w)"


def test_disconnected_graphs() -> None:
    assert str(known("x -> y; a -> b; x <-> y", "b", "x")) == "P(b | do(x)) = P(b)"
    assert (
        str(known("x -> y; a -> b", ["y", "b"], ["x", "a"]))
        == "P(y, b | do(x, a)) = P(y | x) P(b | a)"
    )
    assert unknown("x -> y; a -> b; x <-> y", ["y", "b"], "x").roots == ("y",)


def test_ties_in_the_order_of_the_variables_do_not_change_the_answer() -> None:
    rng = np.random.default_rng(3)
    statements = ["a -> x", "b -> x", "a -> y", "b -> y", "x -> m", "m -> y", "a <-> b", "x <-> y"]
    joint = Factor(tuple("abxmy"), rng.dirichlet(np.ones(32)).reshape([2] * 5))
    written = [rng.permutation(statements).tolist() for _ in range(10)]
    answers = [known("; ".join(order), "y", "x") for order in written]
    assert len({estimand.order for estimand in answers}) > 1
    values = [estimand.evaluate(joint).table for estimand in answers]
    assert max(abs(value - values[0]).max() for value in values) < EXACT


def test_a_latent_of_three_variables_is_more_than_a_pair() -> None:
    dag = nx.DiGraph([("u", "x"), ("u", "y"), ("u", "z"), ("x", "z"), ("z", "y")])
    assert isinstance(identify(latent_projection(dag, hidden="u"), "y", "x"), Hedge)
    dag.remove_edge("u", "z")
    assert isinstance(identify(latent_projection(dag, hidden="u"), "y", "x"), Estimand)


def test_names_may_contain_spaces() -> None:
    found = known(
        "heat of the day -> ice cream, shorts_; ice cream -> shorts_", "shorts_", "ice cream"
    )
    assert str(found) == (
        "P(shorts_ | do(ice cream)) = Σ_{heat of the day} P(heat of the day) "
        "P(shorts_ | ice cream, heat of the day)"
    )
    assert found.latex == (
        r"P(\text{shorts\_} \mid \mathrm{do}(\text{ice cream})) = "
        r"\sum_{\text{heat of the day}} P(\text{heat of the day}) "
        r"P(\text{shorts\_} \mid \text{ice cream}, \text{heat of the day})"
    )


# Independent libraries.

pyagrum, causal = library("pyagrum"), library("pyagrum.causal")


def bayes_net(graph: ADMG) -> Any:
    """Random mechanisms on the arrows of a graph:

    a law on which two estimands of one quantity agree.
    """
    net = pyagrum.BayesNet()
    for name in graph.nodes:
        net.add(pyagrum.LabelizedVariable(name, name, 2))
    for edge in sorted(graph.directed):
        net.addArc(*edge)
    net.generateCPTs()
    return net


def as_factor(tensor: Any) -> Factor:
    return Factor(
        tuple(reversed(tensor.names)), tensor.toarray()
    )  # pyAgrum's arrays are in reverse order


def test_identification_agrees_with_pyagrum() -> None:
    pyagrum.initRandom(1)
    verdicts: Counter[bool] = Counter()
    for seed in range(150):
        rng = np.random.default_rng(seed)
        graph, _ = random_world(rng)
        x, y, *rest = rng.permutation(graph.nodes).tolist()
        z = rest[: rng.integers(0, 2)]
        net = bayes_net(graph)
        confounded = causal.CausalModel(
            net, [(f"u{i}", list(pair)) for i, pair in enumerate(graph.bidirected)], True
        )
        _, theirs, _ = causal.causalImpact(
            confounded, on=y, doing=x, knowing=set(z), values=dict.fromkeys([x, *z], 1)
        )
        found = identify(graph, y, x, z)
        assert isinstance(found, Estimand) == (theirs is not None), (seed, str(graph), x, y, z)
        if isinstance(found, Estimand):
            ours = found.evaluate(
                [as_factor(net.cpt(name)) for name in graph.nodes], dict.fromkeys([x, *z], 1)
            ).table
            names, table = as_factor(theirs)
            assert np.moveaxis(table, names.index(y), -1) == pytest.approx(
                np.broadcast_to(ours, table.shape), abs=EXACT
            )
        verdicts[theirs is not None] += 1
    assert min(verdicts.values()) > 20


def test_a_library_that_answers_the_napkin_by_seeing_is_refuted() -> None:
    theirs = known("x -> y", "y", "x")
    assert str(theirs) == "P(y | do(x)) = P(y | x)"
    law = napkin().law("wrxy")
    assert (
        distance(known(NAPKIN, "y", "x").evaluate(law), conditional(napkin(), ("y",), ("x",), ()))
        < EXACT
    )
    assert distance(theirs.evaluate(law), conditional(napkin(), ("y",), ("x",), ())) > 0.19

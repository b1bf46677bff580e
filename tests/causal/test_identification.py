"""Identification:

every estimand is the truth, every hedge has two models that show it, and the known traps.
"""

from collections import Counter
from typing import Any

import networkx as nx
import numpy as np
import pytest
from countable import COUNTABLE
from graph_worlds import (
    EXACT,
    M_BIAS,
    NAPKIN,
    binary_world,
    conditional,
    distance,
    known,
    napkin,
    random_question,
    random_world,
    unknown,
    without_shortcut,
)
from libraries import library

from dosuite.causal import (
    ADMG,
    Estimand,
    Factor,
    Hedge,
    InputError,
    World,
    distribution,
    identify,
    latent_projection,
    parse_graph,
)
from dosuite.causal.graphs import is_adjustment_set
from dosuite.causal.identification import TabularModel, witness
from dosuite.causal.identification.formula import Probability, Set, product, shorten, total
from dosuite.causal.identification.witnesses import gap

GRAPHS, CHUNKS = 2000, 4
SPARSE = 400


# The laws.


def check_hedge(hedge: Hedge) -> None:
    """It is one by its definition, and two positive models with one log show it."""
    for forest in (hedge.outer, hedge.inner):
        assert len(forest.districts) == 1
        assert len(forest.bidirected) == len(forest.nodes) - 1
        children = Counter(cause for cause, _ in forest.directed)
        assert all(children[name] == (name not in hedge.roots) for name in forest.nodes)
    done = {*hedge.x, *hedge.exchanged}
    assert hedge.outer.directed <= hedge.graph.directed
    assert hedge.outer.bidirected <= hedge.graph.bidirected
    assert set(hedge.inner.nodes) < set(hedge.outer.nodes)
    assert done.isdisjoint(hedge.inner.nodes)
    assert done.intersection(hedge.outer.nodes)
    assert hedge.graph.cut(into=done).ancestors({*hedge.y, *hedge.z} - done).issuperset(hedge.roots)
    one, other = witness(hedge)
    law = one.law(hedge.graph.nodes)
    assert law.table.min() > 0
    assert distance(law, other.law(hedge.graph.nodes).table) < EXACT
    assert gap(hedge, one, other) > 1e-6


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_every_estimand_is_the_truth_and_every_hedge_has_two_models_that_show_it(
    chunk: int,
) -> None:
    seen: Counter[str] = Counter()
    for seed in range(chunk, GRAPHS, CHUNKS):
        rng = np.random.default_rng(seed)
        graph, world = random_world(rng)
        y, x, z = random_question(rng, graph)
        joint = world.law(graph.nodes)
        for given in ([], z) if z else ([],):
            found = identify(graph, y, x, given)
            if isinstance(found, Hedge):
                check_hedge(found)
            else:
                truth = conditional(world, found.y, found.x, found.z)
                assert distance(found.evaluate(joint), truth) < EXACT, (seed, str(found))
                assert distance(without_shortcut(found).evaluate(joint), truth) < EXACT, (
                    seed,
                    str(found),
                )
            seen[f"{type(found).__name__} {bool(given)}"] += 1
    assert min(seen.values()) > 20
    assert len(seen) == 4


def test_where_cells_are_empty_there_is_the_truth_or_an_error() -> None:
    answered = refused = 0
    for seed in range(SPARSE):
        rng = np.random.default_rng(seed)
        graph, world = random_world(rng, holes=rng.choice([0.1, 0.4]))
        found = identify(graph, *random_question(rng, graph))
        if isinstance(found, Hedge):
            continue
        joint, truth = world.law(graph.nodes), conditional(world, found.y, found.x, found.z)
        for index in np.ndindex(truth.shape[len(found.y) :]):
            expected = truth[(..., *index)]
            try:
                answer = found.evaluate(joint, dict(zip((*found.x, *found.z), index, strict=True)))
            except InputError:
                refused += 1
                continue
            assert np.isnan(expected).all() or distance(answer, expected) < EXACT, (
                seed,
                str(found),
                index,
            )
            answered += 1
    assert answered > refused > 0


def test_line_7_within_line_7() -> None:
    """Chains with many hidden common causes, of which the random graphs above have few."""
    names, depths = [f"v{i}" for i in range(9)], []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        arcs = [
            f"{a} <-> {b}"
            for i, a in enumerate(names)
            for b in names[i + 2 :]
            if rng.random() < 0.3
        ]
        graph = parse_graph("; ".join([" -> ".join(names), *arcs]))
        found = identify(graph, names[-1], names[-2])
        if (
            isinstance(found, Estimand)
            and (depth := str(without_shortcut(found)).count("] / [")) > 1
        ):
            world = binary_world(rng, graph)
            truth, joint = conditional(world, found.y, found.x, found.z), world.law(names)
            assert distance(found.evaluate(joint), truth) < EXACT, (seed, str(found))
            assert distance(without_shortcut(found).evaluate(joint), truth) < EXACT, (
                seed,
                str(found),
            )
            depths.append(depth)
    assert len(depths) > 20
    assert max(depths) > 4


def test_a_witness_is_carried_around_the_treatment() -> None:
    hedge = unknown("x1 -> r -> x2 -> y; r -> a -> b -> y; x1 <-> r", "y", ["x1", "x2"])
    check_hedge(hedge)


def test_a_sum_is_only_carried_out_where_the_graph_allows_it() -> None:
    through = total(
        "a", product([Probability(Set("a"), Set("b")), Probability(Set("c"), Set("a"))])
    )
    for text, shorter in (("b -> a -> c", True), ("b -> a -> c; b -> c", False)):
        graph = parse_graph(text)
        found = shorten(
            through,
            lambda a, b, given, graph=graph: not b or graph.separated(a, b, given),  # type: ignore[misc]
        )
        assert (found == Probability(Set("c"), Set("b"))) == shorter


def test_the_three_rules_of_do_calculus_hold() -> None:
    used: Counter[int] = Counter()
    for seed in range(300):
        rng = np.random.default_rng(seed)
        graph, world = random_world(rng)
        names = rng.permutation(graph.nodes).tolist()
        y, z, rest = (names[0],), (names[1],), names[2:]
        x, w = tuple(rest[: rng.integers(0, 2)]), tuple(rest[2 : rng.integers(2, 4)])
        cut, (far,) = graph.cut(into=x), (set(z) - graph.cut(into=x).ancestors(w),)
        done, seen, less = (
            conditional(world, y, x + z, w),
            conditional(world, y, x, z + w),
            conditional(world, y, x, w),
        )
        spread = less[(slice(None), *[slice(None)] * len(x), None)]  # an axis for z, after y and x
        if cut.separated(y, z, x + w):
            assert abs(seen - spread).max() < EXACT
            used[1] += 1
        else:
            assert abs(seen - spread).max() > 1e-12  # a random law is faithful
        if graph.cut(into=x, out_of=z).separated(y, z, x + w):
            assert abs(done - seen).max() < EXACT
            used[2] += 1
        if graph.cut(into=far.union(x)).separated(y, z, x + w):
            assert abs(done - spread).max() < EXACT
            used[3] += 1
    assert min(used.values()) > 50


def test_adjusting_gives_the_effect_exactly_where_the_criterion_says_so() -> None:
    verdicts: Counter[bool] = Counter()
    for seed in range(300):
        rng = np.random.default_rng(seed)
        graph, world = random_world(rng)
        y, *rest = rng.permutation(graph.nodes).tolist()
        x, rest = rest[: 1 + seed % 2], rest[1 + seed % 2 :]
        z = rest[: rng.integers(0, len(rest) + 1)]
        seen, prior = conditional(world, (y,), (), (*x, *z)), world.law(z).table if z else 1.0
        adjusted = (seen * prior).sum(tuple(range(1 + len(x), 1 + len(x) + len(z)))) if z else seen
        right = is_adjustment_set(graph, x, y, z)
        assert (abs(adjusted - conditional(world, (y,), tuple(x), ())).max() < EXACT) == right, (
            seed,
            x,
            y,
            z,
        )
        verdicts[right] += 1
    assert min(verdicts.values()) > 40


@pytest.mark.parametrize(
    ("text", "model"),
    [(t, m) for t, m in COUNTABLE.items() if m.horizon == 1 and not m.names("selection")],
)
def test_the_estimand_of_a_world_is_the_truth_by_its_own_engine(text: str, model: World) -> None:
    graph = latent_projection(model.graph)
    found = identify(graph, model.reward, model.action)
    if isinstance(found, Hedge):
        check_hedge(found)
        return
    law = [model.tables.factor(name, first=True) for name in model.order]
    if "NoOverlap" in text:
        with pytest.raises(InputError, match="empty cell"):
            found.evaluate(law)
        return
    answer = found.evaluate(law).table
    for index, act in enumerate(model.tables.support(model.action)):
        assert answer[:, index] == pytest.approx(
            distribution(model.do(**{model.action: act}), model.reward), abs=1e-12
        )


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
    assert (
        str(found)
        == "P(shorts_ | do(ice cream)) = Σ_{heat of the day} P(heat of the day) P(shorts_ | ice cream, heat of the day)"
    )
    assert found.latex == (
        r"P(\text{shorts\_} \mid \mathrm{do}(\text{ice cream})) = \sum_{\text{heat of the day}} "
        r"P(\text{heat of the day}) P(\text{shorts\_} \mid \text{ice cream}, \text{heat of the day})"
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

"""Identification: every estimand is the truth, every hedge has two models that show it, and the known traps."""

import importlib
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
from countable import COUNTABLE

from confoundry.causal import (
    ADMG,
    SCM,
    Array,
    Estimand,
    Factor,
    Hedge,
    InputError,
    Source,
    TabularModel,
    distribution,
    empirical,
    fuse,
    identify,
    is_adjustment_set,
    latent_projection,
    parse_graph,
    recover,
    reweighted,
    tables,
    witness,
)
from confoundry.causal.formula import Probability, Set, product, shorten, total
from confoundry.causal.witness import gap
from confoundry.envs import make_model

EXACT = 1e-9
GRAPHS, CHUNKS = 2000, 4
SPARSE = 400

FRONT_DOOR = "x -> z -> y; x <-> y"
NAPKIN = "w -> r -> x -> y; w <-> x; w <-> y"
M_BIAS = "x -> y; x <-> m; m <-> y"


def library(name: str) -> Any:
    """An independent library, or None where it is not installed. The import of some crashes where warnings are errors."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return importlib.import_module(name)
        except ImportError:
            return None


def random_world(rng: np.random.Generator, holes: float = 0.0) -> tuple[ADMG, TabularModel]:
    """A model of 3 to 6 variables of 2 or 3 values, with latents of 2 to 4 values that confound two or three of them.

    A share `holes` of the probabilities in its mechanisms is zero.
    """
    names = [f"v{i}" for i in range(rng.integers(3, 7))]
    density = rng.uniform(0.2, 0.7)
    dag: nx.DiGraph[str] = nx.DiGraph()
    dag.add_nodes_from(names, role="logged")
    dag.add_edges_from((a, b) for i, a in enumerate(names) for b in names[i + 1 :] if rng.random() < density)
    for i in range(rng.integers(0, len(names) + 1)):
        dag.add_node(f"u{i}", role="latent")
        dag.add_edges_from((f"u{i}", name) for name in rng.choice(names, size=rng.choice([2, 2, 2, 3]), replace=False).tolist())
    sizes = {name: int(rng.choice([2, 2, 2, 3]) if name in names else rng.integers(2, 5)) for name in dag}
    mechanisms = {}
    for name in dag:
        causes = tuple(dag.predecessors(name))
        law = rng.dirichlet(np.ones(sizes[name]), tuple(sizes[cause] for cause in causes))
        possible = rng.random(law.shape) >= holes
        possible[..., 0] |= ~possible.any(-1)
        mechanisms[name] = Factor((*causes, name), law * possible / (law * possible).sum(-1, keepdims=True))
    return latent_projection(dag), TabularModel(mechanisms)


def random_question(rng: np.random.Generator, graph: ADMG) -> tuple[list[str], list[str], list[str]]:
    """One or two outcomes, one or two treatments, and up to two conditions."""
    names = rng.permutation(graph.nodes).tolist()
    outcomes, treatments = (int(rng.choice([1, 1, 2])) if len(names) > 3 else 1 for _ in range(2))
    both = outcomes + treatments
    return names[:outcomes], names[outcomes:both], names[both : both + rng.choice([0, 1, 1, 2])]


def conditional(world: TabularModel, y: tuple[str, ...], x: tuple[str, ...], z: tuple[str, ...]) -> Array:
    """The truth P(y | do(x), z), axes y, x, z; NaN where z cannot be seen."""
    joint = world.law((*y, *z), x).table
    joint = np.moveaxis(joint, range(len(y), len(y) + len(z)), range(-len(z), 0)) if z else joint
    whole = joint.sum(tuple(range(len(y))), keepdims=True)
    return np.where(whole > 0, joint / np.where(whole > 0, whole, 1.0), np.nan)


def distance(one: Factor, other: Array) -> float:
    assert one.table.shape == other.shape
    return float(abs(one.table - other).max())


def without_shortcut(estimand: Estimand) -> Estimand:
    """What the algorithm alone gives."""
    return Estimand(estimand.y, estimand.x, estimand.z, estimand.longer, estimand.longer, estimand.order)


def known(graph: str, y: str | list[str], x: str | list[str], z: str | list[str] = ()) -> Estimand:  # type: ignore[assignment]
    found = identify(parse_graph(graph), y, x, z)
    assert isinstance(found, Estimand), found
    return found


def unknown(graph: str, y: str | list[str], x: str | list[str], z: str | list[str] = ()) -> Hedge:  # type: ignore[assignment]
    found = identify(parse_graph(graph), y, x, z)
    assert isinstance(found, Hedge), found
    return found


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
def test_every_estimand_is_the_truth_and_every_hedge_has_two_models_that_show_it(chunk: int) -> None:
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
                assert distance(without_shortcut(found).evaluate(joint), truth) < EXACT, (seed, str(found))
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
            assert np.isnan(expected).all() or distance(answer, expected) < EXACT, (seed, str(found), index)
            answered += 1
    assert answered > refused > 0


def test_line_7_within_line_7() -> None:
    """Chains with many hidden common causes, of which the random graphs above have few."""
    names, depths = [f"v{i}" for i in range(9)], []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        arcs = [f"{a} <-> {b}" for i, a in enumerate(names) for b in names[i + 2 :] if rng.random() < 0.3]
        graph = parse_graph("; ".join([" -> ".join(names), *arcs]))
        found = identify(graph, names[-1], names[-2])
        if isinstance(found, Estimand) and (depth := str(without_shortcut(found)).count("] / [")) > 1:
            world = binary_world(rng, graph)
            truth, joint = conditional(world, found.y, found.x, found.z), world.law(names)
            assert distance(found.evaluate(joint), truth) < EXACT, (seed, str(found))
            assert distance(without_shortcut(found).evaluate(joint), truth) < EXACT, (seed, str(found))
            depths.append(depth)
    assert len(depths) > 20
    assert max(depths) > 5


def binary_world(rng: np.random.Generator, graph: ADMG) -> TabularModel:
    """A random model of a graph, everything in it 0 or 1."""
    causes = {name: (*graph.dag.predecessors(name), name) for name in graph.dag}
    return TabularModel({name: Factor(axes, rng.dirichlet(np.ones(2), (2,) * (len(axes) - 1))) for name, axes in causes.items()})


def test_a_witness_is_carried_around_the_treatment() -> None:
    hedge = unknown("x1 -> r -> x2 -> y; r -> a -> b -> y; x1 <-> r", "y", ["x1", "x2"])
    check_hedge(hedge)


def test_a_sum_is_only_carried_out_where_the_graph_allows_it() -> None:
    through = total("a", product([Probability(Set("a"), Set("b")), Probability(Set("c"), Set("a"))]))
    for text, shorter in (("b -> a -> c", True), ("b -> a -> c; b -> c", False)):
        graph = parse_graph(text)
        found = shorten(through, lambda a, b, given, graph=graph: not b or graph.separated(a, b, given))  # type: ignore[misc]
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
        done, seen, less = conditional(world, y, x + z, w), conditional(world, y, x, z + w), conditional(world, y, x, w)
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
        assert (abs(adjusted - conditional(world, (y,), tuple(x), ())).max() < EXACT) == right, (seed, x, y, z)
        verdicts[right] += 1
    assert min(verdicts.values()) > 40


@pytest.mark.parametrize(("text", "model"), [(text, model) for text, model in COUNTABLE.items() if model.horizon == 1])
def test_the_estimand_of_a_world_is_the_truth_by_its_own_engine(text: str, model: SCM) -> None:
    graph = latent_projection(model.graph)
    found = identify(graph, model.reward, model.action)
    if isinstance(found, Hedge):
        check_hedge(found)
        return
    law = [tables(model).factor(name, first=True) for name in model.order]
    if "NoOverlap" in text:
        with pytest.raises(InputError, match="empty cell"):
            found.evaluate(law)
        return
    answer = found.evaluate(law).table
    for index, act in enumerate(tables(model).support(model.action)):
        assert answer[:, index] == pytest.approx(distribution(model.do(**{model.action: act}), model.reward), abs=1e-12)


# The traps.


def napkin(rng: np.random.Generator | None = None) -> TabularModel:
    """The napkin clinic: nothing that is compared, adjusted or not, is the effect."""
    coin, lean = np.full(2, 0.5), np.array([[0.9, 0.1], [0.1, 0.9]])
    xor = np.stack([lean, lean[::-1]])  # P(bit | a, b), mostly a xor b
    effect = np.array([[0.75, 0.10], [0.95, 0.35]])
    return TabularModel(
        {
            "u": Factor(("u",), coin),
            "v": Factor(("v",), coin),
            "w": Factor(("u", "v", "w"), xor),
            "r": Factor(("w", "r"), np.array([[0.95, 0.05], [0.05, 0.95]])),
            "x": Factor(("r", "u", "x"), np.array([[[0.95, 0.05], [0.05, 0.95]], [[0.05, 0.95], [0.95, 0.05]]])),
            "y": Factor(("x", "v", "y"), np.stack([1 - effect, effect], -1)),
        }
    )


def test_line_7_on_the_napkin() -> None:
    found = known(NAPKIN, "y", "x")
    assert str(found) == "P(y | do(x)) = [Σ_w P(w) P(x, y | r, w)] / [Σ_w P(w) P(x | r, w)], for any r"
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
    causes = {"u": (), "a": ("u",), "x1": ("a",), "b": ("x1", "u"), "x2": ("b",), "y1": ("x2", "a"), "y2": ("b",)}
    world = TabularModel(
        {
            name: Factor((*before, name), rng.dirichlet(np.ones(sizes[name]), tuple(sizes[cause] for cause in before)))
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
    assert str(known("x -> y; a -> b", ["y", "b"], ["x", "a"])) == "P(y, b | do(x, a)) = P(y | x) P(b | a)"
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
    found = known("heat of the day -> ice cream, shorts_; ice cream -> shorts_", "shorts_", "ice cream")
    assert str(found) == "P(shorts_ | do(ice cream)) = Σ_{heat of the day} P(heat of the day) P(shorts_ | ice cream, heat of the day)"
    assert found.latex == (
        r"P(\text{shorts\_} \mid \mathrm{do}(\text{ice cream})) = \sum_{\text{heat of the day}} "
        r"P(\text{heat of the day}) P(\text{shorts\_} \mid \text{ice cream}, \text{heat of the day})"
    )


# Empty cells.


def test_an_empty_cell_that_the_answer_depends_on_is_an_error_with_its_name() -> None:
    joint = np.array([[[0.1, 0.2], [0.0, 0.0]], [[0.1, 0.1], [0.3, 0.2]]])  # z, x, y: nobody with z = 0 is treated
    found = known("z -> x, y; x -> y", "y", "x")
    with pytest.raises(
        InputError, match=r"P\(y \| do\(x\)\) at value number x = 1 is unknown: .* empty cell where P\(y \| x, z\) is needed"
    ):
        found.evaluate(Factor(tuple("zxy"), joint))
    assert found.evaluate(Factor(tuple("zxy"), joint), {"x": 0}).table == pytest.approx([0.3 / 3 + 0.7 / 2, 0.3 * 2 / 3 + 0.7 / 2])


def test_an_empty_cell_that_does_not_matter_does_not() -> None:
    joint = np.array([[[0.2, 0.2], [0.1, 0.1]], [[0.1, 0.1], [0.1, 0.1]], [[0.0, 0.0], [0.0, 0.0]]])  # z is never 2
    assert known("z -> x, y; x -> y", "y", "x").evaluate(Factor(tuple("zxy"), joint)).table == pytest.approx(0.5)


def test_a_longer_formula_answers_where_the_shorter_one_meets_an_empty_cell() -> None:
    rng = np.random.default_rng(0)
    mechanisms = {name: rng.dirichlet(np.ones(2), (2,) * k) for name, k in (("z", 0), ("x", 1), ("m", 1), ("y", 2))}
    mechanisms["x"] = np.array([[1.0, 0.0], [0.4, 0.6]])  # where z = 0, nobody is treated
    axes = {"z": ("z",), "x": ("z", "x"), "m": ("x", "m"), "y": ("m", "z", "y")}
    world = TabularModel({name: Factor(axes[name], table) for name, table in mechanisms.items()})
    found = known("z -> x, y; x -> m -> y", "y", "x")
    assert found.method == "back-door"
    assert distance(found.evaluate(world.law("zxmy")), conditional(world, ("y",), ("x",), ())) < EXACT


def test_a_value_of_a_free_variable_that_has_empty_cells_is_not_used() -> None:
    joint = napkin().law("wrxy").table.copy()
    joint[0, 1] = 0.0  # where w = 0, r is never 1
    found = known(NAPKIN, "y", "x")
    given_0 = joint[:, 0] / joint[:, 0].sum((1, 2), keepdims=True)
    above = np.einsum("w,wxy->xy", joint.sum((1, 2, 3)), given_0)
    assert found.evaluate(Factor(tuple("wrxy"), joint)).table == pytest.approx((above / above.sum(1, keepdims=True)).T)


def test_round_off_is_an_empty_cell() -> None:
    joint = np.array([[[0.3, 0.2], [1e-17, 2e-17]], [[0.1, 0.1], [0.2, 0.1]]])
    with pytest.raises(InputError, match="empty cell"):
        known("z -> x, y; x -> y", "y", "x").evaluate(Factor(tuple("zxy"), joint))


def test_a_condition_that_cannot_be_seen_has_no_answer() -> None:
    found = known("x -> z; w -> z, y; x -> y; w <-> y", "y", "x", "z")
    w, x = np.full(2, 0.5), np.full(2, 0.5)
    z = np.zeros((2, 2, 2))
    z[..., 0] = 1.0  # z is never 1
    y = np.random.default_rng(0).dirichlet(np.ones(2), (2, 2))
    joint = np.einsum("w,x,wxz,wxy->wxzy", w, x, z, y)
    with pytest.raises(InputError, match="z = 1"):
        found.evaluate(Factor(tuple("wxzy"), joint))
    assert found.evaluate(Factor(tuple("wxzy"), joint), {"z": 0}).table.sum(0) == pytest.approx(1.0)


# Formulas, questions and logs.


@pytest.mark.parametrize(
    ("graph", "text", "method"),
    [
        ("x -> y", "P(y | x)", "seeing"),
        ("z -> x, y; x -> y", "Σ_z P(z) P(y | x, z)", "back-door"),
        ("z -> x, y; x -> m -> y", "Σ_z P(z) P(y | x, z)", "back-door"),
        ("z1 -> z2 -> x -> y; z1 -> y; z2 <-> z1", "Σ_z1 P(z1) P(y | x, z1)", "back-door"),
        (FRONT_DOOR, "Σ_z P(z | x) Σ_x' P(x') P(y | z, x')", "front-door"),
        ("x -> z1 -> z2 -> y; x <-> y", "Σ_z2 P(z2 | x) Σ_x' P(x') P(y | z2, x')", "front-door"),
        ("x -> z -> y; x <-> y; w -> x, z, y", "Σ_{w, z} P(w) P(z | x, w) Σ_x' P(x' | w) P(y | z, x', w)", "general"),
    ],
)
def test_an_estimand_is_the_back_door_or_the_front_door_formula_where_it_is_one(graph: str, text: str, method: str) -> None:
    found = known(graph, "y", "x")
    assert str(found) == f"P(y | do(x)) = {text}"
    assert found.method == method


def test_the_front_door_formula_in_latex() -> None:
    latex = known(FRONT_DOOR, "y", "x").latex
    assert latex == r"P(y \mid \mathrm{do}(x)) = \sum_{z} P(z \mid x) \sum_{x'} P(x') P(y \mid z, x')"
    assert r"\frac{\sum_{w} " in known(NAPKIN, "y", "x").latex


def test_a_hedge_is_written_as_a_proof() -> None:
    assert str(unknown("x -> y; x <-> y", "y", "x")).splitlines() == [
        "P(y | do(x)) is not identified. A hedge is the proof:",
        "  F  = {x -> y, x <-> y}",
        "  F' = {y}",
        "Both are c-forests with the roots y, and F' is without x.",
    ]
    exchanged = str(unknown("x -> y; x <-> y; z -> y", "y", "x", "z"))
    assert "It is P(y | do(x, z)), for z may be done as well as seen." in exchanged


def test_questions_that_are_not_ones_are_refused() -> None:
    graph = parse_graph(FRONT_DOOR)
    for y, x, z, what in (("y", "x", "x", "named twice"), ("q", "x", (), "not a variable"), ((), "x", (), "y is empty")):
        with pytest.raises(InputError, match=what):
            identify(graph, y, x, z)


def test_a_log_with_a_selection_is_not_taken_for_the_law() -> None:
    with pytest.raises(InputError, match="only rows with recorded = 1 are in the log"):
        identify(latent_projection(make_model(f"{Path(__file__).with_name('throwaway.py')}:Survivors").graph), "win", "bet")
    with pytest.raises(InputError, match="two of the laws P, P have one name"):
        fuse(parse_graph(FRONT_DOOR), "y", "x", [Source(), Source(done="x")])


def test_laws_that_do_not_fit_are_refused() -> None:
    found, joint = known(FRONT_DOOR, "y", "x"), Factor(tuple("xzy"), np.full((2, 2, 2), 0.125))
    with pytest.raises(InputError, match="the law P has no 'z', which the estimand needs; it has x, y"):
        found.evaluate(Factor(("x", "y"), np.full((2, 2), 0.25)))
    with pytest.raises(InputError, match="'z' cannot be held"):
        found.evaluate(joint, {"z": 0})
    with pytest.raises(InputError, match="x has the values number 0 to 1"):
        found.evaluate(joint, {"x": 2})


def test_an_estimand_is_evaluated_on_a_log() -> None:
    model = make_model("SimpsonClinic-v0")
    columns = model.sample(20_000, np.random.default_rng(0))
    found = identify(latent_projection(model.graph), "recovery", "treatment")
    assert isinstance(found, Estimand)
    answer = found.evaluate(empirical(columns, found.names)).table[1]
    z, x, y = (columns[name] for name in ("stratum", "treatment", "recovery"))
    by_hand = [sum((z == s).mean() * y[(z == s) & (x == a)].mean() for s in (0, 1)) for a in (0, 1)]
    assert answer == pytest.approx(by_hand, abs=1e-12)
    assert answer == pytest.approx([0.778875, 0.832546], abs=0.03)
    for wrong, what in ((["stratum", "treatmnt"], "did you mean 'treatment'"), (["empty"], "has no rows")):
        with pytest.raises(InputError, match=what):
            empirical({**columns, "empty": np.zeros(0)}, wrong)


# Published values.


@pytest.mark.parametrize(
    ("study", "effects"),
    [
        ("KidneyStones", (0.778875, 0.832546)),
        ("Berkeley", (0.429955, 0.387319)),
        ("Whickham", (0.740986, 0.696825)),
        ("CovidCFR", (0.972123, 0.980283)),
        ("NealCovid27", (0.806098, 0.870732)),
    ],
)
def test_the_published_tables_of_simpson(study: str, effects: tuple[float, float]) -> None:
    model = make_model(f"SimpsonClinic-v0:study={study}")
    found = identify(latent_projection(model.graph), "recovery", "treatment")
    assert isinstance(found, Estimand)
    law = Factor(found.names, distribution(model, *found.names))
    assert found.evaluate(law).table[1] == pytest.approx(effects, abs=1e-6)


def test_the_front_door_of_smoking_and_cancer() -> None:
    """Pearl, Causality (2009), table 3.1."""
    u, x = np.full(2, 0.5), np.array([[0.95, 0.05], [0.05, 0.95]])
    z, cancer = np.array([[0.95, 0.05], [0.05, 0.95]]), np.array([[0.055556, 0.944444], [0.005556, 0.894444]])
    axes = {"u": ("u",), "x": ("u", "x"), "z": ("x", "z"), "y": ("z", "u", "y")}
    laws = {"u": u, "x": x, "z": z, "y": np.stack([1 - cancer, cancer], -1)}
    world = TabularModel({name: Factor(axes[name], law) for name, law in laws.items()})
    found, joint = known(FRONT_DOOR, "y", "x"), world.law("xzy")
    assert found.evaluate(joint).table[1] == pytest.approx([0.4975, 0.4525], abs=1e-6)
    seen = joint.table.sum(1)
    assert seen[:, 1] / seen.sum(1) == pytest.approx([0.0975, 0.8525], abs=1e-6)
    no_tar = np.array([[0.95, 0.05], [0.95, 0.05]])  # smoking leaves no tar, and the two arms tie
    tie = found.evaluate(TabularModel({**world.tables, "z": Factor(("x", "z"), no_tar)}).law("xzy")).table
    assert tie[1, 0] == pytest.approx(tie[1, 1], abs=1e-15)


# Independent libraries.

pyagrum, causal, y0 = (library(name) for name in ("pyagrum", "pyagrum.causal", "y0.algorithm.identify"))


def bayes_net(graph: ADMG) -> Any:
    """Random mechanisms on the arrows of a graph: a law on which two estimands of one quantity agree."""
    net = pyagrum.BayesNet()
    for name in graph.nodes:
        net.add(pyagrum.LabelizedVariable(name, name, 2))
    for edge in sorted(graph.directed):
        net.addArc(*edge)
    net.generateCPTs()
    return net


def as_factor(tensor: Any) -> Factor:
    return Factor(tuple(reversed(tensor.names)), tensor.toarray())  # pyAgrum's arrays are in reverse order


def test_identification_agrees_with_pyagrum() -> None:
    pyagrum.initRandom(1)
    verdicts: Counter[bool] = Counter()
    for seed in range(150):
        rng = np.random.default_rng(seed)
        graph, _ = random_world(rng)
        x, y, *rest = rng.permutation(graph.nodes).tolist()
        z = rest[: rng.integers(0, 2)]
        net = bayes_net(graph)
        confounded = causal.CausalModel(net, [(f"u{i}", list(pair)) for i, pair in enumerate(graph.bidirected)], True)
        _, theirs, _ = causal.causalImpact(confounded, on=y, doing=x, knowing=set(z), values=dict.fromkeys([x, *z], 1))
        found = identify(graph, y, x, z)
        assert isinstance(found, Estimand) == (theirs is not None), (seed, str(graph), x, y, z)
        if isinstance(found, Estimand):
            ours = found.evaluate([as_factor(net.cpt(name)) for name in graph.nodes], dict.fromkeys([x, *z], 1)).table
            names, table = as_factor(theirs)
            assert np.moveaxis(table, names.index(y), -1) == pytest.approx(np.broadcast_to(ours, table.shape), abs=EXACT)
        verdicts[theirs is not None] += 1
    assert min(verdicts.values()) > 20


@pytest.mark.skipif(y0 is None, reason="y0 is not installed")
def test_y0_is_wrong_on_the_napkin() -> None:
    mixed, dsl = library("y0.graph").NxMixedGraph, library("y0.dsl")
    graph = mixed.from_str_edges(directed=[("W", "R"), ("R", "X"), ("X", "Y")], undirected=[("W", "X"), ("W", "Y")])
    assert str(y0.identify_outcomes(graph, dsl.X, dsl.Y)) == "P(Y | X)"  # which the clinic of the napkin refutes
    seen = napkin().law("xy").table
    assert abs(seen[:, 1] / seen.sum(1) - known(NAPKIN, "y", "x").evaluate(napkin().law("wrxy")).table[1]).max() > 0.19


# Several laws: surrogate experiments, other domains, recorded rows.


def test_an_effect_from_several_laws_is_the_truth() -> None:
    answered: Counter[str] = Counter()
    for seed in range(400):
        rng = np.random.default_rng(seed)
        graph, world = random_world(rng)
        y, x, z = random_question(rng, graph)
        sources, laws = [], {}
        for name in ("P", "Q", "R")[: rng.integers(1, 4)]:
            done = [other for other in graph.nodes if other not in y and rng.random() < 0.5]
            differs = [other for other in graph.nodes if rng.random() < 0.2]
            sources.append(Source(name, done, differs))
            there = TabularModel({**world.tables, **{other: elsewhere(rng, world.tables[other]) for other in differs}})
            laws[name] = there.law([other for other in graph.nodes if other not in done], done)
        found = fuse(graph, y, x, sources, z)
        if found is not None:
            assert distance(found.evaluate(laws), conditional(world, found.y, found.x, found.z)) < EXACT, (seed, str(found))
            answered["told" if isinstance(identify(graph, y, x, z), Estimand) else "told by several laws alone"] += 1
    assert min(answered.values()) > 15
    assert len(answered) == 2


def elsewhere(rng: np.random.Generator, mechanism: Factor) -> Factor:
    """The mechanism of the same variable in another domain."""
    return Factor(mechanism.names, rng.dirichlet(np.ones(mechanism.table.shape[-1]), mechanism.table.shape[:-1]))


def test_one_law_of_the_target_tells_what_identification_tells() -> None:
    for seed in range(200):
        rng = np.random.default_rng(seed)
        graph, _ = random_world(rng)
        y, x, z = random_question(rng, graph)
        assert (fuse(graph, y, x, [Source()], z) is not None) == isinstance(identify(graph, y, x, z), Estimand)
        assert fuse(graph, y, x, [Source("E", x)], z) is not None
        assert fuse(graph, y, x, [Source("E", x, differs=y)]) is None


@pytest.mark.parametrize(
    ("graph", "text"),
    [
        ("z -> x -> y; z <-> x; z <-> y", "E(y | do(z), x), for any z"),
        ("w -> z -> x -> y; w -> y; w <-> y; z <-> y; z <-> x", "Σ_w E(w | do(z)) E(y | do(z), x, w), for any z"),
        ("z -> x -> y; x <-> y", None),
        ("x -> z -> y; x <-> y; z <-> y", None),
        ("x -> z -> y; x <-> z; x <-> y", None),
    ],
)
def test_surrogate_experiments(graph: str, text: str | None) -> None:
    """Bareinboim and Pearl (2012): what an experiment on z tells of the effect of x."""
    unknown(graph, "y", "x")
    found = fuse(parse_graph(graph), "y", "x", [Source(), Source("E", "z")])
    assert found is None if text is None else str(found) == f"P(y | do(x)) = {text}"


def transport_clinic(shift: dict[str, Array]) -> TabularModel:
    """A treatment that helps where z = 0 and harms where z = 1, and the severity u that decides who is treated."""
    mean = np.array([[0.50, 0.40], [0.70, 0.15]])[..., None] + np.array([-0.15, 0.15])  # x, z, u
    laws = {
        "u": np.full(2, 0.5),
        "z": np.array([0.8, 0.2]),
        "x": np.array([[0.95, 0.05], [0.05, 0.95]]),
        "y": np.stack([1 - mean, mean], -1),
    }
    axes = {"u": ("u",), "z": ("z",), "x": ("u", "x"), "y": ("x", "z", "u", "y")}
    return TabularModel({name: Factor(axes[name], law) for name, law in (laws | shift).items()})


def test_an_experiment_is_transported_to_another_clinic() -> None:
    source, target = transport_clinic({}), transport_clinic({"z": np.array([0.25, 0.75])})
    graph, laws = parse_graph("z -> y; x -> y; x <-> y"), {"P": source.law("zy", "x"), "P*": target.law("zxy")}
    found = fuse(graph, "y", "x", [Source("P", done="x", differs="z"), Source("P*")])
    assert found is not None
    assert str(found) == "P(y | do(x)) = Σ_z P*(z) P(y | do(x), z)"
    assert found.evaluate(laws).table[1] == pytest.approx([0.425, 0.2875], abs=1e-12)
    assert conditional(source, ("y",), ("x",), ())[1] == pytest.approx([0.48, 0.59], abs=1e-12)
    seen = target.law("xy").table
    assert seen[:, 1] / seen.sum(1) == pytest.approx([0.29, 0.4225], abs=1e-12)
    assert fuse(graph, "y", "x", [Source("P", done="x", differs=["z", "y"]), Source("P*")]) is None


def test_a_mediator_that_differs_is_transported_and_an_outcome_is_not() -> None:
    graph = parse_graph("x -> w -> y; x -> y; x <-> y")
    found = fuse(graph, "y", "x", [Source("P", done="x", differs="w"), Source("P*")])
    assert str(found) == "P(y | do(x)) = Σ_w P*(w | x) P(y | do(x), w)"
    effect, w_source, w_target = np.array([[0.20, 0.60], [0.15, 0.65]]), np.array([0.2, 0.8]), np.array([0.3, 0.15])
    y, laws = np.stack([1 - effect, effect], -1), []
    for p in (w_source, w_target):
        laws.append(np.einsum("xw,xwy->xwy", np.stack([1 - p, p], -1), y) / 2)
    assert found is not None
    answer = found.evaluate({"P": Factor(tuple("xwy"), laws[0]), "P*": Factor(tuple("xwy"), laws[1])}).table[1]
    assert answer == pytest.approx([0.32, 0.225], abs=1e-12)
    assert fuse(graph, "y", "x", [Source("P", done="x", differs="y"), Source("P*")]) is None


def test_what_selection_hides_is_recovered_only_with_what_is_known_of_it() -> None:
    """The selection gate: who takes the risky arm is recorded if it pays."""
    graph, y = parse_graph("x -> y; x, y -> recorded"), np.array([[0.5, 0.5], [0.7, 0.3]])
    kept = np.array([[0.5, 0.5], [0.05, 0.90]])
    everyone = Factor(("x", "y"), y / 2)
    log = Factor(("x", "y"), everyone.table * kept)
    found = known("x -> y", "y", "x")
    assert found.evaluate(log).table[1] == pytest.approx([0.5, 0.8852], abs=1e-4)
    assert recover(graph, "y", "x", "recorded") is None
    assert found.evaluate(reweighted(log, Factor(("x", "y"), kept))).table[1] == pytest.approx([0.5, 0.3], abs=1e-12)
    twin = log.table / log.table.sum()  # a world in which everyone is recorded has the same log, and another effect
    assert twin[1, 1] / twin[1].sum() == pytest.approx(0.8852, abs=1e-4)
    for wrong, what in ((Factor(("x",), np.array([0.0, 1.0])), "never recorded"), (Factor(("s",), np.ones(2)), "no 's'")):
        with pytest.raises(InputError, match=what):
            reweighted(log, wrong)


def test_berkson() -> None:
    prior, kept = np.array([0.9, 0.1]), np.array([[0.01, 0.6], [0.6, 0.8]])
    log = Factor(("a", "b"), np.outer(prior, prior) * kept)
    assert log.table[:, 1] / log.table.sum(1) == pytest.approx([0.8696, 0.1290], abs=1e-4)
    assert reweighted(log, Factor(("a", "b"), kept)).table == pytest.approx(np.outer(prior, prior), abs=1e-12)


@pytest.mark.parametrize(
    ("graph", "population", "text"),
    [
        ("x -> y; x -> s", (), "P(y | x)"),
        ("x -> y; z -> x, y, s", (), None),
        ("x -> y; z -> x, y, s", "z", "Σ_z P*(z) P(y | x, z)"),
        ("z -> y, s; x -> y, s", "z", "Σ_z P*(z) P(y | x, z)"),
        ("x -> y; x, y -> s", ("x", "y"), "P*(y | x)"),
        ("x -> y; x <-> y; x -> s", (), None),
    ],
)
def test_selection_bias_is_recovered_from_where_it_can_be(graph: str, population: str | tuple[str, ...], text: str | None) -> None:
    found = recover(parse_graph(graph), "y", "x", "s", known=population)
    assert found is None if text is None else str(found) == f"P(y | do(x)) = {text}"


def test_what_is_recovered_from_the_recorded_rows_is_the_truth() -> None:
    recovered = 0
    for seed in range(400):
        rng = np.random.default_rng(seed)
        graph, world = random_world(rng)
        names = rng.permutation(graph.nodes).tolist()
        x, y, s = names[0], names[1], graph.nodes[-1]  # what nothing causes any more can be a selection
        if s in (x, y):
            continue
        population = names[2 : rng.integers(2, 4)]
        population = [name for name in population if name != s]
        found = recover(graph, y, x, s, known=population)
        if found is not None:
            everyone = world.law(graph.nodes).table
            laws = {"P": Factor(graph.nodes[:-1], everyone[..., 1]), "P*": Factor(graph.nodes[:-1], everyone.sum(-1))}
            assert distance(found.evaluate(laws), conditional(world, (y,), (x,), ())) < EXACT, (seed, str(found))
            recovered += 1
    assert recovered > 20


def test_a_selection_that_has_effects_is_not_recovered_from() -> None:
    for text in ("x -> s -> y", "x -> s -> m; m -> y", "x -> s -> y; x <-> y"):
        assert recover(parse_graph(text), "y", "x", "s", known=("x", "y")) is None

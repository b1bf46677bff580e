"""From a graph to a number: what `identify` and `evaluate` take, and what they refuse."""

from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from graph_worlds import EXACT, conditional, random_question, random_world

from dosuite.causal import (
    ADMG,
    Estimand,
    Factor,
    Hedge,
    InputError,
    adjustment_sets,
    identify,
    latent_projection,
    parse_graph,
)
from dosuite.causal.graphs import is_adjustment_set, unroll
from dosuite.causal.identification import Source, TabularModel, empirical, fuse, recover
from dosuite.envs import collect, make_model

Z, X, Y = 0, 1, 2
JOINT = np.array([[[0.20, 0.05], [0.10, 0.15]], [[0.02, 0.08], [0.10, 0.30]]])  # z, x, y
LAW = Factor(("z", "x", "y"), JOINT)
EFFECT = (JOINT[:, :, 1] / JOINT.sum(2) * JOINT.sum((1, 2))[:, None]).sum(0)  # P(y=1 | do(x))


def effect_of(graph: Any, *question: Any) -> Estimand:
    found = identify(graph, *question)
    assert isinstance(found, Estimand)
    return found


def back_door() -> Estimand:
    return effect_of(parse_graph("z -> x, y; x -> y"), "y", "x")


def message(what: Any) -> str:
    with pytest.raises(InputError) as error:
        what()
    text = str(error.value)
    assert "\n" not in text
    return text


# Graphs.


def test_a_model_its_graph_and_its_projection_are_one_graph() -> None:
    model = make_model("SimpsonClinic-v0")
    admg = latent_projection(model.graph)
    for graph in (model, model.graph, admg):
        assert str(effect_of(graph, "recovery", "treatment")) == (
            "P(recovery | do(treatment)) = Σ_stratum P(stratum) P(recovery | treatment, stratum)"
        )
        assert list(adjustment_sets(graph, "treatment", "recovery")) == [{"stratum"}]
        assert is_adjustment_set(graph, "treatment", "recovery", "stratum")
        assert fuse(graph, "recovery", "treatment", [Source()]) is not None
    hidden = make_model("IceCreamShorts-v0")
    assert isinstance(identify(hidden, hidden.reward, hidden.action), Hedge)


def test_a_digraph_without_roles_is_all_observed() -> None:
    dag = nx.DiGraph([("z", "x"), ("z", "y"), ("x", "y")])
    assert str(effect_of(dag, "y", "x")) == "P(y | do(x)) = Σ_z P(z) P(y | x, z)"
    dag.nodes["z"]["role"] = "latent"
    assert isinstance(identify(dag, "y", "x"), Hedge)
    dag.add_edge("x", "s")
    assert isinstance(recover(dag.subgraph("xys"), "y", "x", "s"), Estimand)


def test_nodes_that_are_numbers_are_named_by_them() -> None:
    found = effect_of(nx.DiGraph([(1, 2), (3, 1), (3, 2)]), "2", "1")
    assert str(found) == "P(2 | do(1)) = Σ_3 P(3) P(2 | 1, 3)"


def test_what_is_no_causal_graph_is_refused_in_one_line() -> None:
    model = make_model("IceCreamShorts-v0")
    for graph, text in (
        (nx.Graph([("x", "y")]), "undirected"),
        ("x y", "double quotes"),
        (type(model), "is a class"),
        (np.eye(2), "got ndarray"),
        (None, "got NoneType"),
        (nx.DiGraph([("x", "y"), ("y", "x")]), "cycle"),
        (nx.DiGraph([(1, "1")]), "one name as text"),
    ):
        assert text in message(lambda graph=graph: identify(graph, "y", "x"))
        assert text in message(lambda graph=graph: fuse(graph, "y", "x", [Source()]))
        assert text in message(lambda graph=graph: adjustment_sets(graph, "x", "y"))
        assert text in message(lambda graph=graph: recover(graph, "y", "x", "s"))


def test_a_model_of_several_steps_is_unrolled_first() -> None:
    graph = nx.DiGraph([("a", "y"), ("y_tm1", "a"), ("y_tm1", "y")])
    assert "unroll(graph, steps)" in message(lambda: identify(graph, "y", "a"))
    found = effect_of(unroll(graph, 3), "y[2]", "a[2]", "y[1]")
    assert str(found) == "P(y[2] | do(a[2]), y[1]) = P(y[2] | a[2], y[1])"


# Values and order.


def test_a_treatment_given_with_its_value_is_held_at_it() -> None:
    graph = parse_graph("z -> x, y; x -> y")
    for x in (0, 1):
        held = effect_of(graph, "y", {"x": x})
        assert str(held) == f"P(y | do(x={x})) = Σ_z P(z) P(y | x={x}, z)"
        names, table = held.evaluate(LAW)
        assert names == ("y",)
        assert table[1] == pytest.approx(EFFECT[x], abs=EXACT)
    assert effect_of(graph, "y", {"x": 1}).latex == (
        r"P(y \mid \mathrm{do}(x=1)) = \sum_{z} P(z) P(y \mid x=1, z)"
    )
    within = effect_of(graph, "y", "x", {"z": 1})
    assert within.evaluate(LAW).table[1] == pytest.approx(
        (JOINT[1] / JOINT[1].sum(1)[:, None])[:, 1]
    )
    both = effect_of(graph, "y", {"x": 1}, {"z": 1})
    assert both.evaluate(LAW).names == ("y",)
    assert "without values" in message(lambda: identify(graph, {"y": 1}, "x"))
    assert "values number 0 to 1" in message(lambda: effect_of(graph, "y", {"x": 2}).evaluate(LAW))


def test_a_sum_over_a_treatment_that_is_held_has_a_prime() -> None:
    found = effect_of(parse_graph("x -> m -> y; x <-> y"), "y", {"x": 1})
    assert str(found) == "P(y | do(x=1)) = Σ_m P(m | x=1) Σ_x' P(x') P(y | m, x')"


def test_axes_come_in_the_order_asked_for() -> None:
    for seed in range(60):
        rng = np.random.default_rng(seed)
        graph, world = random_world(rng)
        y, x, z = random_question(rng, graph)
        found = identify(graph, y, x, z)
        if isinstance(found, Estimand):
            answer = found.evaluate(world.law(graph.nodes))
            assert answer.names == (*y, *x, *z)
            truth = conditional(world, tuple(y), tuple(x), tuple(z))
            assert answer.table == pytest.approx(truth, abs=EXACT)
            backwards = effect_of(graph, y[::-1], x[::-1], z).evaluate(world.law(graph.nodes))
            assert backwards.names == (*y[::-1], *x[::-1], *z)


# Laws.


class Named:
    """An array with named dimensions, as xarray's."""

    def __init__(self, dims: tuple[str, ...], values: Any, coords: Any = None):
        self.dims, self.values, self.coords = dims, values, coords or {}


def data(n: int = 400) -> dict[str, np.ndarray[Any, Any]]:
    rng = np.random.default_rng(0)
    cells = rng.choice(8, size=n, p=JOINT.ravel())
    z, x, y = np.unravel_index(cells, (2, 2, 2))
    return {"z": z, "x": x, "y": y}


def test_every_kind_of_law_gives_the_same_number() -> None:
    found, columns = back_door(), data()
    expected = found.evaluate(empirical(columns, ["z", "x", "y"])).table
    counts = np.zeros((2, 2, 2), dtype=int)
    np.add.at(counts, (columns["z"], columns["x"], columns["y"]), 1)
    for law in (
        columns,
        {name: column.tolist() for name, column in columns.items()},
        pd.DataFrame(columns),
        pd.DataFrame(columns).astype("Int64"),
        pd.DataFrame(columns).astype(object),
        Factor(("z", "x", "y"), counts),
        Factor(("y", "z", "x"), np.moveaxis(counts, 2, 0).tolist()),  # type: ignore[arg-type]
        Named(("x", "z", "y"), counts.swapaxes(0, 1) / len(columns["z"])),
        {"P": pd.DataFrame(columns)},
    ):
        assert found.evaluate(law).table == pytest.approx(expected, abs=1e-12)


def test_values_are_those_of_the_data() -> None:
    columns: dict[str, Any] = data()
    expected = back_door().evaluate(columns).table
    words = {**columns, "x": np.array(["new", "old"])[columns["x"]], "z": columns["z"] * 2.5}
    graph = parse_graph("z -> x, y; x -> y")
    for law in (words, pd.DataFrame(words)):
        old = effect_of(graph, "y", {"x": "old"}).evaluate(law)
        assert old.table == pytest.approx(expected[:, 1])
        assert "x has the values new, old" in message(
            lambda law=law: effect_of(graph, "y", {"x": "odl"}).evaluate(law)
        )
    labelled = Named(("z", "x", "y"), JOINT, {"x": np.array([10, 20])})
    assert effect_of(graph, "y", {"x": 20}).evaluate(labelled).table[1] == pytest.approx(EFFECT[1])


def test_two_data_sets_share_their_values() -> None:
    """In the one nobody is treated with 1; its axis has that value all the same."""
    graph = parse_graph("z -> y; x -> y; x <-> y")
    found = fuse(graph, "y", "x", [Source("E", done="x", differs="z"), Source("P")])
    assert found is not None
    trial, columns = data(), data()
    target = {name: column[columns["x"] == 0] for name, column in columns.items()}
    answer = found.evaluate({"E": trial, "P": target}).table
    p, e = (
        empirical(target, "z").table,
        empirical(trial, ["x", "z", "y"]).table,
    )
    assert answer == pytest.approx(np.einsum("z,xzy->yx", p, e / e.sum(2, keepdims=True)))


def test_an_estimand_of_a_model_is_evaluated_on_its_log() -> None:
    model = make_model("SimpsonClinic-v0")
    found = effect_of(model, "recovery", "treatment")
    log = collect(model, 20_000, seed=1)
    answer = found.evaluate(log).table[1]
    assert answer == pytest.approx([0.778875, 0.832546], abs=0.03)
    assert answer == pytest.approx(found.evaluate(log.view(np.random.default_rng(0))).table[1])


@pytest.mark.parametrize(
    ("law", "text"),
    [
        (Factor(("z", "x", "y"), JOINT - 0.03), "-0.01 at z=1, x=0, y=0"),
        (Factor(("z", "x", "y"), np.where(JOINT == 0.05, np.nan, JOINT)), "nan at z=0, x=0, y=1"),
        (Factor(("z", "x", "y"), np.where(JOINT == 0.05, np.inf, JOINT)), "inf at z=0, x=0, y=1"),
        (Factor(("z", "x", "y"), JOINT * 0.9), "sums to 0.9"),
        (Factor(("z", "x", "y"), JOINT / JOINT.sum(2, keepdims=True)), "sums to 4"),
        (Named(("z", "x", "y"), -JOINT, {"z": ["a", "b"]}), "-0.2 at z=a, x=0, y=0"),
        (Factor(("z", "x"), JOINT), "2 names and 3 axes"),
        (Factor(("z", "x", "x"), JOINT), "two axes of one name"),
        (Factor(("z", "x"), JOINT.sum(2)), "has no 'y'"),
        (JOINT, "name them, as in Factor(('x', 'y'), array)"),
        (JOINT.tolist(), "name them"),
        (None, "got NoneType"),
        ({"z": [0, 1], "x": [0, 1]}, "no column 'y'"),
        ({"z": [0, 1], "x": [0, 1], "y": [0, None]}, "missing in row 1"),
        ({"z": [0, 1], "x": [0, 1], "y": 1}, "single value"),
    ],
)
def test_what_is_no_law_is_refused_with_its_cell(law: Any, text: str) -> None:
    assert text in message(lambda: back_door().evaluate(law))


def test_an_experiment_sums_to_one_for_each_value_of_what_was_done() -> None:
    graph = parse_graph("z -> y; x -> y; x <-> y")
    found = fuse(graph, "y", "x", [Source("E", done="x")])
    assert found is not None
    given = JOINT / JOINT.sum((0, 2), keepdims=True)
    expected = given.sum(0).T
    for table in (given, JOINT):
        law = {"E": Factor(("z", "x", "y"), table)}
        assert found.evaluate(law).table == pytest.approx(expected)
    given[:, 1] /= 2
    law = {"E": Factor(("z", "x", "y"), given)}
    assert "the law E sums to 0.5 at x=1" in message(lambda: found.evaluate(law))


# Sources in which not all was measured.


def test_a_formula_that_needs_what_was_not_measured_is_not_offered() -> None:
    graph = parse_graph("z -> x, y; x -> y")
    assert fuse(graph, "y", "x", [Source()]) is not None
    assert fuse(graph, "y", "x", [Source(measured=["x", "y"])]) is None
    elsewhere = Source("Q", differs="z", measured=["z", "x", "y"])
    found = fuse(graph, "y", "x", [Source("P", measured="z"), elsewhere])
    assert str(found) == "P(y | do(x)) = Σ_z P(z) Q(y | x, z)"
    assert "is not a variable" in message(
        lambda: fuse(graph, "y", "x", [Source(measured=["x", "w"])])
    )


def test_a_mediator_that_was_not_measured_is_summed_out() -> None:
    graph = parse_graph("x -> m -> y")
    found = fuse(graph, "y", "x", [Source(measured=["x", "y"])])
    assert str(found) == "P(y | do(x)) = P(y | x)"
    # but not where its mechanism is another one
    assert fuse(graph, "y", "x", [Source(differs="m", measured=["x", "y"])]) is None
    assert fuse(graph, "y", "x", [Source(done="m", measured=["x", "y"])]) is None


def other_mechanisms(
    rng: np.random.Generator, world: TabularModel, names: list[str]
) -> dict[str, Factor]:
    """Random mechanisms of some variables, with the same causes."""
    mechanisms = {}
    for name in names:
        axes, table = world.tables[name]
        law = rng.dirichlet(np.ones(table.shape[-1]), table.shape[:-1])
        mechanisms[name] = Factor(axes, law)
    return mechanisms


def test_what_is_fused_from_partial_laws_is_the_truth() -> None:
    formulas = 0
    for seed in range(800):
        rng = np.random.default_rng(seed)
        graph, world = random_world(rng)
        y, x, z = random_question(rng, graph)
        sources, laws = [], {}
        for name in ("P", "Q"):
            measured = [node for node in graph.nodes[1:] if rng.random() < 0.7] or ["v0"]
            done = [node for node in graph.nodes if node not in y and rng.random() < 0.2]
            differs = [node for node in graph.nodes if rng.random() < 0.15]
            sources.append(Source(name, done, differs, measured))
            domain = TabularModel({**world.tables, **other_mechanisms(rng, world, differs)})
            laws[name] = domain.law([node for node in measured if node not in done], done)
        found = fuse(graph, y, x, sources, z)
        if found is not None:
            truth = conditional(world, found.y, found.x, found.z)
            for name in (*found.x, *found.z):  # what no formula needs may not be in a law
                if all(name not in law.names for law in laws.values()):
                    break
            else:
                assert found.evaluate(laws).table == pytest.approx(truth, abs=EXACT), seed
                formulas += 1
    assert formulas > 50


def test_recovery_uses_only_what_was_recorded() -> None:
    graph = parse_graph("z -> x, y; x -> y; x -> s")
    assert recover(graph, "y", "x", "s") is None
    assert str(recover(graph, "y", "x", "s", known="z")) == ("P(y | do(x)) = Σ_z P*(z) P(y | x, z)")
    assert recover(graph, "y", "x", "s", known="z", measured=["x", "y"]) is None
    mediated = parse_graph("x -> m -> y; x -> s")
    assert str(recover(mediated, "y", "x", "s", measured=["x", "y"])) == "P(y | do(x)) = P(y | x)"


def test_a_factor_that_a_fraction_divides_by_cancels() -> None:
    text = "X -> Z1 -> Y; Z2 -> X, Z1, Z3; Z3 -> Y; X <-> Y; X <-> Z2; X <-> Z3; Y <-> Z2"
    assert str(effect_of(parse_graph(text), "Y", "X")) == (
        "P(Y | do(X)) = Σ_{Z2, Z1} P(Z1 | X, Z2) Σ_{X', Z3} P(Z2, X', Z3) P(Y | Z3, Z1, X', Z2)"
    )


# The README's way from a formula to a number.


def test_the_way_of_the_readme(capsys: pytest.CaptureFixture[str]) -> None:
    trial = pd.DataFrame(
        {"age": [0, 0, 0, 1, 1, 1], "drug": [0, 1, 1, 0, 0, 1], "cured": [0, 1, 0, 0, 1, 1]}
    )
    effect = identify(parse_graph("age -> drug, cured; drug -> cured"), "cured", {"drug": 1})
    print(effect)
    assert isinstance(effect, Estimand)
    print(effect.evaluate(trial).table)
    assert capsys.readouterr().out.splitlines() == [
        "P(cured | do(drug=1)) = Σ_age P(age) P(cured | drug=1, age)",
        "[0.25 0.75]",
    ]


def test_projection_of_an_admg_is_itself() -> None:
    graph = parse_graph("x -> y; x <-> y")
    assert isinstance(graph, ADMG)
    assert identify(graph, "y", "x").graph is graph  # type: ignore[union-attr]

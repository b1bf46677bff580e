"""Graphs of networkx and pgmpy: any nodes, parallel edges, and the hidden ones they mark."""

from collections.abc import Callable
from typing import Any

import networkx as nx
import numpy as np
import pytest

from dosuite.causal import (
    ADMG,
    InputError,
    adjustment_sets,
    identify,
    latent_projection,
    parse_graph,
)
from dosuite.causal.graphs import (
    as_admg,
    as_dag,
    as_text,
    is_adjustment_set,
    is_markov,
    unroll,
    with_role,
)
from dosuite.causal.identification import back_door_set, instruments


@pytest.mark.parametrize("convert", [as_admg, latent_projection])
def test_nodes_can_be_anything(convert: "Callable[[Any], ADMG]") -> None:
    edges: list[tuple[Any, Any]] = [(1, 2), (frozenset("u"), 1), (("a", 3), 2), (1j, 2.5)]
    graph = convert(nx.DiGraph(edges))
    assert set(graph.nodes) == {"1", "2", "frozenset({'u'})", "a[3]", "1j", "2.5"}
    assert parse_graph(str(graph)) == graph
    assert latent_projection(nx.DiGraph([(1, 2), (3, 1), (3, 2)]), hidden="3") == parse_graph(
        "1 -> 2; 1 <-> 2"
    )


@pytest.mark.parametrize("convert", [as_admg, latent_projection])
def test_what_is_no_causal_graph_is_refused(convert: "Callable[[Any], ADMG]") -> None:
    assert convert(nx.MultiDiGraph([(1, 2), (1, 2)])) == parse_graph("1 -> 2")
    with pytest.raises(InputError, match="undirected"):
        convert(nx.Graph([(1, 2)]))
    with pytest.raises(InputError, match="cycle, so remove an arrow of it: 1 -> 1"):
        convert(nx.DiGraph([(1, 1)]))
    with pytest.raises(InputError, match="one name as text"):
        convert(nx.DiGraph([(1, "1")]))


CONFOUNDED = parse_graph("x -> y; x <-> y")


@pytest.mark.parametrize(
    "mark", [{"dir": "both"}, {"type": "<->"}, {"bidirected": True}, {"kind": "Bidirected"}]
)
def test_an_edge_that_is_marked_so_is_a_hidden_common_cause(mark: dict[str, object]) -> None:
    graph = nx.DiGraph([("x", "y")])
    graph.edges["x", "y"].update(mark)
    assert as_admg(graph) == parse_graph("x <-> y")


@pytest.mark.parametrize(
    ("of_node", "of_edge", "message"),
    [
        ({"style": "dashed"}, {}, "x is dashed; write latent=true"),
        ({"label": "hidden cause"}, {}, "has the label 'hidden cause'"),
        ({}, {"style": "bold,dotted"}, "is dotted; write <->"),
        ({}, {"type": "o->"}, "no causal arrow"),
        ({}, {"arrowhead": "none"}, "no causal arrow"),
    ],
)
def test_what_only_the_drawing_says_is_refused(
    of_node: dict[str, object], of_edge: dict[str, object], message: str
) -> None:
    graph = nx.DiGraph([("x", "y")])
    graph.nodes["x"].update(of_node)
    graph.edges["x", "y"].update(of_edge)
    with pytest.raises(InputError, match=message):
        as_admg(graph)


def test_a_query_takes_the_nodes_of_the_graph_as_they_are() -> None:
    cause: Any = [("a", 0)]  # in a list, since a pair alone could be two names
    effect: Any = [("b", 0)]
    graph: nx.DiGraph[Any] = nx.DiGraph([(*cause, *effect)])
    assert str(identify(graph, effect, cause)) == "P(b[0] | do(a[0])) = P(b[0] | a[0])"


def test_the_errors_of_a_sem_of_pgmpy_are_hidden_common_causes() -> None:
    class SEMGraph:  # with the attributes of pgmpy's class, which takes seconds to import
        graph = nx.DiGraph([("x", "y"), ("u", "x")])
        err_graph = nx.Graph([("x", "y")])
        latents = frozenset({"u"})

    assert as_admg(SEMGraph()) == CONFOUNDED


@pytest.mark.parametrize(
    "mark",
    [
        {"role": "latent"},
        {"role": "hidden"},
        {"latent": True},
        {"latent": None},
        {"Latent": True},
        {"is_latent": 1},
        {"type": "latent"},
        {"status": "Unobserved"},
        {"unobserved": 1},
        {"hidden": np.True_},
        {"observed": "no"},
        {"observed": '"no"'},
        {"observed": False},
        {"observed": "yes", "latent": "true"},
    ],
)
def test_hidden_nodes_stay_hidden(mark: dict[str, object]) -> None:
    graph = nx.DiGraph([("u", "x"), ("u", "y"), ("x", "y")])
    graph.nodes["u"].update(mark)
    for name in "xy":
        graph.nodes[name].update({"observed": "yes", "latent": 0, "label": name})
    assert as_admg(graph) == CONFOUNDED == latent_projection(graph)
    assert as_dag(graph).nodes["u"]["role"] == "latent"
    text = "\n".join(nx.generate_gml(nx.DiGraph(graph), stringizer=str))
    assert parse_graph(text) == CONFOUNDED


def test_edges_say_when_they_are_no_arrows() -> None:
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph([("x", "y")])
    graph.add_edge("y", "x", dir="both")
    assert as_admg(graph) == CONFOUNDED
    assert as_admg(nx.DiGraph([("y", "x", {"dir": "back"})])) == parse_graph("x -> y")
    for data in ({"dir": "none"}, {"type": "undirected"}):
        with pytest.raises(InputError, match="the edge of x and y has"):
            as_admg(nx.DiGraph([("x", "y", data)]))
    graph.nodes["x"]["latent"] = "maybe"
    with pytest.raises(InputError, match="the node x: latent='maybe' is neither yes nor no"):
        as_admg(graph)


class MixedGraph:
    """Shaped like y0's NxMixedGraph."""

    def __init__(self) -> None:
        self.directed = nx.DiGraph([("x", "y")])
        self.undirected = nx.Graph([("x", "y")])


class CausalGraph:
    """Shaped like DoWhy's CausalGraph."""

    def __init__(self) -> None:
        self._graph = nx.DiGraph([("u", "x"), ("u", "y"), ("x", "y")])
        nx.set_node_attributes(self._graph, {"u": "no", "x": "yes", "y": "yes"}, "observed")


class CausalModel:
    """Shaped like DoWhy's CausalModel."""

    def __init__(self) -> None:
        self._graph = CausalGraph()


class GraphicalModel:
    """Shaped like DoWhy's gcm.ProbabilisticCausalModel."""

    def __init__(self) -> None:
        self.graph = nx.DiGraph([("u", "x"), ("u", "y"), ("x", "y")])
        self.graph.nodes["u"]["hidden"] = True


@pytest.mark.parametrize("kind", [MixedGraph, CausalGraph, CausalModel, GraphicalModel])
def test_graphs_of_other_shapes_are_converted(kind: Any) -> None:
    assert as_admg(kind()) == CONFOUNDED
    assert "not identified" in str(identify(kind(), "y", "x"))


class Counterfactual:
    """Shaped like y0's CounterfactualVariable."""

    interventions = ("-x",)

    def __str__(self) -> str:
        return "y @ -x"


def test_a_graph_of_several_worlds_is_refused() -> None:
    graph: Any = MixedGraph()
    graph.directed.add_edge("x", Counterfactual())
    with pytest.raises(InputError, match="the counterfactual variable y @ -x"):
        as_admg(graph)


def test_graphs_of_y0() -> None:
    graphs = pytest.importorskip("y0.graph")
    graph = graphs.NxMixedGraph.from_str_edges(directed=[("x", "y")], undirected=[("x", "y")])
    assert as_admg(graph) == CONFOUNDED
    assert as_admg(graph.to_latent_variable_dag()) == CONFOUNDED
    dsl = pytest.importorskip("y0.dsl")
    worlds = graphs.NxMixedGraph.from_edges(directed=[(dsl.X, dsl.Y @ -dsl.X)])
    with pytest.raises(InputError, match="the counterfactual variable"):
        as_admg(worlds)


def test_graphs_of_dowhy() -> None:
    dowhy = pytest.importorskip("dowhy")
    pandas = pytest.importorskip("pandas")
    data = pandas.DataFrame({"x": [0, 1], "y": [0, 1]})
    dot = "digraph { u -> x; u -> y; x -> y }"
    gml = (
        'graph [directed 1 node [id "u" label "u"] node [id "x" label "x"] node [id "y" label "y"]'
    )
    gml += (
        ' edge [source "u" target "x"] edge [source "u" target "y"] edge [source "x" target "y"]]'
    )
    for text in (dot, gml):
        try:
            model = dowhy.CausalModel(data, "x", "y", graph=text)
        except ImportError:  # neither pygraphviz nor pydot
            continue
        assert as_admg(model) == CONFOUNDED == as_admg(model._graph)
    assert parse_graph(gml) == parse_graph("u -> x, y; x -> y")


def test_every_function_takes_every_graph() -> None:
    text = "digraph { x [role=action] y [role=reward] z [role=logged] z -> x; z -> y; x -> y }"
    dag = nx.DiGraph([("z", "x"), ("z", "y"), ("x", "y")])
    nx.set_node_attributes(dag, {"x": "action", "y": "reward", "z": "logged"}, "role")
    for graph in (text, parse_graph(text), dag):
        assert back_door_set(graph) == ("z",)
        assert with_role(graph, "logged") == ("z",)
        assert list(adjustment_sets(graph, "x", "y")) == [{"z"}]
        assert is_adjustment_set(graph, "x", "y", "z")
        assert latent_projection(graph, "z") == CONFOUNDED
        assert instruments(graph, "x", "y") == ()
        assert set(as_admg(unroll(graph, 2)).nodes) >= {"z[0]", "x[1]", "y[1]"}
        assert "action  x -> y" in as_text(graph)
        assert is_markov(graph)


@pytest.mark.parametrize(
    "ask",
    [
        back_door_set,
        is_markov,
        as_text,
        as_dag,
        as_admg,
        latent_projection,
        lambda graph: unroll(graph, 2),
        lambda graph: with_role(graph, "action"),
        lambda graph: identify(graph, "y", "x"),
        lambda graph: list(adjustment_sets(graph, "x", "y")),
        lambda graph: is_adjustment_set(graph, "x", "y", ()),
        lambda graph: instruments(graph, "x", "y"),
    ],
)
def test_what_is_no_graph_is_refused_everywhere(ask: "Callable[[Any], Any]") -> None:
    for graph, line in (
        (nx.Graph([("x", "y")]), "undirected"),
        (nx.MultiGraph([("x", "y")]), "undirected"),
        (np.eye(2), "got ndarray"),
        (None, "got NoneType"),
        (MixedGraph, "is a class"),
        ("x -- y", "cannot be read"),
    ):
        with pytest.raises(InputError, match=line):
            ask(graph)


def test_a_step_needs_an_action() -> None:
    for ask in (back_door_set, is_markov):
        with pytest.raises(InputError, match="0 nodes with the role action"):
            ask("x -> y")


def test_the_other_graphs_of_pgmpy() -> None:
    base = pytest.importorskip("pgmpy.base")
    mixed = base.ADMG([("x", "y")], [("x", "y")])
    assert as_admg(mixed) == CONFOUNDED
    partly = base.PDAG(directed_ebunch=[("x", "y")], undirected_ebunch=[("y", "z")])
    with pytest.raises(InputError, match="the edge of y and z is undirected"):
        as_admg(partly)


def test_latents_of_pgmpy_stay_hidden() -> None:
    base = pytest.importorskip("pgmpy.base")
    models = pytest.importorskip("pgmpy.models")
    for make in (base.DAG, models.DiscreteBayesianNetwork):
        graph = make([("u", "x"), ("u", "y"), ("x", "y")], latents={"u"})
        assert as_admg(graph) == parse_graph("x -> y; x <-> y")
        assert "not identified" in str(identify(graph, "y", "x"))
        assert as_admg(make([("u", "x")])) == parse_graph("u -> x")


@pytest.mark.parametrize("arcs", ["", "; v1 <-> v3"])
def test_a_long_chain_is_identified(arcs: str) -> None:
    names = [f"v{i}" for i in range(400)]
    graph = parse_graph(" -> ".join(names) + arcs)
    assert str(identify(graph, names[-1], names[0])) == "P(v399 | do(v0)) = P(v399 | v0)"


def test_many_arrows_are_read_at_once() -> None:
    left = ", ".join(f"a{i}" for i in range(300))
    right = ", ".join(f"b{i}" for i in range(300))
    graph = parse_graph(f"{left} -> {right}")
    assert len(graph.directed) == 90_000

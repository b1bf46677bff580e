"""Graphs of networkx and pgmpy: any nodes, parallel edges, and the hidden ones they mark."""

from collections.abc import Callable
from typing import Any

import networkx as nx
import pytest

from dosuite.causal import ADMG, InputError, identify, latent_projection, parse_graph
from dosuite.causal.graphs import as_admg


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

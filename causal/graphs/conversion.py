"""Conversion of graphs and names, used by every public function that takes a graph."""

from collections.abc import Iterable
from typing import Any, Protocol, TypeAlias

import networkx as nx

from ..errors import InputError
from .admg import ADMG, Names, latent_projection
from .step_graph import LAG


class HasGraph(Protocol):
    """A structural causal model, or anything else with a causal graph of one step."""

    @property
    def graph(self) -> "nx.DiGraph[str]":
        """The graph; its nodes have the attribute `role`."""
        ...


AnyGraph: TypeAlias = "ADMG | nx.DiGraph[Any] | HasGraph"


def as_admg(graph: AnyGraph) -> ADMG:
    """The ADMG of an ADMG, of a networkx DiGraph or of a model.

    Nodes of a DiGraph whose attribute `role` is "latent" are projected out, and so are the
    `latents` of a DAG or network of pgmpy; other nodes are observed. Nodes that are not text are
    named by `str`; the pairs (name, step) of `unroll` become name[step]. The graph of a model in
    which a variable depends on the step before has no ADMG: unroll it first. Raises InputError,
    also if the graph is undirected or cyclic.
    """
    if isinstance(graph, ADMG):
        return graph
    if isinstance(graph, type):
        raise InputError(f"{graph.__name__} is a class; give an instance, {graph.__name__}()")
    dag = graph if isinstance(graph, nx.Graph) else getattr(graph, "graph", None)
    if not isinstance(dag, nx.Graph):
        hint = "; parse_graph reads a graph from text" if isinstance(graph, str) else ""
        raise InputError(
            "a graph is an ADMG, a networkx DiGraph or a model, and got "
            f"{type(graph).__name__}{hint}"
        )
    if not dag.is_directed():
        raise InputError(
            "the graph is undirected; give a networkx DiGraph, whose edges go from cause to effect"
        )
    _refuse_lags(dag)
    return latent_projection(dag)


def as_names(names: Names) -> tuple[str, ...]:
    """One name or several, as a tuple in their order. Text is one name, never letters."""
    if isinstance(names, str):
        return (names,)
    if not isinstance(names, Iterable):
        return (str(names),)
    return tuple(str(name) for name in names)


def _refuse_lags(dag: "nx.Graph[Any]") -> None:
    for node in dag:
        if isinstance(node, str) and node.endswith(LAG):
            name = node.removesuffix(LAG)
            raise InputError(
                f"{node} is {name} one step earlier, so this is the graph of one step among "
                "several; answer(model) is about the action within a step, and unroll(graph, "
                f"steps) gives every step its own nodes, such as '{name}[1]'"
            )

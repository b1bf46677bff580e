"""Conversion of graphs and names, used by every public function that takes a graph.

A graph is an `ADMG`, a text, a graph of networkx, pgmpy, y0 or DoWhy, or a model."""

import re
from collections.abc import Collection
from itertools import combinations
from typing import Any, Protocol, TypeAlias, cast

import networkx as nx

from ..errors import InputError, did_you_mean
from .admg import ADMG, Pair, checked
from .braces import read
from .marks import arrow_of, role_of
from .names import LAG, Names, listed, text_name

# The text is a graph in GML: keys of the file, such as Version, come before the graph.
GML = re.compile(r'(?:\s*#[^\n]*\n|\s*\w+\s+(?:"[^"]*"|[\d.]+)\s)*\s*graph\s*\[', re.I)


class HasGraph(Protocol):
    """A structural causal model, or anything else with a causal graph of one step."""

    @property
    def graph(self) -> "nx.DiGraph[str]":
        """The graph; its nodes have the attribute `role`."""
        ...


class MixedGraph(Protocol):
    """A graph of y0: arrows in one graph, and hidden common causes in another."""

    @property
    def directed(self) -> "nx.DiGraph[Any]":
        """The arrows."""
        ...

    @property
    def undirected(self) -> "nx.Graph[Any]":
        """An edge for each pair with a hidden common cause."""
        ...


AnyGraph: TypeAlias = "ADMG | str | nx.DiGraph[Any] | HasGraph | MixedGraph"


def parse_graph(text: str) -> ADMG:
    """The graph that a text describes: in the notation of `ADMG`, in DOT (`digraph {...}`), in that
    of DAGitty (`dag {...}`), or in GML (`graph [...]`).

    A node with the attribute `latent`, or `observed=no`, is hidden and projected out; an edge of
    DOT with `dir=both` is <->. Of other attributes of DOT and DAGitty only those of the drawing are
    left out, and with them DAGitty's exposure, outcome and adjusted.

    Raises InputError with the line that is not understood, or if the graph has a cycle."""
    if not isinstance(text, str):
        raise InputError(f"parse_graph reads a text, and got {type(text).__name__}")
    text = text.removeprefix("\ufeff")  # which some editors put before a text
    if GML.match(text):
        return latent_projection(_from_gml(text))
    graph = read(text)
    admg = checked(tuple(graph.nodes), graph.directed, graph.bidirected, graph.roles)
    return latent_projection(admg.dag) if "latent" in graph.roles.values() else admg


def as_admg(graph: AnyGraph) -> ADMG:
    """The ADMG of any graph, over its observed variables.

    Nodes are named by `str`; the pairs (name, step) of `unroll` become name[step]. A node is hidden
    if its attribute `role` or `type` is "latent", if `latent`, `hidden` or `unobserved` is true or
    `observed` false, or if it is among the `latents` of a graph of pgmpy. The graph of a model in
    which a variable depends on the step before has no ADMG: unroll it first. Raises InputError,
    also if the graph is undirected, cyclic, or has counterfactual variables of y0."""
    if isinstance(graph, ADMG):
        return graph
    if isinstance(graph, str):
        return parse_graph(graph)
    dag = as_dag(graph)
    _refuse_lags(dag)
    return latent_projection(dag)


def as_dag(graph: AnyGraph) -> "nx.DiGraph[str]":
    """Any graph with named nodes that have a `role`, and a node of role latent for every <->.

    It reads the same marks as `as_admg`, but keeps hidden variables and those one step earlier.
    Raises InputError if the graph is undirected, or two nodes have one name."""
    if isinstance(graph, ADMG | str):
        return as_admg(graph).dag
    source = _networkx_graph(graph)
    if not source.is_directed():
        raise InputError(
            "the graph is undirected; give a networkx DiGraph, whose edges go from cause to effect "
            "(in GML: directed 1)"
        )
    undirected = [sorted(map(str, pair)) for pair in getattr(source, "undirected_edges", ())]
    if undirected:
        raise InputError(f"the edge of {' and '.join(min(undirected))} is undirected; direct it")
    for node in source:
        if getattr(node, "interventions", ()):  # of y0, as in the graph of several worlds at once
            raise InputError(
                f"the graph has the counterfactual variable {node}; give the graph of one world, "
                "without interventions"
            )
    labels = {node: text_name(node) for node in source}
    if len(set(labels.values())) < len(labels):
        raise InputError("two nodes of the graph have one name as text; rename one of them")

    dag: nx.DiGraph[str] = nx.DiGraph()
    latents = set(getattr(source, "latents", None) or ())
    for node, data in source.nodes(data=True):
        role = "latent" if node in latents else role_of(labels[node], data)
        dag.add_node(labels[node], **{**data, "role": role})
    arcs: dict[Pair, None] = {}
    for one, other, data in source.edges(data=True):
        cause, effect = labels[one], labels[other]
        arrow = arrow_of(cause, effect, data)
        if arrow == "<->":
            arcs[min(cause, effect), max(cause, effect)] = None
        else:
            dag.add_edge(*((cause, effect) if arrow == "->" else (effect, cause)))
    for pair in arcs:
        hidden = " <-> ".join(pair)
        while hidden in dag:
            hidden += " "
        dag.add_node(hidden, role="latent", arc=pair)
        dag.add_edges_from((hidden, name) for name in pair)
    return dag


def latent_projection(graph: AnyGraph, hidden: Names = ()) -> ADMG:
    """The ADMG of a causal graph over its observed variables: without those that `as_admg` takes
    for hidden, and without those in `hidden` (Tian and Pearl 2002, section 2).

    Raises InputError if the graph is undirected, has variables one step earlier (unroll it first),
    has a cycle, lacks a variable that is to be hidden, or has two nodes with one name."""
    dag = as_dag(graph)
    roles = {name: dag.nodes[name]["role"] for name in dag}
    projected_out = {text_name(node) for node in listed(hidden)}
    unknown = sorted(projected_out.difference(dag))
    if unknown:
        raise InputError(
            f"{unknown[0]!r} is hidden and not a variable of the graph; "
            f"{did_you_mean(unknown[0], dag)}"
        )
    projected_out |= {name for name, role in roles.items() if role == "latent"}
    lagged = [name for name in dag if name.endswith(LAG)]
    if lagged:
        raise InputError(
            f"{lagged[0]} is one step earlier; unroll(graph, steps) gives every step a node"
        )

    # An observed variable points to all that it reaches through hidden ones; a hidden variable
    # confounds every pair that it reaches in this way.
    observed = tuple(name for name in dag if name not in projected_out)
    directed: set[Pair] = set()
    bidirected: set[Pair] = set()
    for name in dag:
        effects = observed_effects(dag, name, projected_out)
        if name in projected_out:
            bidirected.update(combinations(effects, 2))
        else:
            directed.update((name, effect) for effect in effects)
    return checked(observed, directed, bidirected, roles)


def observed_effects(graph: "nx.DiGraph[str]", name: str, hidden: Collection[str]) -> list[str]:
    """The observed variables that a variable causes directly, or through hidden ones alone."""
    reached = dict.fromkeys(graph.successors(name))
    queue = list(reached)
    while queue:
        effect = queue.pop(0)
        if effect not in hidden:
            continue
        for further in graph.successors(effect):
            if further not in reached:
                reached[further] = None
                queue.append(further)
    return [effect for effect in reached if effect not in hidden]


def _networkx_graph(graph: Any) -> "nx.Graph[Any]":
    """The networkx graph of a graph of another library, or of a model."""
    if isinstance(graph, type):
        raise InputError(f"{graph.__name__} is a class; give an instance, {graph.__name__}()")
    source = graph
    errors = getattr(graph, "err_graph", None)
    if isinstance(errors, nx.Graph):  # of pgmpy's SEMGraph: covariances of errors
        mixed = _mixed(graph.graph, errors)
        mixed.add_nodes_from(graph.latents, latent=True)
        return mixed
    for _ in range(2):  # DoWhy: a CausalModel has a CausalGraph, and that a DiGraph
        if not isinstance(source, nx.Graph):
            source = getattr(source, "_graph", source)
    if not isinstance(source, nx.Graph):
        source = getattr(source, "graph", source)
    if isinstance(source, nx.Graph):
        return source
    directed, undirected = getattr(graph, "directed", None), getattr(graph, "undirected", None)
    if isinstance(directed, nx.DiGraph) and isinstance(undirected, nx.Graph):
        return _mixed(directed, undirected)
    raise InputError(
        "a graph is a text, an ADMG, a networkx DiGraph, a model, or a graph of pgmpy, y0 or DoWhy;"
        f" got {type(graph).__name__}"
    )


def _mixed(directed: "nx.DiGraph[Any]", undirected: "nx.Graph[Any]") -> "nx.Graph[Any]":
    """One graph of both, as in pgmpy: edges of type bidirected are hidden common causes."""
    graph: nx.MultiDiGraph[Any] = nx.MultiDiGraph()
    graph.add_nodes_from(directed.nodes(data=True))
    graph.add_nodes_from(node for node in undirected if node not in directed)
    graph.add_edges_from(directed.edges())
    graph.add_edges_from(undirected.edges(), type="bidirected")
    return graph


def _from_gml(text: str) -> "nx.DiGraph[Any]":
    try:
        graph: Any = nx.parse_gml(text)
    except (nx.NetworkXError, ValueError, TypeError, LookupError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"the graph in GML cannot be read: {reason}") from error
    return cast("nx.DiGraph[Any]", graph)


def _refuse_lags(dag: "nx.DiGraph[str]") -> None:
    for node in dag:
        if node.endswith(LAG):
            name = node.removesuffix(LAG)
            raise InputError(
                f"{node} is {name} one step earlier, so this is the graph of one step among "
                "several; answer(model) is about the action within a step, and unroll(graph, "
                f"steps) gives every step its own nodes, such as '{name}[1]'"
            )

"""Acyclic directed mixed graphs (ADMGs): causal graphs with hidden common causes.

An edge x -> y says that x is a cause of y, and x <-> y that they share a hidden common cause.

As text: `heat -> ice cream, shorts; ice cream <-> shorts`. A statement ends at a semicolon or at
the end of a line, arrows can be chained, and a line that begins with # is a comment. A name is any
text without the signs of these notations, or any text in double quotes."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from typing import Any

import networkx as nx

from ..arguments import checked_type
from ..errors import InputError, did_you_mean
from .graph_text import quoted, read
from .step_graph import LAG

Names = str | Iterable[str]  # one name or several
Nodes = tuple[str, ...]
NodeSet = frozenset[str]
Pair = tuple[str, str]
Pairs = frozenset[Pair]
Adjacency = dict[str, list[str]]


@dataclass(frozen=True, eq=False)
class ADMG:
    """An acyclic directed mixed graph. Make one with `parse_graph` or `latent_projection`, which
    check it.

    Graphs are equal if they have the same nodes and edges, in any order. Of the methods, only
    `separated` and `pick` check the names that they get."""

    nodes: Nodes  # in topological order, causes first
    directed: Pairs  # (cause, effect)
    bidirected: Pairs  # each pair in alphabetical order
    roles: Mapping[str, str] = field(default_factory=dict)  # of a model's variables

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ADMG) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    @property
    def _key(self) -> tuple[NodeSet, Pairs, Pairs]:
        return frozenset(self.nodes), self.directed, self.bidirected

    @cached_property
    def _place(self) -> dict[str, int]:
        return {name: index for index, name in enumerate(self.nodes)}

    @cached_property
    def _parents(self) -> Adjacency:
        reversed_edges = ((effect, cause) for cause, effect in self.directed)
        return _adjacency(self.nodes, reversed_edges)

    @cached_property
    def _children(self) -> Adjacency:
        return _adjacency(self.nodes, self.directed)

    @cached_property
    def _siblings(self) -> Adjacency:
        both_ways = [*self.bidirected, *((b, a) for a, b in self.bidirected)]
        return _adjacency(self.nodes, both_ways)

    def ancestors(self, names: Iterable[str]) -> NodeSet:
        """The names and all their ancestors."""
        return _reachable(self._parents, names)

    def descendants(self, names: Iterable[str]) -> NodeSet:
        """The names and all their descendants."""
        return _reachable(self._children, names)

    @cached_property
    def districts(self) -> tuple[NodeSet, ...]:
        """The sets of nodes that bidirected edges connect, also called c-components.

        They partition the nodes: one without bidirected edges is a district of its own."""
        districts = []
        done: set[str] = set()
        for name in self.nodes:
            if name not in done:
                districts.append(self.district(name))
                done |= districts[-1]
        return tuple(districts)

    def district(self, name: str) -> NodeSet:
        """The district of one node."""
        return _reachable(self._siblings, [name])

    def pillow(self, name: str) -> NodeSet:
        """The rest of the node's district and the parents of the whole district, in the graph of
        the nodes up to this one.

        Given these, the node is independent of all other nodes before it (Tian and Pearl 2002,
        corollary 1)."""
        so_far = self.sub(self.nodes[: self.nodes.index(name) + 1])
        district = so_far.district(name)
        parents = {parent for member in district for parent in so_far._parents[member]}
        return (district | parents) - {name}

    def sub(self, names: Collection[str]) -> "ADMG":
        """The induced subgraph: some of the nodes, and the edges between them."""
        nodes = tuple(name for name in self.nodes if name in names)
        directed = {(a, b) for a, b in self.directed if a in names and b in names}
        bidirected = {(a, b) for a, b in self.bidirected if a in names and b in names}
        return ADMG(nodes, frozenset(directed), frozenset(bidirected), self.roles)

    def cut(self, into: Collection[str] = (), out_of: Collection[str] = ()) -> "ADMG":
        """The graph without the edges, directed and bidirected, into the nodes `into`, and without
        the directed edges out of the nodes `out_of`."""
        directed = {(a, b) for a, b in self.directed if b not in into and a not in out_of}
        bidirected = {(a, b) for a, b in self.bidirected if a not in into and b not in into}
        return ADMG(self.nodes, frozenset(directed), frozenset(bidirected), self.roles)

    @cached_property
    def dag(self) -> "nx.DiGraph[str]":
        """The same graph with an explicit hidden common cause for each bidirected edge, in
        networkx.

        The hidden node has the role latent, and an attribute `arc`: the pair that it joins."""
        dag: nx.DiGraph[str] = nx.DiGraph()
        for name in self.nodes:
            dag.add_node(name, role=self.roles.get(name, ""))
        dag.add_edges_from(self._ordered(self.directed))
        for pair in self._ordered(self.bidirected):
            hidden = " <-> ".join(pair)
            while hidden in dag:  # a name in quotes can be anything
                hidden += " "
            dag.add_node(hidden, role="latent", arc=pair)
            dag.add_edges_from((hidden, name) for name in pair)
        return dag

    def separated(self, a: Names, b: Names, given: Names = ()) -> bool:
        """Whether `given` m-separates a from b.

        Raises InputError if the three are not disjoint sets of nodes."""
        a, b, given = self.pick(a, b, given)
        return bool(nx.is_d_separator(self.dag, set(a), set(b), set(given)))

    def pick(self, *sets: Names) -> tuple[Nodes, ...]:
        """Sets of names, each in the order of the nodes.

        Raises InputError if they are not disjoint sets of nodes."""
        try:
            picked = [(names,) if isinstance(names, str) else tuple(names) for names in sets]
        except TypeError as error:
            raise InputError(f"names of variables are a text or several: {error}") from error
        used: set[str] = set()
        for name in (name for names in picked for name in names):
            if not isinstance(name, str) or name not in self._place:
                raise InputError(
                    f"{name!r} is not a variable of the graph; {did_you_mean(name, self.nodes)}"
                )
            if name in used:
                raise InputError(
                    f"{name!r} is named twice; name it once, as outcome, treatment or condition"
                )
            used.add(name)
        place = self._place.__getitem__
        return tuple(tuple(sorted(names, key=place)) for names in picked)

    def __str__(self) -> str:
        lines = []
        for cause in self.nodes:
            effects = sorted(self._children[cause], key=self._place.__getitem__)
            written = ", ".join(quoted(effect) for effect in effects)
            lines.append(f"{quoted(cause)} -> {written}" if effects else quoted(cause))
        for one, other in self._ordered(self.bidirected):
            lines.append(f"{quoted(one)} <-> {quoted(other)}")
        return "\n".join(lines)

    def _ordered(self, pairs: Iterable[Pair]) -> list[Pair]:
        place = self._place
        return sorted(pairs, key=lambda pair: (place[pair[0]], place[pair[1]]))


def parse_graph(text: str) -> ADMG:
    """The graph that a text describes, in the notation of this module, in DOT (`digraph {...}`) or
    in that of DAGitty (`dag {...}`).

    In DOT and DAGitty a node with the attribute `latent`, or `observed=no`, is hidden and projected
    out; an edge of DOT with `dir=both` is <->; of other attributes only those of the drawing are
    left out, and with them DAGitty's exposure, outcome and adjusted.

    Raises InputError with the line that is not understood, or if the graph has a cycle."""
    graph = read(text)
    admg = checked(tuple(graph.nodes), graph.directed, graph.bidirected, graph.roles)
    return latent_projection(admg.dag) if "latent" in graph.roles.values() else admg


def latent_projection(graph: "nx.Graph[Any]", hidden: Names = ()) -> ADMG:
    """The ADMG of a causal graph over its observed variables: without those of role latent, and
    without those in `hidden` (Tian and Pearl 2002, section 2).

    The nodes of `graph` are named by `str`; pairs (name, step) as `unroll` makes them become
    name[step]. The `latents` that a graph of pgmpy has are hidden too. Raises InputError if the
    graph is undirected, has variables one step earlier (unroll it first), has a cycle, lacks a
    variable that is to be hidden, or has two nodes with one name."""
    checked_type(graph, nx.Graph, "latent_projection takes a networkx DiGraph")
    if not graph.is_directed():
        raise InputError(
            "the graph is undirected; give a networkx DiGraph, whose edges go from cause to effect"
        )
    labels = {node: _text_name(node) for node in graph}
    if len(set(labels.values())) < len(labels):
        raise InputError("two nodes of the graph have one name as text; rename one of them")
    named: nx.DiGraph[str] = nx.DiGraph()
    named.add_nodes_from((labels[node], data) for node, data in graph.nodes(data=True))
    named.add_edges_from((labels[cause], labels[effect]) for cause, effect in graph.edges())
    roles = {name: str(named.nodes[name].get("role", "")) for name in named}

    given = [hidden] if isinstance(hidden, str) or not isinstance(hidden, Iterable) else hidden
    marked = getattr(graph, "latents", None) or ()
    projected_out = {_text_name(node) for node in (*given, *marked)}
    unknown = sorted(projected_out.difference(named))
    if unknown:
        raise InputError(
            f"{unknown[0]!r} is hidden and not a variable of the graph; "
            f"{did_you_mean(unknown[0], named)}"
        )
    projected_out |= {name for name, role in roles.items() if role == "latent"}
    lagged = [name for name in named if name.endswith(LAG)]
    if lagged:
        raise InputError(
            f"{lagged[0]} is one step earlier; unroll(graph, steps) gives every step a node"
        )

    # An observed variable points to all that it reaches through hidden ones; a hidden variable
    # confounds every pair that it reaches in this way.
    observed = tuple(name for name in named if name not in projected_out)
    directed: set[Pair] = set()
    bidirected: set[Pair] = set()
    for name in named:
        effects = observed_effects(named, name, projected_out)
        if name in projected_out:
            bidirected.update(combinations(effects, 2))
        else:
            directed.update((name, effect) for effect in effects)
    return checked(observed, directed, bidirected, roles)


def _text_name(node: object) -> str:
    if isinstance(node, tuple) and len(node) == 2:
        return f"{node[0]}[{node[1]}]"
    return str(node)


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


def checked(
    nodes: Nodes, directed: set[Pair], bidirected: set[Pair], roles: Mapping[str, str]
) -> ADMG:
    """The graph of these nodes and edges, with the nodes in topological order; where this leaves a
    choice, they keep the given order.

    Raises InputError if the graph has a cycle or a bidirected edge from a node to itself."""
    arrows: nx.DiGraph[str] = nx.DiGraph(list(directed))
    arrows.add_nodes_from(nodes)
    if not nx.is_directed_acyclic_graph(arrows):
        cycle = nx.find_cycle(arrows)
        names = [*(cause for cause, _ in cycle), cycle[0][0]]
        raise InputError(f"the graph has a cycle, so remove an arrow of it: {' -> '.join(names)}")
    loops = sorted(a for a, b in bidirected if a == b)
    if loops:
        raise InputError(f"{loops[0]} <-> {loops[0]} joins a variable to itself; remove it")
    place = {name: index for index, name in enumerate(nodes)}
    order = tuple(nx.lexicographical_topological_sort(arrows, key=place.__getitem__))
    pairs = frozenset((min(pair), max(pair)) for pair in bidirected)
    known_roles = {name: roles[name] for name in order if name in roles}
    return ADMG(order, frozenset(directed), pairs, known_roles)


def _adjacency(nodes: Iterable[str], edges: Iterable[Pair]) -> Adjacency:
    successors: Adjacency = {name: [] for name in nodes}
    for start, end in edges:
        successors[start].append(end)
    return successors


def _reachable(successors: Mapping[str, Iterable[str]], start: Iterable[str]) -> NodeSet:
    reached = set(start)
    stack = list(reached)
    while stack:
        new = set(successors[stack.pop()]) - reached
        reached |= new
        stack += new
    return frozenset(reached)

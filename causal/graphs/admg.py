"""Acyclic directed mixed graphs (ADMGs): causal graphs with hidden common causes.

An edge x -> y says that x is a cause of y, and x <-> y that they share a hidden common cause.

As text: `heat -> ice cream, shorts; ice cream <-> shorts`. A statement ends at a semicolon or at
the end of a line, arrows can be chained, and a line that begins with # is a comment. `u [latent]`
says that a variable is hidden, and `s [selected]` that only rows with s = 1 are in the log. A name
is any text without the signs of these notations, or any text in double quotes."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from unicodedata import normalize

import networkx as nx

from ..errors import InputError, did_you_mean
from .graph_text import written
from .names import Names as Names
from .names import as_names

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
            if not self._siblings[name]:
                districts.append(frozenset({name}))
            elif name not in done:
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
        last = self._place[name]
        district = {name}
        stack = [name]
        while stack:
            for sibling in self._siblings[stack.pop()]:
                if sibling not in district and self._place[sibling] < last:
                    district.add(sibling)
                    stack.append(sibling)
        parents = {parent for member in district for parent in self._parents[member]}
        return frozenset((district | parents) - {name})

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
        return self._reached(a, given).isdisjoint(b)

    def _reached(self, start: Iterable[str], given: Iterable[str]) -> NodeSet:
        """The nodes that a path from `start` reaches which `given` does not block: Bayes-ball
        (Shachter 1998), in which the path enters a node by an arrowhead, or by a tail."""
        given = set(given)
        ancestors = self.ancestors(given)
        stack = [(name, False) for name in start]
        visited = set(stack)
        while stack:
            name, by_arrowhead = stack.pop()
            steps: list[tuple[str, bool]] = []
            # A path leaves by a tail unless the node is given; by an arrowhead it also leaves a
            # collider that has a descendant which is given.
            if name not in given:
                steps += [(child, True) for child in self._children[name]]
            if name in ancestors if by_arrowhead else name not in given:
                steps += [(parent, False) for parent in self._parents[name]]
                steps += [(sibling, True) for sibling in self._siblings[name]]
            for step in steps:
                if step not in visited:
                    visited.add(step)
                    stack.append(step)
        return frozenset(name for name, _ in visited)

    def pick(self, *sets: Names) -> tuple[Nodes, ...]:
        """Sets of names, each in the order of the nodes.

        Raises InputError if they are not disjoint sets of nodes."""
        picked = [as_names(names) for names in sets]
        used: set[str] = set()
        for name in (name for names in picked for name in names):
            if name not in self._place:
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
        """The graph as `parse_graph` reads it; of the roles, only that of a selection."""
        lines = []
        for cause in self.nodes:
            effects = sorted(self._children[cause], key=self._place.__getitem__)
            name = written(cause, self._place, is_alone=not effects)
            targets = ", ".join(written(effect, self._place) for effect in effects)
            lines.append(f"{name} -> {targets}" if effects else name)
        for pair in self._ordered(self.bidirected):
            lines.append(" <-> ".join(written(name, self._place) for name in pair))
        for name, role in self.roles.items():
            if role == "selection" and name in self._place:
                lines.append(f"{written(name, self._place, is_alone=True)} [selected]")
        return "\n".join(lines)

    def _ordered(self, pairs: Iterable[Pair]) -> list[Pair]:
        place = self._place
        return sorted(pairs, key=lambda pair: (place[pair[0]], place[pair[1]]))


def checked(
    nodes: Nodes, directed: set[Pair], bidirected: set[Pair], roles: Mapping[str, str]
) -> ADMG:
    """The graph of these nodes and edges, with the nodes in topological order; where this leaves a
    choice, they keep the given order.

    Raises InputError if the graph has a cycle or a bidirected edge from a node to itself, or two
    names that differ only in how their letters are encoded."""
    _check_encodings(nodes)
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


def _check_encodings(nodes: Nodes) -> None:
    """An accent can be part of a letter or follow it: two texts that look the same."""
    seen: dict[str, str] = {}
    for name in nodes:
        other = name if name.isascii() else seen.setdefault(normalize("NFC", name), name)
        if other != name:
            raise InputError(
                f"{name!a} and {other!a} look the same, and would be two variables; "
                "write both in the same way"
            )


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

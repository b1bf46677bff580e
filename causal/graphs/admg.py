"""Graphs with hidden common causes (ADMGs): x -> y says that x is a cause of y, and x <-> y that
they share a hidden one.

As text: `heat -> ice cream, shorts; ice cream <-> shorts`. A statement ends at a semicolon or at
the end of a line, arrows can be chained, and a name is any text without commas, semicolons and
arrows."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations, pairwise, product
from typing import Any

import networkx as nx

from ..errors import InputError, did_you_mean
from .step_graph import LAG

Names = str | Iterable[str]  # one name or several
Pair = tuple[str, str]


@dataclass(frozen=True, eq=False)
class ADMG:
    """An acyclic directed mixed graph. Make one with `parse_graph` or `latent_projection`, which
    check it.

    Graphs are equal if nodes and edges are, in whatever order. Names given to methods are not
    checked, but for `separated`."""

    nodes: tuple[str, ...]  # causes first
    directed: frozenset[Pair]  # (cause, effect)
    bidirected: frozenset[Pair]  # each in alphabetical order
    roles: Mapping[str, str] = field(default_factory=dict)  # of a model's variables

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ADMG) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    @property
    def _key(self) -> tuple[frozenset[str], frozenset[Pair], frozenset[Pair]]:
        return frozenset(self.nodes), self.directed, self.bidirected

    @cached_property
    def _parents(self) -> dict[str, list[str]]:
        return _adjacent(self.nodes, ((effect, cause) for cause, effect in self.directed))

    @cached_property
    def _children(self) -> dict[str, list[str]]:
        return _adjacent(self.nodes, self.directed)

    @cached_property
    def _siblings(self) -> dict[str, list[str]]:
        return _adjacent(
            self.nodes, (way for pair in self.bidirected for way in (pair, pair[::-1]))
        )

    def ancestors(self, names: Iterable[str]) -> frozenset[str]:
        """The names and all that causes them."""
        return _reached(self._parents, names)

    def descendants(self, names: Iterable[str]) -> frozenset[str]:
        """The names and all that they cause."""
        return _reached(self._children, names)

    @cached_property
    def districts(self) -> tuple[frozenset[str], ...]:
        """The sets of nodes that bidirected edges connect, also called c-components;

        a node alone is one too.
        """
        return tuple(dict.fromkeys(self.district(name) for name in self.nodes))

    def district(self, name: str) -> frozenset[str]:
        """The district of one node."""
        return _reached(self._siblings, [name])

    def pillow(self, name: str) -> frozenset[str]:
        """The rest of the district of a node and the parents of both, among the nodes up to it.

        Given these it is independent of the other nodes before it (Tian and Pearl 2002, corollary
        1)."""
        before = self.sub(self.nodes[: self.nodes.index(name) + 1])
        district = before.district(name)
        return district.union(*(before._parents[other] for other in district)) - {name}

    def sub(self, names: Collection[str]) -> "ADMG":
        """The graph of some of its nodes, and the edges between them."""
        directed = frozenset(
            edge for edge in self.directed if edge[0] in names and edge[1] in names
        )
        bidirected = frozenset(
            pair for pair in self.bidirected if pair[0] in names and pair[1] in names
        )
        return ADMG(
            tuple(name for name in self.nodes if name in names), directed, bidirected, self.roles
        )

    def cut(self, into: Collection[str] = (), out_of: Collection[str] = ()) -> "ADMG":
        """The graph without the arrows into some nodes, bidirected ones among them, and those out
        of others.
        """
        directed = frozenset(
            edge for edge in self.directed if edge[1] not in into and edge[0] not in out_of
        )
        bidirected = frozenset(
            pair for pair in self.bidirected if pair[0] not in into and pair[1] not in into
        )
        return ADMG(self.nodes, directed, bidirected, self.roles)

    @cached_property
    def dag(self) -> "nx.DiGraph[str]":
        """The graph in networkx, with a node of role latent for each bidirected edge, and `arc` for
        the two that it joins.
        """
        dag: nx.DiGraph[str] = nx.DiGraph()
        dag.add_nodes_from((name, {"role": self.roles.get(name, "")}) for name in self.nodes)
        dag.add_edges_from(self._ordered(self.directed))
        for pair in self._ordered(self.bidirected):
            dag.add_node(" <-> ".join(pair), role="latent", arc=pair)
            dag.add_edges_from((" <-> ".join(pair), name) for name in pair)
        return dag

    def separated(self, a: Names, b: Names, given: Names = ()) -> bool:
        """Whether `given` m-separates a from b.

        Raises InputError if the sets are not disjoint nodes of the graph.
        """
        sets = self.pick(a, b, given)
        return bool(nx.is_d_separator(self.dag, *map(set, sets)))

    def pick(self, *sets: Names) -> tuple[tuple[str, ...], ...]:
        """Sets of names, each in the order of the nodes.

        Raises InputError if they are not disjoint sets of nodes.
        """
        picked = [(names,) if isinstance(names, str) else tuple(names) for names in sets]
        every = [name for names in picked for name in names]
        for name in every:
            if name not in self.nodes:
                raise InputError(
                    f"{name!r} is not a variable of the graph; {did_you_mean(name, self.nodes)}"
                )
            if every.count(name) > 1:
                raise InputError(
                    f"{name!r} is named twice; name it once, as outcome, treatment or condition"
                )
        return tuple(tuple(name for name in self.nodes if name in names) for names in picked)

    def __str__(self) -> str:
        arrows = [
            f"{cause} -> {', '.join(sorted(self._children[cause], key=self.nodes.index))}"
            for cause in self.nodes
        ]
        lines = [line.removesuffix(" -> ") for line in arrows]
        return "\n".join(lines + [" <-> ".join(pair) for pair in self._ordered(self.bidirected)])

    def _ordered(self, pairs: Iterable[Pair]) -> list[Pair]:
        return sorted(
            pairs, key=lambda pair: (self.nodes.index(pair[0]), self.nodes.index(pair[1]))
        )


def parse_graph(text: str) -> ADMG:
    """The graph that a text describes.

    Raises InputError if it has a cycle, or an arrow that is not ->, <- or <->.
    """
    nodes, directed, bidirected = dict[str, None](), set[Pair](), set[Pair]()
    for statement in filter(None, map(str.strip, re.split(r"[;\n]", text))):
        parts = re.split(r"(<->|->|<-)", statement)
        groups = [[name.strip() for name in part.split(",")] for part in parts[::2]]
        for name in (name for group in groups for name in group):
            if not name or name != name.strip("-") or set(name) & set("<>"):
                raise InputError(
                    f"{statement!r} cannot be read; write names and arrows as in 'x -> y, z; x "
                    "<-> y'"
                )
            nodes[name] = None
        for (left, right), arrow in zip(pairwise(groups), parts[1::2], strict=True):
            pairs = product(right, left) if arrow == "<-" else product(left, right)
            (bidirected if arrow == "<->" else directed).update(pairs)
    return checked(tuple(nodes), directed, bidirected, {})


def latent_projection(graph: "nx.DiGraph[Any]", hidden: Names = ()) -> ADMG:
    """A causal graph without the variables of role latent, and without those in `hidden`: Tian and
    Pearl (2002), section 2.

    Its nodes are names, or pairs (name, step) as `unroll` makes them, which become x[0], x[1] and
    so on. Raises InputError if the graph has variables one step earlier (unroll it first), has a
    cycle, or has no such variable to hide."""
    labels = {node: node if isinstance(node, str) else f"{node[0]}[{node[1]}]" for node in graph}
    named: nx.DiGraph[str] = nx.relabel_nodes(graph, labels)
    roles = {name: str(named.nodes[name].get("role", "")) for name in named}
    out = {name for name, role in roles.items() if role == "latent"}.union(
        [hidden] if isinstance(hidden, str) else hidden
    )
    for name in out.difference(named):
        raise InputError(
            f"{name!r} is hidden and not a variable of the graph; {did_you_mean(name, named)}"
        )
    if lagged := [name for name in named if name.endswith(LAG)]:
        raise InputError(
            f"{lagged[0]} is one step earlier; unroll(graph, steps) gives every step a node"
        )
    effects = {name: seen_effects(named, name, out) for name in named}
    directed = {(name, effect) for name in named if name not in out for effect in effects[name]}
    bidirected = {pair for name in out for pair in combinations(effects[name], 2)}
    return checked(tuple(name for name in named if name not in out), directed, bidirected, roles)


def seen_effects(graph: "nx.DiGraph[str]", name: str, hidden: set[str]) -> list[str]:
    """What is not hidden and a variable causes, directly or by ways through hidden ones alone."""
    found = dict.fromkeys(graph.successors(name))
    todo = list(found)
    for effect in todo:  # which grows meanwhile
        new = (
            [further for further in graph.successors(effect) if further not in found]
            if effect in hidden
            else []
        )
        found |= dict.fromkeys(new)
        todo += new
    return [effect for effect in found if effect not in hidden]


def checked(
    nodes: tuple[str, ...], directed: set[Pair], bidirected: set[Pair], roles: Mapping[str, str]
) -> ADMG:
    """The graph of these nodes and edges.

    Raises InputError if it has a cycle or joins a node to itself.
    """
    arrows: nx.DiGraph[str] = nx.DiGraph(list(directed))
    arrows.add_nodes_from(nodes)
    if not nx.is_directed_acyclic_graph(arrows):
        cycle = nx.find_cycle(arrows)
        raise InputError(
            "the graph has a cycle, so remove an arrow of it: "
            f"{' -> '.join([edge[0] for edge in cycle] + [cycle[0][0]])}"
        )
    for one, other in bidirected:
        if one == other:
            raise InputError(f"{one} <-> {one} joins a variable to itself; remove it")
    place = {name: index for index, name in enumerate(nodes)}
    order = tuple(nx.lexicographical_topological_sort(arrows, key=place.__getitem__))
    pairs = frozenset((min(pair), max(pair)) for pair in bidirected)
    return ADMG(
        order, frozenset(directed), pairs, {name: roles[name] for name in order if name in roles}
    )


def _adjacent(nodes: Iterable[str], pairs: Iterable[Pair]) -> dict[str, list[str]]:
    following: dict[str, list[str]] = {name: [] for name in nodes}
    for start, end in pairs:
        following[start].append(end)
    return following


def _reached(following: Mapping[str, Iterable[str]], start: Iterable[str]) -> frozenset[str]:
    found, todo = set(start), list(start)
    while todo:
        new = set(following[todo.pop()]) - found
        found |= new
        todo += new
    return frozenset(found)

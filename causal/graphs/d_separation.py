"""Sets that d-separate variables of a causal graph, and those that close the back door."""

from collections.abc import Collection, Iterator, Sequence
from itertools import combinations, islice
from typing import Generic, TypeVar

import networkx as nx

Node = TypeVar("Node", str, tuple[str, int])

MOST_SETS = 1000  # minimal sets to look at: a graph can have exponentially many


def back_doors(
    dag: "nx.DiGraph[Node]",
    x: Node,
    y: Collection[Node],
    given: Collection[Node],
    among: Sequence[Node],
) -> list[tuple[Node, ...]]:
    """The minimal subsets of `among` that, together with `given`, close every back-door path from x
    to y: at most 1000, smallest first, each in the order of `among`.

    This is the back-door criterion: no member is an effect of x, and the set d-separates x and y in
    the graph without the arrows out of x. The list is empty if x causes a variable in `given`.
    Source: Pearl, Causality (2009), definition 3.3.1."""
    effects: set[Node] = nx.descendants(dag, x)
    if not effects.isdisjoint(given):
        return []
    without_effects = dag.copy()
    without_effects.remove_edges_from(list(dag.out_edges(x)))
    minimal = separators(without_effects, y, (x,), given, set(among) - effects)
    sets = []
    for separator in islice(minimal, MOST_SETS):
        sets.append(tuple(name for name in among if name in separator))
    return sorted(sets, key=lambda names: (len(names), [among.index(name) for name in names]))


def separators(
    dag: "nx.DiGraph[Node]",
    start: Collection[Node],
    end: Collection[Node],
    given: Collection[Node],
    allowed: set[Node],
) -> Iterator[frozenset[Node]]:
    """Every minimal subset of `allowed` that, together with `given`, d-separates `start` from
    `end`; those close to `start` come first.

    They are the minimal vertex separators of an undirected graph (van der Zander, Liskiewicz and
    Textor 2014), which are enumerated with polynomial delay (Takata 2010)."""
    # d-separation is separation in the moral graph of the ancestors, without the condition.
    moral = _moral_graph(dag, start, end, given)
    # Merge each side into one of its nodes, and leave only nodes that a separator may contain.
    a, b = next(iter(start)), next(iter(end))
    joined: nx.Graph[Node] = nx.Graph(
        nx.relabel_nodes(moral, dict.fromkeys(start, a) | dict.fromkeys(end, b))
    )
    _contract(joined, set(joined) - allowed - {a, b})
    if not joined.has_edge(a, b):
        yield from _Separators(joined, a, b)


def _moral_graph(
    dag: "nx.DiGraph[Node]",
    start: Collection[Node],
    end: Collection[Node],
    given: Collection[Node],
) -> "nx.Graph[Node]":
    """The moral graph of the ancestors of all three sets, without the nodes in `given`."""
    ancestors: set[Node] = set(start).union(end, given)
    for name in list(ancestors):
        ancestors |= nx.ancestors(dag, name)
    moral = nx.moral_graph(dag.subgraph(ancestors))
    moral.remove_nodes_from(given)
    return moral


def _contract(graph: "nx.Graph[Node]", nodes: set[Node]) -> None:
    """Remove nodes, and join all neighbours of each connected group of them: a path through the
    group becomes an edge, and no separator can contain the group."""
    for group in list(nx.connected_components(graph.subgraph(nodes))):
        neighbours = {other for name in group for other in graph[name]} - group
        graph.add_edges_from(combinations(neighbours, 2))
    graph.remove_nodes_from(nodes)


class _Separators(Generic[Node]):
    """The minimal separators of two nodes a and b that are not adjacent, those close to a first."""

    def __init__(self, graph: "nx.Graph[Node]", a: Node, b: Node):
        self._graph: nx.Graph[Node] = graph
        self._a: Node = a
        self._b: Node = b

    def __iter__(self) -> Iterator[frozenset[Node]]:
        # Start with the separator that is closest to a.
        queue = [self._closest(frozenset({self._a}))]
        known = set(queue)
        position = 0
        while position < len(queue):
            separator = queue[position]
            position += 1
            yield separator
            # Move one node of the separator to the side of a, and take the separator that is then
            # closest. Every minimal separator is reached in this way. A neighbour of b cannot move,
            # for it would join the two sides.
            for name in sorted(separator - set(self._graph[self._b])):
                side = self._component(separator, self._a) | {name}
                further = self._closest(side)
                if further not in known:
                    known.add(further)
                    queue.append(further)

    def _closest(self, side: frozenset[Node]) -> frozenset[Node]:
        """The minimal separator closest to a, of those with all of `side` on the side of a: the
        border of what b still reaches when `side` and its border are removed."""
        return self._border(self._component(side | self._border(side), self._b))

    def _border(self, side: frozenset[Node]) -> frozenset[Node]:
        """The neighbours of a set of nodes."""
        return frozenset(other for name in side for other in self._graph[name]) - side

    def _component(self, without: frozenset[Node], name: Node) -> frozenset[Node]:
        """The nodes that `name` reaches when the nodes `without` are removed."""
        rest = self._graph.subgraph(set(self._graph) - without)
        return frozenset(nx.node_connected_component(rest, name))

"""Sets that d-separate in causal graphs, and among them those that close the back door."""

from collections.abc import Collection, Iterator, Sequence
from itertools import combinations, islice
from typing import TypeVar

import networkx as nx

Node = TypeVar("Node", str, tuple[str, int])

MOST_SETS = 1000  # of the minimal ones, of which there can be exponentially many


def back_doors(
    dag: "nx.DiGraph[Node]",
    x: Node,
    y: Collection[Node],
    given: Collection[Node],
    among: Sequence[Node],
) -> list[tuple[Node, ...]]:
    """The minimal sets of `among` that with `given` close every back-door path from x to y, small
    ones first, at most 1000.

    Pearl, Causality (2009), definition 3.3.1: no member is caused by x, and the set d-separates x
    and y once the arrows out of x are removed. There is none if x causes something that is given.
    """
    caused: set[Node] = nx.descendants(dag, x)
    if not caused.isdisjoint(given):
        return []
    blocked = dag.copy()
    blocked.remove_edges_from(list(dag.out_edges(x)))
    found = separators(blocked, y, (x,), given, set(among) - caused)
    sets = (tuple(name for name in among if name in chosen) for chosen in islice(found, MOST_SETS))
    return sorted(sets, key=lambda chosen: (len(chosen), [among.index(name) for name in chosen]))


def separators(
    dag: "nx.DiGraph[Node]",
    start: Collection[Node],
    end: Collection[Node],
    given: Collection[Node],
    allowed: set[Node],
) -> Iterator[frozenset[Node]]:
    """Every minimal set of allowed nodes that with `given` d-separates two sets, those close to the
    start first: Takata (2010).

    A set is one in the moral graph of their ancestors, from which what is given is taken out.
    """
    near: set[Node] = set(start).union(end, given)
    for name in list(near):
        near |= nx.ancestors(dag, name)
    moral = nx.moral_graph(dag.subgraph(near))
    moral.remove_nodes_from(given)
    a, b = next(iter(start)), next(iter(end))
    joined: nx.Graph[Node] = nx.Graph(
        nx.relabel_nodes(moral, dict.fromkeys(start, a) | dict.fromkeys(end, b))
    )
    bridges = (
        set(joined) - allowed - {a, b}
    )  # who may not be in the set is a bridge between whom it touches
    for bridge in list(nx.connected_components(joined.subgraph(bridges))):
        joined.add_edges_from(
            combinations({other for name in bridge for other in joined[name]} - bridge, 2)
        )
    joined.remove_nodes_from(bridges)
    if joined.has_edge(a, b):
        return

    def border(side: frozenset[Node]) -> frozenset[Node]:
        return frozenset(other for name in side for other in joined[name]) - side

    def component(without: frozenset[Node], name: Node) -> frozenset[Node]:
        return frozenset(nx.node_connected_component(joined.subgraph(set(joined) - without), name))

    def closest(side: frozenset[Node]) -> frozenset[Node]:
        return border(component(side | border(side), b))

    waiting = [closest(frozenset({a}))]
    found = set(waiting)
    for separator in waiting:  # which grows meanwhile
        yield separator
        for name in sorted(separator - set(joined[b])):
            further = closest(component(separator, a) | {name})
            if further not in found:
                found.add(further)
                waiting.append(further)

"""Adjustment sets: sets z for which P(y | do(x)) = sum over z of P(y | x, z) P(z).

A set is one if it avoids the forbidden variables and separates x from y in the back-door graph (van
der Zander, Liskiewicz and Textor 2014, theorems 4 and 5: the criterion is complete)."""

from collections.abc import Iterator

from .admg import ADMG, Names, Nodes, NodeSet
from .conversion import AnyGraph, as_admg
from .d_separation import separators


def adjustment_sets(
    graph: AnyGraph, x: Names, y: Names, among: Names | None = None
) -> Iterator[NodeSet]:
    """Every minimal adjustment set whose members are in `among` (by default, all variables); those
    close to y come first. There may be none.

    For a single x these are the minimal sets of the back-door criterion. Raises InputError if x and
    y are not disjoint sets of variables."""
    graph = as_admg(graph)
    x, y = graph.pick(x, y)
    candidates = graph.nodes if among is None else graph.pick(among)[0]
    allowed = set(candidates).difference(x, y, forbidden(graph, x, y))
    dag = back_door_graph(graph, x, y).dag
    return separators(dag, start=y, end=x, given=(), allowed=allowed)


def is_adjustment_set(graph: AnyGraph, x: Names, y: Names, z: Names) -> bool:
    """Whether z is an adjustment set for the effect of x on y, minimal or not.

    Raises InputError if the three are not disjoint sets of variables."""
    graph = as_admg(graph)
    x, y, z = graph.pick(x, y, z)
    if forbidden(graph, x, y).intersection(z):
        return False
    return back_door_graph(graph, x, y).separated(x, y, z)


def forbidden(graph: ADMG, x: Nodes, y: Nodes) -> NodeSet:
    """The variables on causal paths from x to y, without x itself, and all their descendants."""
    return graph.descendants(_on_causal_paths(graph, x, y))


def back_door_graph(graph: ADMG, x: Nodes, y: Nodes) -> ADMG:
    """The graph without the first edge of every causal path from x to y."""
    on_paths = _on_causal_paths(graph, x, y)
    directed = set()
    for cause, effect in graph.directed:
        is_first_edge = cause in x and effect in on_paths
        if not is_first_edge:
            directed.add((cause, effect))
    return ADMG(graph.nodes, frozenset(directed), graph.bidirected, graph.roles)


def _on_causal_paths(graph: ADMG, x: Nodes, y: Nodes) -> NodeSet:
    """The variables outside x on directed paths from x to y that leave x and do not return."""
    after_x = graph.cut(into=x).descendants(x).difference(x)
    before_y = graph.cut(out_of=x).ancestors(y)
    return after_x & before_y

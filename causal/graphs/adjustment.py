"""Adjustment sets: sets z for which P(y | do(x)) = sum over z of P(y | x, z) P(z)."""

from collections.abc import Iterator

from .admg import ADMG, Names
from .conversion import AnyGraph, as_admg
from .d_separation import separators

Set = frozenset[str]


def adjustment_sets(
    graph: AnyGraph, x: Names, y: Names, among: Names | None = None
) -> Iterator[Set]:
    """Every minimal adjustment set within `among` (all variables, if it is not given), those close
    to y first; none may exist.

    The criterion is complete; for a single x the minimal sets are those of the back-door criterion.
    Raises InputError if x and y are not disjoint sets of variables. Source: van der Zander,
    Liskiewicz and Textor (2014), theorems 4 and 5."""
    graph = as_admg(graph)
    x, y = graph.pick(x, y)
    allowed = set(graph.nodes if among is None else graph.pick(among)[0]).difference(
        x, y, forbidden(graph, x, y)
    )
    return separators(back_door_graph(graph, x, y).dag, y, x, (), allowed)


def is_adjustment_set(graph: AnyGraph, x: Names, y: Names, z: Names) -> bool:
    """Whether adjusting for z gives the effect of x on y.

    Raises InputError if the sets are not disjoint.
    """
    graph = as_admg(graph)
    x, y, z = graph.pick(x, y, z)
    return not forbidden(graph, x, y).intersection(z) and back_door_graph(graph, x, y).separated(
        x, y, z
    )


def forbidden(graph: ADMG, x: tuple[str, ...], y: tuple[str, ...]) -> Set:
    """What lies on a causal path from x to y that does not return to x, and all that it causes."""
    return graph.descendants(_on_causal_paths(graph, x, y))


def back_door_graph(graph: ADMG, x: tuple[str, ...], y: tuple[str, ...]) -> ADMG:
    """The graph without the first arrow of every causal path from x to y."""
    inside = _on_causal_paths(graph, x, y)
    directed = frozenset(
        (cause, effect) for cause, effect in graph.directed if not (cause in x and effect in inside)
    )
    return ADMG(graph.nodes, directed, graph.bidirected, graph.roles)


def _on_causal_paths(graph: ADMG, x: tuple[str, ...], y: tuple[str, ...]) -> Set:
    return graph.cut(into=x).descendants(x).difference(x) & graph.cut(out_of=x).ancestors(y)

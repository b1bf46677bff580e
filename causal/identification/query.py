"""The query P(y | do(x), z) on a graph, as every function that identifies an effect takes it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from ..errors import InputError
from ..graphs.admg import ADMG, Names
from ..graphs.conversion import AnyGraph, as_admg
from ..graphs.names import as_names
from .evaluation import Value, checked_value

Condition: TypeAlias = str | Iterable[str] | Mapping[str, Value]  # names, or values by name


@dataclass(frozen=True)
class Query:
    """P(y | do(x), z) on an ADMG; names are in the order in which they were given."""

    graph: ADMG
    y: tuple[str, ...]
    x: tuple[str, ...]
    z: tuple[str, ...]
    held: tuple[tuple[str, Value], ...] = ()  # values at which some of x and z are held


def as_query(graph: AnyGraph, y: Names, x: Condition, z: Condition = ()) -> Query:
    """The query, checked against the graph.

    Raises InputError if the names are not disjoint sets of variables, if y gives values, or if x or
    z gives one that is neither a finite number nor text.
    """
    admg = as_admg(graph)
    if isinstance(y, Mapping):
        raise InputError(
            f"outcomes are names, without values: write y = {', '.join(map(repr, y))} and take "
            "the value from the evaluated table"
        )
    held = [
        (str(name), checked_value(str(name), value))
        for names in (x, z)
        if isinstance(names, Mapping)
        for name, value in names.items()
    ]
    ys, xs, zs = as_names(y), as_names(x), as_names(z)
    admg.pick(ys, xs, zs)  # or the error
    return Query(admg, ys, xs, zs, tuple(held))

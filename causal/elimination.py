"""Variable elimination: sums of products of tables, in an order that keeps the tables small."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from math import prod
from typing import NamedTuple

import numpy as np

from .distributions import Array
from .errors import TooLargeError

LARGEST = 2**25  # entries of a table, 256 MiB


class Factor(NamedTuple):
    """A table with a name for each axis."""

    names: tuple[str, ...]
    table: Array


def eliminate(factors: Sequence[Factor], keep: Sequence[str]) -> Array:
    """The product of the factors, summed over every name that is not in `keep`: one axis for each of `keep`, in its order.

    Raises TooLargeError, before any memory is taken, if a table on the way would have more than 2**25 entries.
    """
    sizes = {name: size for names, table in factors for name, size in zip(names, table.shape, strict=True)}
    tables = dict(enumerate(factors))
    for step, (parts, names) in enumerate(_plan(tuple(f.names for f in factors), tuple(keep), tuple(sorted(sizes.items())))):
        tables[len(factors) + step] = Factor(names, _product([tables.pop(part) for part in parts], names))
    (result,) = tables.values()
    return result.table


def check_size(sizes: Iterable[int], what: str) -> None:
    """Raise TooLargeError if a table with these sizes would have more than 2**25 entries."""
    if (size := prod(sizes)) > LARGEST:
        raise TooLargeError(f"{what} needs a table of {size:.3g} entries, and the most is {LARGEST:.3g}")


@lru_cache(maxsize=4096)
def _plan(
    scopes: tuple[tuple[str, ...], ...], keep: tuple[str, ...], sizes: tuple[tuple[str, int], ...]
) -> list[tuple[list[int], tuple[str, ...]]]:
    """Which tables to multiply, and which names to keep of them, step by step; the greedy order by size of the result."""
    size = dict(sizes)
    live = dict(enumerate(scopes))
    plan: list[tuple[list[int], tuple[str, ...]]] = []

    def scope_without(name: str) -> tuple[list[int], tuple[str, ...]]:
        parts = [part for part, names in live.items() if name in names]
        union = dict.fromkeys(other for part in parts for other in live[part])
        return parts, tuple(other for other in union if other != name)

    to_sum = {name for names in scopes for name in names} - set(keep)
    while to_sum:
        name = min(sorted(to_sum), key=lambda name: prod(size[other] for other in scope_without(name)[1]))
        parts, names = scope_without(name)
        check_size([size[other] for other in (*names, name)], f"summing out {name}")
        live = {part: scope for part, scope in live.items() if part not in parts} | {len(scopes) + len(plan): names}
        plan.append((parts, names))
        to_sum.remove(name)
    check_size([size[name] for name in keep], "the answer")
    plan.append((list(live), keep))
    return plan


def _product(factors: Sequence[Factor], names: Sequence[str]) -> Array:
    axes: Mapping[str, int] = {name: axis for axis, name in enumerate(dict.fromkeys(n for f in factors for n in f.names))}
    operands = [part for factor in factors for part in (factor.table, [axes[name] for name in factor.names])]
    return np.asarray(np.einsum(*operands, [axes[name] for name in names]))

"""Variable elimination: sums of products of tables, in an order that keeps the tables small."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from string import ascii_letters
from typing import NamedTuple

import numpy as np

from ..arrays import Array
from ..errors import TooLargeError

LARGEST = 2**25  # entries of a table, 256 MiB
AT_ONCE = 64  # terms of a sum that is not worth an order
MOST_NAMES = len(ascii_letters)  # in one product, for einsum has a letter for each
MOST_FACTORS = 8  # of them in one product, for each takes its time at every term

Steps = tuple[
    tuple[str, tuple[int, ...]], ...
]  # einsum's subscripts, and which tables to take, the last first; what comes out joins them


class Factor(NamedTuple):
    """A table with a name for each axis."""

    names: tuple[str, ...]
    table: Array


def eliminate(factors: Sequence[Factor], keep: Sequence[str]) -> Array:
    """The product of the factors, summed over every name that is not in `keep`: one axis for each
    of `keep`, in its order.

    Raises TooLargeError, before any memory is taken, if a table on the way would have more than
    2**25 entries, or a product more than 52 names, as it can where many of them have a single
    value."""
    return carry_out(plan(factors, keep), [factor.table for factor in factors])


def plan(factors: Sequence[Factor], keep: Sequence[str]) -> Steps:
    """The steps of `eliminate`, for tables of these names and sizes. Raises as it does."""
    sizes = {
        name: size
        for names, table in factors
        for name, size in zip(names, table.shape, strict=True)
    }
    return _plan(
        tuple(factor.names for factor in factors), tuple(keep), tuple(sorted(sizes.items()))
    )


def carry_out(steps: Steps, tables: list[Array]) -> Array:
    """The answer for these tables, which are taken out of the list."""
    for subscripts, parts in steps:
        tables.append(np.einsum(subscripts, *map(tables.pop, parts)))
    return np.asarray(tables[0])


def check_size(sizes: Iterable[int], what: str) -> None:
    """Raise TooLargeError if a table with these sizes would have more than 2**25 entries."""
    if (size := prod(sizes)) > LARGEST:
        raise TooLargeError(
            f"{what} needs a table of {size:.3g} entries, and the most is {LARGEST:.3g}"
        )


def conditional(joint: Array, axes: int = 1, unseen: float = np.nan) -> Array:
    """The law of the last `axes` axes given the others, and `unseen` where these have no weight."""
    total = joint.sum(tuple(range(-axes, 0)), keepdims=True)
    return np.asarray(np.divide(joint, total, where=total > 0, out=np.full(joint.shape, unseen)))


def spread(factor: Factor, names: Sequence[str]) -> Array:
    """The table with an axis for each of `names`, of length 1 where the factor has none."""
    sizes = dict(zip(factor.names, factor.table.shape, strict=True))
    return factor.table.transpose(
        [factor.names.index(name) for name in names if name in sizes]
    ).reshape([sizes.get(name, 1) for name in names])


@lru_cache(maxsize=4096)
def _plan(
    scopes: tuple[tuple[str, ...], ...], keep: tuple[str, ...], sizes: tuple[tuple[str, int], ...]
) -> Steps:
    """Sum out one name after the other, and the last few at once."""
    size = dict(sizes)
    check_size([size[name] for name in keep], "the answer")
    sketch, left = _Sketch(list(scopes), []), prod(size.values())
    for name, others in _order(scopes, keep, size):
        if left <= AT_ONCE and len(sketch.live) <= MOST_FACTORS:
            break
        check_size([size[other] for other in (*others, name)], f"summing out {name}")
        sketch.multiply(others, having=name)
        left //= size[name]
    sketch.multiply(keep)
    return tuple(sketch.steps)


def _order(
    scopes: Sequence[tuple[str, ...]], keep: Sequence[str], size: Mapping[str, int]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The names to sum out, each time the one that leaves the smallest table, and the names of that
    table.
    """
    around: dict[str, set[str]] = {name: set() for name in sorted(size)}
    for scope in scopes:
        for name in scope:
            around[name].update(scope)
    cost = {
        name: prod(size[other] for other in others) // size[name]
        for name, others in around.items()
        if name not in keep
    }
    while cost:
        name = min(cost, key=cost.__getitem__)
        del cost[name]
        others = around.pop(name) - {name}
        for other in others:
            around[other] = (around[other] | others) - {name}
            if other in cost:
                cost[other] = prod(size[another] for another in around[other]) // size[other]
        yield name, tuple(sorted(others))


@dataclass
class _Sketch:
    """The names of the tables that are left, and the steps so far."""

    live: list[tuple[str, ...]]
    steps: list[tuple[str, tuple[int, ...]]]

    def multiply(self, names: tuple[str, ...], having: str | None = None) -> None:
        """Multiply all tables, or those that have a name, a few of them at a time, and sum over all
        but `names`.
        """
        while (
            len(
                parts := [
                    part
                    for part, scope in enumerate(self.live)
                    if having is None or having in scope
                ]
            )
            > MOST_FACTORS
        ):
            some = parts[:MOST_FACTORS]
            self._step(
                some, tuple(dict.fromkeys(name for part in some for name in self.live[part]))
            )
        self._step(parts, names)

    def _step(self, parts: Sequence[int], names: tuple[str, ...]) -> None:
        scopes = [self.live.pop(part) for part in reversed(parts)]
        together = dict.fromkeys(name for scope in scopes for name in scope)
        if len(together) > MOST_NAMES:
            raise TooLargeError(
                f"a product of tables has {len(together)} names, and the most is {MOST_NAMES}; "
                "leave out some that have a single value"
            )
        letters = dict(zip(together, ascii_letters, strict=False))
        inputs = ["".join(letters[name] for name in scope) for scope in scopes]
        self.steps.append(
            (
                f"{','.join(inputs)}->{''.join(letters[name] for name in names)}",
                tuple(reversed(parts)),
            )
        )
        self.live.append(names)

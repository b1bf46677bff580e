"""Variable elimination: sums of products of tables, in an order that keeps the tables small.

The order is greedy: always sum out the variable whose sum leaves the smallest table (the min-weight
heuristic; Koller and Friedman, Probabilistic Graphical Models, 2009, section 9.4.3)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import prod
from string import ascii_letters
from typing import NamedTuple

import numpy as np

from ..arrays import Array
from ..errors import TooLargeError

LARGEST = 2**25  # entries of a table: 256 MiB
AT_ONCE = 64  # a sum over so few joint values needs no order
MOST_NAMES = len(ascii_letters)  # in one product: einsum has a letter for each
MOST_FACTORS = 8  # in one product: einsum visits each factor at every term of the sum

Scope = tuple[str, ...]  # the names of a table's axes


class Step(NamedTuple):
    """One call of einsum, whose result joins the end of the list of tables."""

    subscripts: str
    parts: tuple[int, ...]  # positions of the tables to take out of the list, descending


Steps = tuple[Step, ...]


class Factor(NamedTuple):
    """A table with a name for each axis."""

    names: Scope
    table: Array


def eliminate(factors: Sequence[Factor], keep: Sequence[str]) -> Array:
    """The product of the factors, summed over every name that is not in `keep`: one axis for each
    of `keep`, in its order.

    Raises TooLargeError, before any memory is allocated, if an intermediate table would have more
    than 2**25 entries, or a product more than 52 names."""
    return carry_out(plan(factors, keep), [factor.table for factor in factors])


def plan(factors: Sequence[Factor], keep: Sequence[str]) -> Steps:
    """The steps of `eliminate` for tables with these names and sizes. Raises as it does."""
    sizes: dict[str, int] = {}
    for names, table in factors:
        sizes.update(zip(names, table.shape, strict=True))
    scopes = tuple(factor.names for factor in factors)
    return _plan(scopes, tuple(keep), tuple(sorted(sizes.items())))


def carry_out(steps: Steps, tables: list[Array]) -> Array:
    """The result of the steps for these tables. The list is used up."""
    for subscripts, parts in steps:
        operands = [tables.pop(part) for part in parts]
        tables.append(np.einsum(subscripts, *operands))
    return np.asarray(tables[0])


def check_size(sizes: Iterable[int], what: str) -> None:
    """Raise TooLargeError if a table with these sizes would have more than 2**25 entries."""
    entries = prod(sizes)
    if entries > LARGEST:
        raise TooLargeError(
            f"{what} needs a table of {entries:.3g} entries, and the most is {LARGEST:.3g}"
        )


def conditional(joint: Array, axes: int = 1, unseen: float = np.nan) -> Array:
    """The conditional law of the last `axes` axes given the others, from a joint law.

    Cells are `unseen` where the condition has probability zero."""
    total = joint.sum(tuple(range(-axes, 0)), keepdims=True)
    default = np.full(joint.shape, unseen)
    return np.asarray(np.divide(joint, total, where=total > 0, out=default))


def spread(factor: Factor, names: Sequence[str]) -> Array:
    """The table with an axis for each of `names`, of length 1 where the factor has none."""
    sizes = dict(zip(factor.names, factor.table.shape, strict=True))
    axes = [factor.names.index(name) for name in names if name in sizes]
    shape = [sizes.get(name, 1) for name in names]
    return factor.table.transpose(axes).reshape(shape)


@lru_cache(maxsize=4096)
def _plan(scopes: tuple[Scope, ...], keep: Scope, sizes: tuple[tuple[str, int], ...]) -> Steps:
    """Sum out one name after the other; once few joint values are left, all the rest at once."""
    size = dict(sizes)
    check_size([size[name] for name in keep], "the answer")
    sketch = _Sketch(list(scopes))
    remaining = prod(size.values())  # joint values of the names that are not yet summed out
    for name, others in _order(scopes, keep, size):
        if remaining <= AT_ONCE and len(sketch.live) <= MOST_FACTORS:
            break
        check_size([size[other] for other in (*others, name)], f"summing out {name}")
        sketch.multiply(others, having=name)
        remaining //= size[name]
    sketch.multiply(keep)
    return tuple(sketch.steps)


def _order(
    scopes: Sequence[Scope], keep: Sequence[str], size: Mapping[str, int]
) -> Iterator[tuple[str, Scope]]:
    """The names to sum out, in the greedy order, and the names of the table that each sum leaves.

    Of equally small tables, the name first in the alphabet goes first."""
    # The interaction graph joins names that share a factor. Every name neighbours itself here.
    neighbours: dict[str, set[str]] = {name: set() for name in sorted(size)}
    for scope in scopes:
        for name in scope:
            neighbours[name].update(scope)

    def entries_left(name: str) -> int:
        return prod(size[other] for other in neighbours[name]) // size[name]

    cost = {name: entries_left(name) for name in neighbours if name not in keep}
    while cost:
        # Eliminate the cheapest name. The table that its sum leaves joins all its neighbours.
        name = min(cost, key=cost.__getitem__)
        del cost[name]
        others = neighbours.pop(name) - {name}
        for other in others:
            neighbours[other] = (neighbours[other] | others) - {name}
            if other in cost:
                cost[other] = entries_left(other)
        yield name, tuple(sorted(others))


@dataclass
class _Sketch:
    """The scopes of the tables that are left, and the steps that led to them."""

    live: list[Scope]
    steps: list[Step] = field(default_factory=list)

    def multiply(self, names: Scope, having: str | None = None) -> None:
        """Multiply all tables, or those with the name `having`, and sum over all but `names`."""
        parts = self._parts(having)
        while len(parts) > MOST_FACTORS:
            # Too many for one product: multiply the first few, without summing over anything.
            first_few = parts[:MOST_FACTORS]
            self._step(first_few, self._joint(first_few))
            parts = self._parts(having)
        self._step(parts, names)

    def _parts(self, having: str | None) -> list[int]:
        positions = range(len(self.live))
        return [part for part in positions if having is None or having in self.live[part]]

    def _joint(self, parts: Iterable[int]) -> Scope:
        """The names of some tables, without repetition."""
        return tuple(dict.fromkeys(name for part in parts for name in self.live[part]))

    def _step(self, parts: Sequence[int], names: Scope) -> None:
        descending = tuple(reversed(parts))
        joint = self._joint(descending)
        if len(joint) > MOST_NAMES:
            raise TooLargeError(
                f"a product of tables has {len(joint)} names, and the most is {MOST_NAMES}; "
                "leave out some that have a single value"
            )
        letters = dict(zip(joint, ascii_letters, strict=False))
        inputs = []
        for part in descending:
            scope = self.live.pop(part)
            inputs.append("".join(letters[name] for name in scope))
        output = "".join(letters[name] for name in names)
        self.steps.append(Step(f"{','.join(inputs)}->{output}", descending))
        self.live.append(names)

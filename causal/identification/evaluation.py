"""Formulas evaluated on a law:

a table, or the empirical law of a log. Where a cell is empty, what needs it is unknown.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ..arrays import Array
from ..errors import InputError, did_you_mean
from ..model.elimination import Factor, check_size, conditional, eliminate, spread
from ..tolerances import EMPTY
from .formula import Formula, Fraction, Probability, Sum, factors_of

Tables = Factor | Sequence[Factor]
Laws = Tables | Mapping[str, Tables]

UNIT = Factor((), np.ones(()))


def empirical(columns: Mapping[str, Array], names: Sequence[str]) -> Factor:
    """The empirical law of discrete columns (n,): an axis for each name, its values those of
    `numpy.unique`, ascending.

    Raises InputError if a column is missing or empty, and TooLargeError if the table is too large.
    """
    for name in names:
        if name not in columns:
            raise InputError(f"there is no column {name!r}; {did_you_mean(name, columns)}")
        if not len(columns[name]):
            raise InputError(f"the column {name} has no rows")
    values, codes = zip(
        *(np.unique(columns[name], return_inverse=True) for name in names), strict=True
    )
    sizes = [len(value) for value in values]
    check_size(sizes, f"the law of {', '.join(names)}")
    flat = np.ravel_multi_index(tuple(code.reshape(-1) for code in codes), sizes)
    return Factor(
        tuple(names), np.bincount(flat, minlength=int(np.prod(sizes))).reshape(sizes) / len(flat)
    )


class Cells(NamedTuple):
    """The values of a formula, an axis for each name;

    0 where `unknown`, because a cell of the law is empty.
    """

    names: tuple[str, ...]
    value: Array
    unknown: Array

    def spread(self, names: Sequence[str]) -> "Cells":
        """The same with an axis for each of `names`, of length 1 where there was none."""
        return Cells(
            tuple(names),
            *(spread(Factor(self.names, table), names) for table in (self.value, self.unknown)),
        )


class Law:
    """The laws that formulas are evaluated on, by name; each is the product of some tables,
    normalised or not.

    A law that is not named is P. Raises InputError if two tables disagree about the number of
    values of a variable."""

    def __init__(self, laws: Laws):
        named = laws if isinstance(laws, Mapping) else {"P": laws}
        self.sources = {
            name: [tables] if isinstance(tables, Factor) else list(tables)
            for name, tables in named.items()
        }
        self.sizes: dict[str, int] = {}
        for factor in (factor for tables in self.sources.values() for factor in tables):
            for name, size in zip(factor.names, factor.table.shape, strict=True):
                if self.sizes.setdefault(name, size) != size:
                    raise InputError(
                        f"{name} has {size} values in one table and {self.sizes[name]} in "
                        "another; give it one axis in both"
                    )
        self._known: dict[Probability, Cells] = {}

    def check(self, leaf: Probability) -> None:
        """Raise InputError if the law of a probability, or a variable in it, is missing."""
        if leaf.source not in self.sources:
            raise InputError(
                f"the estimand needs a law {leaf.source!r}; "
                f"{did_you_mean(leaf.source, self.sources)}"
            )
        known = {name for names, _ in self.sources[leaf.source] for name in names}
        for name in sorted(leaf.names - known):
            raise InputError(
                f"the law {leaf.source} has no {name!r}, which the estimand needs; it has "
                f"{', '.join(sorted(known))}"
            )

    def weight(self, names: Sequence[str]) -> Array:
        """How often values of some variables are seen together, in a law that has them all, or else
        all alike.
        """
        for tables in self.sources.values():
            if {name for factor in tables for name in factor.names}.issuperset(names):
                return eliminate([*tables, UNIT], names)
        return np.ones([self.sizes[name] for name in names])

    def cells(self, what: Formula) -> Cells:
        """The values of a formula for all values of the names that it depends on."""
        if isinstance(what, Probability):
            if what not in self._known:
                self._known[what] = self._probability(what)
            return self._known[what]
        if isinstance(what, Fraction):
            return _quotient(self.cells(what.above), self.cells(what.below))
        factors = factors_of(what if not isinstance(what, Sum) else what.what)
        return _contraction([self.cells(factor) for factor in factors], tuple(sorted(what.names)))

    def _probability(self, leaf: Probability) -> Cells:
        names = (*sorted(leaf.given), *sorted(leaf.of))
        joint = eliminate(self.sources[leaf.source], names)
        joint = np.where(joint > EMPTY * joint.sum(), joint, 0.0)
        law = conditional(joint, len(leaf.of))
        return Cells(names, np.nan_to_num(law), np.isnan(law))


def _quotient(above: Cells, below: Cells) -> Cells:
    names = tuple(dict.fromkeys((*above.names, *below.names)))
    (_, value, unknown), (_, divisor, missing) = above.spread(names), below.spread(names)
    unknown = unknown | missing | (divisor <= 0)
    return Cells(
        names, np.where(unknown, 0.0, value / np.where(divisor > 0, divisor, 1.0)), unknown
    )


def _contraction(parts: Sequence[Cells], keep: tuple[str, ...]) -> Cells:
    """The product, summed over all names but `keep`.

    What is unknown is a probability, and so 0 times it is 0.
    """

    def over(tables: Iterable[Array]) -> Array:
        return eliminate(
            [*(Factor(part.names, table) for part, table in zip(parts, tables, strict=True)), UNIT],
            keep,
        )

    value = over(part.value for part in parts)
    if not any(part.unknown.any() for part in parts):
        return Cells(keep, value, np.zeros(value.shape, dtype=bool))
    # how many terms are not 0, with and without those that are unknown
    terms = over(((part.value > 0) | part.unknown).astype(float) for part in parts)
    known = over((part.value > 0).astype(float) for part in parts)
    return Cells(keep, np.where(terms > known, 0.0, value), terms > known)

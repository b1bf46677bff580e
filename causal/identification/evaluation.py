"""Evaluation of formulas on laws.

Where a conditional probability is needed and its condition has probability zero, the value is
unknown."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ..arrays import Array
from ..errors import InputError, did_you_mean, short
from ..model.elimination import Factor, conditional, eliminate, spread
from .formula import Formula, Fraction, Probability, Sum, factors_of, leaves
from .laws import UNIT, Laws, check_normalised, named_laws

# A cell whose share of the total mass is below this counts as empty.
EMPTY_SHARE = 1e-15

Value = float | str  # of a variable


def checked_value(name: str, value: object) -> Value:
    """A value at which a variable is held.

    Raises InputError unless it is a finite number or text.
    """
    plain = value.item() if isinstance(value, np.generic) else value
    if isinstance(plain, str):
        return plain
    if isinstance(plain, int | float) and np.isfinite(plain):
        return plain
    raise InputError(
        f"{name} is held at one value, a finite number or a text, and got {short(value)}"
    )


class EmptyCellError(InputError):
    """The value of a formula depends on a cell of the law that has probability zero."""


class Cells(NamedTuple):
    """The values of a formula, an axis for each name; 0 where `unknown`."""

    names: tuple[str, ...]
    value: Array
    unknown: Array

    def spread(self, names: Sequence[str]) -> "Cells":
        """The same with an axis for each of `names`, of length 1 where there was none."""
        value = spread(Factor(self.names, self.value), names)
        unknown = spread(Factor(self.names, self.unknown), names)
        return Cells(tuple(names), value, unknown)


class Evaluation:
    """Formulas evaluated on laws, which are given by name, each as a product of factors.

    The cells of every formula P(a | b) are kept. Raises InputError if a law or a variable is
    missing, if a law is not normalised, or if two tables disagree about the number of values of a
    variable.
    """

    def __init__(
        self,
        laws: Laws,
        formulas: Iterable[Formula],
        query: Collection[str],
        aliases: Mapping[str, str],
    ):
        probabilities = [leaf for formula in formulas for leaf in leaves(formula)]
        needs: dict[str, set[str]] = {}
        done: dict[str, set[str]] = {}
        for leaf in probabilities:
            needs.setdefault(leaf.source, set()).update(leaf.names)
            done.setdefault(leaf.source, set()).update(leaf.done)
        self._laws = named_laws(laws, needs, query, aliases)
        self._values: dict[str, Array] = {}
        for law in self._laws.values():
            self._values.update(law.values)
        self._sizes = {name: len(values) for name, values in self._values.items()}
        self._measure_axes()
        for leaf in probabilities:
            self._check_names(leaf)
        for name in query:
            if name not in self._sizes:
                raise InputError(
                    f"the law has no {name!r}, which the question names; it has "
                    f"{', '.join(self._sizes)}"
                )
        for source in needs:
            check_normalised(source, self._laws[source], done[source])
        self._known: dict[Probability, Cells] = {}

    def size(self, name: str) -> int:
        """The number of values of a variable."""
        return self._sizes[name]

    def position(self, name: str, value: Value) -> int:
        """The position of a value of a variable on its axis.

        Raises InputError if the variable does not have it, or if it is no single value.
        """
        size = self._sizes[name]
        value = checked_value(name, value)
        if name in self._values:
            values = self._values[name].tolist()
            if value not in values:
                known = ", ".join(map(str, values))
                raise InputError(f"{name} has the values {known}, and was to be held at {value}")
            return int(values.index(value))
        if value not in range(size):
            raise InputError(
                f"{name} has the values number 0 to {size - 1}, and was to be held at {value}"
            )
        return int(value)

    def numbers(self, name: str) -> Array:
        """The values of a variable as numbers. Raises InputError if they are text."""
        values = self._values.get(name, np.arange(self._sizes[name]))
        if values.ndim > 1 or values.dtype.kind not in "iufb":
            raise InputError(f"{name} has the values {values.tolist()}, which are not numbers")
        return values.astype(float)

    def label(self, name: str, position: int) -> str:
        """The value at a position, in words."""
        if name in self._values:
            return f"{name} = {self._values[name][position]}"
        return f"value number {name} = {position}"

    def weight(self, names: Sequence[str]) -> Array:
        """The joint law of some variables, from a law that has them all; else equal weights."""
        for law in self._laws.values():
            if law.names.issuperset(names):
                return eliminate([*law.factors, UNIT], names)
        return np.ones([self._sizes[name] for name in names])

    def cells(self, formula: Formula) -> Cells:
        """The values of a formula for all values of the variables that it depends on."""
        if isinstance(formula, Probability):
            if formula not in self._known:
                self._known[formula] = self._probability(formula)
            return self._known[formula]
        if isinstance(formula, Fraction):
            return _quotient(self.cells(formula.above), self.cells(formula.below))
        summand = formula.summand if isinstance(formula, Sum) else formula
        parts = [self.cells(factor) for factor in factors_of(summand)]
        return _contraction(parts, tuple(sorted(formula.names)))

    def _measure_axes(self) -> None:
        for law in self._laws.values():
            for factor in law.factors:
                for name, size in zip(factor.names, factor.table.shape, strict=True):
                    known = self._sizes.setdefault(name, size)
                    if known != size:
                        raise InputError(
                            f"{name} has {size} values in one table and {known} in another; "
                            "give it one axis in both"
                        )

    def _check_names(self, leaf: Probability) -> None:
        if leaf.source not in self._laws:
            raise InputError(
                f"the estimand needs a law {leaf.source!r}; {did_you_mean(leaf.source, self._laws)}"
            )
        known = self._laws[leaf.source].names
        for name in sorted(leaf.names - known):
            raise InputError(
                f"the law {leaf.source} has no {name!r}, which the estimand needs; it has "
                f"{', '.join(sorted(known))}"
            )

    def _probability(self, leaf: Probability) -> Cells:
        names = (*sorted(leaf.given), *sorted(leaf.of))
        joint = eliminate(self._laws[leaf.source].factors, names)
        # a cell that only rounding fills is empty
        joint = np.where(joint > EMPTY_SHARE * joint.sum(), joint, 0.0)
        law = conditional(joint, len(leaf.of))
        return Cells(names, np.nan_to_num(law), np.isnan(law))


def _quotient(above: Cells, below: Cells) -> Cells:
    names = tuple(dict.fromkeys((*above.names, *below.names)))
    _, value, value_unknown = above.spread(names)
    _, divisor, divisor_unknown = below.spread(names)
    unknown = value_unknown | divisor_unknown | (divisor <= 0)
    quotient = value / np.where(divisor > 0, divisor, 1.0)
    return Cells(names, np.where(unknown, 0.0, quotient), unknown)


def _contraction(parts: Sequence[Cells], keep: tuple[str, ...]) -> Cells:
    """The product, summed over all names but `keep`.

    An unknown factor is a probability, so that 0 times it is 0.
    """

    def summed(tables: Iterable[Array]) -> Array:
        factors = [Factor(part.names, table) for part, table in zip(parts, tables, strict=True)]
        return eliminate([*factors, UNIT], keep)

    value = summed(part.value for part in parts)
    if not any(part.unknown.any() for part in parts):
        return Cells(keep, value, np.zeros(value.shape, dtype=bool))
    # A sum is unknown if counting the unknown terms among those that are not 0 makes a difference.
    nonzero_or_unknown = summed(((part.value > 0) | part.unknown).astype(float) for part in parts)
    nonzero = summed((part.value > 0).astype(float) for part in parts)
    unknown = nonzero_or_unknown > nonzero
    return Cells(keep, np.where(unknown, 0.0, value), unknown)

"""An estimand:

a causal quantity as a formula in the law that is observed, to be written down or evaluated.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from ..errors import InputError, did_you_mean
from ..model.elimination import Factor, check_size
from .evaluation import Cells, Law, Laws
from .formula import Formula, Probability, Set, Sum, factors_of, leaves
from .notation import LATEX, TEXT, Style, write, write_query


@dataclass(frozen=True)
class Estimand:
    """P(y | do(x), z) as a formula.

    Where it meets an empty cell, `longer` is asked, which is equal and may need other cells.
    """

    y: tuple[str, ...]
    x: tuple[str, ...]
    z: tuple[str, ...]
    formula: Formula
    longer: Formula
    order: tuple[str, ...]  # of all variables of the graph, causes first

    def __str__(self) -> str:
        free = self._sorted(self.formula.names.difference(self.y, self.x, self.z))
        return self._equation(TEXT) + (f", for any {', '.join(free)}" if free else "")

    @property
    def latex(self) -> str:
        """The equation in LaTeX."""
        return self._equation(LATEX)

    def _equation(self, style: Style) -> str:
        named = (self.y, self.x, self.z)
        return f"{write_query(*named, style)} = {write(self.formula, self.order, style, set().union(*named))}"

    @property
    def method(self) -> str:
        """What the formula is known as:

        seeing, back-door or front-door; anything else is general.
        """
        if isinstance(self.formula, Probability):
            return "seeing"
        if _is_back_door(self.formula, Set(self.x)):
            return "back-door"
        return "front-door" if _is_front_door(self.formula, Set(self.x)) else "general"

    @property
    def names(self) -> tuple[str, ...]:
        """The variables that a law must have for the estimand to be evaluated on it."""
        found = {
            name
            for formula in (self.formula, self.longer)
            for leaf in leaves(formula)
            for name in leaf.names
        }
        return self._sorted(found.union(self.y, self.x, self.z))

    def _sorted(self, names: Iterable[str]) -> tuple[str, ...]:
        return tuple(sorted(names, key=self.order.index))

    def evaluate(self, law: Laws, at: Mapping[str, int] | None = None) -> Factor:
        """The answer on a law, a table or tables whose product it is: axes y, then x, then z, but
        for those held `at` an index.

        The law need not be normalised, so that counts will do; where the formula is in several
        laws, give each by its name. Raises InputError if a variable is missing, or if the answer
        depends on an empty cell; the message names both."""
        tables, at = Law(law), at or {}
        self._check(tables, at)
        answer = self._answer(self.formula, tables, at)
        if answer.unknown.any():
            other = self._answer(self.longer, tables, at)
            answer = Cells(
                answer.names,
                np.where(answer.unknown, other.value, answer.value),
                answer.unknown & other.unknown,
            )
        if answer.unknown.any():
            raise InputError(self._lack(answer, tables))
        return Factor(answer.names, answer.value)

    def _check(self, law: Law, at: Mapping[str, int]) -> None:
        for leaf in leaves(self.formula) + leaves(self.longer):
            law.check(leaf)
        for name in (*self.y, *self.x, *self.z):
            if name not in law.sizes:
                raise InputError(
                    f"the law has no {name!r}, which the question names; it has "
                    f"{', '.join(law.sizes)}"
                )
        for name, index in at.items():
            if name not in self.x + self.z:
                raise InputError(f"{name!r} cannot be held; {did_you_mean(name, self.x + self.z)}")
            if not 0 <= index < law.sizes[name]:
                raise InputError(
                    f"{name} has the values number 0 to {law.sizes[name] - 1}, and was to be "
                    f"held at {index}"
                )

    def _answer(self, formula: Formula, law: Law, at: Mapping[str, int]) -> Cells:
        """The formula over the whole query, averaged over the values of its other names:

        each of them gives the same answer.
        """
        axes = (*self.y, *self.x, *self.z)
        free = self._sorted(formula.names.difference(axes))
        shape = [law.sizes[name] for name in (*axes, *free)]
        check_size(shape, "the answer")
        _, *found = law.cells(formula).spread((*axes, *free))
        held = tuple(at.get(name, slice(None)) for name in axes)
        value, unknown = (np.broadcast_to(table, shape)[held] for table in found)
        of_y, of_free = tuple(range(len(self.y))), tuple(range(value.ndim - len(free), value.ndim))
        weight = law.weight(free) * ~unknown.any(of_y, keepdims=True)  # of the values that have one
        sums = weight.sum(of_free)
        mean = (value * weight).sum(of_free) / np.where(sums > 0, sums, 1.0)
        return Cells(
            tuple(name for name in axes if name not in at),
            mean,
            np.broadcast_to(sums <= 0, mean.shape),
        )

    def _lack(self, answer: Cells, law: Law) -> str:
        first = dict(zip(answer.names, np.argwhere(answer.unknown)[0].tolist(), strict=True))
        where = [f"{name} = {first[name]}" for name in self.x + self.z if name in first]
        lacking = dict.fromkeys(
            write(leaf, self.order)
            for leaf in leaves(self.formula)
            if law.cells(leaf).unknown.any()
        )
        asked = write_query(self.y, self.x, self.z) + (
            f" at value number {', '.join(where)}" if where else ""
        )
        return f"{asked} is unknown: the law has an empty cell where {' or '.join(lacking) or 'the condition'} is needed"


def _is_back_door(formula: Formula, x: Set) -> bool:
    """Whether it is the sum over s of P(s) P(y | x, s)."""
    if not isinstance(formula, Sum):
        return False
    rest = [factor for factor in factors_of(formula.what) if factor != Probability(formula.over)]
    return (
        len(rest) == 1
        and isinstance(rest[0], Probability)
        and formula.over <= rest[0].given <= formula.over | x
    )


def _is_front_door(formula: Formula, x: Set) -> bool:
    """Whether it is the sum over m of P(m | x), times the sum over x' of P(x') P(y | x', m)."""
    if not isinstance(formula, Sum):
        return False
    rest = [factor for factor in factors_of(formula.what) if factor != Probability(formula.over, x)]
    return (
        len(rest) == 1
        and isinstance(rest[0], Sum)
        and rest[0].over == x
        and _is_back_door(rest[0], formula.over)
    )

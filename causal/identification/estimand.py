"""Estimands: causal quantities as formulas in observed laws, to be printed or evaluated."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from ..arrays import Array
from ..errors import InputError, did_you_mean, short
from ..model.elimination import Factor, check_size
from .evaluation import Cells, EmptyCellError, Evaluation, Value
from .formula import Formula, Probability, Set, Sum, factors_of, leaves
from .laws import Laws
from .notation import LATEX, TEXT, Style, write, write_query


@dataclass(frozen=True)
class Estimand:
    """P(y | do(x), z) as a formula.

    `longer` is an equal formula, evaluated where `formula` needs an empty cell of the law; it may
    need other cells.
    """

    y: tuple[str, ...]
    x: tuple[str, ...]
    z: tuple[str, ...]
    formula: Formula
    longer: Formula
    order: tuple[str, ...]  # of all variables of the graph, causes first
    held: tuple[tuple[str, Value], ...] = ()  # values at which some of x and z are held
    aliases: tuple[tuple[str, str], ...] = ()  # a variable, and the column of a log that has it

    def __str__(self) -> str:
        free = self._sorted(self.formula.names.difference(self.y, self.x, self.z))
        remark = f", for any {', '.join(free)}" if free else ""
        return self._equation(TEXT) + remark

    @property
    def latex(self) -> str:
        """The equation in LaTeX."""
        return self._equation(LATEX)

    @property
    def method(self) -> str:
        """The name of the formula: seeing, back-door, front-door, or general for any other."""
        if isinstance(self.formula, Probability):
            return "seeing"
        if _is_back_door(self.formula, Set(self.x)):
            return "back-door"
        if _is_front_door(self.formula, Set(self.x)):
            return "front-door"
        return "general"

    @property
    def names(self) -> tuple[str, ...]:
        """The variables that the law must have for the estimand to be evaluated on it."""
        needed = {*self.y, *self.x, *self.z}
        for leaf in leaves(self.formula) + leaves(self.longer):
            needed |= leaf.names
        return self._sorted(needed)

    def evaluate(self, law: Laws, at: Mapping[str, Value] | None = None) -> Factor:
        """The value of the estimand on a law: a table with axes y, then x, then z.

        The law is a table with a name for each axis (a `Factor`, or an xarray DataArray), a list
        of factors whose product it is, or data: a pandas frame or a mapping of columns with one
        row for each sample, or a log. A formula in several laws takes a mapping from their names
        to them. A table holds probabilities that sum to 1, or counts.

        Variables of x and z that are held `at` a value, here or in the query, have no axis. Their
        values are those of the data, or of a DataArray's coordinates; the axis of a Factor has the
        values 0, 1, 2 and so on. The axes of data are in ascending order of the values.

        Raises InputError if a table has a negative or infinite entry, NaN, or another sum, if a
        variable is missing, or if the value depends on an empty cell; the message names it.
        """
        if at is not None and not isinstance(at, Mapping):
            raise InputError(f"at maps variables to values, as in {{'x': 1}}, and is {short(at)}")
        query = (*self.y, *self.x, *self.z)
        on = Evaluation(law, (self.formula, self.longer), query, dict(self.aliases))
        positions = self._positions(on, {**dict(self.held), **(at or {})})
        answer = self._answer(self.formula, on, positions)
        if answer.unknown.any():
            other = self._answer(self.longer, on, positions)
            value = np.where(answer.unknown, other.value, answer.value)
            answer = Cells(answer.names, value, answer.unknown & other.unknown)
        if answer.unknown.any():
            raise EmptyCellError(self._empty_cell(answer, on))
        return Factor(answer.names, answer.value)

    def _positions(self, on: Evaluation, at: Mapping[str, Value]) -> dict[str, int]:
        positions = {}
        for name, value in at.items():
            if name not in self.x + self.z:
                raise InputError(f"{name!r} cannot be held; {did_you_mean(name, self.x + self.z)}")
            positions[name] = on.position(name, value)
        return positions

    def _answer(self, formula: Formula, on: Evaluation, at: Mapping[str, int]) -> Cells:
        """The formula with the axes of the query, as far as they are not held.

        A formula may depend on further variables, each value of which gives the same answer: it is
        averaged over those values at which it is known.
        """
        axes = (*self.y, *self.x, *self.z)
        free = self._sorted(formula.names.difference(axes))
        shape = [on.size(name) for name in (*axes, *free)]
        check_size(shape, "the answer")
        cells = on.cells(formula).spread((*axes, *free))
        index = tuple(at.get(name, slice(None)) for name in axes)
        value: Array = np.broadcast_to(cells.value, shape)[index]
        unknown: Array = np.broadcast_to(cells.unknown, shape)[index]
        y_axes = tuple(range(len(self.y)))
        free_axes = tuple(range(value.ndim - len(free), value.ndim))
        # a value of the free variables has weight only if the law is known for all of y
        weight = on.weight(free) * ~unknown.any(y_axes, keepdims=True)
        total = weight.sum(free_axes)
        mean = (value * weight).sum(free_axes) / np.where(total > 0, total, 1.0)
        names = tuple(name for name in axes if name not in at)
        return Cells(names, mean, np.broadcast_to(total <= 0, mean.shape))

    def _empty_cell(self, answer: Cells, on: Evaluation) -> str:
        cell = np.argwhere(answer.unknown)[0].tolist()
        where = []
        for name, position in zip(answer.names, cell, strict=True):
            if name not in self.y:
                where.append(on.label(name, position))
        query = write_query(self.y, self.x, self.z, held=self.held)
        if where:
            query += f" at {', '.join(where)}"
        lacking = []
        for leaf in dict.fromkeys(leaves(self.formula)):
            if on.cells(leaf).unknown.any():
                lacking.append(write(leaf, self.order))
        needed = " or ".join(lacking) or "the condition"
        return f"{query} is unknown: the law has an empty cell where {needed} is needed"

    def _equation(self, style: Style) -> str:
        query = write_query(self.y, self.x, self.z, style, self.held)
        names = {*self.y, *self.x, *self.z}
        return f"{query} = {write(self.formula, self.order, style, names, self.held)}"

    def _sorted(self, names: Iterable[str]) -> tuple[str, ...]:
        return tuple(sorted(names, key=self.order.index))


def _is_back_door(formula: Formula, x: Set) -> bool:
    """Whether it is the sum over s of P(s) P(y | x, s)."""
    if not isinstance(formula, Sum):
        return False
    prior = Probability(formula.over)
    rest = [factor for factor in factors_of(formula.summand) if factor != prior]
    if len(rest) != 1 or not isinstance(rest[0], Probability):
        return False
    return formula.over <= rest[0].given <= formula.over | x


def _is_front_door(formula: Formula, x: Set) -> bool:
    """Whether it is the sum over m of P(m | x) times the sum over x' of P(x') P(y | x', m)."""
    if not isinstance(formula, Sum):
        return False
    of_mediator = Probability(formula.over, x)
    rest = [factor for factor in factors_of(formula.summand) if factor != of_mediator]
    if len(rest) != 1 or not isinstance(rest[0], Sum):
        return False
    return rest[0].over == x and _is_back_door(rest[0], formula.over)

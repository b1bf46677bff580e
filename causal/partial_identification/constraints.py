"""What measured tables say of the laws over response types: linear equations for each district.

A joint table gives the law of a district through its c-factor. Tables that were measured apart give
an equation for each cell, which is linear where the laws of all other districts matter only through
what is known of them.

Source: Balke and Pearl (1997), section 3; c-factors: Tian and Pearl (2002), section 4. Programmes
over several unknown laws are polynomial (Duarte et al. 2024) and are refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import combinations, product
from typing import NamedTuple

import numpy as np

from ..arrays import Floats
from ..errors import InputError
from ..model.elimination import Factor, check_size, eliminate
from ..tolerances import PROBABILITY_MISFIT, ROUNDING
from .response_types import District, ResponseTypes
from .unit_responses import PotentialOutcomes

REMEMBERED = 8  # sets of response types or districts whose equations are kept


class Equations(NamedTuple):
    """matrix @ law = vector, for the law over the response types of a district."""

    matrix: Floats  # (rows, types)
    vector: Floats  # (rows,)
    texts: tuple[str, ...]  # each row in words; none for tables that were measured apart


@lru_cache(maxsize=REMEMBERED)
def equations(district: District) -> Equations:
    """What the tables say of the law over a district's response types.

    Raises InputError if tables that were measured apart multiply unknown laws of two districts.
    """
    model = district.model
    if model.joint is not None:
        return _CFactor(district, model.joint).equations()
    return _from_margins(model)[model.districts.index(district)]


def contract(values: Floats, systems: Sequence[Equations | None]) -> Floats:
    """The expectation of `values` over each district whose law is known as far as they need it.

    `values` has an axis for each district. The axes of these districts have length 1 in the result,
    the others are kept; a district without equations is kept too.
    """
    before = None
    while before != values.shape:
        before = values.shape
        for axis, system in enumerate(systems):
            if values.shape[axis] > 1 and system is not None:
                values = _contract_axis(values, axis, system)
    return values


def _contract_axis(values: Floats, axis: int, system: Equations) -> Floats:
    matrix, vector, _ = system
    flat = np.moveaxis(values, axis, 0).reshape(values.shape[axis], -1)
    # The expectation is known if the values are a combination of rows: then it is the same
    # combination of the right-hand sides.
    weights = np.linalg.lstsq(matrix.T, flat)[0]
    error = abs(matrix.T @ weights - flat).max()
    if error > ROUNDING * max(1.0, abs(flat).max()):
        return values
    others = [size for other, size in enumerate(values.shape) if other != axis]
    return np.expand_dims((vector @ weights).reshape(others), axis)


class _CFactor:
    """The equations of a district from P(all variables)."""

    def __init__(self, district: District, joint: Factor):
        self.district = district
        self.model = district.model
        # P(name | pillow) for each name, nan where the pillow has probability zero.
        self.conditionals = [self.model.conditional(joint, name, np.nan) for name in district.names]

    def equations(self) -> Equations:
        """A row for all values of the variables, for all values of the parents outside.

        It is the probability that the variables take these values when the parents are set. Where
        the table says nothing of the next variable, as what it depends on has probability zero, the
        row is about those before it alone.
        """
        names, outside_names = self.district.names, self.district.outside
        rows: dict[tuple[int, ...], tuple[Floats, float, str]] = {}
        for outside in product(*(range(self.model.size(name)) for name in outside_names)):
            outcomes = self.district.outcomes(outside)
            for values in np.unique(outcomes, axis=0):
                cell = (*outside, *values.tolist())
                at = dict(zip(outside_names + names, cell, strict=True))
                length, probability = self._known(at)
                matches = (outcomes[:, :length] == values[:length]).all(1).astype(float)
                key = (*outside, *values[:length].tolist())
                rows[key] = (matches, probability, self._text(at, length))
        matrix, vector, texts = zip(*rows.values(), strict=True)
        return Equations(np.array(matrix), np.array(vector), texts)

    def _known(self, at: Mapping[str, int]) -> tuple[int, float]:
        """How many of the variables have a known joint law at these positions, and its probability.

        Tian and Pearl (2002), lemma 2: the c-factor is the product of P(name | pillow).
        """
        probability = 1.0
        for length, law in enumerate(self.conditionals):
            factor = law.table[tuple(at[name] for name in law.names)]
            if probability == 0 or np.isnan(factor):
                return length, probability
            probability *= float(factor)
        return len(self.conditionals), probability

    def _text(self, at: Mapping[str, int], length: int) -> str:
        names, outside, order = self.district.names, self.district.outside, self.model.order
        values = self.model.says(names[:length], at)
        if not outside:
            return f"P({values})"
        # Parents that come before the whole district: to see them is to set them.
        earlier = all(order.index(name) < order.index(names[0]) for name in outside)
        condition = self.model.says(outside, at)
        return f"P({values} | {condition})" if earlier else f"P({values} | do({condition}))"


@dataclass
class _Cell:
    """A probability of a measured table."""

    at: dict[str, int]  # positions of the values of its variables
    indicator: Floats  # whether a unit falls in the cell; an axis for each district
    probability: float
    measured: bool  # a cell of a table; else of a margin of one


@dataclass
class _System:
    """The equations of a district, which grow; the first says that its law sums to 1."""

    size: int
    rows: list[Floats] = field(default_factory=list)
    numbers: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.add(np.ones(self.size), 1.0)

    def add(self, row: Floats, number: float) -> None:
        self.rows.append(row)
        self.numbers.append(number)

    def equations(self) -> Equations:
        return Equations(np.array(self.rows), np.array(self.numbers), ())


@lru_cache(maxsize=REMEMBERED)
def _from_margins(model: ResponseTypes) -> tuple[Equations, ...]:
    """The equations of every district from tables that were measured apart.

    The probability of a cell is the expectation of a product of one function of each district's
    types. Where all of these but one have known expectations, the cell is a linear equation for the
    law of the one district left. Each new equation may make another cell linear, so we repeat until
    nothing changes. Margins of the tables are used as well, since they may be linear where the
    table is not yet.
    """
    systems = [_System(district.size) for district in model.districts]
    zeros: list[dict[str, int]] = []
    waiting = _cells(model)
    before = -1
    while len(waiting) != before:
        before = len(waiting)
        waiting = [cell for cell in waiting if not _absorbed(model, cell, systems, zeros)]
    for cell in waiting:
        if cell.measured:
            raise InputError(_not_linear(model, cell))
    return tuple(system.equations() for system in systems)


def _absorbed(
    model: ResponseTypes, cell: _Cell, systems: list[_System], zeros: list[dict[str, int]]
) -> bool:
    """Whether the cell is now an equation of one district, or follows from those there are."""
    # A cell inside one of probability zero has probability zero, whatever the laws.
    if any(zero.items() <= cell.at.items() for zero in zeros):
        return True
    known = [
        system.equations() if cell.indicator.shape[axis] > 1 else None
        for axis, system in enumerate(systems)
    ]
    cell.indicator = contract(cell.indicator, known)
    unknown = [axis for axis, size in enumerate(cell.indicator.shape) if size > 1]
    if len(unknown) > 1:
        return False
    if unknown:
        # Divide by the largest entry, so that rare cells weigh as much as others.
        row = cell.indicator.ravel()
        scale = abs(row).max()
        systems[unknown[0]].add(row / scale, cell.probability / scale)
    elif abs(cell.indicator.item() - cell.probability) > PROBABILITY_MISFIT:
        raise InputError(
            f"P({model.says(tuple(cell.at), cell.at)}) is {cell.probability:.6g}, and the graph "
            f"and the other tables imply {cell.indicator.item():.6g}; add an arrow or a latent, or "
            "give tables that fit the graph"
        )
    if cell.probability == 0:
        zeros.append(cell.at)
    return True


def _cells(model: ResponseTypes) -> list[_Cell]:
    """The cells of the tables and of all their margins, those of few variables first."""
    measured = {frozenset(margin.names): margin for margin in model.margins}
    tables = dict(measured)
    for margin in model.margins:
        for length in range(1, len(margin.names)):
            for names in combinations(margin.names, length):
                part = Factor(names, eliminate([margin], names))
                tables.setdefault(frozenset(names), part)
    outcomes = PotentialOutcomes(model)()
    cells = []
    for key, (names, table) in sorted(tables.items(), key=lambda item: len(item[0])):
        for position, probability in np.ndenumerate(table):
            indicator: Floats = np.ones((1,) * len(model.districts))
            for name, place in zip(names, position, strict=True):
                matches = outcomes[name] == model.supports[name][place]
                check_size(
                    np.broadcast_shapes(indicator.shape, matches.shape),
                    f"the table of {', '.join(names)} for every unit",
                )
                indicator = indicator * matches
            at = dict(zip(names, position, strict=True))
            cells.append(_Cell(at, indicator, float(probability), key in measured))
    return cells


def _not_linear(model: ResponseTypes, cell: _Cell) -> str:
    axes = [axis for axis, size in enumerate(cell.indicator.shape) if size > 1]
    parts = " and of ".join(", ".join(model.districts[axis].names) for axis in axes)
    return (
        f"the table of ({', '.join(cell.at)}) multiplies the unknown laws of {parts}, and a linear "
        "programme has no answer; measure some of these variables together with their causes"
    )

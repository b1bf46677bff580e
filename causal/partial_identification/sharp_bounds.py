"""Sharp bounds on what a table does not tell:

linear programmes over response types, and closed forms where there are some.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from ..arrays import Array, Floats
from ..errors import InputError
from ..tolerances import ROUNDING
from .response_types import District, ResponseTypes
from .unit_responses import Mixture, Quantity, evaluate


@dataclass(frozen=True)
class Bounds:
    """The least and the greatest value of a quantity among all models with one graph and table.

    They are sharp if every value between them is taken, which is known of a point, and where a
    single latent reaches all of the district that is in question. Else they are outer: a district
    with more latents than one, such as three variables that are joined in pairs, may not be able to
    do what the two witnesses do."""

    low: float
    high: float
    sharp: bool
    witnesses: tuple[Mixture, Mixture]  # models with the same table that attain the two ends

    def __str__(self) -> str:
        return f"[{self.low:.6g}, {self.high:.6g}], {'sharp' if self.sharp else 'outer'}"


def bounds(
    types: ResponseTypes, quantity: Quantity, known: Sequence[tuple[Quantity, float]] = ()
) -> Bounds:
    """Bounds on the expectation of a quantity of a unit, such as `lambda do: do(x=1)["y"] -
    do(x=0)["y"]`.

    `known` are quantities whose expectation is known beside the table, from experiments. Raises
    InputError if no model with the graph has the table, naming an inequality that it violates, or
    if the quantity multiplies unknown laws.

    Source: Balke and Pearl (1997), section 3; by the c-factors of Tian and Pearl (2002) all
    districts but one are known."""
    free, (goal, *rows) = linear(types, [quantity, *(other for other, _ in known)])
    beside = (rows, [number for _, number in known])
    low, high = _extreme(free, goal, *beside), _extreme(free, -goal, *beside)
    rest = [
        None if district is free else _extreme(district, np.zeros(prod(district.counts)))
        for district in types.districts
    ]
    ends = [
        Mixture(types, tuple(end if law is None else law for law in rest)) for end in (low, high)
    ]
    return Bounds(
        float(goal @ low),
        float(goal @ high),
        free.one_latent or bool(np.ptp(goal) <= ROUNDING),
        (ends[0], ends[1]),
    )


def linear(types: ResponseTypes, quantities: Sequence[Quantity]) -> tuple[District, Floats]:
    """The one district whose law the table leaves open, and the expected quantities given each of
    its types: (quantities, types).

    Raises InputError if there is more than one, for then the quantities are no linear functions.
    """
    expected = [_contract(types, evaluate(types, quantity)) for quantity in quantities]
    shape = np.broadcast_shapes(*(values.shape for values in expected))
    free = [district for district, size in zip(types.districts, shape, strict=True) if size > 1]
    if len(free) > 1:
        parts = " and of ".join(", ".join(district.names) for district in free)
        raise InputError(
            f"the quantity multiplies the unknown laws of {parts}, and a linear programme has no "
            "answer; ask for less at once"
        )
    district = free[0] if free else types.districts[0]
    return district, np.stack(
        [np.broadcast_to(values.ravel(), prod(district.counts)) for values in expected]
    )


def _contract(types: ResponseTypes, values: Floats) -> Floats:
    """The expectation over every district whose law is known as far as the values need it:

    its axis has length 1.
    """
    before = None
    while before != values.shape:
        before = values.shape
        for axis, district in enumerate(types.districts):
            if values.shape[axis] > 1:
                matrix, vector, _ = district.equations
                flat = np.moveaxis(values, axis, 0).reshape(values.shape[axis], -1)
                weights = np.linalg.lstsq(matrix.T, flat)[0]
                if abs(matrix.T @ weights - flat).max() <= ROUNDING * max(1.0, abs(flat).max()):
                    values = np.expand_dims(
                        (vector @ weights).reshape(
                            [n for a, n in enumerate(values.shape) if a != axis]
                        ),
                        axis,
                    )
    return values


def _extreme(
    district: District, goal: Floats, rows: Sequence[Floats] = (), numbers: Sequence[float] = ()
) -> Floats:
    """The law over a district's types that has the table, and expectations `numbers` of `rows`,
    with the least expected goal.
    """
    matrix, vector, _ = district.equations
    law = least(goal, A_eq=np.vstack([matrix, *rows]), b_eq=np.append(vector, numbers))
    if law is None:
        raise InputError(
            violated_inequality(district)
            or "no model with this graph has both the table and what is known beside it"
        )
    return np.asarray(law.clip(0.0) / law.clip(0.0).sum())


def least(goal: Floats, **constraints: Any) -> Floats | None:
    """Where a linear programme, written as for scipy's `linprog`, has its minimum;

    None if nothing satisfies the constraints.
    """
    from scipy.optimize import linprog  # slow to import

    x = linprog(goal, **constraints).x
    return None if x is None else np.asarray(x)


def violated_inequality(district: District) -> str | None:
    """An inequality that every model with the graph obeys and the table breaks most, in words; None
    if there is none.

    A sum of probabilities is at most 1 if no type counts in it twice: for an instrument these are
    the inequalities of Pearl (1995) and Bonet (2001). It is found as the solution of the dual
    programme."""
    matrix, vector, texts = district.equations
    weights = least(-vector, A_ub=matrix.T, b_ub=np.ones(matrix.shape[1]))
    if weights is None or weights @ vector <= 1.0 + ROUNDING:
        return None
    terms = [
        text if abs(w - 1) < ROUNDING else f"{w:.3g} {text}"
        for w, text in zip(weights, texts, strict=True)
        if w > ROUNDING
    ]
    return f"no model with this graph has the table: {' + '.join(terms)} = {weights @ vector:.6g}, and it is at most 1 in all of them"


def manski(table: Array, values: Array | None = None) -> Floats:
    """Sharp bounds on E[y | do(x)] from P(x, y) alone, if anything may be a common cause: (..., X, Y) to (..., X, 2).

    `values` are those of y, 0 to Y-1 if not given; the least and the greatest of them are what y
    can be. Axes before the last two are contexts. The table may be of counts. Raises InputError if
    a context is empty.

    Source: Manski (1990).
    """
    table = np.asarray(table, dtype=float)
    if not (np.isfinite(table) & (table >= 0)).all():
        raise InputError(
            "the table has an entry that is negative or not a number; it must hold probabilities "
            "or counts"
        )
    total = table.sum((-2, -1), keepdims=True)
    if (total <= 0).any():
        raise InputError("the table has a context without any weight; leave it out")
    values = np.arange(table.shape[-1]) if values is None else np.asarray(values, dtype=float)
    seen = table / total
    unseen = 1.0 - seen.sum(-1)
    return np.stack(
        [seen @ values + unseen * values.min(), seen @ values + unseen * values.max()], axis=-1
    )


def balke_pearl(table: Array) -> Floats:
    """Sharp bounds on P(y=1 | do(d)) from an instrument z with K values, d and y binary: (K, 2, 2) to (2, 2), rows (low, high).

    The table has the axes z, d, y, and any weights for the values of z, counts or not. The bounds
    for the two d are attained together, in every combination; see `contrast`. Raises InputError if
    the table violates an instrumental inequality.

    Source: Balke and Pearl (1997), equations 12 to 14; for K values Richardson and Robins (2014),
    theorem 1."""
    p = np.asarray(table, dtype=float)
    if p.ndim != 3 or p.shape[1:] != (2, 2) or (p.sum((1, 2)) <= 0).any():
        raise InputError(
            "an instrument's table has the axes z, d, y, two values of d and y each, and some "
            "weight for each z"
        )
    p = p / p.sum((1, 2), keepdims=True)
    types = ResponseTypes({"z": (), "d": ("z",), "y": ("d",)}, [("d", "y")], p)
    if (violated := violated_inequality(types.districts[1])) is not None:
        raise InputError(violated)
    most = np.array([[_most(p, d, y) for y in (0, 1)] for d in (0, 1)])
    return np.stack([1.0 - most[:, 0], most[:, 1]], axis=-1)


def _most(p: Floats, d: int, y: int) -> float:
    """The greatest P(y | do(d)): the function g of Richardson and Robins."""
    alone = p[:, d, y] + p[:, 1 - d].sum(1)
    pair = (p[:, d, y] + p[:, 1 - d, 0])[:, None] + (p[:, d, y] + p[:, 1 - d, 1])
    return float(min(alone.min(), pair.min()))


def contrast(intervals: Array, treated: int = 1, control: int = 0) -> tuple[float, float]:
    """Bounds on E[y | do(treated)] - E[y | do(control)] from a row (low, high) for each treatment,
    if these vary freely.
    """
    return float(intervals[treated, 0] - intervals[control, 1]), float(
        intervals[treated, 1] - intervals[control, 0]
    )

"""Sharp bounds on quantities that tables do not identify: linear programmes over response types,
and closed forms for the bow and the instrument.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arrays import Array, Floats, numeric
from ..errors import InputError, short
from ..exact.linear_programme import least
from ..model.elimination import Factor
from ..tolerances import ROUNDING
from .constraints import contract, equations
from .response_types import District, ResponseTypes
from .unit_responses import TypeMixture, UnitQuantity, check_types, evaluate


@dataclass(frozen=True)
class Bounds:
    """The least and the greatest value of a quantity among all models with one graph and tables.

    They are sharp, which means that every value between them is taken, if they are a point or a
    single latent reaches all variables of the district in question. Else they are outer bounds: the
    laws over types that attain them may be beyond several latents, such as three that join three
    variables in pairs.
    """

    low: float
    high: float
    sharp: bool
    witnesses: tuple[TypeMixture, TypeMixture]  # models with the same tables that attain the ends

    def __str__(self) -> str:
        return f"[{self.low:.6g}, {self.high:.6g}], {'sharp' if self.sharp else 'outer'}"


def bounds(
    types: ResponseTypes,
    quantity: UnitQuantity | None = None,
    known: Sequence[tuple[UnitQuantity, float]] = (),
) -> Bounds:
    """Bounds on the expectation of a quantity such as `lambda do: do(x=1)["y"] - do(x=0)["y"]`.

    `known` are further quantities and their expectations, from experiments. The tables of `types`
    may have been measured together or apart; in both cases the bounds are as sharp as `Bounds`
    says, since what is not linear in a single unknown law is refused. Raises InputError if no model
    with the graph has the tables, naming an inequality that they violate, or if the quantity or a
    table multiplies unknown laws.

    Source: Balke and Pearl (1997), section 3; for several districts the linear class of Sachs et
    al. (2023) and, beyond it, Duarte et al. (2024).
    """
    check_types(types)
    if quantity is None:
        raise InputError(
            "bounds need a quantity, as in bounds(types, lambda do: do(x=1)['y'] - do(x=0)['y'])"
        )
    pairs = _checked_known(known)
    # Balke and Pearl: the quantity is linear in the law over types, q, and so are the tables.
    free, (goal, *rows) = linear(types, [quantity, *(other for other, _ in pairs)])
    numbers = [number for _, number in pairs]
    # Minimise and maximise goal @ q over all q >= 0 that have the tables.
    low = _extreme(free, goal, rows, numbers)
    high = _extreme(free, -goal, rows, numbers)
    # The laws of the other districts do not matter: any that has the tables completes a witness.
    rest = {
        district: _extreme(district, np.zeros(district.size))
        for district in types.districts
        if district is not free
    }
    least_model = _mixture(types, {**rest, free: low})
    greatest_model = _mixture(types, {**rest, free: high})
    return Bounds(
        low=float(goal @ low),
        high=float(goal @ high),
        sharp=free.one_latent or bool(np.ptp(goal) <= ROUNDING),
        witnesses=(least_model, greatest_model),
    )


def _checked_known(known: object) -> list[tuple[UnitQuantity, float]]:
    """The further quantities, each with its expectation."""
    pairs = []
    listed: Sequence[Any] = known if isinstance(known, Sequence) else [known]
    for pair in listed:
        is_pair = isinstance(pair, tuple | list) and len(pair) == 2 and callable(pair[0])
        if not is_pair:
            raise InputError(
                "`known` lists pairs of a quantity and its expectation, as in "
                f"[(lambda do: do(x=1)['y'], 0.3)], and has {short(pair)}"
            )
        expectation = numeric(pair[1], "an expectation in `known`", axes=0)
        pairs.append((pair[0], float(expectation)))
    return pairs


def _mixture(types: ResponseTypes, laws: dict[District, Floats]) -> TypeMixture:
    return TypeMixture(types, tuple(laws[district] for district in types.districts))


def linear(types: ResponseTypes, quantities: Sequence[UnitQuantity]) -> tuple[District, Floats]:
    """The one district whose unknown law matters, and the quantities as linear functions of it.

    These are expectations given each of the district's types: (quantities, types). Raises
    InputError if the unknown laws of two districts matter, for then the quantities are not linear.
    """
    expected = [_contracted(types, quantity) for quantity in quantities]
    shape = np.broadcast_shapes(*(values.shape for values in expected))
    free = [district for district, size in zip(types.districts, shape, strict=True) if size > 1]
    if len(free) > 1:
        parts = " and of ".join(", ".join(district.names) for district in free)
        raise InputError(
            f"the quantity multiplies the unknown laws of {parts}, and a linear programme has no "
            "answer; ask for less at once"
        )
    district = free[0] if free else types.districts[0]
    rows = [np.broadcast_to(values.ravel(), district.size) for values in expected]
    return district, np.stack(rows)


def _contracted(types: ResponseTypes, quantity: UnitQuantity) -> Floats:
    """The quantity's expectation over all districts whose laws are known as far as it needs."""
    values = evaluate(types, quantity)
    systems = [
        equations(district) if size > 1 else None
        for district, size in zip(types.districts, values.shape, strict=True)
    ]
    return contract(values, systems)


def _extreme(
    district: District, goal: Floats, rows: Sequence[Floats] = (), numbers: Sequence[float] = ()
) -> Floats:
    """The law over a district's types with the least expected goal.

    Among those that have the tables, and expectations `numbers` of `rows`. Raises InputError if
    there are none.
    """
    matrix, vector, _ = equations(district)
    law = least(goal, A_eq=np.vstack([matrix, *rows]), b_eq=np.append(vector, numbers))
    if law is None and district.model.joint is None:
        raise InputError(
            "no model with this graph has all of the tables, and what else is known; check them, "
            "or add a latent"
        )
    if law is None:
        raise InputError(
            violated_inequality(district)
            or "no model with this graph fits both the table and the other constraints"
        )
    return np.asarray(law.clip(0.0) / law.clip(0.0).sum())


def violated_inequality(district: District) -> str | None:
    """The inequality among probabilities that the joint table violates most, in words, or None.

    A sum of probabilities is at most 1 if no type counts twice in it. For an instrument these are
    the inequalities of Pearl (1995) and Bonet (2001).
    """
    # Farkas' lemma: no law has the table if and only if some weighted sum of its probabilities is
    # at most 1 for every type and more than 1 for the table. The dual programme finds the weights.
    matrix, vector, texts = equations(district)
    weights = least(-vector, A_ub=matrix.T, b_ub=np.ones(matrix.shape[1]))
    if weights is None or weights @ vector <= 1.0 + ROUNDING:
        return None
    terms = []
    for weight, text in zip(weights, texts, strict=True):
        if abs(weight - 1) < ROUNDING:
            terms.append(text)
        elif weight > ROUNDING:
            terms.append(f"{weight:.3g} {text}")
    return (
        f"no model with this graph has the table: {' + '.join(terms)} = {weights @ vector:.6g}, "
        "and it is at most 1 in all of them"
    )


def manski(table: Array, values: Array | None = None) -> Floats:
    """Sharp bounds (low, high) on E[y | do(x)] under arbitrary confounding: (..., X, 2).

    `table` is P(x, y) or counts, of shape (..., X, Y): the last two axes are x and y, those before
    them are contexts. `values` (Y,) are those of y, by default 0 to Y-1. Raises InputError if an
    entry is negative or not finite, a context has no weight, or probabilities add to more than 1.

    Source: Manski (1990).
    """
    table = _positional(table)
    if table.ndim < 2:
        raise InputError(f"the table needs the axes x and y, and has the shape {table.shape}")
    _check_weights(table, "P(x, y)")
    total = table.sum((-2, -1), keepdims=True)
    if (total <= 0).any():
        raise InputError("the table has a context without any weight; leave it out")
    count = table.shape[-1]
    values = np.arange(count) if values is None else numeric(values, "values", axes=1)
    if len(values) != count:
        raise InputError(f"y has {count} values in the table, and `values` has {len(values)}")
    # E[y | do(x)] = E[y; x] + P(not x) E[y_x | not x], and the last mean may be anything.
    law = table / total
    others = 1.0 - law.sum(-1)
    low = law @ values + others * values.min()
    high = law @ values + others * values.max()
    return np.stack([low, high], axis=-1)


def _positional(table: Array) -> Floats:
    """A table without names. Raises InputError if an entry is negative, naming its cell."""
    if hasattr(table, "columns"):
        raise InputError(
            "the table is an array of probabilities or counts, and got a "
            f"{type(table).__name__}; empirical(data, names).table makes one of data"
        )
    entries = numeric(table, "the table", finite=False)
    wrong = np.argwhere(~np.isfinite(entries) | (entries < 0))
    if len(wrong):
        cell = tuple(wrong[0].tolist())
        raise InputError(
            f"the table has {entries[cell]} at {cell}, which is negative or not a number; it must "
            "hold probabilities or counts"
        )
    return entries


def _check_weights(table: Floats, law: str) -> None:
    """Raise InputError unless the last two axes hold counts, or a law, perhaps with a weight below
    1: a law of y given x adds to the number of values of x, and is another question's table.
    """
    most = table.sum((-2, -1)).max(initial=0.0)
    if most > 1 + 1e-6 and (table != np.round(table)).any():
        raise InputError(
            f"the table is {law} or counts, and the entries of the last two axes add to {most:.6g}"
        )


def balke_pearl(table: Array) -> Floats:
    """Sharp bounds on P(y=1 | do(d)) from a K-valued instrument z: (2, 2), rows (low, high).

    `table` has the axes z, d, y, of shape (K, 2, 2): counts or probabilities with any weights for
    the values of z. The bounds for d=0 and d=1 are attained together in every combination, so that
    `contrast` of them is sharp. Raises InputError if the table violates an instrumental inequality.

    Source: Balke and Pearl (1997), equations 12 to 14; for K values Richardson and Robins (2014),
    theorem 1.
    """
    p = _positional(table)
    if p.ndim != 3 or p.shape[1:] != (2, 2) or (p.sum((1, 2)) <= 0).any():
        raise InputError(
            "an instrument's table has the axes z, d, y, two values of d and y each, and some "
            "weight for each z"
        )
    _check_weights(p, "P(d, y | z)")
    p = p / p.sum((1, 2), keepdims=True)
    joint = Factor(("z", "d", "y"), p / p.sum())
    types = ResponseTypes({"z": (), "d": ("z",), "y": ("d",)}, [("d", "y")], joint)
    if (violated := violated_inequality(types.districts[1])) is not None:
        raise InputError(violated)
    most = np.array([[_most(p, d, y) for y in (0, 1)] for d in (0, 1)])
    return np.stack([1.0 - most[:, 0], most[:, 1]], axis=-1)


def _most(p: Floats, d: int, y: int) -> float:
    """The greatest P(y | do(d)): the function g of Richardson and Robins (2014)."""
    # One value of z: all who do not take d might have y.
    single = p[:, d, y] + p[:, 1 - d].sum(1)
    # Two values of z: at one, those with y'=0 among the others; at the other, those with y'=1.
    pair = (p[:, d, y] + p[:, 1 - d, 0])[:, None] + (p[:, d, y] + p[:, 1 - d, 1])
    return float(min(single.min(), pair.min()))


def contrast(intervals: Array, treated: int = 1, control: int = 0) -> tuple[float, float]:
    """Bounds on E[y | do(treated)] - E[y | do(control)] if both means vary freely.

    `intervals` has a row (low, high) for each treatment: (X, 2).
    """
    intervals = numeric(intervals, "the intervals", axes=2)
    if intervals.shape[1] != 2:
        raise InputError(
            f"the intervals are rows (low, high), and have the shape {intervals.shape}"
        )
    for name, row in (("treated", treated), ("control", control)):
        if row not in range(len(intervals)):
            raise InputError(
                f"{name} is {row!r}, and the intervals are of 0 to {len(intervals) - 1}"
            )
    low = intervals[treated, 0] - intervals[control, 1]
    high = intervals[treated, 1] - intervals[control, 0]
    return float(low), float(high)

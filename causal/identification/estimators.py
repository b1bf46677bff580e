"""Causal quantities estimated from data, each with its standard error, and never from empty cells.

Data are a mapping of columns, a pandas frame or a log, with a row for each unit. Columns that
are counted may hold numbers or text, and one of shape (n, k) counts as one variable. `rng` is a
generator or a seed.

Standard errors are those of the Bayesian bootstrap of Rubin (1981): rows are weighted by
independent exponential numbers. It agrees with the ordinary bootstrap for large n, and never
empties a cell that has a row."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from ..arrays import Array, Floats
from ..counts import whole_number
from ..errors import InputError
from ..graphs.admg import Names
from ..graphs.names import as_names
from ..model.elimination import Factor
from ..model.scm import generator
from .columns import ColumnData, Seed, coded, columns_of, numbers
from .laws import empirical

RESAMPLES = 200


class Estimate(NamedTuple):
    """An estimate, and its standard error, of the same shape and unit."""

    value: Floats
    error: Floats


def plug_in(
    data: ColumnData,
    names: Names,
    functional: Callable[[Factor], Array],
    rng: Seed,
    resamples: int = RESAMPLES,
) -> Estimate:
    """A functional of the joint law of some discrete columns, at their empirical law.

    The functional takes a table with an axis for each name, the column's values ascending along
    it, such as `lambda law: estimand.evaluate(law).table`. Raises InputError if its value is not
    finite, naming a cell that no row fills.
    """
    if not callable(functional):
        raise InputError(
            f"the functional is a function of a table, and got {type(functional).__name__}"
        )
    names, columns = as_names(names), columns_of(data)
    axes = [coded(columns, name) for name in names]
    codes = {name: positions for name, (_, positions) in zip(names, axes, strict=True)}
    law = empirical(codes, names)

    def estimate(weights: Floats) -> Floats:
        table = weights.reshape(law.table.shape) / weights.sum()
        with np.errstate(divide="ignore", invalid="ignore"):
            value = np.asarray(functional(Factor(law.names, table)), dtype=float)
        if not np.isfinite(value).all():
            empty = [
                f"{name}={values[position]}"
                for cell in np.argwhere(law.table <= 0)[:1]
                for name, (values, _), position in zip(names, axes, cell, strict=True)
            ]
            raise InputError(
                "the functional is not a number at the law of this log: no row has "
                f"{', '.join(empty) or 'what it needs'}"
            )
        return value

    rows = len(axes[0][1])
    return with_errors(estimate, law.table.ravel() * rows, rng, resamples)


def ipw(
    data: ColumnData,
    treatment: str,
    outcome: str,
    given: Names,
    rng: Seed,
    propensity: str | None = None,
    resamples: int = RESAMPLES,
) -> Estimate:
    """E[outcome | do(treatment)] for each value of the treatment, (values,), by inverse propensity.

    The propensity P(treatment | given) is counted in the data, or read from the column
    `propensity`, which has that of the treatment taken. Raises InputError if a value of the
    treatment never occurs with some values of `given`, naming both.

    Source: Horvitz and Thompson (1952).
    """
    return aipw(data, treatment, outcome, given, None, rng, propensity, resamples)


def aipw(
    data: ColumnData,
    treatment: str,
    outcome: str,
    given: Names,
    regression: Names | None,
    rng: Seed,
    propensity: str | None = None,
    resamples: int = RESAMPLES,
) -> Estimate:
    """E[outcome | do(treatment)] for each value of the treatment, (values,), doubly robust.

    Consistent if the propensity is right, as in `ipw`, or if the mean outcome given the treatment
    and the discrete columns `regression` is; without a regression that mean is taken to be 0.
    Raises InputError as `ipw` does.

    Source: Robins, Rotnitzky and Zhao (1994).
    """
    columns = columns_of(data)
    _check_roles(treatment, outcome, as_names(given), as_names(regression or ()))
    # raises where there is no overlap, also if the data have a propensity
    propensity_strata = strata(columns, treatment, as_names(given))
    if propensity is not None:
        propensity_strata = strata(columns, treatment, ())
    outcome_strata = strata(columns, treatment, as_names(regression or ()))
    measured = [numbers(columns, outcome)]
    if propensity is not None:
        measured.append(_probabilities(columns, propensity))
    treated = coded(columns, treatment)[1]
    distinct, counts = distinct_rows(treated, propensity_strata, outcome_strata, *measured)
    x, s, g = (codes.astype(np.int64) for codes in distinct[:3])
    y, logged_propensity = distinct[3], distinct[-1]
    taken = np.arange(x.max() + 1) == x[:, None]

    def estimate(weights: Floats) -> Floats:
        p = logged_propensity if propensity else _propensity(x, s, weights)
        fitted = np.zeros(taken.shape) if regression is None else _regression(y, x, g, weights)
        residual = (y - fitted[np.arange(len(y)), x]) / p
        # E[fitted(x) + 1(x is taken) residual], for each x
        return np.asarray(weights @ (fitted + taken * residual[:, None]) / weights.sum())

    return with_errors(estimate, counts, rng, resamples)


def _check_roles(treatment: str, outcome: str, *others: Sequence[str]) -> None:
    """Raise InputError if the treatment is the outcome, or one of them is adjusted for."""
    adjusted = [name for names in others for name in names]
    for name, role in ((treatment, "treatment"), (outcome, "outcome")):
        if name in adjusted:
            raise InputError(f"{name!r} is the {role}, which is not adjusted for; leave it out")
    if treatment == outcome:
        raise InputError(f"{treatment!r} is both treatment and outcome; name two columns")


def with_errors(
    estimate: Callable[[Floats], Floats], counts: Floats, rng: Seed, resamples: int
) -> Estimate:
    """The estimate at the counts of the distinct rows, and its standard error.

    The sum of the exponential weights of equal rows has a gamma distribution. Raises InputError at
    one row, which tells no error, and if either overflows.
    """
    if counts.sum() < 2:
        raise InputError("an estimate with its standard error needs 2 rows or more, and got 1")
    resamples = whole_number("resamples", resamples, 2)
    rng = generator(rng)
    with np.errstate(over="ignore", invalid="ignore"):
        replicates = [estimate(rng.standard_gamma(counts)) for _ in range(resamples)]
        result = Estimate(estimate(counts), np.std(replicates, axis=0, ddof=1))
    if not np.isfinite(np.array(result)).all():
        raise InputError("the estimate is not finite: numbers are too large to add; rescale them")
    return result


def distinct_rows(*columns: Array) -> tuple[tuple[Floats, ...], Floats]:
    """The distinct rows of some columns, as columns, and how often each occurs."""
    table = np.stack(columns, axis=1).astype(float)
    rows, counts = np.unique(table, axis=0, return_counts=True)
    return tuple(rows.T), counts.astype(float)


def strata(data: ColumnData, treatment: str, names: Sequence[str]) -> Array:
    """The number of each row's stratum, the combination of its values in some columns: (n,).

    Raises InputError if a value of the treatment never occurs in one.
    """
    columns = columns_of(data)
    values, x = coded(columns, treatment)
    axes = [coded(columns, name) for name in names]
    codes = np.stack([x * 0, *(positions for _, positions in axes)])
    cells, stratum = np.unique(codes, axis=1, return_inverse=True)
    stratum = stratum.reshape(-1)
    never = np.argwhere(_counted(stratum, x, np.ones(len(x))) <= 0)
    if len(never):
        s, missing = never[0]
        where = [
            f"{name}={support[position]}"
            for name, (support, _), position in zip(names, axes, cells[1:, s], strict=True)
        ]
        raise InputError(
            f"no row has {treatment}={values[missing]} where {', '.join(where)}; merge or drop "
            "such rows, adjust for less, or ask for bounds"
        )
    return stratum


def _propensity(x: Array, stratum: Array, weights: Floats) -> Floats:
    """P(x | stratum) of the treatment that each row took: (n,)."""
    with_treatment = _counted(stratum, x, weights)[stratum, x]
    in_stratum = _counted(stratum, 0 * x, weights)[stratum, 0]
    return np.asarray(with_treatment / in_stratum)


def _regression(y: Floats, x: Array, stratum: Array, weights: Floats) -> Floats:
    """E[y | x, stratum] in each row's stratum, for each value of x: (n, values)."""
    means = _counted(stratum, x, weights * y) / _counted(stratum, x, weights)
    return np.asarray(means[stratum])


def _probabilities(data: ColumnData, name: str) -> Floats:
    p = numbers(columns_of(data), name)
    if not ((p > 0) & (p <= 1)).all():
        raise InputError(
            f"the column {name} must hold probabilities, and has one that is not above 0 "
            "and at most 1"
        )
    return p


def _counted(stratum: Array, x: Array, weights: Floats) -> Floats:
    """The total weight of each stratum and value of x: (strata, values)."""
    shape = (int(stratum.max()) + 1, int(x.max()) + 1)
    cells = np.ravel_multi_index((stratum, x), shape)
    totals = np.bincount(cells, weights, minlength=shape[0] * shape[1])
    return totals.astype(float).reshape(shape)

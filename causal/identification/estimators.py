"""Causal quantities estimated from the columns of a log, each with its standard error, and never
from an empty cell.

A log is a mapping of columns, a row for each unit. Discrete columns take any values, and one of
shape (n, k) counts as one variable. Standard errors come from the Bayesian bootstrap of Rubin
(1981), which weights rows by independent exponential numbers: its errors are those of the ordinary
bootstrap, but it never empties a cell that has a row."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ..arrays import Array, Floats
from ..errors import InputError, did_you_mean
from ..model.elimination import Factor
from ..tolerances import SINGULAR
from .evaluation import empirical

Log = Mapping[str, Array]

RESAMPLES = 200


class Estimate(NamedTuple):
    """An estimate, and its standard error, of the same shape and unit."""

    value: Floats
    error: Floats


def plug_in(
    log: Log,
    names: Sequence[str],
    functional: Callable[[Factor], Array],
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
) -> Estimate:
    """Any functional of the joint law of some discrete columns, such as `lambda law:
    estimand.evaluate(law).table`.

    The law is a table with an axis for each name; the values along it are those of `numpy.unique`.
    Raises InputError if the functional is not finite, naming a cell that no row fills."""
    values, codes = zip(*(_coded(log, name) for name in names), strict=True)
    law = empirical(dict(zip(names, codes, strict=True)), names)

    def estimate(weights: Floats) -> Floats:
        with np.errstate(divide="ignore", invalid="ignore"):
            found = np.asarray(
                functional(Factor(law.names, weights.reshape(law.table.shape))), dtype=float
            )
        if not np.isfinite(found).all():
            cells = np.argwhere(law.table <= 0)[:1].ravel()
            empty = ", ".join(
                f"{name}={v[cell]}" for name, v, cell in zip(names, values, cells, strict=False)
            )
            raise InputError(
                "the functional is not a number at the law of this log: no row has "
                f"{empty or 'what it needs'}"
            )
        return found

    return _with_errors(estimate, law.table.ravel() * len(codes[0]), rng, resamples)


def ipw(
    log: Log,
    treatment: str,
    outcome: str,
    given: Sequence[str],
    rng: np.random.Generator,
    propensity: str | None = None,
    resamples: int = RESAMPLES,
) -> Estimate:
    """E[outcome | do(treatment)] for each value of the treatment, by inverse propensity weighting: (values,).

    The propensity is P(treatment | given), as the log counts it, or else a column that holds that of the treatment taken.
    Raises InputError if a value of the treatment never occurs beside some values of `given`, naming both.

    Source: Horvitz and Thompson (1952).
    """
    return aipw(log, treatment, outcome, given, None, rng, propensity, resamples)


def aipw(
    log: Log,
    treatment: str,
    outcome: str,
    given: Sequence[str],
    regression: Sequence[str] | None,
    rng: np.random.Generator,
    propensity: str | None = None,
    resamples: int = RESAMPLES,
) -> Estimate:
    """E[outcome | do(treatment)] for each value of the treatment, doubly robust: (values,).

    It is right in the long run if the propensity is, as in `ipw`, or if the mean outcome given the
    treatment and the discrete columns `regression` is; that is 0 if there is no `regression`.
    Raises InputError as `ipw` does.

    Source: Robins, Rotnitzky and Zhao (1994).
    """
    covered = _strata(log, treatment, given)  # or the error, whatever propensity the log names
    strata = [
        _strata(log, treatment, ()) if propensity else covered,
        _strata(log, treatment, regression or ()),
    ]
    numbers = [_numbers(log, name) for name in (outcome, *([propensity] if propensity else []))]
    columns, counts = _cells(_coded(log, treatment)[1], *strata, *numbers)
    x, s, g = (codes.astype(np.int64) for codes in columns[:3])
    y, known = columns[3], columns[-1]
    if propensity and not ((known > 0) & (known <= 1)).all():
        raise InputError(
            f"the column {propensity} must hold probabilities, and has one that is not above 0 "
            "and at most 1"
        )
    taken = np.arange(x.max() + 1) == x[:, None]

    def estimate(weights: Floats) -> Floats:
        p = (
            known
            if propensity
            else _counted(s, x, weights)[s, x] / _counted(s, 0 * x, weights)[s, 0]
        )
        fitted = (
            np.zeros(taken.shape)
            if regression is None
            else (_counted(g, x, weights * y) / _counted(g, x, weights))[g]
        )
        residual = (y - fitted[np.arange(len(y)), x]) / p
        return np.asarray(weights @ (fitted + taken * residual[:, None]) / weights.sum())

    return _with_errors(estimate, counts, rng, resamples)


def two_stage_least_squares(
    log: Log,
    treatments: Sequence[str],
    outcome: str,
    instruments: Sequence[str],
    rng: np.random.Generator,
    covariates: Sequence[str] = (),
    resamples: int = RESAMPLES,
) -> Estimate:
    """The linear effect of each treatment on the outcome, by instruments: (treatments,).

    Covariates, and a constant, are in both stages. Raises InputError if the instruments do not move
    the treatments apart.

    Source: Angrist and Pischke (2009), section 4.1.
    """
    names = [*treatments, *covariates, *instruments, outcome]
    columns, counts = _cells(*(_numbers(log, name) for name in names))
    columns = tuple(
        column - (counts @ column) / counts.sum() for column in columns
    )  # which the constant makes up for
    scales = np.array([np.sqrt((counts @ column**2) / counts.sum()) or 1.0 for column in columns])
    v = np.stack(
        [
            *(column / scale for column, scale in zip(columns, scales, strict=True)),
            np.ones(len(counts)),
        ],
        axis=1,
    )
    x = [
        *range(len(treatments) + len(covariates)),
        len(names),
    ]  # positions of the regressors, and of what is exogenous
    z = [*range(len(treatments), len(names) - 1), len(names)]

    def estimate(weights: Floats) -> Floats:
        moments = (v * weights[:, None]).T @ v / weights.sum()
        first = np.linalg.lstsq(
            moments[np.ix_(z, z)], moments[np.ix_(z, [*x, len(names) - 1])], rcond=SINGULAR
        )[0]
        fitted = (
            moments[np.ix_(z, x)].T @ first
        )  # moments of the first stage with the regressors and with the outcome
        effects, _, rank, _ = np.linalg.lstsq(fitted[:, :-1], fitted[:, -1], rcond=SINGULAR)
        if rank < len(x):
            raise InputError(
                f"{', '.join(instruments) or 'no instrument'} cannot tell apart what "
                f"{', '.join(names[: len(x) - 1])} do"
            )
        return np.asarray(effects[: len(treatments)] * scales[-1] / scales[: len(treatments)])

    return _with_errors(estimate, counts, rng, resamples)


def proximal(
    log: Log,
    treatment: str,
    outcome: str,
    treatment_proxy: str,
    outcome_proxy: str,
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
) -> Estimate:
    """E[outcome | do(treatment)] for each value of the treatment, from two discrete proxies of a hidden cause: (values,).

    Raises InputError as `outcome_bridge` does, and if a value of the treatment never occurs beside
    one of its proxy."""
    names = [treatment, treatment_proxy, outcome_proxy, outcome]
    _strata(log, treatment, [treatment_proxy])
    values = np.unique(_numbers(log, outcome))
    return plug_in(log, names, lambda law: proximal_means(law.table, values), rng, resamples)


def proximal_means(joint: Array, values: Array | None = None) -> Floats:
    """E[y | do(x)] for each x by the outcome bridge, from a table with the axes x, z, w, y, as
    `outcome_bridge` says: (X,).
    """
    return np.asarray(outcome_bridge(joint, values) @ np.sum(joint, (0, 1, 3)) / np.sum(joint))


def outcome_bridge(joint: Array, values: Array | None = None) -> Floats:
    """The h(x, w) for which E[h(x, w) | x, z] = E[y | x, z], from a table with the axes x, z, w, y, counts or not: (X, W).

    z is a proxy of the hidden cause that the outcome does not depend on otherwise, w one that the
    treatment does not; z has at least the values of w, and w those of the cause. `values` are those
    of y, 0 to Y-1 if not given. Raises InputError if some x and z never occur together, or if the
    law of w does not tell the values of z apart.

    Source: Miao, Geng and Tchetgen Tchetgen (2018), proposition 1.
    """
    joint = np.asarray(joint, dtype=float)
    together = joint.sum((2, 3))
    for x, z in np.argwhere(together <= 0):
        raise InputError(
            f"value number {z} of the treatment's proxy never occurs with value number {x} of "
            "the treatment"
        )
    w_given = joint.sum(3) / together[:, :, None]
    y_given = joint.sum(2) @ (np.arange(joint.shape[3]) if values is None else values) / together
    for x, law in enumerate(w_given):
        if np.linalg.matrix_rank(law, tol=SINGULAR) < joint.shape[2]:
            raise InputError(
                f"at value number {x} of the treatment, its proxy does not move all values of "
                "the outcome's proxy"
            )
    return np.stack(
        [np.linalg.lstsq(law, mean)[0] for law, mean in zip(w_given, y_given, strict=True)]
    )


def _with_errors(
    estimate: Callable[[Floats], Floats], counts: Floats, rng: np.random.Generator, resamples: int
) -> Estimate:
    """The estimate at the counts of the cells, and its standard deviation when these get
    independent gamma weights.
    """
    if resamples < 2:
        raise InputError(f"a standard error needs 2 resamples or more, and got {resamples}")
    again = [estimate(rng.standard_gamma(counts)) for _ in range(resamples)]
    return Estimate(estimate(counts), np.std(again, axis=0, ddof=1))


def _cells(*columns: Array) -> tuple[tuple[Floats, ...], Floats]:
    """The rows of the columns without repetition, column by column, and how often each occurs."""
    rows, counts = np.unique(np.stack(columns, axis=1).astype(float), axis=0, return_counts=True)
    return tuple(rows.T), counts.astype(float)


def _counted(stratum: Array, x: Array, weights: Floats) -> Floats:
    """The total weight of each stratum and value: (strata, values)."""
    shape = (int(stratum.max()) + 1, int(x.max()) + 1)
    flat = np.bincount(
        np.ravel_multi_index((stratum, x), shape), weights, minlength=shape[0] * shape[1]
    )
    return flat.astype(float).reshape(shape)


def _strata(log: Log, treatment: str, names: Sequence[str]) -> Array:
    """A number for each combination of values of some columns.

    Raises InputError if the treatment has no overlap in one.
    """
    values, x = _coded(log, treatment)
    columns = [_coded(log, name) for name in names]
    cells, stratum = np.unique(
        np.stack([x * 0, *(codes for _, codes in columns)]), axis=1, return_inverse=True
    )
    stratum = stratum.reshape(-1)
    for s, missing in np.argwhere(_counted(stratum, x, np.ones(len(x))) <= 0)[:1]:
        where = ", ".join(
            f"{name}={v[code]}"
            for name, (v, _), code in zip(names, columns, cells[1:, s], strict=True)
        )
        raise InputError(
            f"no row has {treatment}={values[missing]} where {where}; merge or drop such rows, "
            "adjust for less, or ask for bounds"
        )
    return stratum


def _coded(log: Log, name: str) -> tuple[Array, Array]:
    """The values of a column, ascending, and the position of each row's among them."""
    column = _column(log, name)
    values, codes = np.unique(column, axis=0, return_inverse=True)
    return values, codes.reshape(-1)


def _numbers(log: Log, name: str) -> Floats:
    """A column as numbers. Raises InputError if it has anything else."""
    column = _column(log, name)
    if column.ndim > 1 or column.dtype.kind not in "iufb":
        raise InputError(f"the column {name} must hold one number in each row")
    return column.astype(float)


def _column(log: Log, name: str) -> Array:
    if name not in log:
        raise InputError(f"there is no column {name!r}; {did_you_mean(name, log)}")
    column = np.asarray(log[name])
    rows = {len(other) for other in log.values()}
    if len(rows) > 1 or not column.size:
        raise InputError(
            "a log needs a row for each unit in every column, and has columns of "
            f"{', '.join(map(str, sorted(rows)))} rows"
        )
    if column.dtype.kind == "f" and not np.isfinite(column).all():
        raise InputError(f"the column {name} has an entry that is not a finite number")
    return column

"""One conversion of measured tables and of samples into a `Factor`, whose axes have names.

An array alone does not say which axis is which variable, so it is refused.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..arrays import Array, Floats, numeric
from ..errors import InputError, did_you_mean
from ..model.elimination import Factor, spread
from ..tolerances import PROBABILITY_MISFIT, PROBABILITY_SUM

Supports = Mapping[str, Array]


def named_table(data: Any, variables: Sequence[str], supports: Supports) -> Factor:
    """P(names), with an axis for each of the `variables` that `data` has, in their order.

    `data` is a `Factor`, an array with `dims` such as an xarray DataArray, or samples: a pandas
    frame, a mapping from names to equally long columns, or a log with such `columns`; columns that
    are not among the `variables` are ignored.
    Tables hold probabilities, which sum to 1, or counts. Samples are counted over `supports`, the
    ascending values of each variable; see `values_of`.

    Raises InputError if `data` is an array without names, a name is not among the `variables`, or
    an entry is negative, not finite or makes the table sum to something else; it names the cell.
    """
    samples = _samples(data)
    if samples is not None:
        names = tuple(name for name in variables if name in samples)
        return _normalised(Factor(names, _counts(samples, names, supports)), supports)
    if isinstance(data, Factor):
        names, array = tuple(data.names), data.table
    elif hasattr(data, "dims"):
        names, array = tuple(map(str, data.dims)), data
    else:
        raise InputError(_unnamed(np.shape(data), variables))
    table = numeric(array, "the table", finite=False)
    _check_axes(names, table, variables)
    ordered = tuple(name for name in variables if name in names)
    return _normalised(Factor(ordered, spread(Factor(names, table), ordered)), supports)


def values_of(sources: Sequence[Any], variables: Sequence[str]) -> dict[str, Array]:
    """The ascending values that samples, or the coordinates of an xarray, give to variables.

    Coordinates that are text are ignored: the values are then 0 to k-1, as in a `Factor`.
    """
    values: dict[str, Array] = {}
    for data in sources:
        samples = _samples(data)
        for name in variables:
            if samples is not None and name in samples:
                new = _column(samples, name)
            elif name in getattr(data, "coords", ()):
                new = np.asarray(data.coords[name])
            else:
                continue
            if new.dtype.kind in "biuf":
                values[name] = np.union1d(values.get(name, new[:0]), new)
    return values


def described(names: Sequence[str], cell: Sequence[int], supports: Supports) -> str:
    """A cell of a table in words, such as `x=0, y=1`; positions stand for values not known."""
    values = [
        supports[name][position] if name in supports else position
        for name, position in zip(names, cell, strict=True)
    ]
    return ", ".join(f"{name}={value}" for name, value in zip(names, values, strict=True))


def _samples(data: Any) -> Any:
    """The columns of samples, by their names; None for a table."""
    if isinstance(data, Mapping):
        return data
    columns = getattr(data, "columns", None)
    if columns is None or isinstance(columns, Mapping):
        return columns  # None, or those of a log
    return data  # a frame


def _unnamed(shape: tuple[int, ...], variables: Sequence[str]) -> str:
    example = ", ".join(repr(name) for name in variables)
    return (
        f"a table of shape {shape} does not say which axis is which variable; "
        f"name its axes, as in Factor(({example}), table)"
    )


def _check_axes(names: tuple[str, ...], table: Floats, variables: Sequence[str]) -> None:
    if table.ndim != len(names):
        raise InputError(
            f"the table names {len(names)} axes ({', '.join(names)}), and has {table.ndim} axes"
        )
    for name in names:
        if name not in variables:
            raise InputError(
                f"{name!r} is not a variable of the graph; {did_you_mean(name, variables)}"
            )
        if names.count(name) > 1:
            raise InputError(f"{name!r} names two axes of the table; name each variable once")


def _column(data: Any, name: str) -> Array:
    column = np.asarray(data[name])
    if column.ndim != 1 or column.dtype.kind not in "biuf":
        raise InputError(f"the column {name!r} must hold a number for each sample")
    missing = np.flatnonzero(~np.isfinite(column.astype(float)))
    if len(missing):
        row = missing[0]
        raise InputError(f"the column {name!r} holds {column[row]} in row {row}; drop such rows")
    return column.astype(int) if column.dtype.kind == "b" else column


def _counts(data: Any, names: tuple[str, ...], supports: Supports) -> Floats:
    """How often each combination of values occurs in the samples."""
    if not names:
        raise InputError("the samples have no column that is a variable of the graph")
    positions = []
    for name in names:
        column, support = _column(data, name), supports[name]
        position = np.searchsorted(support, column).clip(0, len(support) - 1)
        unknown = np.flatnonzero(support[position] != column)
        if len(unknown):
            raise InputError(
                f"the column {name!r} holds {column[unknown[0]]} in row {unknown[0]}, and its "
                f"values are {support.tolist()}"
            )
        positions.append(position)
    if len({len(position) for position in positions}) > 1:
        raise InputError(f"the columns {', '.join(names)} must be equally long")
    counts = np.zeros([len(supports[name]) for name in names])
    np.add.at(counts, tuple(positions), 1.0)
    return counts


def _normalised(factor: Factor, supports: Supports) -> Factor:
    """The table divided by its sum, unless that is 1 already."""
    names, table = factor
    wrong = np.argwhere(~np.isfinite(table) | (table < 0))
    if len(wrong):
        cell = tuple(wrong[0].tolist())
        fault = "negative" if table[cell] < 0 else "not finite"
        raise InputError(
            f"the table has {table[cell]} at {described(names, cell, supports)}, which is {fault}; "
            "it needs probabilities or counts"
        )
    total = table.sum()
    if abs(total - 1.0) <= PROBABILITY_SUM:
        return factor
    if total <= 0:
        raise InputError(f"the table of {', '.join(names)} has no weight: it is all 0 or empty")
    fractional = np.argwhere(table != np.round(table))
    if len(fractional) and abs(total - 1.0) > PROBABILITY_MISFIT:
        cell = tuple(fractional[0].tolist())
        raise InputError(
            f"the table sums to {total:.6g}, and is not of counts, as {table[cell]:.6g} at "
            f"{described(names, cell, supports)} shows; give joint probabilities, which sum to 1"
        )
    return Factor(names, table / total)

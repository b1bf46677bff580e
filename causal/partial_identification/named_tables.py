"""Measured tables and samples as the law of some variables of a graph.

They are read as `identification.laws` reads them, and their axes are put in the order of the graph.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..arrays import Array
from ..errors import InputError, did_you_mean
from ..identification.columns import column, columns_of
from ..identification.laws import check_sums, counted, from_table, has_columns, is_table
from ..model.elimination import Factor, spread
from ..tolerances import PROBABILITY_SUM

Supports = Mapping[str, Array]


def named_table(data: Any, variables: Sequence[str], supports: Supports) -> Factor:
    """P(names), with an axis for each of the `variables` that `data` has, in their order.

    `data` is a `Factor`, an array with `dims` such as an xarray DataArray, or samples: a pandas
    frame, a mapping from names to equally long columns, or a log with such `columns`; columns that
    are not among the `variables` are ignored. Samples are counted over `supports`, the ascending
    values of each variable; see `values_of`. Tables hold probabilities, which sum to 1 within 1e-9,
    or counts; `check_sums` says which.

    Raises InputError if `data` is an array without names, a name is not among the `variables`, or
    an entry is negative, not finite or makes the table sum to something else; it names the cell.
    """
    columns = _samples(data)
    if columns is not None:
        return _counted(columns, variables, supports)
    if not is_table(data) or isinstance(data, list):
        raise InputError(_unnamed(np.shape(data), variables))
    (factor,) = from_table(data, supports).factors
    for name in factor.names:
        if name not in variables:
            raise InputError(
                f"{name!r} is not a variable of the graph; {did_you_mean(name, variables)}"
            )
    names = tuple(name for name in variables if name in factor.names)
    check_sums(f"the table of {', '.join(factor.names)}", [factor], supports)
    table = spread(factor, names)
    total = table.sum()
    return Factor(names, table if abs(total - 1.0) <= PROBABILITY_SUM else table / total)


def values_of(sources: Sequence[Any], variables: Sequence[str]) -> dict[str, Array]:
    """The ascending values that samples, or the coordinates of an xarray, give to variables.

    Coordinates that are text are ignored: the values are then 0 to k-1, as in a `Factor`.
    """
    values: dict[str, Array] = {}
    for data in sources:
        columns = _samples(data)
        for name in variables:
            if columns is not None and name in columns:
                new = _numbers(columns, name)
            elif name in getattr(data, "coords", ()):
                new = np.asarray(data.coords[name])
            else:
                continue
            if new.dtype.kind in "biuf":
                values[name] = np.union1d(values.get(name, new[:0]), new)
    return values


def _samples(data: Any) -> Mapping[str, Any] | None:
    """The columns of samples, by their names; None for a table."""
    return None if is_table(data) or not has_columns(data) else columns_of(data)


def _unnamed(shape: tuple[int, ...], variables: Sequence[str]) -> str:
    example = ", ".join(repr(name) for name in variables)
    return (
        f"a table of shape {shape} does not say which axis is which variable; "
        f"name its axes, as in Factor(({example}), table)"
    )


def _numbers(columns: Mapping[str, Any], name: str) -> Array:
    """A column of numbers; flags are 0 and 1."""
    entries = column(columns, name)
    if entries.ndim != 1 or entries.dtype.kind not in "biuf":
        raise InputError(f"the column {name} must hold one number in each row")
    return entries.astype(int) if entries.dtype.kind == "b" else entries


def _counted(columns: Mapping[str, Any], variables: Sequence[str], supports: Supports) -> Factor:
    """The relative frequencies of the samples, on the values of the variables."""
    codes = {}
    for name in variables:
        if name not in columns:
            continue
        entries, support = _numbers(columns, name), supports[name]
        positions = np.searchsorted(support, entries).clip(0, len(support) - 1)
        unknown = np.flatnonzero(support[positions] != entries)
        if len(unknown):
            raise InputError(
                f"the column {name!r} holds {entries[unknown[0]]} in row {unknown[0]}, and its "
                f"values are {support.tolist()}"
            )
        codes[name] = support, positions
    if not codes:
        raise InputError("the samples have no column that is a variable of the graph")
    return counted(codes)

"""The cells of users' tables: numbers, flags and probabilities, checked row by row."""

from decimal import Decimal
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from dosuite.causal import Array, InputError
from dosuite.causal.errors import did_you_mean

if TYPE_CHECKING:
    import pandas as pd


def numbers(frame: "pd.DataFrame", name: str) -> Array:
    """A column (n,): int64 if all its numbers are whole, otherwise float64.

    Raises InputError, with the row, if there is no such column, or a cell is missing, infinite or
    not a number.
    """
    column = filled(frame, name)
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "bi":
        return np.asarray(column, dtype=np.int64)
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "uf":
        values = np.asarray(column, dtype=float)
    else:
        values = np.array([_number(cell) for cell in column.tolist()])
    needed = "hold finite numbers; write categories as 0, 1, 2 and so on"
    _refuse(~np.isfinite(values), column, name, needed)
    is_whole = np.all((values == np.floor(values)) & (np.abs(values) < 2**53))
    return values.astype(np.int64) if is_whole else values


def filled(frame: "pd.DataFrame", name: str) -> "pd.Series[Any]":
    """A column. Raises InputError if there is none, or several, or a cell of it is missing."""
    if name not in frame.columns:
        names = [str(other) for other in frame.columns]
        raise InputError(f"the table has no column {name!r}; {did_you_mean(name, names)}")
    column = frame[name]
    if column.ndim != 1:
        raise InputError(f"the table has more than one column {name!r}")
    if column.isna().any():
        row = int(np.argmax(column.isna()))
        raise InputError(f"the column {name} is missing in row {row}; drop the row, or fill it in")
    return column


def _refuse(wrong: Array, column: "pd.Series[Any] | Array", name: str, needed: str) -> None:
    """Raise InputError at the first row that is wrong, with its cell and what is needed there."""
    if wrong.any():
        row = int(np.argmax(wrong))
        cell = column[row] if isinstance(column, np.ndarray) else column.iloc[row]
        text = repr(cell) if isinstance(cell, str) else str(cell)
        raise InputError(f"the column {name} has {text} in row {row}, and must {needed}")


def _number(cell: Any) -> float:
    """A cell as a float; NaN if it is no real number."""
    is_text = isinstance(cell, str) and "_" not in cell  # Python reads "1_0" as 10
    if not (is_text or isinstance(cell, Real | Decimal | np.bool_)):
        return np.nan
    try:
        return float(cell)
    except (ValueError, OverflowError):
        return np.nan


def propensities(frame: "pd.DataFrame", name: str) -> Array:
    """A column of probabilities, with NaN where one is missing, (n,). Raises InputError, with the
    row, at a number that is not above 0 and at most 1.
    """
    known = np.asarray(frame[name].notna())
    # as numbers, with any probability in the gaps, so that an error names the row of the table
    values = numbers(frame[[name]].astype(object).where(known[:, None], 1.0), name).astype(float)
    wrong = ~((values > 0) & (values <= 1))
    _refuse(wrong, values, name, "hold the probability of the action that was taken")
    return np.where(known, values, np.nan)


def flag_of(frame: "pd.DataFrame", name: str) -> Array:
    """A column of 0 and 1 as a mask (n,). Raises InputError, with the row, at another value."""
    values = numbers(frame, name)
    _refuse(~np.isin(values, [0, 1]), values, name, "be 0 or 1")
    return np.asarray(values == 1)

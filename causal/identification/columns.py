"""Columns of data: a mapping, a pandas frame or a log, read in one way by every estimator."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from numbers import Real
from typing import Any, Protocol, TypeAlias

import numpy as np

from ..arrays import Array, Floats, as_array
from ..errors import InputError, did_you_mean, short


class HasColumns(Protocol):
    """A pandas frame, whose `columns` are names, or a log, whose `columns` are a mapping."""

    @property
    def columns(self) -> Any:
        """The names of the columns, or the columns by name."""
        ...


ColumnData: TypeAlias = Mapping[str, Any] | HasColumns
Seed: TypeAlias = np.random.Generator | int


def columns_of(data: ColumnData) -> Mapping[str, Any]:
    """The columns by name. Raises InputError if `data` has none, or two of one name, or Series
    whose rows are in different orders."""
    if isinstance(data, Mapping):
        _check_indexes(data)
        return data
    columns = getattr(data, "columns", None)
    if isinstance(columns, Mapping):
        return columns
    if not isinstance(columns, Iterable):
        raise InputError(
            f"columns come as a mapping, a pandas frame or a log, and got {type(data).__name__}"
        )
    names = list(columns)
    name, count = max(Counter(names).items(), key=lambda item: item[1], default=("", 0))
    if count > 1:
        raise InputError(f"the frame has {count} columns named {name!r}; rename all but one")
    frame: Any = data
    return {str(name): frame[name] for name in names}


def _check_indexes(columns: Mapping[str, Any]) -> None:
    """Series of pandas are joined by their index, and not by their place."""
    first: Any = None
    for name, entries in columns.items():
        index = getattr(entries, "index", None)
        if not hasattr(index, "equals"):
            continue
        if first is not None and not first[1].equals(index):
            raise InputError(
                f"the columns {first[0]} and {name} are Series with different indexes; join them, "
                "as in pandas.DataFrame(columns), or give arrays"
            )
        first = first or (name, index)


def check_has(columns: Mapping[str, Any], names: Iterable[str]) -> None:
    """Raise InputError if a column is missing."""
    for name in names:
        if not isinstance(name, str):
            raise InputError(f"a column is named by a text, and got {short(name)}")
        if name not in columns:
            raise InputError(f"there is no column {name!r}; {did_you_mean(name, columns)}")


def column(columns: Mapping[str, Any], name: str) -> Array:
    """A column as an array, (n,) or (n, k); Python objects become numbers or text.

    Raises InputError if it is missing, empty, not as long as the others or has missing entries.
    """
    check_has(columns, [name])
    lengths = set()
    for other, entries in columns.items():
        lengths.add(_rows(other, entries))
    values = as_array(columns[name], f"the column {name}")
    if not len(values):
        raise InputError(f"the column {name} has no rows")
    if len(lengths) > 1:
        rows = ", ".join(map(str, sorted(lengths)))
        raise InputError(
            f"a log needs a value for each row in every column, and has columns of {rows} rows"
        )
    if values.dtype.kind == "O":
        values = _from_objects(values, name)
    if values.dtype.kind in "mM" and np.isnat(values).any():
        raise _missing(name, np.argwhere(np.isnat(values))[0][0])
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        row = np.argwhere(~np.isfinite(values))[0]
        raise InputError(
            f"the column {name} has an entry that is not a finite number, {values[tuple(row)]} in "
            f"row {row[0]}; drop such rows"
        )
    return values


def numbers(columns: Mapping[str, Any], name: str) -> Floats:
    """A column as numbers (n,). Raises InputError if it holds anything else."""
    values = column(columns, name)
    if values.ndim > 1 or values.dtype.kind not in "iufb":
        raise InputError(f"the column {name} must hold one number in each row")
    return values.astype(float)


def coded(columns: Mapping[str, Any], name: str) -> tuple[Array, Array]:
    """The distinct values of a column, ascending, and the position of each row's value (n,)."""
    values, codes = np.unique(column(columns, name), axis=0, return_inverse=True)
    return values, codes.reshape(-1)


def _rows(name: str, entries: Any) -> int:
    """The number of rows of a column. Raises InputError if it is a single value."""
    try:
        shape = np.shape(entries)
    except ValueError:  # lists of several lengths
        return len(entries)
    if not shape:
        raise InputError(f"the column {name} is a single value; give one for each row")
    return int(shape[0])


def _from_objects(values: Array, name: str) -> Array:
    """Objects as numbers or as text, whichever all of them are."""
    entries = values.ravel().tolist()
    if all(isinstance(entry, str) for entry in entries):
        return np.array(entries).reshape(values.shape)
    for row, entry in enumerate(entries):
        is_nan = isinstance(entry, float) and math.isnan(entry)
        if entry is None or is_nan or type(entry).__name__ in ("NAType", "NaTType"):
            raise _missing(name, row)
    for row, entry in enumerate(entries):
        if not isinstance(entry, Real | Decimal | np.bool_):
            kind = type(entry).__name__
            raise InputError(
                f"the column {name} holds {entry!r} ({kind}) in row {row}; make all of its "
                "entries numbers, or all of them text"
            )
    are_integers = all(isinstance(entry, int | np.integer) for entry in entries)
    is_small = are_integers and all(abs(int(entry)) < 2**63 for entry in entries)
    return np.array(entries, dtype=int if is_small else float).reshape(values.shape)


def _missing(name: str, row: int) -> InputError:
    return InputError(
        f"the column {name} has an entry that is missing in row {row}; drop such rows"
    )

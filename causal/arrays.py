"""The array types that annotations use, and the check of arrays that users give."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import InputError, short

Array = NDArray[Any]
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]


def numeric(values: object, what: str, axes: int | None = None, finite: bool = True) -> Floats:
    """An array of numbers, which are finite unless `finite` is False.

    Raises InputError, which names `what`, for anything else."""
    if hasattr(values, "table"):
        raise InputError(f"{what} is an array without names; give its .table")
    try:
        array: Array = np.asarray(values)
        objects = array.ravel().tolist() if array.dtype.kind == "O" else []
        if array.dtype.kind not in "biufO" or any(entry is None for entry in objects):
            raise TypeError
        array = array.astype(float, copy=False)
    except (TypeError, ValueError):
        raise InputError(f"{what} must hold numbers, and got {short(values)}") from None
    if axes is not None and array.ndim != axes:
        raise InputError(f"{what} needs {axes} axes, and has the shape {array.shape}")
    if finite and not np.isfinite(array).all():
        raise InputError(f"{what} has an entry that is not a finite number")
    return array

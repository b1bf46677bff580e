"""The array types that annotations use, and the check of arrays that users give."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import InputError, short

Array = NDArray[Any]
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]


def as_array(values: Any, what: str) -> Array:
    """What a user gives as an array; a tensor of torch may need gradients.

    Raises InputError, which names `what`, if an entry is masked, or rows differ in length."""
    if hasattr(values, "detach"):
        values = values.detach()
    masked = np.ma.getmaskarray(values) if isinstance(values, np.ma.MaskedArray) else None
    if masked is not None and masked.any():
        row = np.argwhere(masked)[0][:1].tolist()
        raise InputError(
            f"{what} is masked{f' in row {row[0]}' if row else ''}; leave such entries out, or "
            "give the values under the mask as .data"
        )
    try:
        return np.asarray(values)
    except ValueError as error:
        raise InputError(
            f"{what} must hold numbers, or rows of one length, and got {short(values)}"
        ) from error


def numeric(values: object, what: str, axes: int | None = None, finite: bool = True) -> Floats:
    """An array of numbers, which are finite unless `finite` is False.

    Raises InputError, which names `what`, for anything else."""
    if hasattr(values, "table"):
        raise InputError(f"{what} is an array without names; give its .table")
    try:
        array = as_array(values, what)
        objects = array.ravel().tolist() if array.dtype.kind == "O" else []
        if array.dtype.kind not in "biufO" or any(entry is None for entry in objects):
            raise TypeError
        array = array.astype(float, copy=False)
    except InputError:
        raise
    except (TypeError, ValueError):
        raise InputError(f"{what} must hold numbers, and got {short(values)}") from None
    if axes is not None and array.ndim != axes:
        raise InputError(f"{what} needs {axes} axes, and has the shape {array.shape}")
    if finite and not np.isfinite(array).all():
        raise InputError(f"{what} has an entry that is not a finite number")
    return array

"""Checks of arguments that are no model and no number at all; each failure is one line."""

from typing import Any

import numpy as np

from .arrays import Floats
from .errors import InputError, short

REAL = "biufO"  # the kinds of dtypes that can hold real numbers


def checked_type(value: Any, kind: type | tuple[type, ...], wanted: str) -> None:
    """Raise InputError if a value is not an instance of a class; `wanted` says what it must be."""
    if not isinstance(value, kind):
        what = f"the class {value.__name__}" if isinstance(value, type) else type(value).__name__
        raise InputError(f"{wanted}, and got {what}")


def real_array(name: str, value: Any, axes: int | None = None) -> Floats:
    """An array of floats, which may be NaN.

    Raises InputError, with its name, if it is ragged, holds other things than real numbers, or has
    not this number of axes."""
    try:
        array = np.asarray(value)
        if array.dtype.kind in REAL:
            array = array.astype(float)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{name} must be an array of numbers, and is {short(value)}") from error
    if array.dtype.kind != "f":
        raise InputError(f"{name} must be an array of real numbers, and is {short(value)}")
    if axes is not None and array.ndim != axes:
        raise InputError(f"{name} must have {axes} axes, and has the shape {array.shape}")
    return array

"""The check of numbers that count something: episodes, steps, copies, resamples, seeds."""

from typing import Any

import numpy as np

from .errors import InputError


def whole_number(name: str, number: Any, least: int | None = None) -> int:
    """A number as an int. Raises InputError, with its name, if it is not an integer or too small.

    NumPy's integers are integers; a bool or a float is none.
    """
    is_whole = isinstance(number, int | np.integer) and not isinstance(number, bool)
    if not is_whole or (least is not None and number < least):
        bound = "" if least is None else f" of at least {least}"
        raise InputError(f"{name} must be a whole number{bound}, and is {number!r}")
    return int(number)

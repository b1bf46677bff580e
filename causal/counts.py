"""The checks of numbers that count something: episodes, steps, copies, resamples, seeds."""

import math
import os
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


def memory() -> float:
    """The size of this machine's memory in bytes; infinite where it is not known."""
    try:
        return float(os.sysconf("SC_PAGE_SIZE")) * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return math.inf


def check_memory(what: str, numbers: int) -> None:
    """Raise InputError if so many numbers, of 8 bytes each, do not fit in memory."""
    needed, there = 8 * numbers, memory()
    if needed > there:
        raise InputError(
            f"{what} needs {needed / 2**30:,.0f} GiB of memory, and this machine has "
            f"{there / 2**30:,.0f}; ask for fewer"
        )

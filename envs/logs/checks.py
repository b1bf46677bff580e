"""Checks of a log's columns: finite numbers, in their spaces, as many rows in each.

Columns are read in pieces, so that those mapped from a file need not fit in memory.
"""

from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np
from gymnasium import spaces

from dosuite.causal import Array, InputError
from dosuite.causal.counts import whole_number

from ..spaces import Space
from .shuffle import ROWS

NEEDED = (
    "episode",
    "step",
    "observation",
    "action",
    "reward",
    "next_observation",
    "terminated",
    "truncated",
)
_NUMBERS = "biuf"  # the kinds of dtypes that a column may have


def check_columns(
    columns: Mapping[str, Array], observation_space: Space, action_space: Space
) -> None:
    """Raise InputError at the first cell that a log cannot hold, with its column and row.

    Spaces are those of `check_space`. Observations must be in their space, actions and rewards
    finite, and Discrete actions in their space. Actions in a Box may leave its bounds, which hold
    for a learner. Propensities and logged variables may be NaN.
    """
    check_space("observation", observation_space)
    check_space("action", action_space)
    for name in NEEDED:
        if name not in columns:
            raise InputError(f"a log needs the column {name}, and this one has none")
    rows = len(columns["reward"])
    for name, column in columns.items():
        if len(column) != rows:
            raise InputError(
                f"the column {name} of the log has {len(column)} rows, and reward has {rows}"
            )
    for name in ("episode", "step", "reward"):
        _check_shape(name, columns[name], ())
        _check_finite(name, columns[name])
    for name in ("observation", "next_observation"):
        check_values(name, columns[name], observation_space)
    check_values("action", columns["action"], action_space)


def check_episodes(step: Array, horizon: Any, discount: Any) -> None:
    """Raise InputError if a task is none, or a step is beyond its horizon."""
    horizon = whole_number("the horizon of a log", horizon, 1)
    check_discount(discount)
    for start in range(0, len(step), ROWS):
        piece = np.asarray(step[start : start + ROWS])
        wrong = np.flatnonzero((piece < 0) | (piece >= horizon))
        if len(wrong):
            raise InputError(
                f"the column step of the log has {piece[wrong[0]]} in row {start + wrong[0]}, and "
                f"an episode's steps are 0 to {horizon - 1}"
            )


def check_discount(discount: Any) -> None:
    """Raise InputError unless the discount is a number above 0 and at most 1."""
    is_number = isinstance(discount, Real) and not isinstance(discount, bool)
    if not is_number or not 0 < float(discount) <= 1:  # NaN too
        raise InputError(
            f"the discount of a log must be a number above 0 and at most 1, and is {discount!r}"
        )


def check_space(what: str, space: Any) -> None:
    """Raise InputError unless it is one that agents learn from: Discrete or MultiDiscrete with
    values from 0, or a Box."""
    starts = np.asarray(getattr(space, "start", 0))
    if isinstance(space, spaces.Discrete | spaces.MultiDiscrete | spaces.Box) and not starts.any():
        return
    fault = "is not counted from 0" if starts.any() else "is none of Discrete, MultiDiscrete, Box"
    raise InputError(
        f"the {what} space of a log {fault}, {space}; number the values from 0, or use a Box"
    )


def check_values(name: str, column: Array, space: Space) -> None:
    """Raise InputError at the first row of a column that is not finite or not in the space."""
    if not isinstance(space, spaces.Discrete | spaces.MultiDiscrete | spaces.Box):
        return
    if name == "action" and space.shape == (1,):
        _check_shape(name, column, ())
    else:
        _check_shape(name, column, space.shape or ())
    _check_finite(name, column)
    if isinstance(space, spaces.Discrete):
        low, high = np.asarray(space.start), np.asarray(space.start + space.n - 1)
    elif isinstance(space, spaces.MultiDiscrete):
        low, high = space.start, space.start + space.nvec - 1
    elif name == "action":
        return
    else:
        low, high = space.low, space.high
    for start in range(0, len(column), ROWS):
        values = column[start : start + ROWS]
        if isinstance(space, spaces.Box):
            values = values.astype(space.dtype)  # the type of the bounds
        wrong = (values < low) | (values > high)
        if not isinstance(space, spaces.Box) and values.dtype.kind == "f":
            wrong |= values != np.floor(values)
        if wrong.any():
            row = start + _first(wrong)
            raise InputError(
                f"the column {name} of the log has {column[row].tolist()} in row {row}, which is "
                f"not in {space}"
            )


def _check_shape(name: str, column: Array, shape: tuple[int, ...]) -> None:
    if column.dtype.kind not in _NUMBERS:
        raise InputError(f"the column {name} of the log must hold numbers, and is {column.dtype}")
    if column.shape[1:] != shape:
        raise InputError(
            f"each row of the column {name} of the log must have the shape {shape}, and has "
            f"{column.shape[1:]}"
        )


def _check_finite(name: str, column: Array) -> None:
    if column.dtype.kind != "f":
        return
    for start in range(0, len(column), ROWS):
        wrong = ~np.isfinite(column[start : start + ROWS])
        if wrong.any():
            row = start + _first(wrong)
            raise InputError(
                f"the column {name} of the log has {column[row].tolist()} in row {row}, and must "
                "be finite"
            )


def _first(wrong: Array) -> int:
    """The first row of a mask (n,) or (n, ...) in which anything is true."""
    return int(np.argmax(wrong.reshape(len(wrong), -1).any(axis=1)))

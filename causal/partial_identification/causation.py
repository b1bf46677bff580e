"""Probabilities of causation: how often x=1 is necessary or sufficient for y=1, from what is seen
and what is done.

`seen` is P(x, y) or counts, shape (2, 2); `done` is P(y=1 | do(x)) for x = 0, 1. The answers are sharp bounds (low, high);
the low end is the exact answer where x=1 never prevents y=1. Each function raises InputError if the two tables cannot be
about the same population, or if nobody is asked about.

Source: Tian and Pearl (2000), section 4.2.2; y' and x' are y=0 and x=0.
"""

from ..arrays import Array
from ..errors import InputError
from ..tolerances import ROUNDING
from .response_types import ResponseTypes

Interval = tuple[float, float]


def necessity(seen: Array, done: Array) -> Interval:
    """PN = P(y' had it been x' | x, y): how many of those with x and y owe y to x."""
    p, not_y = _joint(seen, done), 1.0 - done[0]
    if p[1, 1] <= 0:
        raise InputError(
            "the probability of necessity is about those with x=1 and y=1, and there are none"
        )
    return _interval((p[:, 1].sum() - done[0]) / p[1, 1], (not_y - p[0, 0]) / p[1, 1])


def sufficiency(seen: Array, done: Array) -> Interval:
    """PS = P(y had it been x | x', y'):

    how many of those without x and y would have y if they had x.
    """
    p = _joint(seen, done)
    if p[0, 0] <= 0:
        raise InputError(
            "the probability of sufficiency is about those with x=0 and y=0, and there are none"
        )
    return _interval((done[1] - p[:, 1].sum()) / p[0, 0], (done[1] - p[1, 1]) / p[0, 0])


def necessity_and_sufficiency(seen: Array, done: Array) -> Interval:
    """PNS = P(y had it been x, and y' had it been x'): how many respond to x in both directions."""
    p, effect = _joint(seen, done), done[1] - done[0]
    y = p[:, 1].sum()
    low = max(effect, y - done[0], done[1] - y)
    return _interval(
        low, min(done[1], 1.0 - done[0], p[1, 1] + p[0, 0], effect + p[1, 0] + p[0, 1])
    )


def _interval(low: float, high: float) -> Interval:
    return max(0.0, float(low)), min(1.0, float(high))


def _joint(seen: Array, done: Array) -> Array:
    """P(x, y), if an experiment on the same population can have the results `done`."""
    p = ResponseTypes({"x": (), "y": ("x",)}, [("x", "y")], seen).table
    if p.shape != (2, 2) or len(done) != 2:
        raise InputError(
            "the probabilities of causation need two values of x and of y, and P(y=1 | do(x)) "
            "for each x"
        )
    for x in (0, 1):
        low, high = p[x, 1], 1.0 - p[x, 0]
        if not low - ROUNDING <= done[x] <= high + ROUNDING:
            raise InputError(
                f"P(y=1 | do(x={x})) must lie between P(x={x}, y=1) = {low:.6g} and {high:.6g}, "
                f"and is {done[x]:.6g}"
            )
    return p

"""Points of a training at which an agent's policy is kept, so that its value there can be read."""

from collections.abc import Sequence
from typing import Any

from .settings import at_most, not_negative

MOST_POINTS = 30


class PointsAhead:
    """The points of a training that it has not reached yet, in increasing order."""

    def __init__(self, points: Sequence[int] = ()):
        self._points = points

    def reached(self, steps: int) -> bool:
        """Whether so many steps are at the next point or beyond; if so, the points up to there are
        no longer ahead.
        """
        if not self._points or steps < self._points[0]:
            return False
        self._points = [point for point in self._points if point > steps]
        return True


def check_points(agent: Any) -> None:
    """Check `points`, the number of halvings of a training. Raises InputError."""
    not_negative(agent, "points")
    at_most(agent, MOST_POINTS, "points")


def points_of(steps: int, points: int) -> list[int]:
    """The steps after which policies are kept, in increasing order, for a number of halvings.

    They are 0 and 1/2^points, ..., 1/4, 1/2 of all steps, rounded down; none without halvings.
    """
    parts = [steps // 2**point for point in range(points, 0, -1)]
    return sorted({0, *parts}) if points else []

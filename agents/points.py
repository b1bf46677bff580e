"""Points of a training at which an agent's policy is kept, so that its value there can be read."""

from typing import Any

from .settings import at_most, not_negative

MOST_POINTS = 30


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

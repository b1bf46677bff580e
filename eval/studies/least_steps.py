"""The least number of steps that nearly all seeds need, its slope, and what censoring leaves."""

from typing import NamedTuple

import numpy as np

from dosuite.causal import Array

from ..scores.bootstrap import Interval

SHARE = 0.95  # of the seeds, which must have closed the gap
RESAMPLES = 2000  # of the seeds


class Practices(NamedTuple):
    """Seeds that practised after a log of some rows: whether each had closed the gap by then."""

    closed: Array  # (seeds, points), booleans
    steps: Array  # (points,), increasing; the first may be 0

    def least(self) -> float:
        """m*: the least steps at which, and at all later points, 95 % of the seeds are done.

        Infinite where that is not so at the last point: m* is then above the last one.
        """
        return float(least_steps(self.closed[None], self.steps)[0])

    def resampled(self, rng: np.random.Generator) -> Array:
        """m* of resampled seeds: (RESAMPLES,)."""
        picks = rng.integers(len(self.closed), size=(RESAMPLES, len(self.closed)))
        return least_steps(self.closed[picks], self.steps)


def least_steps(closed: Array, steps: Array) -> Array:
    """m* for each of several sets of seeds: (sets, seeds, points) to (sets,)."""
    enough = closed.mean(1) >= SHARE - 1e-9
    from_here_on = np.logical_and.accumulate(enough[:, ::-1], axis=1)[:, ::-1]
    return np.where(from_here_on[:, -1], steps[from_here_on.argmax(1)], np.inf)


def slope_of_logs(rows: Array, practices: list[Practices]) -> Interval:
    """d log m* / d log S over logs of S > 0 rows, (n,), by least squares, with a 95 % interval.

    Both ends are bounds. Seeds are resampled for each S, and an m* above the last point is only
    known to be above it, so that every set of resampled seeds has a least and a greatest slope;
    the interval goes from the 2.5 % quantile of the one to the 97.5 % quantile of the other. An end
    is infinite where censoring leaves it open. Logs are of at least the first point above 0: a
    policy that needs no practice counts as one that needs so much.
    """
    rng = np.random.default_rng(0)
    found = np.stack([each.resampled(rng) for each in practices], 1)  # (RESAMPLES, n)
    measured = np.array([[each.least() for each in practices]])
    least, greatest = _slopes(rows, practices, found)
    low = np.quantile(least, 0.025, method="inverted_cdf")
    high = np.quantile(greatest, 0.975, method="inverted_cdf")
    ends = [float(each[0]) for each in _slopes(rows, practices, measured)]
    middle = ends[0] if ends[0] == ends[1] else np.nan
    return middle, float(low), float(high)


def _slopes(rows: Array, practices: list[Practices], found: Array) -> tuple[Array, Array]:
    """The least and the greatest slope that each row of m*, (sets, n), may have: (sets,) each."""
    x = np.log(rows)
    weights = (x - x.mean()) / np.square(x - x.mean()).sum()
    weights[np.abs(weights) < 1e-12] = 0.0  # of a size in the middle, which has no say
    least = np.array([each.steps[each.steps > 0][0] for each in practices])
    most = np.array([each.steps[-1] for each in practices], dtype=float)
    known = (np.log(np.clip(found, least, most)) @ weights).round(12) + 0.0  # equal steps give 0
    is_open = np.isinf(found)
    below = (is_open & (weights < 0)).any(1)
    above = (is_open & (weights > 0)).any(1)
    return np.where(below, -np.inf, known), np.where(above, np.inf, known)


def ratio_of(later: Practices, earlier: Practices) -> Interval:
    """log(m* of the one / m* of the other) with the 95 % bootstrap interval over their seeds.

    Where m* is above the last point it counts as twice that point, and as the first point above 0
    where it is below.
    """
    rng = np.random.default_rng(0)
    counted = [_counted(each, each.resampled(rng)) for each in (later, earlier)]
    low, high = np.quantile(np.log(counted[0] / counted[1]), [0.025, 0.975])
    measured = [_counted(each, np.array([each.least()]))[0] for each in (later, earlier)]
    return float(np.log(measured[0] / measured[1])), float(low), float(high)


def _counted(practices: Practices, found: Array) -> Array:
    steps = practices.steps
    return np.asarray(np.clip(found, steps[steps > 0][0], 2.0 * steps[-1]))

"""Power laws with a floor, E(N) = a N^-b + c, fitted to errors over seeds.

For a given exponent b the law is linear in N^-b, so that the best a and c are known in closed form.
The exponent itself is searched on a grid, and for the fit that is reported refined between two
points of the grid.
"""

from typing import NamedTuple

import numpy as np
from scipy import optimize

from dosuite.causal import Array

from .bootstrap import Interval

EXPONENTS = np.geomspace(0.02, 4.0, 80)  # in which the fit is searched
RESAMPLES = 1000  # of the seeds
LEAST_ERROR = 0.01  # the standard error of a mean, as a share of it: no point weighs without limit
TINY = np.finfo(float).tiny
ENDS = [0.025, 0.975]  # of a 95 % interval


class PowerLaw(NamedTuple):
    """The fit E(N) = a N^-b + c with a, c >= 0, and the 95 % bootstrap interval of the floor c."""

    a: float
    b: float
    c: float
    floor: Interval  # of c, in units of E

    def at(self, sizes: Array) -> Array:
        """E at some sizes N, (n,)."""
        return np.asarray(self.a * sizes**-self.b + self.c)


class _Fits(NamedTuple):
    """Laws fitted to k curves: arrays (k,)."""

    a: Array
    b: Array
    c: Array
    loss: Array  # the weighted sum of squared errors


def power_law(sizes: Array, errors: Array, rng: np.random.Generator | None = None) -> PowerLaw:
    """Fit E(N) = a N^-b + c to errors (seeds, n) at sizes (n,), by weighted least squares.

    A mean over seeds is weighted by its inverse variance. The interval of c resamples the seeds,
    each with its errors at all sizes. Without a generator equal errors have equal intervals.
    """
    rng = np.random.default_rng(0) if rng is None else rng
    weights = _weights(errors)
    a, b, c = _fit(sizes, errors.mean(0), weights)
    resampled = _fits_on_grid(sizes, _resampled_means(errors, rng), weights)
    low, high = np.quantile(resampled.c, ENDS)
    return PowerLaw(a, b, c, (c, float(low), float(high)))


def slope(sizes: Array, errors: Array, rng: np.random.Generator | None = None) -> Interval:
    """d log E / d log N of the mean over seeds of errors (seeds, n), and its bootstrap interval."""
    rng = np.random.default_rng(0) if rng is None else rng
    means = np.concatenate([errors.mean(0)[None], _resampled_means(errors, rng)])
    logs = np.log(np.maximum(means, TINY))
    x = np.log(sizes)
    x = x - x.mean()
    slopes = logs @ x / (x @ x)
    low, high = np.quantile(slopes[1:], ENDS)
    return float(slopes[0]), float(low), float(high)


def _resampled_means(errors: Array, rng: np.random.Generator) -> Array:
    """Means over seeds that are drawn with replacement: (resamples, n)."""
    seeds = len(errors)
    picks = rng.integers(seeds, size=(RESAMPLES, seeds))
    return np.asarray(errors[picks].mean(1))


def _weights(errors: Array) -> Array:
    """The inverse variance of the mean over seeds at each size: (n,)."""
    seeds, sizes = errors.shape
    means = np.abs(errors.mean(0))
    spread = errors.std(0, ddof=1) if seeds > 1 else np.zeros(sizes)
    measured = spread / np.sqrt(seeds)
    least = LEAST_ERROR * means.max() + TINY
    standard_error = np.maximum(measured, least)
    return np.asarray(1.0 / standard_error**2)


def _fit(sizes: Array, means: Array, weights: Array) -> tuple[float, float, float]:
    """a, b and c of the best law for one curve of means (n,)."""
    curves = means[None]
    (start,) = _fits_on_grid(sizes, curves, weights).b
    place = int(np.searchsorted(EXPONENTS, start))
    last = len(EXPONENTS) - 1
    before, after = max(place - 1, 0), min(place + 1, last)
    neighbours = EXPONENTS[before], EXPONENTS[after]

    def loss(b: float) -> float:
        fits = _fits_with(b, sizes, curves, weights)
        return float(fits.loss[0])

    found = optimize.minimize_scalar(loss, bounds=neighbours, method="bounded")
    b = float(found.x)
    best = _fits_with(b, sizes, curves, weights)
    return float(best.a[0]), b, float(best.c[0])


def _fits_on_grid(sizes: Array, curves: Array, weights: Array) -> _Fits:
    """For each of the curves (k, n), the law with the best exponent of the grid."""
    every = [_fits_with(b, sizes, curves, weights) for b in EXPONENTS]
    parts = [np.stack(part) for part in zip(*every, strict=True)]
    grid = _Fits(*parts)  # arrays (exponents, k)
    best = grid.loss.argmin(0)
    columns = np.arange(len(curves))
    return _Fits(*(part[best, columns] for part in grid))


def _fits_with(b: float, sizes: Array, curves: Array, weights: Array) -> _Fits:
    """For each of the curves (k, n), the best law with the exponent b and a, c >= 0.

    It is the one without constraints if that satisfies them, else one with a = 0 or with c = 0.
    """
    x = (sizes / sizes.min()) ** -b
    weighted = curves * weights

    # Without constraints: the line through the weighted means of x and of the curve.
    total = weights.sum()
    centre = weights @ x / total
    middle = curves @ weights / total
    from_centre = x - centre
    free_a = weighted @ from_centre / (weights @ from_centre**2)
    free_c = middle - free_a * centre

    # With c = 0, and with a = 0: the best multiple of x, and the weighted mean.
    only_a = np.maximum(weighted @ x / (weights @ x**2), 0.0)
    only_c = np.maximum(middle, 0.0)

    falls = free_a >= 0
    a = np.where(free_c < 0, only_a, free_a)
    a = np.where(falls, a, 0.0)
    c = np.maximum(free_c, 0.0)
    c = np.where(falls, c, only_c)
    misses = curves - a[:, None] * x - c[:, None]
    loss = misses**2 @ weights
    scale = sizes.min() ** b  # x is in units of the smallest size
    return _Fits(a * scale, np.full_like(a, b), c, loss)

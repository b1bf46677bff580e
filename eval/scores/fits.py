"""Power laws with a floor, E(N) = a N^-b + c, fitted to errors over seeds."""

from typing import NamedTuple

import numpy as np
from scipy import optimize

from dosuite.causal import Array

from .bootstrap import Interval

EXPONENTS = np.geomspace(0.02, 4.0, 80)  # in which the fit is searched
RESAMPLES = 1000  # of the seeds
LEAST_ERROR = 0.01  # the standard error of a mean, as a share of it: no point weighs without limit


class PowerLaw(NamedTuple):
    """The fit E(N) = a N^-b + c with a, c >= 0, and the 95 % bootstrap interval of the floor c."""

    a: float
    b: float
    c: float
    floor: Interval  # of c, in units of E

    def at(self, sizes: Array) -> Array:
        """E at some sizes N, (n,)."""
        return np.asarray(self.a * sizes**-self.b + self.c)


def power_law(sizes: Array, errors: Array, rng: np.random.Generator | None = None) -> PowerLaw:
    """Fit E(N) = a N^-b + c to errors (seeds, n) at sizes (n,), by weighted least squares.

    A mean over seeds is weighted by its inverse variance. The interval of c resamples the seeds,
    each with its errors at all sizes. Without a generator equal errors have equal intervals.
    """
    rng = np.random.default_rng(0) if rng is None else rng
    means, weights = _means(errors)
    a, b, c = _fit(sizes, means, weights)
    picks = rng.integers(len(errors), size=(RESAMPLES, len(errors)))
    resampled = errors[picks].mean(1)
    floors = _on_grid(sizes, resampled, weights)[2]
    low, high = np.quantile(floors, [0.025, 0.975])
    return PowerLaw(a, b, c, (c, float(low), float(high)))


def slope(sizes: Array, errors: Array, rng: np.random.Generator | None = None) -> Interval:
    """d log E / d log N of the mean over seeds of errors (seeds, n), and its bootstrap interval."""
    rng = np.random.default_rng(0) if rng is None else rng
    picks = rng.integers(len(errors), size=(RESAMPLES, len(errors)))
    means = np.concatenate([errors.mean(0)[None], errors[picks].mean(1)])
    x = np.log(sizes) - np.log(sizes).mean()
    slopes = np.log(np.maximum(means, np.finfo(float).tiny)) @ x / (x @ x)
    low, high = np.quantile(slopes[1:], [0.025, 0.975])
    return float(slopes[0]), float(low), float(high)


def _means(errors: Array) -> tuple[Array, Array]:
    """The mean over seeds, and its weight, at each size: (n,) each."""
    means = errors.mean(0)
    spread = errors.std(0, ddof=1) if len(errors) > 1 else np.zeros_like(means)
    least = LEAST_ERROR * np.abs(means).max() + np.finfo(float).tiny
    return means, 1.0 / np.maximum(spread / np.sqrt(len(errors)), least) ** 2


def _fit(sizes: Array, means: Array, weights: Array) -> tuple[float, float, float]:
    """The fit to one curve: the best exponent of the grid, refined between its neighbours."""
    _, start, _, _ = _on_grid(sizes, means[None], weights)
    place = int(np.searchsorted(EXPONENTS, start[0]))
    ends = EXPONENTS[max(place - 1, 0)], EXPONENTS[min(place + 1, len(EXPONENTS) - 1)]

    def loss(b: float) -> float:
        return float(_linear(sizes, means[None], weights, b)[2][0])

    b = float(optimize.minimize_scalar(loss, bounds=ends, method="bounded").x)
    a, c, _ = _linear(sizes, means[None], weights, b)
    return float(a[0]), b, float(c[0])


def _on_grid(sizes: Array, means: Array, weights: Array) -> tuple[Array, Array, Array, Array]:
    """a, b, c and the squared error of the best exponent of the grid for curves (k, n): (k,)."""
    fits = [_linear(sizes, means, weights, b) for b in EXPONENTS]
    a, c, losses = (np.stack(part) for part in zip(*fits, strict=True))  # (exponents, k)
    best = losses.argmin(0), np.arange(len(means))
    return a[best], EXPONENTS[best[0]], c[best], losses[best]


def _linear(sizes: Array, means: Array, weights: Array, b: float) -> tuple[Array, Array, Array]:
    """The best a, c >= 0 for one exponent, and the squared error: (k,) each.

    With both constraints the optimum is the free one, or that with a = 0 or with c = 0.
    """
    x = (sizes / sizes.min()) ** -b
    total, centre = weights.sum(), weights @ x / weights.sum()
    middle = means @ weights / total
    free_a = (means * weights) @ (x - centre) / (weights @ (x - centre) ** 2)
    free_c = middle - free_a * centre
    only_a = np.maximum((means * weights) @ x / (weights @ x**2), 0.0)
    a = np.where(free_a < 0, 0.0, np.where(free_c < 0, only_a, free_a))
    c = np.where(free_a < 0, np.maximum(middle, 0.0), np.maximum(free_c, 0.0))
    loss = (means - a[:, None] * x - c[:, None]) ** 2 @ weights
    return a * sizes.min() ** b, c, loss

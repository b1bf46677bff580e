"""Flips: the number of interventions from which a learner is more likely right than not."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from dosuite.causal import Array

RESAMPLES = 2000  # of the seeds


class Flip(NamedTuple):
    """The number of interventions from which half the seeds are right, and its 95 % interval."""

    middle: float
    low: float  # 0 or infinite if the numbers that were tried leave it open
    high: float


def flip_of(right: Sequence[Array], numbers: Array) -> tuple[Flip, Array]:
    """The flip, and the flips of resampled seeds, (RESAMPLES,).

    `right` has for each of the increasing numbers of interventions, (n,), whether each seed is.
    With the share p_i of seeds that are right with number i, the place of the flip among the
    numbers is the sum of 1 - p_i, the mean threshold. It lies between two numbers: the interval
    over seeds is widened by the distance of numbers.

    Source: Spearman (1908) and Kärber (1931); Miller (1973), Nonparametric estimates of quantal
    response.
    """
    rng = np.random.default_rng(0)
    place = np.sum([1 - own.mean() for own in right])
    draws = [1 - own[rng.integers(len(own), size=(RESAMPLES, len(own)))].mean(1) for own in right]
    places = np.sum(draws, axis=0)
    low, high = np.quantile(places, [0.025, 0.975])
    found = Flip(
        float(_number_at(place - 0.5, numbers)),
        float(_number_at(low - 1, numbers)) if low >= 1 else 0.0,
        float(_number_at(high, numbers)) if high <= len(numbers) - 1 else np.inf,
    )
    return found, _number_at(places - 0.5, numbers)


def _number_at(place: Any, numbers: Array) -> Array:
    """The number at a place between those at the places 0, 1, ..., by logarithms; or the ends."""
    return np.asarray(np.exp(np.interp(place, np.arange(len(numbers)), np.log(numbers))))

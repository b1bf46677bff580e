"""Means over seeds that outliers do not move, with bootstrap confidence intervals."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from dosuite.causal import Array

Interval = tuple[float, float, float]  # estimate, low, high


def iqm(values: Array) -> float:
    """The interquartile mean: the mean of the values without the lowest and the highest quarter."""
    return float(stats.trim_mean(values, 0.25))


def interval(
    values: Array,
    strata: Array | None = None,
    rng: np.random.Generator | None = None,
    resamples: int = 10_000,
) -> Interval:
    """The interquartile mean and its 95 % percentile bootstrap interval.

    The values, (n,), are resampled within their stratum: `strata`, (n,), names the environment of
    each value; without, all share one. NaN values are left out, and the order of the values does
    not matter. Without a generator equal values have equal intervals. All three numbers are NaN if
    no value is left. (Agarwal et al. 2021, "Deep RL at the edge of the statistical precipice".)
    """
    strata = np.zeros(len(values)) if strata is None else strata
    rng = np.random.default_rng(0) if rng is None else rng
    known = ~np.isnan(values)
    values, strata = values[known], strata[known]
    if not len(values):
        return np.nan, np.nan, np.nan
    if np.ptp(values) == 0:
        return float(values[0]), float(values[0]), float(values[0])
    low, high = np.quantile(_resampled(values, strata, rng, resamples), [0.025, 0.975])
    return iqm(values), float(low), float(high)


def mean_interval(groups: Sequence[tuple[Array, Array]], resamples: int = 10_000) -> Interval:
    """The mean of the groups' interquartile means, which weigh the same, and its 95 % interval.

    A group is its values, (n,), and the stratum of each. All groups are resampled, each on its own.
    All three numbers are NaN if a group has no value that is known.
    """
    rng = np.random.default_rng(0)
    total, middle = np.zeros(resamples), 0.0
    for values, strata in groups:
        known = ~np.isnan(values)
        if not known.any():
            return np.nan, np.nan, np.nan
        middle += iqm(values[known]) / len(groups)
        total += _resampled(values[known], strata[known], rng, resamples) / len(groups)
    low, high = np.quantile(total, [0.025, 0.975])
    return middle, float(low), float(high)


def _resampled(values: Array, strata: Array, rng: np.random.Generator, resamples: int) -> Array:
    """The interquartile means of values that are drawn again within their strata: (resamples,)."""
    resampled = []
    for name in np.unique(strata):
        stratum = np.sort(values[strata == name])
        picks = rng.integers(len(stratum), size=(resamples, len(stratum)))
        resampled.append(stratum[picks])
    means: Array = stats.trim_mean(np.concatenate(resampled, axis=1), 0.25, axis=1)
    return means


def aggregate(runs: pd.DataFrame, metric: str, by: list[str]) -> pd.DataFrame:
    """The metric of every group of runs: the columns `by`, `runs` (how many have the metric), and
    `iqm`, `low` and `high`.

    Each group has its own generator, so that its interval does not depend on the other groups.
    """
    rows = []
    for key, group in runs.groupby(by, observed=True):
        strata = (group["environment"] + " " + group["member"]).to_numpy()
        values = group[metric].to_numpy(float)
        count = int((~np.isnan(values)).sum())
        rows.append((*key, count, *interval(values, strata)))
    frame = pd.DataFrame(rows, columns=[*by, "runs", "iqm", "low", "high"])
    return frame.astype({name: runs[name].dtype for name in by})

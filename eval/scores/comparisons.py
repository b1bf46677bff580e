"""Two entries compared over several worlds: the probability of improvement and performance
profiles of Agarwal et al. (2021), "Deep RL at the edge of the statistical precipice", section 4.3.

A task is a world, and its scores are those of the training seeds. Every task weighs the same,
however many seeds it has. Intervals are 95 % percentile bootstrap intervals, for which the seeds
are resampled within their task; the tasks stay as they are.
"""

from collections.abc import Mapping

import numpy as np

from dosuite.causal import Array

from .bootstrap import Interval

Scores = Mapping[str, Array]  # the scores of the seeds, (n,), by task


def probability_of_improvement(first: Scores, second: Scores, resamples: int = 2_000) -> Interval:
    """P(X > Y), the probability that a run of `first` scores above a run of `second` on a task that
    is drawn with equal probability, and its interval. Equal scores count half.

    The tasks that both have are compared; all three numbers are NaN if there are none. Scores that
    differ by less than 1e-9 are equal.
    """
    tasks = _shared(first, second)
    if not tasks:
        return np.nan, np.nan, np.nan
    wins = {task: _wins(first[task], second[task]) for task in tasks}
    estimate = float(np.mean([table.mean() for table in wins.values()]))
    rng = np.random.default_rng(0)
    resampled = np.zeros(resamples)
    for table in wins.values():
        # the share of wins is linear in how often each seed is drawn
        rows, columns = (_shares_of_draws(rng, count, resamples) for count in table.shape)
        resampled += np.einsum("ri,ij,rj->r", rows, table, columns) / len(tasks)
    low, high = np.quantile(resampled, [0.025, 0.975])
    return estimate, float(low), float(high)


def performance_profile(
    scores: Scores, thresholds: Array, resamples: int = 2_000
) -> tuple[Array, Array, Array]:
    """The share of runs that score above each threshold, averaged over the tasks, and the ends of
    its pointwise intervals; each (thresholds,). NaN where there are no tasks.

    It is the run-score distribution of the source: 1/M sum_m 1/N_m sum_n [x_mn > threshold].
    """
    tasks = [task for task in sorted(scores) if len(scores[task])]
    if not tasks:
        unknown = np.full(len(thresholds), np.nan)
        return unknown, unknown, unknown
    above = [scores[task][:, None] > thresholds for task in tasks]
    estimate = np.mean([table.mean(axis=0) for table in above], axis=0)
    rng = np.random.default_rng(0)
    resampled = np.zeros((resamples, len(thresholds)))
    for table in above:
        resampled += _shares_of_draws(rng, len(table), resamples) @ table / len(tasks)
    low, high = np.quantile(resampled, [0.025, 0.975], axis=0)
    return estimate, low, high


def _shared(first: Scores, second: Scores) -> list[str]:
    return [task for task in sorted(first) if len(first[task]) and len(second.get(task, ()))]


def _wins(first: Array, second: Array) -> Array:
    """1 where a run of the first beats one of the second, 1/2 where they are equal, (n, k)."""
    difference = first[:, None] - second[None, :]
    equal = np.abs(difference) < 1e-9
    return np.where(equal, 0.5, (difference > 0).astype(float))


def _shares_of_draws(rng: np.random.Generator, count: int, resamples: int) -> Array:
    """How often each of `count` seeds is drawn in a resample, as a share, (resamples, count)."""
    return rng.multinomial(count, np.full(count, 1 / count), size=resamples) / count

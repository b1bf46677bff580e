"""The level of the bootstrap interval, and what an interquartile mean leaves out."""

import numpy as np
import pytest
from scipy import stats

from dosuite.eval.scores import metrics


def test_the_interval_is_as_wide_as_95_percent_of_resamples() -> None:
    """Of a smooth law it is the standard error times 2 x 1.96; for 90 % it would be 16 % less."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=100)
    _, low, high = metrics.interval(values, resamples=4000)
    resamples = rng.choice(values, size=(4000, 100))
    error = stats.trim_mean(resamples, 0.25, axis=1).std()
    assert (high - low) / error == pytest.approx(2 * stats.norm.isf(0.025), rel=0.06)


def test_outliers_in_either_quarter_do_not_count() -> None:
    assert metrics.iqm(np.array([-1e6, 1.0, 2.0, 1e6])) == 1.5

"""The standard error of the mean of the returns of episodes."""

import numpy as np
import pytest

from dosuite.envs.rollouts import PolicyValue


def test_the_error_is_the_deviation_between_means_of_as_many_episodes() -> None:
    returns = np.random.default_rng(0).exponential(size=(400, 50))
    errors = [PolicyValue.of(row).std_error for row in returns]
    deviation = returns.mean(axis=1).std(ddof=1)
    assert np.mean(errors) == pytest.approx(deviation, rel=0.1)
    assert PolicyValue.of(np.array([1.0, 3.0])) == (2.0, pytest.approx(1.0), False)

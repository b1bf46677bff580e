"""Comparisons of two entries, against examples that are computed by hand."""

import numpy as np
import pytest

from dosuite.eval.scores.comparisons import performance_profile, probability_of_improvement


def test_probability_of_improvement_counts_pairs_of_runs_and_halves_ties() -> None:
    first = {"a": np.array([1.0, 3.0]), "b": np.array([0.0])}
    second = {"a": np.array([1.0, 2.0]), "b": np.array([5.0, -1.0])}
    # a: (1/2 + 0 + 1 + 1) / 4 = 5/8; b: (0 + 1) / 2
    estimate, low, high = probability_of_improvement(first, second)
    assert estimate == pytest.approx((5 / 8 + 1 / 2) / 2)
    assert low <= estimate <= high
    backwards, *_ = probability_of_improvement(second, first)
    assert estimate + backwards == pytest.approx(1.0)


def test_each_task_weighs_the_same_whatever_its_seeds() -> None:
    first = {"a": np.ones(9), "b": np.zeros(1)}
    second = {"a": np.zeros(9), "b": np.ones(1)}
    assert probability_of_improvement(first, second) == pytest.approx((0.5, 0.5, 0.5))


def test_only_shared_tasks_are_compared() -> None:
    first, second = {"a": np.ones(2)}, {"b": np.ones(2)}
    assert np.isnan(probability_of_improvement(first, second)).all()
    assert probability_of_improvement(first | second, second) == pytest.approx((0.5, 0.5, 0.5))


def test_the_interval_has_the_law_of_resampled_seeds() -> None:
    """Of two seeds, one of which always wins: both are drawn the winner with probability 1/4."""
    estimate, low, high = probability_of_improvement({"a": np.array([0.0, 2.0])}, {"a": np.ones(1)})
    assert (estimate, low, high) == (0.5, 0.0, 1.0)


def test_a_profile_is_the_share_of_runs_above_each_threshold() -> None:
    scores = {"a": np.array([0.0, 0.5, 1.0, 1.0]), "b": np.array([1.0])}
    share, low, high = performance_profile(scores, np.array([-1.0, 0.0, 0.5, 1.0]))
    assert share == pytest.approx([1.0, (3 / 4 + 1) / 2, (1 / 2 + 1) / 2, 0.0])
    assert (low <= share).all()
    assert (share <= high).all()


def test_a_profile_of_nothing_is_unknown() -> None:
    assert np.isnan(performance_profile({}, np.zeros(2))).all()

"""Actions of equal value are taken equally often, whatever their order."""

import numpy as np
import pytest

from dosuite.causal.exact import greedy


def test_ties_are_split_evenly() -> None:
    values = np.array([[1.0, 1.0, 0.0], [0.0, 2.0, 2.0 + 1e-14], [-np.inf, -np.inf, -np.inf]])
    expected = np.array([[0.5, 0.5, 0.0], [0.0, 0.5, 0.5], [1 / 3, 1 / 3, 1 / 3]])
    assert greedy(values) == pytest.approx(expected)

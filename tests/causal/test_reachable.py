"""The enumeration of reachable states, and the lists of outcomes that it works with."""

import numpy as np
import pytest

from dosuite.causal.exact import reachable_states
from dosuite.causal.exact.reachable import Outcomes
from dosuite.envs import make_model

OUTCOMES = Outcomes(
    origin=np.array([1, 0, 1, 1]),
    weight=np.array([0.25, 1.0, 0.5, 0.25]),
    columns={"x": np.array([0.3, 7.0, 0.1 + 0.2, 5.0]), "y": np.array([1, 2, 3, 4])},
)


def test_merging_adds_the_weights_of_outcomes_that_differ_by_rounding() -> None:
    merged = OUTCOMES.merge(["x"])
    assert merged.origin.tolist() == [0, 1, 1]
    assert merged.weight.tolist() == [1.0, 0.75, 0.25]
    assert merged.columns["x"].tolist() == [7.0, 0.3, 5.0]
    assert list(merged.columns) == ["x"]


def test_merging_without_dropping_a_column_changes_nothing() -> None:
    assert OUTCOMES.merge(["x", "y", "z"]) is OUTCOMES


def test_one_outcome_of_each_label_is_the_first() -> None:
    first = OUTCOMES.one_per(np.array([4, 2, 4, 3]), ["y"])
    assert first.origin.tolist() == [2, 3, 4]
    assert first.columns["y"].tolist() == [2, 4, 1]


@pytest.mark.parametrize("name", ["IceCreamShorts-v0", "ConfoundedRiver-v0", "TrafficLight-v0"])
def test_the_transitions_of_each_state_and_action_sum_to_one(name: str) -> None:
    model = make_model(name)
    actions = model.tables.support(model.action)
    reachable = reachable_states(model, (model.reward,), actions, most=2**18)
    total = np.bincount(reachable.transitions.origin, reachable.transitions.weight)
    assert total == pytest.approx(np.ones(reachable.expanded * len(actions)))
    assert reachable.start.weight.sum() == pytest.approx(1.0)

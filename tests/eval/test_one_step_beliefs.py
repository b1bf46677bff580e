"""What networks believe of one step, in worlds of several steps."""

import numpy as np
import pytest
from learning import learn

from dosuite.agents import Policy
from dosuite.causal import Array
from dosuite.causal.exact import Process, do_process, greedy, is_steady, log_process
from dosuite.causal.exact.decision_process import mean_value
from dosuite.envs import all_observations, make_model
from dosuite.eval.runs.beliefs import _action_values, beliefs, one_step_backup
from dosuite.eval.scores.calibration import contrast_calibration_error

RIVER = make_model("ConfoundedRiver-v0")


class Valued(Policy):
    """Greedy in a table of action values (C, A), of which it has no process."""

    def __init__(self, values: Array):
        self.values = values

    def probabilities(self, observations: Array) -> Array:
        return greedy(self.action_values(observations))

    def action_values(self, observations: Array) -> Array:
        return self.values


def solved(process: Process) -> Array:
    """Action values that satisfy the Bellman equation of a process."""
    values = np.zeros(process.reward.shape)
    for _ in range(2_000):
        values = process.backup(mean_value(greedy(values), values, process.visits))
    return values


def test_the_river_has_many_steps_and_a_value_of_each_context() -> None:
    assert RIVER.horizon > 1
    assert is_steady(RIVER)
    assert RIVER.discount < 1


def test_values_of_the_logs_bellman_equation_believe_the_logs_own_backup() -> None:
    values = solved(log_process(RIVER))
    found = _action_values(RIVER, Valued(values), values, do_process(RIVER))
    assert found is not None
    assert found.believed == pytest.approx(found.seeing, abs=1e-9)
    assert abs(found.believed - found.doing).max() > 0.01


def test_values_of_acting_believe_what_acting_does() -> None:
    gap = beliefs(RIVER, Valued(solved(do_process(RIVER))))["ice_gap"]
    assert gap == pytest.approx(0, abs=1e-3)


def test_a_table_and_the_same_table_without_its_process_believe_the_same() -> None:
    """A counting learner plans in a process; its own solution has the beliefs of that process."""
    policy = learn("naive", RIVER, rows=6_000)
    process = policy.process
    assert process is not None
    values = solved(process)
    continuation = mean_value(greedy(do_process(RIVER).plan()), do_process(RIVER).plan())
    wanted = process.backup(continuation)
    found = one_step_backup(values, greedy(values), process, continuation)
    assert found[process.visits > 0] == pytest.approx(wanted[process.visits > 0], abs=1e-9)


def test_a_network_has_a_gap_and_one_that_knows_less_has_a_larger_one() -> None:
    trained, random = (
        beliefs(RIVER, learn("fqi", RIVER, rows=2_400, updates=updates, iterations=12))
        for updates in (40, 1)
    )
    assert trained["ice_gap"] < random["ice_gap"]
    assert np.isfinite(trained["kappa"])


def test_the_gap_is_that_of_the_backup() -> None:
    values = np.arange(2.0 * len(all_observations(RIVER))).reshape(-1, 2)
    policy = Valued(values)
    found = _action_values(RIVER, policy, values, do_process(RIVER))
    assert found is not None
    gap = contrast_calibration_error(found.believed, found.doing, found.weights)
    assert beliefs(RIVER, policy)["ice_gap"] == pytest.approx(gap)

"""Rollouts discount, and count nothing of the episodes that follow one that ended early."""

from dataclasses import replace

from dosuite.agents import TabularPolicy
from dosuite.causal import uniform_policy, value
from dosuite.envs import all_observations, make_model
from dosuite.eval.runs.policy_value import estimated_by_rollouts


def test_a_discounted_value_with_early_ends_is_estimated() -> None:
    clinic = make_model("GenotypeClinic-v0")
    assert clinic.names("terminal")
    for discount in (0.5, 1.0):
        world = replace(clinic, discount=discount)
        table = uniform_policy(world)
        policy = TabularPolicy(table, all_observations(world))
        estimate = estimated_by_rollouts(world, policy, 0, 4000)
        assert abs(estimate.value - value(world, table)) < 4 * estimate.std_error < 0.1

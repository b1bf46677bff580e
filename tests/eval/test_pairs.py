"""A static learner learns once for a pair of twins, and none earns more than the floor of it."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from countable import COUNTABLE
from learning import few

from dosuite.agents import Policy, agent_classes
from dosuite.causal import Array, World, floor
from dosuite.envs.settings import unparse
from dosuite.eval import Run
from dosuite.eval.runs.pairs import leak, pair_columns
from dosuite.eval.runs.run import acts_there, outcomes
from dosuite.eval.runs.suite import _together

ICE = "IceCreamShorts-v0"
TWINS = {name: model for name, model in COUNTABLE.items() if model.twin() is not None}


class ReadsTheWorld(Policy):
    """A policy that finds the world that it is scored in among the variables of its caller."""

    def probabilities(self, observations: Array) -> Array:
        world = sys._getframe(1).f_locals["model"]
        policy: Array = world.causal_policy()
        return policy


class Constant(Policy):
    """The best policy of one world, whatever it is scored in."""

    def __init__(self, world: World):
        self.table = world.causal_policy()

    def probabilities(self, observations: Array) -> Array:
        return self.table


@pytest.mark.parametrize("model", TWINS.values(), ids=TWINS)
def test_a_policy_that_is_told_which_twin_it_is_in_is_convicted(model: World) -> None:
    twin = model.twin()
    assert twin is not None
    pair = model.deployed(), twin.deployed()
    limit = floor(*pair)
    told = pair_columns(pair, ReadsTheWorld())
    assert told["pair_value"] == pytest.approx(limit.value + limit.regret)
    assert "in which of them it acts" in leak(told)
    for world in pair:
        assert leak(pair_columns(pair, Constant(world))) == ""


PLANTED = """
import sys
from dataclasses import dataclass
from dosuite.agents.agent import OfflineAgent
from dosuite.agents import Policy


class Peeks(Policy):
    def probabilities(self, observations):
        return sys._getframe(1).f_locals["model"].causal_policy()


@dataclass(frozen=True)
class Cheat(OfflineAgent):
    def learn_from(self, source, rng):
        return Peeks()
"""


def test_a_run_that_leaks_is_reported_as_failed(tmp_path: Path) -> None:
    path = tmp_path / "cheat.py"
    path.write_text(PLANTED)
    (row,) = Run(ICE, f"{path}:Cheat", "observe", 10, 0).rows()
    assert row["status"] == "failed"
    assert row["note"].startswith("leak: it earns 0.5450 on average")


@pytest.mark.parametrize("agent", ["naive", "bc:updates=20"])
def test_a_pair_learns_once_and_is_scored_in_both_worlds(agent: str) -> None:
    runs = [
        Run(ICE, agent, "observe", 100, seed, variant)
        for seed in (0, 1)
        for variant in ("", "twin")
    ]
    (group,) = _together(runs) if runs[0].joined else [runs]
    assert group == runs
    together = pd.DataFrame([row for outcome in outcomes(runs) for row in outcome.rows])
    alone = pd.DataFrame([row for run in runs for row in run.rows()])
    pd.testing.assert_frame_equal(together, alone)
    deployed = together[together["world"] == ""]
    for _, pair in deployed.groupby("seed"):
        assert pair["value"].mean() == pytest.approx(pair["pair_value"].iloc[0])
        assert pair["pair_value"].nunique() == 1
    assert (deployed["pair_value"] <= deployed["floor"] + 1e-9).all()
    assert deployed["floor"].iloc[0] == pytest.approx(0.445)


def test_one_that_is_told_more_learns_in_each_world() -> None:
    graph = Run(ICE, "back-door", "observe", 100, 0, "twin")
    assert graph.learner == graph
    assert np.isnan(graph.rows()[0]["floor"])
    mixed = Run(ICE, "naive", "mixed", 100, 0, "twin")
    assert mixed.learner == mixed
    practice = Run(ICE, "ppo", "intervene", 100, 0, "twin")
    assert practice.learner == practice
    static = Run(ICE, "naive", "observe", 100, 0, "twin")
    assert static.learner == Run(ICE, "naive", "observe", 100, 0)


def test_worlds_without_a_twin_have_no_floor() -> None:
    row = Run("GreedyCasino-v0", "naive", "observe", 50, 0).rows()[0]
    assert np.isnan(row["floor"])
    assert np.isnan(row["pair_value"])


def test_a_world_without_exact_values_has_a_pair_value_and_no_floor() -> None:
    row = Run("AirlinePricing-v0", "bc:updates=20", "observe", 200, 0).rows()[0]
    assert np.isnan(row["floor"])
    assert row["pair_std_error"] > 0
    assert leak(row) == ""


@pytest.mark.long
@pytest.mark.parametrize("name", TWINS)
def test_no_static_run_exceeds_the_floor(name: str) -> None:
    # a policy with memory is rolled out, which takes long in long episodes
    world = name if TWINS[name].horizon == 1 else f"{name}:horizon=8"
    runs = [
        Run(world, unparse(agent, few(agent)), "observe", 200, seed)
        for agent, kind in agent_classes().items()
        for seed in (0, 1)
        if "observe" in kind.learns and not kind.needs and acts_there(agent, TWINS[name])
    ]
    assert len(runs) > 10
    for run in runs:
        row = run.rows()[0]
        assert row["status"] == "ok", row["note"]
        assert row["pair_value"] <= row["floor"] + 1e-9 + 5 * row["pair_std_error"]

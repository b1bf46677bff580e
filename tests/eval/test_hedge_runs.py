"""A learner that is told the graph and nothing else learns once for a world and its hedge."""

import sys
from pathlib import Path

import gymnasium
import numpy as np
import pandas as pd
import pytest
from countable import COUNTABLE
from learning import few

from dosuite.agents import Policy, agent_classes
from dosuite.causal import Array, InputError, World, floor
from dosuite.envs import collect, make_model
from dosuite.envs.settings import unparse
from dosuite.eval import Run
from dosuite.eval.runs.pairs import leak, pair_columns
from dosuite.eval.runs.run import acts_there, outcomes
from dosuite.eval.runs.suite import _together, grid

ICE = "IceCreamShorts-v0"
HEDGED = {name: model for name, model in COUNTABLE.items() if model.hedge() is not None}


def test_one_that_is_told_the_graph_is_scored_in_both_worlds() -> None:
    runs = [Run(ICE, "back-door", "observe", 100, 0, variant) for variant in ("", "hedge")]
    assert runs[1].learner == runs[0]
    assert _together(runs) == [runs]
    here, there = (outcome.rows for outcome in outcomes(runs))
    assert [row["world"] for row in there] == [""]
    assert np.mean([here[0]["value"], there[0]["value"]]) == pytest.approx(here[0]["pair_value"])
    assert here[0]["pair_value"] == there[0]["pair_value"]
    hedge = make_model(ICE, variant="hedge")
    assert here[0]["floor"] == floor(make_model(ICE), hedge).value
    assert here[0]["pair_value"] <= here[0]["floor"] + 1e-9


def test_one_that_is_told_nothing_is_scored_in_the_hedge_against_its_floor() -> None:
    run = Run(ICE, "naive", "observe", 100, 0, "hedge")
    assert run.learner == Run(ICE, "naive", "observe", 100, 0)
    (row,) = run.rows()
    assert row["floor"] == floor(make_model(ICE), make_model(ICE, variant="hedge")).value
    assert row["pair_value"] <= row["floor"] + 1e-9
    assert run.learner.rows()[0]["floor"] < row["floor"]  # that of the twin


@pytest.mark.parametrize("regime", ["mixed", "intervene"])
def test_one_that_sees_an_experiment_learns_in_the_hedge_itself(regime: str) -> None:
    agent = "naive" if regime == "mixed" else "ppo"
    run = Run(ICE, agent, regime, 100, 0, "hedge")
    assert run.learner == run


PLANTED = """
import sys
from dataclasses import dataclass
from typing import ClassVar
from dosuite.agents.agent import OfflineAgent
from dosuite.agents import Policy


class Peeks(Policy):
    def probabilities(self, observations):
        return sys._getframe(1).f_locals["model"].causal_policy()


@dataclass(frozen=True)
class Cheat(OfflineAgent):
    needs: ClassVar[frozenset[str]] = frozenset({"graph"})

    def learn_from(self, source, rng):
        return Peeks()
"""


@pytest.mark.parametrize("variant", ["", "hedge"])
def test_one_that_is_told_which_world_it_is_in_is_convicted(variant: str, tmp_path: Path) -> None:
    path = tmp_path / "cheat.py"
    path.write_text(PLANTED)
    (row,) = Run(ICE, f"{path}:Cheat", "observe", 10, 0, variant).rows()
    assert row["status"] == "failed"
    assert row["note"].startswith("leak: it earns 0.5913 on average")


class ReadsTheWorld(Policy):
    """A policy that finds the world that it is scored in among the variables of its caller."""

    def probabilities(self, observations: Array) -> Array:
        policy: Array = sys._getframe(1).f_locals["model"].causal_policy()
        return policy


@pytest.mark.parametrize("model", HEDGED.values(), ids=HEDGED)
def test_a_policy_that_is_told_which_of_the_two_it_is_in_is_convicted(model: World) -> None:
    hedge = model.hedge()
    assert hedge is not None
    pair = model.deployed(), hedge.deployed()
    told = pair_columns(pair, ReadsTheWorld())
    limit = floor(*pair)
    assert told["pair_value"] == pytest.approx(limit.value + limit.regret)
    assert "in which of them it acts" in leak(told)


@pytest.mark.parametrize("regime", ["observe", "mixed"])
def test_a_log_of_a_hedge_is_collected_and_played(regime: str) -> None:
    hedge = make_model(ICE, variant="hedge")
    log = collect(hedge, 200, 0, regime)
    if regime == "observe":
        same = collect(make_model(ICE), 200, 0, regime)
        assert len(log) == len(same)
    env = gymnasium.make(f"dosuite.envs:{ICE}", variant="hedge")
    env.reset(seed=0)
    _, reward, *_ = env.step(1)
    assert reward in hedge.tables.support("pay")
    shown = Run(ICE, "causal", "exact", 1, 0, "hedge").rows()
    assert shown[0]["value"] == pytest.approx(0.7075)


def test_only_those_that_are_told_the_graph_are_run_on_hedges() -> None:
    runs = pd.DataFrame(
        (run.agent, run.variant)
        for run in grid([ICE, "EncourageIV-v0"], ["naive", "back-door", "ppo"], 2, 50, 50)
    )
    runs.columns = ["agent", "variant"]
    assert set(runs.loc[runs["variant"] == "hedge", "agent"]) == {"back-door"}
    assert (runs["variant"] == "hedge").sum() == 2


def test_a_hedge_is_made_by_name_and_has_no_shift() -> None:
    world = make_model(ICE)
    assert make_model(ICE, variant="hedge") == world.hedge()
    with pytest.raises(InputError, match="has no shift 'cold_snap'"):
        make_model(ICE, variant="hedge", shift="cold_snap")
    with pytest.raises(InputError, match="no hedge: the graph and the log identify the effect"):
        make_model("MediatorTrap-v0", variant="hedge")
    logs = "TransportClinic-TwoLogs-v0"
    assert make_model(logs, variant="hedge", shift="target").deployment == "target"


@pytest.mark.long
@pytest.mark.parametrize("name", ["RandomSCM-v0", "RandomSCM-Instrument-v0", "ProxyClinic-v0"])
def test_no_run_that_is_told_the_graph_exceeds_the_floor(name: str) -> None:
    model = make_model(name)
    for agent, kind in agent_classes().items():
        if kind.needs == {"graph"} and "observe" in kind.learns and acts_there(agent, model):
            row = Run(name, unparse(agent, few(agent)), "observe", 200, 0).rows()[0]
            assert row["status"] == "ok" or "leak" not in row["note"]
            assert not row["pair_value"] > row["floor"] + 1e-9 + 5 * row["pair_std_error"]

"""The identifiability-aware score: what an agent can be blamed for that had a log and the graph."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from printed import printed

from dosuite.agents import Policy, TabularPolicy
from dosuite.causal import Array, World
from dosuite.envs import every_observation, make_model
from dosuite.eval import Run
from dosuite.eval.reports import report, tables
from dosuite.eval.runs.possible_regret import possible_regret, regret_metrics
from dosuite.eval.runs.scored_rows import scored
from dosuite.eval.scores import metrics
from dosuite.eval.scores.identifiability import PossibleRegret, identifiability_aware_score

# the least possible regret, and a policy that has it
LEAST = [
    ("IceCreamShorts-v0", ".36 .64", ".2304"),
    ("IceCreamShorts-NoOverlap-v0", ".275 .725", ".1994"),
    ("GreedyCasino-v0:casino=Rigged", ".6 .4", ".240"),
    ("Door-v0", ".6 .4", ".240"),
    ("EncourageIV-VitaminA-v0", ".973 .027", ".00525"),
    ("EncourageIV-v0", "0 1", "0.000"),
    ("SlateExposure-v0", "0.000 .343 .357 .300", ".5625"),
    ("SelectionGate-v0", ".5 .5", ".5"),
]


def playing(model: World, table: Array) -> Policy:
    return TabularPolicy(table, every_observation(model))


def row(model: World, table: Array) -> dict[str, Any]:
    return scored(model, model, playing(model, table))[0]


@pytest.mark.parametrize(("world", "policy", "regret"), LEAST, ids=[each[0] for each in LEAST])
def test_the_least_regret_is_that_of_the_catalogue(world: str, policy: str, regret: str) -> None:
    model = make_model(world)
    table = np.array([policy.split()], float)
    found = possible_regret(model, playing(model, table / table.sum()))
    assert found is not None
    assert printed(found.least, regret)
    # the policy is printed with three digits, and a payoff is at most 1
    assert found.policy == pytest.approx(found.least, abs=1.5e-3)
    assert found.confused >= found.least - 1e-9


def test_the_score_is_0_for_the_confused_and_1_for_the_least_regret() -> None:
    """Of two actions with payoffs in [.0675, .5675] and [.2075, .7075], uniform play can lose
    .32; the confused policy takes the second, and can lose .36."""
    model = make_model("IceCreamShorts-v0")
    uniform = row(model, np.array([[0.5, 0.5]]))
    assert uniform["possible_regret"] == pytest.approx(0.32)
    assert uniform["confused_regret"] == pytest.approx(0.36)
    assert uniform["ias"] == pytest.approx((0.36 - 0.32) / (0.36 - 0.2304))
    assert row(model, model.confused_policy())["ias"] == pytest.approx(0.0)
    assert row(model, np.array([[0.36, 0.64]]))["ias"] == pytest.approx(1.0)
    inverted = row(model, np.array([[1.0, 0.0]]))  # the best action there, which nobody can know
    assert inverted["value"] == pytest.approx(inverted["j_causal"])
    assert inverted["ias"] == pytest.approx(1 - (0.64 - 0.2304) / (0.36 - 0.2304))


@pytest.mark.parametrize("world", ["TarFrontdoor-v0", "NapkinClinic-v0", "SimpsonClinic-v0"])
def test_where_the_effect_is_identified_it_is_the_causal_score(world: str) -> None:
    model = make_model(world)
    for share in (0.0, 0.3, 0.8, 1.0):
        found = row(model, np.array([[share, 1 - share]]))
        score = metrics.causal_score(pd.DataFrame([found]))[0]
        assert found["least_regret"] == pytest.approx(0.0, abs=1e-9)
        assert found["ias"] == pytest.approx(score, abs=1e-6)


@pytest.mark.parametrize(
    "world", ["ConfoundedRiver-v0", "TransportClinic-v0", "IceCreamShorts-v0:observation=nuisance"]
)
def test_elsewhere_there_is_none(world: str) -> None:
    model = make_model(world)
    table = np.full((len(every_observation(model)), 2), 0.5)
    assert regret_metrics(model, playing(model, table)) == {}


def test_who_sees_the_intent_knows_more_than_the_log() -> None:
    model = make_model("IceCreamShorts-v0").with_intent()
    assert possible_regret(model, playing(model, np.full((2, 2), 0.5))) is None


def test_nobody_is_blamed_where_the_confused_policy_is_the_best_that_the_log_allows() -> None:
    assert np.isnan(identifiability_aware_score(PossibleRegret(0.5, 0.25, 0.25)))
    worlds = ["GreedyCasino-v0", "SimpsonClinic-v0"]
    runs = [Run(world, "bc", "observe", 100, 0) for world in worlds]
    runs += [Run(world, "causal", "exact", 1, 0) for world in worlds]
    rows = pd.DataFrame([each for run in runs for each in run.rows()])

    [found] = tables.blame(tables.summary(rows))
    shown = found.frame
    assert list(shown["environment"]) == ["GreedyCasino-v0", "SimpsonClinic-v0"]
    assert set(shown["agent"]) == {"bc (offline)"}
    assert shown["IAS"][0] == "offline-optimal confusion"
    assert shown["IAS"][1].startswith("0.")
    columns = ["ias", "possible_regret", "least_regret", "confused_regret"]
    before = rows.drop(columns=columns)  # rows of a version without the metric
    assert report.results_fault(before) == ""
    assert tables.blame(tables.summary(before)) == []

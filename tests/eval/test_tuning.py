"""Tuning on controls: equal trials, seeds of its own, and every trial kept."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from refusals import refused

from dosuite.agents import agent_classes, make_agent
from dosuite.eval.claims.tuning import FIRST_SEED, trial_scores, trial_settings, tuning_runs
from dosuite.eval.cli.tune import tune


@pytest.mark.parametrize("name", ["dqn", "cql", "ppo", "decision-transformer", "sac", "dqn-lanes"])
def test_every_agent_has_as_many_trials_and_the_defaults_are_one(name: str) -> None:
    texts = trial_settings(name, 6)
    assert texts[0] == name
    assert len(set(texts)) == 6
    assert texts == trial_settings(name, 6)
    for text in texts:
        make_agent(text)


@pytest.mark.parametrize("name", agent_classes())
def test_trials_differ_and_end_when_there_are_no_more(name: str) -> None:
    texts = trial_settings(name, 50)
    assert len(set(texts)) == len(texts) <= 50
    assert trial_settings(name, 5) == texts[:5]


def test_an_agent_without_such_settings_has_its_defaults() -> None:
    assert trial_settings("back-door", 6) == ["back-door"]


def test_a_tuning_begins_with_the_defaults() -> None:
    assert refused(lambda: trial_settings("dqn:rate=0.1", 2)).startswith("a tuning starts from")


def test_trials_are_on_controls_with_seeds_of_their_own() -> None:
    runs = tuning_runs(["IceCream"], ["bc", "ppo"], 3, 2, 50, 60)
    learners = [run for run in runs if run.regime != "exact"]
    assert {run.variant for run in learners} == {"control"}
    assert {run.seed for run in learners} == {FIRST_SEED, FIRST_SEED + 1}
    counts = pd.Series([run.agent.partition(":")[0] for run in learners]).value_counts()
    assert counts["bc"] == counts["ppo"] == 6


def results(regrets: dict[str, list[float]]) -> pd.DataFrame:
    head: dict[str, Any] = {
        "environment": "W",
        "regime": "observe",
        "world": "",
        "status": "ok",
        "note": "",
    }
    head |= {"budget": 1, "j_causal": 1.0, "j_worst": 0.0, "j_confused": 1.0}
    head |= {"j_uniform": 0.0, "j_behaviour": 1.0}
    return pd.DataFrame(
        [
            {**head, "agent": text, "seed": seed, "value": 1 - regret}
            for text, part in regrets.items()
            for seed, regret in enumerate(part)
        ]
    )


def test_the_trial_with_the_least_mean_regret_is_selected_and_all_are_kept() -> None:
    given = results({"cql": [0.2, 0.4], "cql:rate=0.1": [0.1, 0.3], "cql:rate=1": [0.0, 0.5]})
    found = trial_scores(given)
    assert len(found) == 6
    assert set(found.loc[found["selected"], "settings"]) == {"rate=0.1"}


def test_the_defaults_are_kept_unless_a_trial_is_clearly_better_and_failures_count_as_1() -> None:
    given = results({"cql": [0.2], "cql:rate=0.1": [0.195], "cql:rate=1": [0.0]})
    failed = given["agent"] == "cql:rate=1"
    given["status"] = given["status"].mask(failed, "failed")
    found = trial_scores(given.assign(value=given["value"].mask(failed)))
    assert set(found.loc[found["selected"], "settings"]) == {""}
    assert list(found.loc[found["settings"] == "rate=1", "regret"]) == [1.0]


def test_the_command_keeps_the_trials(tmp_path: Path) -> None:
    agents, worlds = ["bc"], ["IceCream"]
    tune(agents, only=worlds, trials=2, seeds=1, rows=20, steps=20, out=tmp_path, workers=1)
    table = pd.read_parquet(tmp_path / "trials.parquet")
    assert len(table) == 2
    assert table["selected"].sum() == 1
    assert "Tuning" in (tmp_path / "tuning.md").read_text()

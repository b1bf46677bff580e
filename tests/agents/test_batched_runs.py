"""Runs that are done together, and what batched agents refuse."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
import torch
from batched_agents import COUNTING, GAUGE, RELAY, SEEDS, THERMO, data_of, every_agent, quick
from learning import few
from refusals import refused

from dosuite.agents import Agent, Policy, TabularPolicy, make_agent
from dosuite.agents.networks.encoder import Encoder
from dosuite.causal import InputError
from dosuite.envs import Data, all_observations
from dosuite.eval import Run, execute
from dosuite.eval.runs.failure import without_file

# Runs that are done together.


@dataclass(frozen=True)
class Fickle(Agent):
    """Learns with all seeds at once, and fails in a way that a setting names."""

    name: ClassVar[str] = "fickle"
    learns: ClassVar[tuple[str, ...]] = ("observe",)

    way: str = ""

    def learn_from(self, source: Data, rng: np.random.Generator) -> Policy:
        if self.way == "alone" and rng.random() < 2:
            raise ZeroDivisionError("alone")
        return TabularPolicy(np.array([[0.5, 0.5]]), source.observation_space, note="alone")

    def learn_all(
        self, sources: Sequence[Data], generators: Sequence[np.random.Generator]
    ) -> list[Policy | Exception]:
        if self.way == "raise":
            raise ZeroDivisionError("together")
        policies: list[Policy | Exception] = [
            TabularPolicy(np.array([[0.5, 0.5]]), source.observation_space, note="together")
            for source in sources
        ]
        if self.way == "one":
            policies[1] = FloatingPointError("diverged")
        return policies[1:] if self.way == "few" else policies


def fickle_rows(folder: Path, way: str, seeds: int = SEEDS) -> list[list[str]]:
    runs = [
        Run("IceCreamShorts-v0", f"{__file__}:Fickle:way={way}", "observe", 50, seed)
        for seed in range(seeds)
    ]
    rows = execute(runs, folder, 1, quiet=True)
    rows["note"] = rows["note"].map(without_file)
    return rows[rows["world"] == ""].sort_values("seed")[["status", "note"]].to_numpy().tolist()


def test_seeds_are_learned_together_and_one_that_fails_costs_no_other(tmp_path: Path) -> None:
    fine = ["ok", "together"]
    assert fickle_rows(tmp_path / "fine", "fine") == [fine] * SEEDS
    assert fickle_rows(tmp_path / "one", "one") == [
        fine,
        ["failed", "FloatingPointError: diverged"],
        fine,
    ]
    assert fickle_rows(tmp_path / "single", "one", seeds=1) == [["ok", "alone"]]
    assert fickle_rows(tmp_path / "raise", "raise") == [["ok", "alone"]] * SEEDS
    few = "fickle.learn_all must return a policy for each of 3 seeds, and returned 2"
    assert fickle_rows(tmp_path / "few", "few") == [["failed", few]] * SEEDS


@pytest.mark.long
@every_agent
def test_runs_that_are_done_together_have_the_rows_that_they_have_alone(
    name: str, tmp_path: Path
) -> None:
    settings = ",".join(f"{setting}={number}" for setting, number in few(name).items())
    world = "IceCreamShorts-Thermo-v0" if name in COUNTING else "AirlinePricing-v0"
    runs = [Run(world, f"{name}:{settings}", "observe", 100, seed) for seed in range(SEEDS)]
    runs += [replace(run, variant="twin") for run in runs[:2]]
    together = execute(runs, tmp_path, 1, quiet=True)
    alone = pd.DataFrame([row for run in runs for row in run.rows()])
    one, other = (
        rows.sort_values(["variant", "seed", "world"], ignore_index=True)
        for rows in (together, alone)
    )
    pd.testing.assert_frame_equal(one, other)
    assert together["value"].notna().all()


def test_a_run_that_diverges_has_a_clear_row(tmp_path: Path) -> None:
    runs = [
        Run("IceCreamShorts-Thermo-v0", "fqi:rate=1e30,updates=9", "observe", 100, seed)
        for seed in range(2)
    ]
    rows = execute(runs, tmp_path, 1, quiet=True)
    assert rows["status"].tolist() == ["failed"] * 2
    assert (
        rows["note"].map(without_file).tolist()
        == ["FloatingPointError: the loss is not finite any more; try a smaller learning rate"] * 2
    )


# What is refused.


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("dqn:updates=0", "dqn: updates must be at least 1, and is 0"),
        ("dqn:batch=0", "dqn: batch must be at least 1, and is 0"),
        ("fqi:updates=0", "fqi: updates must be at least 1, and is 0"),
        ("cql:rate=0", "cql: rate must be positive, and is 0.0"),
        ("cql:alpha=-1", "cql: alpha must be at least 0, and is -1.0"),
        ("iql:expectile=1", "iql: expectile must be between 0 and 1, and is 1.0"),
        ("iql:temperature=-1", "iql: temperature must be at least 0, and is -1.0"),
        ("iql:tau=0", "iql: tau must be above 0 and at most 1, and is 0.0"),
        ("bc:updates=0", "bc: updates must be at least 1, and is 0"),
        ("naive:iterations=0", "naive: iterations must be at least 1, and is 0"),
    ],
)
def test_settings_out_of_range_are_refused(text: str, line: str) -> None:
    assert refused(lambda: make_agent(text)) == line


def test_a_device_that_is_not_there_is_refused() -> None:
    with pytest.raises(InputError, match="there is no device 'abacus' here"):
        quick("iql", device="abacus").learn(data_of(THERMO, 0), np.random.default_rng(0))


def test_numbers_as_actions_are_refused() -> None:
    data = data_of(GAUGE, 0)
    data = replace(data, action_space=data.observation_space)
    assert "needs actions that can be counted" in refused(
        lambda: quick("cql").learn(data, np.random.default_rng(0))
    )


def test_an_encoder_knows_every_cell() -> None:
    for model in (RELAY, THERMO):
        data = data_of(model, 0)
        encoder = Encoder(data.observation_space, 1000, torch.device("cpu"))
        assert encoder.grid is not None
        assert np.unique(encoder.grid.numpy(), axis=0).shape == encoder.grid.shape
        assert encoder.columns(all_observations(model)).tolist() == list(range(len(encoder.grid)))

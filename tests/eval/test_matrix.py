"""The prediction matrix: its shape, what is run for a cell, and when a measurement agrees."""

from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from refusals import refused

from dosuite.agents import make_agent
from dosuite.causal import InputError
from dosuite.envs import Data, make_model
from dosuite.eval import Run, execute
from dosuite.eval.claims.matrix import CLASSES, POOLED, in_order, matrix_cells, matrix_rows
from dosuite.eval.claims.verdicts import agreement, matrix_sections, measured_cells
from dosuite.eval.cli.claims import matrix

FEW = {"seeds": 2, "recorded": 4000, "practice": 20_000}


def test_every_world_has_a_prediction_for_every_class() -> None:
    rows = matrix_rows()
    assert (len(rows), len(CLASSES)) == (23, 12)
    assert len({row.name for row in rows}) == len({row.world for row in rows}) == 23
    for row in rows:
        assert make_model(row.world) is not None
        assert set(row.predictions) == {one.name for one in CLASSES}
        assert set(row.agents) <= set(row.predictions)


def test_the_table_is_read_as_it_is_written() -> None:
    rows = {row.name: row for row in matrix_rows()}
    predictions = Counter(text for row in rows.values() for text in row.predictions.values())
    assert predictions == {"0": 116, "1": 89, "p": 39, "-": 32}
    assert list(rows["IceCreamShorts"].predictions.values()) == list("p000000p1101")
    assert list(rows["CorrelatedNoiseLQ"].predictions.values()) == list("000pp-1-1-01")
    assert rows["CorrelatedNoiseLQ"].agents["Online"] == "ars:standardise=false"
    assert rows["CorrelatedNoiseLQ"].agents["Fuse"] == ""
    assert (rows["CorrelatedNoiseLQ"].zero, rows["GreedyCasino"].one) == ("j_confused", "j_intent")
    assert (rows["AirlinePricing"].most_recorded, rows["DelusionBox"].most_practice) == (
        100_000,
        100_000,
    )


def test_what_applies_is_run_in_a_regime_that_the_agent_learns_in() -> None:
    for cell in matrix_cells((), (), 1, 1000, 1000):
        assert not (cell.predicted == "-" and cell.runs)
        for run in cell.runs:
            assert run.environment == cell.row.world
            assert run.regime in make_agent(run.agent).learns


@pytest.mark.parametrize(
    ("predicted", "low", "high", "said"),
    [
        ("0", -1.0, 0.09, "agrees"),
        ("0", 0.05, 0.1, "undecided"),
        ("0", 0.1, 0.1, "disagrees"),
        ("1", 0.91, 1.3, "agrees"),
        ("1", 0.9, 0.95, "undecided"),
        ("1", 0.2, 0.9, "disagrees"),
        ("0", np.nan, np.nan, "undefined"),
        ("p", 0.0, 1.0, ""),
    ],
)
def test_an_interval_agrees_if_it_is_all_on_the_side_that_was_predicted(
    predicted: str, low: float, high: float, said: str
) -> None:
    assert agreement(predicted, low, high) == said


def test_a_part_of_the_matrix_is_run_and_told(tmp_path: Path) -> None:
    chosen = matrix_cells(("IceCream", "Kidney"), ("naive:updates=3",), **FEW)
    chosen = [cell for cell in chosen if cell.column != "Seq"]
    rows = execute(in_order(chosen), tmp_path, 1, quiet=True)
    found = {
        (cell["row"], cell["class"]): cell
        for cell in measured_cells(chosen, rows).to_dict("records")
    }
    for name, world in (
        ("IceCreamShorts", "IceCreamShorts-v0"),
        ("Kidney Blind", "SimpsonClinic-v0:study=KidneyStones"),
    ):
        assert found[name, "NaiveRL"]["iqm"] == pytest.approx(-1.0)
        assert found[name, "Fuse"]["verdict"] == found[name, "Online"]["verdict"] == "agrees"
        assert make_model(world).horizon == 1
    assert found["IceCreamShorts", "Adj"]["verdict"] == "disagrees"  # right by accident
    assert found["IceCreamShorts", "naive:updates=3"]["predicted"] == "0"
    page, astray, how = matrix_sections(chosen, measured_cells(chosen, rows), {})
    told = page.tables[0].frame.set_index("world").to_dict("index")
    assert told["Kidney Blind"]["Lat"] == "-"
    assert told["IceCreamShorts"]["Adj"].startswith("0! 1.00 [")
    assert told["IceCreamShorts"]["NaiveRL"].startswith("0 -1.00 [")
    assert set(page.tables[1].frame) == {"world", "Online", "RDC", "Pool", "Fuse"}
    assert "adjusts for shorts" in set(astray.tables[0].frame["the agent said"])
    assert list(how.tables[0].frame["world"]) == ["IceCreamShorts", "Kidney Blind"]


def test_the_command_prints_and_writes_the_matrix(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    matrix(only=["Lat"], seeds=2, rows=2000, steps=1000, out=tmp_path, workers=1)
    text = capsys.readouterr().out
    assert "IceCreamShorts" in text
    assert "p no agent" in text
    assert (tmp_path / "matrix.html").read_text().count("<table") == 3
    assert "| ConfoundedRiver " in (tmp_path / "matrix.md").read_text()


def test_where_only_the_intent_tells_more_than_chance_success_is_to_use_it(tmp_path: Path) -> None:
    chosen = [
        cell
        for cell in matrix_cells(("GreedyCasino",), (), **FEW)
        if cell.column in ("BC", "Online", "RDC")
    ]
    found = measured_cells(chosen, execute(in_order(chosen), tmp_path, 1, quiet=True)).set_index(
        "class"
    )
    assert found["iqm"].to_dict() == pytest.approx({"BC": 0.0, "Online": 0.0, "RDC": 1.0}, abs=1e-9)


def test_a_run_that_failed_leaves_its_cell_undefined() -> None:
    (cell,) = (cell for cell in matrix_cells(("Door",), (), 2, 100, 100) if cell.column == "BC")
    about = {
        "world": "",
        "note": "no",
        "exact": True,
        "j_uniform": 0.5,
        "j_causal": 0.6,
        "j_worst": 0.4,
    }
    rows = pd.DataFrame(
        [
            {**about, "run": run.key, "status": status, "value": 0.6}
            for run, status in zip(cell.runs, ("ok", "failed"), strict=True)
        ]
    )
    (found,) = measured_cells([cell], rows).to_dict("records")
    assert np.isnan(found["iqm"])
    assert found["note"] == "no"


def test_agents_of_one_world_and_seed_learn_one_after_the_other() -> None:
    runs = in_order(matrix_cells(("Kidney", "Napkin"), (), 3, 100, 100))
    order = [(run.environment, run.seed) for run in runs]
    assert len(set(order)) == 6
    assert sum(one != other for one, other in pairwise(order)) == 5


def test_what_the_matrix_does_not_have_is_refused() -> None:
    assert "nothing in the matrix is called Kindey" in refused(
        lambda: matrix_cells(("Kindey",), (), 1, 100, 100)
    )
    assert "there is no agent" in refused(lambda: matrix_cells((), ("nave",), 1, 100, 100))


def test_a_mixed_log_has_the_share_of_interventions_that_its_run_names() -> None:
    (run,) = (
        cell.runs[0]
        for cell in matrix_cells(("Kidney",), (), 1, 20_000, 100)
        if cell.column == "Fuse"
    )
    data = run._source(make_model(run.environment))
    assert isinstance(data, Data)
    assert len(data) == 20_000 + 20_000 // POOLED
    assert data["regime"].mean() == pytest.approx(1 / (POOLED + 1), abs=0.005)


@pytest.mark.parametrize(("regime", "share"), [("observe", 0.5), ("mixed", 0.0), ("mixed", 1.0)])
def test_a_share_that_is_none_is_refused(regime: str, share: float) -> None:
    with pytest.raises(InputError, match="a share of interventions is set only for a mixed log"):
        Run("IceCreamShorts-v0", "naive", regime, 100, 0, share=share)

"""The leaderboard: tracks, standings, the page and its JSON file, and the reference rows."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from submitted import ICE, parts_of, small_submission

from dosuite.causal import InputError
from dosuite.eval.leaderboard.entries import read_entries, reference_entry
from dosuite.eval.leaderboard.page import board_of, write_board
from dosuite.eval.leaderboard.reference import QUICK, make_reference, quick_environments
from dosuite.eval.leaderboard.standings import VERIFIED, cells, scored_runs
from dosuite.eval.leaderboard.tracks import Track, track_of
from dosuite.eval.reports import figures, report
from dosuite.eval.reports.reference_rows import about_reference, reference_rows
from dosuite.eval.submissions.archive import pack


@pytest.fixture(scope="module")
def zips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of three files: a submission, one that has been tampered with, and rubbish."""
    folder = tmp_path_factory.mktemp("zips")
    honest = small_submission(tmp_path_factory.mktemp("results"))
    (folder / "honest.zip").write_bytes(honest.read_bytes())
    parts = parts_of(honest, tmp_path_factory.mktemp("parts"))
    for column in ("value", "j_causal"):
        parts = parts.with_cell(parts.key("naive"), column, 0.9)
    pack(parts.contents(), folder / "tampered.zip")
    (folder / "rubbish.zip").write_bytes(b"PK nothing")
    return folder


@pytest.mark.parametrize(
    ("regime", "needs", "track"),
    [
        ("observe", "", Track.LOG),
        ("observe", "graph", Track.GRAPH),
        ("observe", "labels", Track.LABELS),
        ("observe", "graph, labels", Track.LABELS),
        ("mixed", "labels", Track.MIXED),
        ("intervene", "log", Track.ONLINE),
        ("counterfactual", "log", Track.INTENT),
        ("given", "", Track.GIVEN),
        ("exact", "", None),
    ],
)
def test_a_track_is_what_the_learner_has(regime: str, needs: str, track: Track | None) -> None:
    assert track_of(regime, needs) is track


def test_submissions_are_scored_again_verified_and_shown(zips: Path, tmp_path: Path) -> None:
    entries = read_entries(zips, workers=1, checked=True)
    honest, rubbish, tampered = entries
    assert (honest.name, honest.summary) == ("small", "yes")
    assert tampered.name == "small (tampered.zip)"
    assert rubbish.runs.empty
    assert rubbish.notes[0].startswith("refused: rubbish.zip")
    assert set(tampered.runs["verified"]) == {"yes", "WRONG"}
    assert any("other numbers of IceCreamShorts" in note for note in tampered.notes)
    assert not any("other numbers" in note for note in honest.notes)
    scores = ["value", "causal_score", "floor_distance"]
    pd.testing.assert_frame_equal(honest.runs[scores], tampered.runs[scores])

    numbers = write_board(board_of(entries), tmp_path / "board.html")
    page = (tmp_path / "board.html").read_text()
    assert not re.findall(r"(?:src|href)=\"(?!data:|#)", page)
    assert "<script" not in page
    assert "rubbish.zip" in page
    board = json.loads(numbers.read_text())
    assert [entry["name"] for entry in board["entries"]][:2] == ["small", "rubbish"]
    ours = [cell for cell in board["cells"] if cell["entry"] == "small"]
    naive = next(cell for cell in ours if (cell["agent"], cell["family"]) == NAIVE)
    assert naive["track"] == "log"
    assert naive["scores"]["causal_score"] == {"estimate": 0.0, "low": 0.0, "high": 0.0}
    assert naive["scores"]["floor_distance"]["estimate"] == pytest.approx(0.0, abs=1e-9)
    assert len(naive["rows"]) == 4  # two seeds, in the world and in its twin
    assert {each["track"] for each in board["profiles"]} >= {"log", "graph"}


NAIVE = ("naive", "IceCreamShorts")


def test_without_a_check_nothing_is_called_verified(zips: Path) -> None:
    honest = read_entries(zips, workers=1, checked=False)[0]
    assert honest.summary == "not checked here"


def test_runs_that_failed_are_named_since_no_score_counts_them(zips: Path, tmp_path: Path) -> None:
    parts = parts_of(zips / "honest.zip", tmp_path)
    for variant in ("", "twin"):
        parts = parts.with_cell(parts.key("naive", 0, variant), "status", "failed")
    policies = {key: text for key, text in parts.policies.items() if key != parts.key("naive")}
    pack(replace(parts, policies=policies).contents(), tmp_path / "failed.zip")
    (entry,) = read_entries(tmp_path, workers=1, checked=False)
    assert f"runs of naive in {ICE} that failed, and are in no score: 1" in entry.notes
    verdicts = {
        (cell.agent, cell.family): cell.verdict
        for cell in cells(entry.runs.assign(verified=VERIFIED))
    }
    assert [cell for cell, verdict in verdicts.items() if verdict != VERIFIED] == [NAIVE]
    assert verdicts[NAIVE] == "partly"


def test_a_folder_without_submissions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no \.zip"):
        read_entries(tmp_path, workers=1, checked=False)


def test_the_mean_of_a_pair_may_pass_the_floor_only_with_more_than_the_log() -> None:
    runs = reference_entry().runs
    from_log = runs.loc[runs["track"] == "log", "floor_distance"].dropna()
    assert len(from_log) > 100
    assert (from_log >= -1e-9).all()
    assert not (runs.loc[runs["track"] == "graph", "floor_distance"] < -1e-9).any()
    assert (runs.loc[runs["track"] == "online", "floor_distance"] < -1e-3).any()


def test_the_rows_of_the_reference_are_results_of_today() -> None:
    rows = reference_rows()
    assert report.results_fault(rows) == ""
    assert (rows["world"] == "").all()
    assert set(rows["environment"]) == {text.partition(":")[0] for text in quick_environments()}
    assert {agent.partition("@")[0] for agent in QUICK} <= set(rows["agent"])
    assert about_reference()["seeds"] == "5"
    assert [note for note in reference_entry().notes if "other numbers" in note] == []


def test_the_reference_is_made_by_one_function(tmp_path: Path) -> None:
    path = tmp_path / "reference.parquet"
    plan = [(["naive", "bc@observe"], ["IceCreamShorts"])]
    rows = make_reference(plan, tmp_path / "results", path, seeds=2)
    assert about_reference(path)["grids"] == "naive bc@observe in IceCreamShorts"
    pd.testing.assert_frame_equal(reference_rows(path), rows)
    found = cells(scored_runs("ours", rows))
    assert [(cell.agent, cell.family) for cell in found] == [
        ("bc", "IceCreamShorts"),
        ("naive", "IceCreamShorts"),
    ]
    assert not np.isnan(found[0].scores["twin_balanced"]).any()


def test_the_figure_of_scores_has_a_grey_line_for_agents_that_are_not_run(tmp_path: Path) -> None:
    rows = make_reference([(["bc@observe"], ["IceCreamShorts"])], tmp_path, tmp_path / "r", 2)
    drawn = figures.score_panels(rows, reference_rows())
    labels = [text.get_text() for text in drawn.axes[0].get_yticklabels()]
    assert labels == ["bc (offline)", "other agents"]
    alone = figures.score_panels(rows)
    assert [text.get_text() for text in alone.axes[0].get_yticklabels()] == labels[:1]

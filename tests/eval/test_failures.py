"""What is kept of a run that fails: a note of one line, and its traceback in a file."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from dosuite.agents import Agent, Policy, TabularPolicy
from dosuite.causal import InputError
from dosuite.envs import Data
from dosuite.eval import Run, execute
from dosuite.eval.reports import tables
from dosuite.eval.runs.failure import without_file

REPAIRED = Path("repaired")  # once this file is there, the agents learn


@dataclass(frozen=True)
class Broken(Agent):
    """Fails in a function of its own, until it is repaired."""

    name: ClassVar[str] = "broken"
    learns: ClassVar[tuple[str, ...]] = ("observe",)

    def learn_from(self, source: Data, rng: np.random.Generator) -> Policy:
        if REPAIRED.exists():
            return TabularPolicy(np.array([[0.5, 0.5]]), source.observation_space)
        try:
            return self._divide()
        except ZeroDivisionError as error:
            raise ValueError("no ratio\nof these") from error

    def _divide(self) -> Policy:
        raise ZeroDivisionError("deep inside")


@dataclass(frozen=True)
class Refusing(Agent):
    """Says in one line what to change."""

    name: ClassVar[str] = "refusing"
    learns: ClassVar[tuple[str, ...]] = ("observe",)

    def learn_from(self, source: Data, rng: np.random.Generator) -> Policy:
        raise InputError("give me more rows")


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def runs(agent: str, seeds: int = 1) -> list[Run]:
    return [
        Run("IceCreamShorts-v0", f"{__file__}:{agent}", "observe", 50, seed)
        for seed in range(seeds)
    ]


def test_a_failed_run_keeps_its_traceback_and_its_note_names_the_file(tmp_path: Path) -> None:
    (row,) = execute(runs("Broken"), tmp_path, 1, quiet=True).to_dict("records")
    named = re.fullmatch(
        r"ValueError: no ratio \[traceback: (runs/\w+\.traceback\.txt)\]", row["note"]
    )
    assert row["status"] == "failed"
    assert named is not None
    text = (tmp_path / named[1]).read_text()
    for part in ("in _divide", "ZeroDivisionError: deep inside", "ValueError: no ratio\nof these"):
        assert part in text


def test_without_a_folder_the_note_names_no_file() -> None:
    (run,) = runs("Broken")
    (row,) = run.rows()
    assert row["note"] == "ValueError: no ratio"


def test_once_it_succeeds_the_traceback_is_gone(tmp_path: Path) -> None:
    execute(runs("Broken"), tmp_path, 1, quiet=True)
    REPAIRED.touch()
    rows = execute(runs("Broken"), tmp_path, 1, quiet=True)
    assert rows["status"].unique().tolist() == ["ok"]
    assert not list(tmp_path.glob("runs/*.txt"))


def test_a_refusal_says_everything_in_its_note(tmp_path: Path) -> None:
    rows = execute(runs("Refusing"), tmp_path, 1, quiet=True)
    assert rows["note"].tolist() == ["give me more rows"]
    assert not list(tmp_path.glob("runs/*.txt"))


def test_runs_that_fail_alike_are_one_line_of_the_report(tmp_path: Path) -> None:
    rows = execute(runs("Broken", seeds=3), tmp_path, 1, quiet=True)
    (note,) = tables.notes(rows).frame.to_dict("records")
    assert note["runs"] == "3"
    assert note["note"] in rows["note"].tolist()
    assert {without_file(text) for text in rows["note"]} == {"ValueError: no ratio"}

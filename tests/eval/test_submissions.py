"""Submissions as commands, of estimated values, and of results that cannot be submitted."""

import re
from pathlib import Path

import numpy as np
from refusals import refused
from submitted import ICE, parts_of, small_submission
from typer.testing import CliRunner

from dosuite.eval import Run
from dosuite.eval.cli.main import app
from dosuite.eval.runs.suite import execute, grid
from dosuite.eval.submissions.check import OK, WRONG
from dosuite.eval.submissions.submission import submit

AIRLINE = "AirlinePricing-v0"


def test_estimates_agree_to_the_last_digit(tmp_path: Path) -> None:
    runs = grid([AIRLINE], ["lagged-iv"], 1, 200, 200)
    rows = execute(runs, tmp_path, 1, quiet=True, policies=True)
    submit(rows, tmp_path, tmp_path / "submission.zip", {})
    parts = parts_of(tmp_path / "submission.zip", tmp_path / "parts")
    assert {verdict.status for verdict in parts.checked(tmp_path)} == {OK}
    key = parts.key("lagged-iv", environment=AIRLINE)
    value = rows["value"][rows["run"] == key].to_numpy()[0]
    changed = parts.with_cell(key, "value", np.nextafter(value, np.inf))
    wrong = [verdict for verdict in changed.checked(tmp_path) if verdict.status == WRONG]
    assert [verdict.key for verdict in wrong] == [key]


def command(*words: object) -> tuple[int, str]:
    """The exit code and the last line of a command."""
    done = CliRunner().invoke(app, [str(word) for word in words])
    return done.exit_code, (done.output.strip().splitlines() or [""])[-1]


def test_the_commands_make_and_check_a_submission(tmp_path: Path) -> None:
    about = tmp_path / "about.toml"
    about.write_text('name = "mine"\nauthors = "A. Nother"\n')
    small_submission(tmp_path)
    out = tmp_path / "mine.zip"
    words = ("submission", tmp_path, "--out", out, "--about", about, "--name", "ours")
    code, line = command(*words)
    assert code == 0
    assert line.startswith("26 of 26 policies and ")
    first = out.read_bytes()
    assert command(*words)[0] == 0
    assert out.read_bytes() == first
    code, line = command("check", out, "--workers", 1)
    assert code == 0
    assert re.fullmatch(r"\d+ ok", line)

    parts = parts_of(out, tmp_path / "parts")
    assert parts.manifest.about == {"name": "ours", "authors": "A. Nother"}
    changed = parts.with_cell(parts.key("naive"), "believed", 0.5)
    changed.checked(tmp_path)  # writes the file
    assert command("check", tmp_path / "changed.zip", "--workers", 1)[0] == 1


def test_an_entry_of_the_file_about_it_that_no_manifest_has(tmp_path: Path) -> None:
    about = tmp_path / "about.toml"
    about.write_text("age = 7")
    small = ("submission", tmp_path, "--about", about, "--out", tmp_path / "mine.zip")
    code, line = command(*small)
    assert code == 2
    assert "has an entry 'age'" in line


def test_results_that_are_no_whole_grid_are_refused(tmp_path: Path) -> None:
    rows = execute([Run(ICE, "naive", "observe", 50, 1)], tmp_path, 1, quiet=True)
    line = refused(lambda: submit(rows, tmp_path, tmp_path / "mine.zip", {}))
    assert "the results are no whole grid: IceCreamShorts-v0 naive@observe: seed 0 is m" in line


def test_results_of_other_code_are_refused(tmp_path: Path) -> None:
    runs = grid([ICE], ["naive"], 1, 50, 50)
    rows = execute(runs, tmp_path, 1, quiet=True)
    rows["run"] = "0" * 20 + rows["run"]
    line = refused(lambda: submit(rows, tmp_path, tmp_path / "mine.zip", {}))
    assert "are of other code than the present" in line


def test_a_policy_of_the_users_is_scored_as_it_was_kept(tmp_path: Path) -> None:
    small = parts_of(small_submission(tmp_path), tmp_path / "parts")
    path = tmp_path / "policy.pt"
    path.write_bytes(small.policies[small.key("naive")])
    rows = execute(grid([ICE], [str(path)], 1, 50, 50), tmp_path, 1, quiet=True, policies=True)
    submit(rows, tmp_path, tmp_path / "mine.zip", {})
    path.unlink()
    parts = parts_of(tmp_path / "mine.zip", tmp_path / "mine")
    verdicts = parts.checked(tmp_path)
    assert {verdict.status for verdict in verdicts} == {OK}
    assert sum(str(path) in verdict.subject for verdict in verdicts) == 2

"""The results of studies in the package, and how they come there."""

import json
import tomllib
from pathlib import Path

import pandas as pd
import pytest
from commands import Call
from places import ROOT
from refusals import refused
from studied import NAME, SEEDS, done_folder, regrets

from dosuite.eval.studies import kept as reading
from dosuite.eval.studies.keep import keep, main
from dosuite.eval.studies.kept import PLACE, kept_results, read_kept, results_in
from dosuite.eval.studies.made import FILE, recorded, stints
from dosuite.eval.studies.study import Size, first_sentence, judge
from dosuite.eval.studies.verdicts import Word

KEPT = kept_results()


@pytest.mark.long
@pytest.mark.parametrize("name", KEPT)
def test_what_the_package_keeps_is_of_the_criterion_of_today_and_is_judged_again(
    name: str,
) -> None:
    results = KEPT[name]
    study = results.study
    assert not results.is_stale, reading.stale_line(study)
    assert results.judged == judge(study, results.table)
    assert results.judged.headline.endswith(".")
    assert study.figure(results.table).axes
    assert results.picture.read_bytes().startswith(b"\x89PNG")
    assert {"size", "code", "versions", "machine", "begun", "cpu_seconds"} <= set(results.about)
    assert results.size is not Size.SMALL
    assert (PLACE / f"{name}.parquet").stat().st_size < 1_000_000


def test_the_results_are_part_of_the_package() -> None:
    data = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    assert data["package-data"]["dosuite.eval.studies"] == ["results/*.parquet", "results/*.png"]
    assert PLACE.parent.name == "studies"


def test_a_kept_table_is_the_same_and_says_how_it_was_made(tmp_path: Path) -> None:
    folder = done_folder(tmp_path / "study", regrets())
    path = keep(folder, place=tmp_path / "results")
    results = read_kept(path)
    pd.testing.assert_frame_equal(results.table, regrets())
    (stint,) = stints(folder)
    about = results.about
    assert (about["size"], about["seeds"], about["killed"]) == ("default", SEEDS, 0)
    assert (about["code"], about["machine"]) == (stint.code, stint.machine)
    assert about["cpu_seconds"] == stint.cpu_seconds
    assert results.promise == (folder / "criterion.txt").read_text()
    assert results.judged == results_in(folder).judged
    assert results.judged.verdict.word is Word.SUPPORTS
    assert results.judged.tally == "supports (1 case)"
    assert results.picture.read_bytes() == (folder / "study.png").read_bytes()
    assert f"with {SEEDS} seeds" in results.made()
    assert path.read_bytes() == keep(folder, place=tmp_path / "results").read_bytes()


def test_a_process_that_was_killed_and_one_with_other_code_are_told_apart(tmp_path: Path) -> None:
    folder = done_folder(tmp_path / "study", regrets())
    with pytest.raises(KeyboardInterrupt), recorded(folder):
        raise KeyboardInterrupt
    killed, stopped = json.loads((folder / FILE).read_text())
    old = {**killed, "code": "of yesterday", "cpu_seconds": 1e6}
    killed["cpu_seconds"] = None
    stopped["cpu_seconds"] = 7.5
    (folder / FILE).write_text(json.dumps([old, killed, stopped]))
    about = read_kept(keep(folder, place=tmp_path)).about
    assert (about["cpu_seconds"], about["killed"]) == (7.5, 1)


def test_what_must_not_be_kept_is_refused(tmp_path: Path) -> None:
    sketch = done_folder(tmp_path / "sketch", regrets(), Size.SMALL)
    assert "say --sketch" in refused(lambda: keep(sketch, place=tmp_path))
    assert keep(sketch, sketch=True, place=tmp_path).exists()
    other = done_folder(tmp_path / "other", regrets())
    text = (other / "criterion.txt").read_text()
    (other / "criterion.txt").write_text(text.replace("Criterion: ", "Criterion: not "))
    assert "stale: reversal.py has changed" in refused(lambda: keep(other, place=tmp_path))
    (other / "criterion.txt").write_text("Whatever.")
    assert "is not what a study writes" in refused(lambda: keep(other, place=tmp_path))
    assert "has no criterion.txt" in refused(lambda: keep(tmp_path, place=tmp_path))
    unsaid = done_folder(tmp_path / "unsaid", regrets())
    (unsaid / FILE).write_text("[1]")
    assert "is no record" in refused(lambda: keep(unsaid, place=tmp_path))
    (unsaid / FILE).unlink()
    assert "has no made.json" in refused(lambda: keep(unsaid, place=tmp_path))


def test_the_command_keeps_folders_and_refuses_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = done_folder(tmp_path / "study", regrets())
    assert main([str(folder), "--to", str(tmp_path)]) == 0
    assert f"{NAME}.parquet: " in capsys.readouterr().out
    assert main([str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_kept_results_are_shown_without_running_anything(
    dosuite: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(done_folder(tmp_path / "study", regrets(0.3)), place=tmp_path / "kept")
    monkeypatch.setattr(reading, "PLACE", tmp_path / "kept")
    code, out, _ = dosuite("study", NAME, "--kept")
    assert code == 0
    for part in ("reversal (default)", "Criterion: ", "W: against.", "In W, over", "CPU seconds"):
        assert part in out
    _, out, _ = dosuite("study")
    (line,) = [line for line in out.splitlines() if line.startswith(NAME)]
    assert line.endswith("[against, default size]")
    code, _, errors = dosuite("study", "identifiable", "--kept")
    assert (code, errors.count("\n")) == (2, 1)
    assert "has no results of identifiable, but of reversal" in errors
    assert "contradicts" in dosuite("study", NAME, "--kept", "--small")[2]


def test_stale_results_are_said_in_one_line(
    dosuite: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = keep(done_folder(tmp_path / "study", regrets()), place=tmp_path)
    monkeypatch.setattr(reading, "PLACE", tmp_path)
    monkeypatch.setattr(type(read_kept(path).study), "file", Path(__file__))
    code, _, errors = dosuite("study", NAME, "--kept")
    assert (code, errors.count("\n")) == (2, 1)
    assert "stale" in errors
    assert f"{NAME}: What is causal confusion worth under shift? [stale]" in dosuite("study")[1]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("It is .25 of 0.5 here. More.", "It is .25 of 0.5 here."),
        ("Is it? No.", "Is it?"),
        ("One only", "One only"),
    ],
)
def test_the_first_sentence_of_a_text(text: str, first: str) -> None:
    assert first_sentence(text) == first

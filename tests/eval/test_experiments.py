"""Experiments in a file, folders that are compared, and what a page says of its making."""

import re
from pathlib import Path

import pandas as pd
import pytest
from commands import Call

from dosuite.eval import execute
from dosuite.eval.reports.comparison import comparison
from dosuite.eval.reports.page import Section
from dosuite.eval.reports.provenance import made_section
from dosuite.eval.runs.requests import Request, records
from dosuite.eval.runs.suite import grid

FILE = """
environments = ["IceCreamShorts-v0"]
agent = ["naive"]
seeds = 2
offline-budget = 50
controls = false
policies = false
"""


@pytest.fixture(autouse=True)
def no_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw no figures, which takes seconds."""
    monkeypatch.setattr("dosuite.eval.cli.run._report", lambda *_: None)


def test_a_file_says_what_the_options_say(dosuite: Call, tmp_path: Path) -> None:
    (tmp_path / "experiment.toml").write_text(FILE)
    assert dosuite("run", "experiment.toml", "--workers", 1, "--out", "a")[0] == 0
    options = ("--agent", "naive", "--seeds", 2, "--offline-budget", 50, "--no-policies")
    command = ("run", "IceCreamShorts-v0", *options, "--workers", 1)
    assert dosuite(*command, "--out", "b")[0] == 0
    rows = [(tmp_path / name / "results.parquet").read_bytes() for name in ("a", "b")]
    assert rows[0] == rows[1]
    assert not (tmp_path / "a" / "policies").exists()


def test_the_command_line_adds_environments_and_agents_and_replaces_the_rest(
    dosuite: Call, tmp_path: Path
) -> None:
    (tmp_path / "experiment.toml").write_text(FILE)
    more = ("GreedyCasino-v0", "--agent", "back-door", "--seeds", 1, "--offline-budget", 60)
    assert dosuite("run", *more, "experiment.toml", "--workers", 1, "--out", "a")[0] == 0
    rows = pd.read_parquet(tmp_path / "a" / "results.parquet")
    learned = rows[rows["regime"] == "observe"]
    assert set(learned["environment"]) == {"IceCreamShorts-v0", "GreedyCasino-v0"}
    assert set(learned["agent"]) == {"naive", "back-door"}
    assert (set(learned["seed"]), set(learned["budget"])) == ({0}, {60})


def test_the_record_beside_the_results_does_the_same_runs_again(
    dosuite: Call, tmp_path: Path
) -> None:
    (tmp_path / "experiment.toml").write_text(FILE)
    assert dosuite("run", "experiment.toml", "--workers", 1, "--out", "a")[0] == 0
    record = next((tmp_path / "a" / "commands").glob("*.toml"))
    assert dosuite("run", record, "--workers", 1, "--out", "b")[0] == 0
    rows = [(tmp_path / name / "results.parquet").read_bytes() for name in ("a", "b")]
    assert rows[0] == rows[1]
    assert dosuite("run", record, "--seeds", 3, "--workers", 1, "--out", "a")[0] == 0
    read = pd.read_parquet(tmp_path / "a" / "results.parquet")
    assert set(read.loc[read["agent"] == "naive", "seed"]) == {0, 1, 2}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("environments = []", "environments = [] names nothing"),
        ("seeds = true", "seeds = True names nothing"),
        ("seed = 2", "has an entry 'seed'; did you mean 'seeds'"),
        ("trust = true", "write --trust on the command line"),
        ("seeds = {a = 1}", "seeds is a text, a number"),
        ("seeds = ", "is not TOML"),
        ("seeds = 0", "seeds"),
        ('suite = "main"\nlog = "a.arrow"', "contradicts"),
    ],
)
def test_a_wrong_file_is_refused_in_one_line(
    dosuite: Call, tmp_path: Path, text: str, reason: str
) -> None:
    (tmp_path / "wrong.toml").write_text(text)
    code, _, err = dosuite("run", "wrong.toml")
    assert code == 2
    assert reason in err
    assert err.count("\n") == 1


def test_a_missing_file_is_refused(dosuite: Call) -> None:
    assert "there is no file nowhere.toml" in dosuite("run", "nowhere.toml")[2]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two folders: in the second the logs are longer, and there is an agent more."""
    place = tmp_path_factory.mktemp("compared")
    for name, agents, budget in (("a", ["naive"], 20), ("b", ["naive", "maximin"], 200)):
        runs = grid(["SimpsonClinic-v0:study=KidneyStones"], agents, 4, budget, 20)
        request = Request({"agent": agents, "seeds": 4, "offline-budget": budget})
        execute(runs, place / name, 1, quiet=True, request=request)
    return [place / "a", place / "b"]


def compared(folders: list[Path]) -> list[Section]:
    rows = {place.name: pd.read_parquet(place / "results.parquet") for place in folders}
    return comparison(rows, {place.name: place for place in folders})


def test_differences_are_those_of_the_same_seeds(folders: list[Path]) -> None:
    frame = compared(folders)[0].tables[1].frame
    text = str(frame.loc[frame["world"] == "SimpsonClinic-v0 study=KidneyStones", "b - a"].iloc[0])
    values = []
    for place in folders:
        rows = pd.read_parquet(place / "results.parquet").query("world == '' and variant == ''")
        values.append(rows[rows["agent"] == "naive"].set_index("seed")["value"].sort_index())
    differences = (values[1] - values[0]).sort_values()
    assert float(text.split()[0]) == pytest.approx(differences[1:3].mean(), abs=6e-4)
    assert "(n=4)" in text


def test_what_only_one_folder_has_and_what_differs_is_said(folders: list[Path]) -> None:
    first, second = compared(folders)
    assert any("Only b has" in line and "maximin" in line for line in first.sentences)
    settings = second.tables[0].frame.to_numpy().tolist()
    assert ["offline-budget", "20", "200"] in settings
    assert "seeds" not in [row[0] for row in settings]


def test_the_command_compares(dosuite: Call, folders: list[Path], tmp_path: Path) -> None:
    code, out, _ = dosuite("compare", *folders, "--out", "page")
    assert code == 0
    assert "offline-budget" in out
    assert (tmp_path / "page" / "comparison.html").exists()
    assert "name two folders" in dosuite("compare", folders[0])[2]


def test_the_page_says_what_made_it(folders: list[Path]) -> None:
    section = made_section(folders[1])
    assert section is not None
    frame = section.tables[0].frame
    record = records(folders[1])[0]
    assert frame["runs"].tolist() == [str(len(record.runs))]
    assert frame["seeds"].tolist() == ["0 to 3"]
    assert frame["begun (UTC)"].tolist() == [record.begun[:16]]
    assert str(record.machine["numpy"]) in section.sentences[0]
    assert made_section(folders[1] / "runs") is None


def test_the_version_is_printed(dosuite: Call) -> None:
    code, out, _ = dosuite("--version")
    assert code == 0
    assert re.fullmatch(r"dosuite \d+\.\d+\S*\n", out)

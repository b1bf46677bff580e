"""Shards are fair, and joined they are the results of one machine, bit for bit."""

from dataclasses import replace
from pathlib import Path

import pytest
from commands import Call

from dosuite.causal import InputError
from dosuite.eval import execute
from dosuite.eval.runs import requests
from dosuite.eval.runs.gathering import gather
from dosuite.eval.runs.requests import Request
from dosuite.eval.runs.run import Run
from dosuite.eval.runs.shards import cost_of, shard_of
from dosuite.eval.runs.suite import _together, grid

RUNS = grid(["IceCreamShorts-v0", "GreedyCasino-v0"], ["naive", "maximin"], 3, 50, 50)


def part(folder: Path, shard: str, runs: list[Run] = RUNS) -> Path:
    """The folder of a shard of some runs."""
    place = folder / shard.replace("/", "of")
    execute(runs, place, 1, quiet=True, request=Request(shard=shard))
    return place


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The folders of three shards."""
    folder = tmp_path_factory.mktemp("shards")
    return [part(folder, f"{k}/3") for k in (1, 2, 3)]


@pytest.mark.parametrize("count", [1, 2, 7])
def test_shards_are_a_partition_and_equally_costly(count: int) -> None:
    runs = grid(["IceCreamShorts-v0", "GreedyCasino-v0"], ["naive", "bc", "dqn"], 8, 1000, 1000)
    parts = [shard_of(_together(runs), f"{k}/{count}") for k in range(1, count + 1)]
    flat = [repr(run) for each in parts for group in each for run in group]
    assert sorted(flat) == sorted(map(repr, runs))
    costs = [sum(map(cost_of, each)) for each in parts]
    assert max(costs) <= 1.4 * sum(costs) / count


def test_joined_shards_are_the_results_of_one_machine(tmp_path: Path, shards: list[Path]) -> None:
    execute(RUNS, tmp_path / "one", 1, quiet=True)
    gather(shards, tmp_path / "joined")
    one, joined = ((tmp_path / name / "results.parquet").read_bytes() for name in ("one", "joined"))
    assert one == joined
    execute(RUNS, tmp_path / "joined", 1, quiet=True)
    assert (tmp_path / "joined" / "results.parquet").read_bytes() == one


def test_a_missing_shard_is_named(tmp_path: Path, shards: list[Path]) -> None:
    with pytest.raises(InputError, match="shards are missing: 2/3"):
        gather([shards[0], shards[2]], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_missing_run_is_named(tmp_path: Path, shards: list[Path]) -> None:
    place = part(tmp_path, "1/3")
    file = next(file for file in (place / "runs").iterdir())
    file.unlink()
    with pytest.raises(InputError, match=r"is not done: .*seed.*; do its command again"):
        gather([place, *shards[1:]], tmp_path / "out")


def test_equal_seeds_are_refused_by_name(tmp_path: Path) -> None:
    runs = grid(["IceCreamShorts-v0"], ["naive"], 2, 50, 50)
    for name, some in (("a", runs), ("b", runs[-2:])):
        execute(some, tmp_path / name, 1, quiet=True)
    with pytest.raises(InputError, match=r"same seeds: naive@observe in .*IceCreamShorts-v0"):
        gather([tmp_path / "a", tmp_path / "b"], tmp_path / "out")
    with pytest.raises(InputError, match="must all differ"):
        gather([tmp_path / "a"], tmp_path / "a")


def test_other_code_is_refused(
    tmp_path: Path, shards: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(requests, "code_hash", lambda: b"other")
        place = part(tmp_path, "3/3")
    with pytest.raises(InputError, match="other versions of the code"):
        gather([*shards[:2], place], tmp_path / "out")


def test_the_commands_join_shards(
    dosuite: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dosuite.eval.cli.run._report", lambda *_: None)  # figures take seconds
    command = ("run", "IceCreamShorts-v0", "--agent", "naive", "--seeds", 2, "--workers", 1)
    budget = ("--offline-budget", 50)
    for k in (1, 2):
        assert dosuite(*command, *budget, "--shard", f"{k}/2", "--out", f"s{k}")[0] == 0
    assert dosuite("gather", "s1", "s2", "--out", "joined")[0] == 0
    assert dosuite(*command, *budget, "--out", "one")[0] == 0
    rows = [(tmp_path / name / "results.parquet").read_bytes() for name in ("joined", "one")]
    assert rows[0] == rows[1]
    kept = [sorted((tmp_path / name / "policies").iterdir()) for name in ("joined", "one")]
    assert [path.name for path in kept[0]] == [path.name for path in kept[1]]
    assert "a shard is its number" in dosuite(*command, "--shard", "3/2")[2]


@pytest.mark.parametrize(
    "command",
    [
        ("matrix", "--only", "Lat", "--seeds", 1, "--rows", 50, "--steps", 50),
        ("sanity", "--only", "Kidney", "--agent", "bc", "--seeds", 2, "--rows", 50),
    ],
)
def test_other_commands_have_shards_too(
    dosuite: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[object, ...]
) -> None:
    monkeypatch.setattr("dosuite.eval.cli.run._report", lambda *_: None)  # figures take seconds
    command = (*command, "--workers", 1)
    for k in (1, 2):
        _, printed, _ = dosuite(*command, "--shard", f"{k}/2", "--out", f"s{k}")
        assert f"shard {k}/2: " in printed
        assert not [*(tmp_path / f"s{k}").glob("*.html")]
    dosuite("gather", "s1", "s2", "--out", "joined")
    dosuite(*command, "--out", "one")
    files = [tmp_path / name / "results.parquet" for name in ("joined", "one")]
    assert files[0].read_bytes() == files[1].read_bytes()
    began = files[0].stat().st_mtime
    _, printed, _ = dosuite(*command, "--out", "joined")
    assert "page: " in printed
    assert all(run.stat().st_mtime < began for run in (tmp_path / "joined" / "runs").iterdir())


def test_results_add_up(tmp_path: Path) -> None:
    first = execute(RUNS[:6], tmp_path, 1, quiet=True)
    second = execute(RUNS[6:], tmp_path, 1, quiet=True)
    both = execute(RUNS, tmp_path / "both", 1, quiet=True)
    assert len(first) + len(second) == len(both)
    rows = [place / "results.parquet" for place in (tmp_path, tmp_path / "both")]
    assert rows[0].read_bytes() == rows[1].read_bytes()
    found = requests.records(tmp_path)
    assert [len(record.runs) for record in found] == [6, len(RUNS) - 6]


def test_of_runs_that_a_table_cannot_tell_apart_the_last_is_shown(tmp_path: Path) -> None:
    run = RUNS[-1]
    lines = [requests.line_of(run.key, run)]
    old = [replace_key(line) for line in lines]
    requests.keep_lines(tmp_path, Request(), "a", requests.code_name(), "first", old)
    requests.keep_lines(tmp_path, Request(), "b", requests.code_name(), "second", lines)
    assert list(requests.shown_runs(requests.records(tmp_path))) == [run.key]
    requests.keep_lines(tmp_path, Request(), "c", "other code", "third", old)
    assert list(requests.shown_runs(requests.records(tmp_path))) == ["older"]


def replace_key(line: requests.Line) -> requests.Line:
    return line._replace(key="older", log="mine.arrow")


def test_a_run_of_another_request_that_is_damaged_is_left_out(tmp_path: Path) -> None:
    execute(RUNS[:6], tmp_path, 1, quiet=True)
    file = next(iter((tmp_path / "runs").iterdir()))
    file.write_bytes(b"damaged")
    execute([replace(RUNS[-1])], tmp_path, 1, quiet=True)
    from dosuite.eval.runs.scored_rows import read_rows

    assert read_rows(tmp_path / "results.parquet")["run"].nunique() == 6

"""Packs of runs: equal rows, after a kill at any point of packing and with damage too."""

import os
from pathlib import Path

import pandas as pd
import pytest

from dosuite.eval import Run, execute
from dosuite.eval.runs import store, suite
from dosuite.eval.runs.store import load_packed, number_done, rows_of, runs_in

RUNS = [Run("IceCreamShorts-v0", "maximin", "observe", 10, seed) for seed in range(12)]


@pytest.fixture(autouse=True)
def small_packs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pack five runs at a time."""
    monkeypatch.setattr(store, "PACK", 5)
    monkeypatch.setattr(suite, "PACK", 5)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """The rows of all runs, which were not packed."""
    return execute(RUNS, tmp_path_factory.mktemp("whole"), 1, quiet=True)


def files(folder: Path) -> list[Path]:
    return sorted(runs_in(folder).glob("*.parquet"))


def test_packed_rows_are_equal_to_the_last_bit(tmp_path: Path, whole: pd.DataFrame) -> None:
    rows = execute(RUNS, tmp_path, 1, quiet=True)
    pd.testing.assert_frame_equal(rows, whole, check_exact=True)
    packs = [path for path in files(tmp_path) if path.name.startswith("pack-")]
    assert packs
    assert len(files(tmp_path)) < len(RUNS)
    assert number_done(tmp_path) == len(RUNS)
    again = execute(RUNS, tmp_path, 1, quiet=True)
    pd.testing.assert_frame_equal(again, whole, check_exact=True)


def test_a_run_that_is_packed_is_not_done_again(
    tmp_path: Path, whole: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(RUNS, tmp_path, 1, quiet=True)

    def never(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(suite, "outcomes", never)
    rows = execute(RUNS[::-1], tmp_path, 1, quiet=True)
    pd.testing.assert_frame_equal(rows, whole, check_exact=True)


@pytest.mark.parametrize("step", range(8))
def test_a_kill_while_packing_costs_nothing(
    tmp_path: Path, whole: pd.DataFrame, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    calls = 0

    class Killed(BaseException):
        pass

    def killing(function: object) -> object:
        def call(*arguments: object, **named: object) -> object:
            nonlocal calls
            calls += 1
            if calls > step:
                raise Killed
            return function(*arguments, **named)  # type: ignore[operator]

        return call

    for run in RUNS[:5]:
        execute([run], tmp_path, 1, quiet=True)
    for path in files(tmp_path):
        if path.name.startswith("pack-"):
            packed = load_packed(tmp_path)
            for key, place in packed.places.items():
                store.save_rows(packed.rows.iloc[place], store.path_of(tmp_path, key))
            path.unlink()
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", killing(os.replace))
        patch.setattr(Path, "unlink", killing(Path.unlink))
        if step < 7:
            with pytest.raises(Killed):
                store.pack(tmp_path)
    rows = execute(RUNS, tmp_path, 1, quiet=True)
    pd.testing.assert_frame_equal(rows, whole, check_exact=True)
    store.pack(tmp_path)
    assert number_done(tmp_path) == len(RUNS)


def test_a_damaged_pack_is_said_and_its_runs_are_done_again(
    tmp_path: Path, whole: pd.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    execute(RUNS, tmp_path, 1, quiet=True)
    path = next(path for path in files(tmp_path) if path.name.startswith("pack-"))
    content = path.read_bytes()
    middle = len(content) // 2
    path.write_bytes(content[:middle] + b"damage" * 50 + content[middle + 300 :])
    capsys.readouterr()
    pd.testing.assert_frame_equal(execute(RUNS, tmp_path, 1, quiet=True), whole, check_exact=True)
    assert "done again" in capsys.readouterr().err
    assert path.with_suffix(".damaged").exists()
    execute(RUNS, tmp_path, 1, quiet=True)
    assert not capsys.readouterr().err


def test_a_failed_run_is_not_packed(tmp_path: Path) -> None:
    execute(RUNS[:3], tmp_path, 1, quiet=True)
    failed = pd.DataFrame(RUNS[3].died().rows)
    store.save_rows(failed, store.path_of(tmp_path, RUNS[3].key))
    execute([*RUNS[:3], *RUNS[4:7]], tmp_path, 1, quiet=True)
    assert RUNS[3].key not in load_packed(tmp_path)
    assert rows_of(tmp_path, [RUNS[3].key])["status"].tolist() == ["failed"]
    rows = execute(RUNS[:7], tmp_path, 1, quiet=True)
    assert (rows["status"] == "ok").all()

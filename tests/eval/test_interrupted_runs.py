"""Runs that are interrupted: damaged files are done again, dead processes cost only their runs."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

from dosuite.agents import Agent, Policy, TabularPolicy
from dosuite.envs import Data
from dosuite.eval import Run, execute


@dataclass(frozen=True)
class Leaving(Agent):
    """Ends the interpreter, in one of two ways, or learns."""

    name: ClassVar[str] = "leaving"
    learns: ClassVar[tuple[str, ...]] = ("observe",)

    how: str = ""

    def learn_from(self, source: Data, rng: np.random.Generator) -> Policy:
        if self.how == "exit":
            sys.exit(3)
        if self.how == "os":
            os._exit(3)
        if self.how == "sleep":
            Path(f"{os.getpid()}.pid").touch()
            time.sleep(600)
        return TabularPolicy(np.array([[0.5, 0.5]]), source.observation_space)


def run(how: str, seed: int = 0) -> Run:
    return Run("IceCreamShorts-v0", f"{__file__}:Leaving:how={how}", "observe", 50, seed)


def naive(seed: int = 0) -> Run:
    return Run("IceCreamShorts-v0", "naive", "observe", 50, seed)


@pytest.mark.parametrize("damage", ["empty", "bits", "columns", "rows", "another"])
def test_a_damaged_result_is_done_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], damage: str
) -> None:
    whole = execute([naive(0), naive(1)], tmp_path, 1, quiet=True)
    path = tmp_path / "runs" / f"{naive(0).key}.parquet"
    rows = pd.read_parquet(path)
    if damage == "empty":
        path.write_bytes(b"")
    elif damage == "bits":
        path.write_bytes(path.read_bytes()[:-100])
    elif damage == "columns":
        rows[["status"]].to_parquet(path)
    elif damage == "rows":
        rows.head(0).to_parquet(path)
    else:
        path.write_bytes((tmp_path / "runs" / f"{naive(1).key}.parquet").read_bytes())
    capsys.readouterr()
    pd.testing.assert_frame_equal(execute([naive(0), naive(1)], tmp_path, 1, quiet=True), whole)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert f"{path} is done again" in lines[0]


def test_an_exit_costs_only_its_own_run(tmp_path: Path) -> None:
    rows = execute([run("exit"), run("")], tmp_path, 1, quiet=True)
    assert sorted(rows["status"].unique()) == ["failed", "ok"]
    assert "SystemExit: 3" in rows.query("status == 'failed'")["note"].iloc[0]


@pytest.mark.long
@pytest.mark.parametrize("workers", [1, 2])
def test_a_process_that_dies_costs_only_its_own_run(tmp_path: Path, workers: int) -> None:
    runs = [run("os"), *(run("", seed) for seed in range(3))]
    rows = execute(runs, tmp_path, workers, quiet=True)
    failed = rows[rows["status"] == "failed"]
    assert len(failed) == 1
    assert "the process of the run died" in failed["note"].iloc[0]
    assert set(rows[rows["status"] == "ok"]["run"]) == {own.key for own in runs[1:]}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.skipif(not Path("/proc").exists(), reason="reads /proc")
def test_workers_end_with_the_main_process(tmp_path: Path, number: int) -> None:
    agent = f"{__file__}:Leaving:how=sleep"
    code = "import sys; from dosuite.eval.cli.main import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "run", "IceCreamShorts-v0", "--agent", agent]
    command += ["--seeds", "2", "--workers", "2", "--trust"]
    main = subprocess.Popen(command, cwd=tmp_path)
    end = time.monotonic() + 90
    while len(list(tmp_path.glob("*.pid"))) < 2 and time.monotonic() < end:
        time.sleep(0.2)
    workers = [int(path.stem) for path in tmp_path.glob("*.pid")]
    assert len(workers) == 2
    assert all(Path(f"/proc/{pid}").exists() for pid in workers)
    main.send_signal(number)
    main.wait(30)
    end = time.monotonic() + 20
    while any(Path(f"/proc/{pid}").exists() for pid in workers) and time.monotonic() < end:
        time.sleep(0.2)
    assert not [pid for pid in workers if Path(f"/proc/{pid}").exists()]

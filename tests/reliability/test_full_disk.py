"""A small share of the full disks: every write of the package's own writers fails once."""

import errno
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from gymnasium.spaces import Discrete

from dosuite.agents import TabularPolicy, load_policy, save_policy
from dosuite.causal import InputError
from dosuite.envs import Log, collect, make_model
from dosuite.eval import Run, execute
from dosuite.eval.reports.page import save


def write_log(folder: Path) -> None:
    collect(make_model("GreedyCasino-v0"), 20, 0, path=folder / "log.arrow")


def write_policy(folder: Path) -> None:
    save_policy(TabularPolicy(np.array([[0.5, 0.5]]), Discrete(1)), folder / "policy.pt")


def write_rows(folder: Path) -> None:
    execute([Run("IceCreamShorts-v0", "naive", "observe", 50, 0)], folder, 1, quiet=True)


def write_report(folder: Path) -> None:
    save({"one.md": b"one", "tables/two.csv": b"two"}, folder)


@pytest.mark.parametrize("write", [write_log, write_policy, write_rows, write_report])
def test_a_disk_that_is_full_at_the_nth_file_leaves_only_whole_ones(
    write: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    move = os.replace
    for number in range(1, 20):
        calls = []

        def failing(source: Any, target: Any, number: int = number, calls: Any = calls) -> None:
            calls.append(target)
            if len(calls) == number:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(source))
            move(source, target)

        folder = tmp_path / str(number)
        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", failing)
            try:
                write(folder)
            except (OSError, InputError) as error:
                assert "No space left on device" in str(error)  # noqa: PT017
                assert ".dosuite-" not in str(error)  # noqa: PT017
            else:
                assert number > 1
                return
        check_whole(folder)
        write(folder)
        check_whole(folder)
    pytest.fail("it writes too many files")


def check_whole(folder: Path) -> None:
    for path in folder.rglob("*"):
        assert not path.name.startswith("."), path
        if path.suffix == ".parquet":
            assert len(pd.read_parquet(path))
        elif path.name == "log.arrow":
            assert len(Log.load(path))
        elif path.suffix == ".pt":
            load_policy(path)

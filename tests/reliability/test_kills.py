"""A small share of the kills: of the writer of a log, and of runs in workers."""

import random
from pathlib import Path

import pytest
from kills import OLDER, Tally, differences, files_under, one_round, undisturbed


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc").exists(), reason="reads /proc")
def test_a_killed_writer_leaves_nothing_behind(tmp_path: Path) -> None:
    peace = undisturbed("data", tmp_path)
    tally = Tally()
    while not tally.kills and tally.rounds < 5:  # a command may end before it is killed
        folder = tmp_path / f"round{tally.rounds}"
        one_round(peace, folder, random.Random(tally.rounds), tally, kills=1)
    assert tally.kills == 1
    assert not tally.faults


def test_differences_are_seen(tmp_path: Path) -> None:
    assert OLDER[0] == "data"
    (tmp_path / ".dosuite-temporary").write_text("half")
    (tmp_path / "empty").mkdir()
    (tmp_path / "rows").write_text("other")
    seen = differences(files_under(tmp_path), {"rows": b"same", "log": b""})
    assert sorted(seen) == ["lacks log", "left .dosuite-temporary", "left empty/", "rows differs"]

"""The shards of a study, joined, are the study that one machine does, to the last bit."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from commands import Call
from refusals import refused

from dosuite.eval.runs.run import Run
from dosuite.eval.runs.shards import balanced
from dosuite.eval.studies import static_scale, study, test_time, worlds_scale
from dosuite.eval.studies.gathering import gather_study
from dosuite.eval.studies.made import FILE, stints
from dosuite.eval.studies.study import Size, Study, perform_shard
from dosuite.eval.studies.units import UnitStudy

SHARDS = (1, 2, 3)


class Runs(static_scale.StaticScale):
    """Four networks, whose table is of their rows and of their kept policies."""

    def runs(self, size: Size) -> list[Run]:
        agent = "dqn:hidden=2,depth=2,optimiser=adam,updates=2,batch=8"
        world = "IceCreamShorts-v0"
        return [
            Run(world, "confused", "exact", 1, 0),
            *(
                Run(world, agent, "observe", rows, 0, kind)
                for kind in ("", "control")
                for rows in (10, 20)
            ),
        ]


TINY: Mapping[str, Study] = {"static-scale": Runs(), "test-time": test_time.STUDY}
EVERY = pytest.mark.parametrize("name", TINY)


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the studies be done in a moment."""
    monkeypatch.setattr(study, "studies", lambda: TINY)
    monkeypatch.setattr(test_time, "GRIDS", dict.fromkeys(Size, ((1, 2), (2,), 1, 2)))
    monkeypatch.setattr(test_time, "ROWS", 40)
    monkeypatch.setattr(test_time, "PLAYED", 40)


def shard(folder: Path, name: str, number: int, size: Size = Size.SMALL) -> Path:
    """The folder of one of three shards."""
    place = folder / str(number)
    perform_shard(TINY[name], size, place, 1, f"{number}/3", quiet=True)
    return place


def done(folder: Path) -> dict[str, int]:
    """The files of runs and units, and when they were written."""
    return {
        path.name: path.stat().st_mtime_ns
        for kind in ("runs", "units")
        for path in (folder / kind).glob("*.parquet")
    }


@EVERY
def test_joined_shards_are_the_study_of_one_machine(
    dosuite: Call, tmp_path: Path, name: str
) -> None:
    command = ("study", name, "--small", "--workers", 1)
    for number in SHARDS:
        code, printed, _ = dosuite(*command, "--shard", f"{number}/3", "--out", f"s{number}")
        assert (code, printed.splitlines()[-1][:10]) == (0, f"shard {number}/3:")
        assert not [*(tmp_path / f"s{number}").glob("study.*")]
    code, printed, _ = dosuite("gather", "s1", "s2", "s3", "--out", "joined")
    assert (code, printed) == (
        0,
        f"joined in joined; to judge: dosuite study {name} --small --out joined\n",
    )
    before = done(tmp_path / "joined")
    for place in ("joined", "one"):
        assert dosuite(*command, "--out", place)[0] == 0
    assert done(tmp_path / "joined") == before
    assert before.keys() == done(tmp_path / "one").keys()
    for file in ("study.parquet", "study.md", "criterion.txt"):
        joined, one = ((tmp_path / place / file).read_bytes() for place in ("joined", "one"))
        assert joined == one


@EVERY
def test_shards_are_a_partition(tmp_path: Path, name: str) -> None:
    parts = [done(shard(tmp_path, name, number)).keys() for number in SHARDS]
    tiny = TINY[name]
    whole = tiny.units(Size.SMALL) if isinstance(tiny, UnitStudy) else tiny.runs(Size.SMALL)
    assert all(parts)
    assert sum(map(len, parts)) == len(set[str]().union(*parts)) == len(whole)


@EVERY
def test_what_is_missing_or_of_another_study_is_refused(tmp_path: Path, name: str) -> None:
    folders = [shard(tmp_path, name, number) for number in SHARDS]
    out = tmp_path / "out"
    assert "missing" in refused(lambda: gather_study(folders[:2], out))
    assert "must all differ" in refused(lambda: gather_study(folders, folders[0]))
    other = shard(tmp_path / "full", name, 3, Size.FULL)
    message = refused(lambda: gather_study([*folders[:2], other], out))
    assert f"{folders[0]} and {other} are of different studies, sizes or criteria" in message
    (other / "criterion.txt").unlink()
    assert "has no criterion.txt" in refused(lambda: gather_study([*folders, other], out))
    for folder in folders:
        (folder / "criterion.txt").write_text(f"{name} (small)\n\nQuestion: another\n")
    assert "stale" in refused(lambda: gather_study(folders, out))
    assert not out.exists()


@EVERY
def test_who_made_the_shards_is_joined_once(tmp_path: Path, name: str) -> None:
    folders = [shard(tmp_path, name, number) for number in SHARDS]
    every = json.loads((folders[1] / FILE).read_text())
    (folders[1] / FILE).write_text(json.dumps([every[0] | {"begun": "2001-01-01 00:00:00"}]))
    out = tmp_path / "out"
    for _ in range(2):
        gather_study(folders, out)
        made = stints(out)
        assert len(made) == len(folders)
        assert made[0].begun == "2001-01-01 00:00:00"
        assert all(stint in made for folder in folders for stint in stints(folder))


@pytest.mark.parametrize("size", [Size.DEFAULT, Size.FULL])
def test_the_shards_of_units_are_about_equally_costly(size: Size) -> None:
    units = worlds_scale.STUDY.units(size)
    parts = [balanced(units, lambda unit: unit.cost(), f"{k}/8") for k in range(1, 9)]
    costs = [sum(unit.cost() for unit in part) for part in parts]
    assert max(costs) <= 1.1 * sum(costs) / len(costs)


def test_an_empty_shard_is_refused(tmp_path: Path) -> None:
    tiny = TINY["test-time"]
    message = refused(lambda: perform_shard(tiny, Size.SMALL, tmp_path, 1, "7/7", quiet=True))
    assert message == "shard 7/7 is empty; divide the work into fewer shards"

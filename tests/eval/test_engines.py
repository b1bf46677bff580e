"""Runs on the workers of an engine have the rows of one machine, whatever dies."""

import gc
from collections.abc import Sequence
from pathlib import Path

import pytest
from commands import Call
from refusals import refused

from dosuite.eval import execute
from dosuite.eval.runs import engines
from dosuite.eval.runs.bundles import SECONDS, bundles_of
from dosuite.eval.runs.engines import Ended, Work, check_engine, check_reachable
from dosuite.eval.runs.remote_calls import Calls
from dosuite.eval.runs.run import Run
from dosuite.eval.runs.shards import cost_of
from dosuite.eval.runs.suite import _together, grid

AGENTS = """
import os, signal
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
import numpy as np
import torch
from dosuite.agents import Agent, TabularPolicy

@dataclass(frozen=True)
class Uniform(Agent):
    name: ClassVar[str] = "uniform"
    learns: ClassVar[tuple[str, ...]] = ("observe",)

    def learn_from(self, source, rng):
        return TabularPolicy(rng.dirichlet([1.0, 1.0], 1), source.observation_space)

@dataclass(frozen=True)
class KillsItsWorker(Uniform):
    name: ClassVar[str] = "kills-its-worker"

    def learn_from(self, source, rng):
        if not Path("killed").exists():  # only once: the next worker succeeds
            Path("killed").touch()
            assert os.getppid() > 1
            os.kill(os.getppid(), signal.SIGKILL)
        return super().learn_from(source, rng)

@dataclass(frozen=True)
class Dies(Uniform):
    name: ClassVar[str] = "dies"

    def learn_from(self, source, rng):
        os._exit(3)

@dataclass(frozen=True)
class Fails(Uniform):
    name: ClassVar[str] = "fails"

    def learn_from(self, source, rng):
        raise ValueError(f"threads: {torch.get_num_threads()}")
"""


def runs_of(*names: str) -> list[Run]:
    return [
        Run("IceCreamShorts-v0", f"agents.py:{name}", "observe", 50, seed)
        for name in names
        for seed in range(2)
    ]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the agents, which is that of the process, too."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "agents.py").write_text(AGENTS)
    return tmp_path


def here(work: Work, calls: Sequence[Calls], workers: int) -> Ended:
    """An engine whose only worker is this process, and which loses bundles of several groups."""
    for index, each in enumerate(calls):
        yield index, work(each) if len(each) == 1 else None


def test_a_bundle_takes_about_a_minute() -> None:
    runs = grid(["IceCreamShorts-v0"], ["naive", "bc", "ppo"], 9, 10**4, 2 * 10**4)
    groups = [{repr(run): run for run in group} for group in _together(runs)]
    counts = []
    for workers in (1, 100):
        bundles = bundles_of(groups, workers)
        assert [group for bundle in bundles for group in bundle] == groups
        counts.append(len(bundles))
        for bundle in bundles:
            cost = sum(cost_of([*group.values()]) for group in bundle)
            assert cost <= SECONDS or len(bundle) == 1
    assert counts[0] < counts[1] <= len(groups)
    assert bundles_of([], 1) == []


@pytest.mark.long
def test_what_dies_or_fails_costs_only_its_run(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(engines.ENGINES, "here", here)
    monkeypatch.setattr(engines, "find_spec", lambda name: object())
    runs = runs_of("Uniform", "Fails", "Dies")[::2]
    rows = execute(runs, place / "engine", 1, quiet=True, policies=True, engine="here")
    execute(runs, place / "one", 1, quiet=True, policies=True)
    status = dict(zip(rows["agent"], rows["status"], strict=True))
    assert [status[run.agent] for run in runs] == ["ok", "failed", "failed"]
    for path in (place / "one").rglob("*"):
        if path.is_file() and path.suffix in (".parquet", ".txt", ".pt"):
            own = place / "engine" / path.relative_to(place / "one")
            assert own.suffix == ".pt" or own.read_bytes() == path.read_bytes()
            assert own.exists()


@pytest.mark.filterwarnings("ignore")  # of libraries that are no dependency
@pytest.mark.parametrize(("engine", "package"), [("dask", "distributed"), ("ray", "ray")])
def test_two_workers_have_the_rows_of_one_machine(place: Path, engine: str, package: str) -> None:
    pytest.importorskip(package, reason=f"the extra {engine} is not installed")
    runs = grid(["IceCreamShorts-v0"], ["naive"], 2, 50, 50)
    runs += runs_of("KillsItsWorker", "Dies", "Fails")
    rows = execute(runs, place / "engine", 2, quiet=True, engine=engine)
    gc.collect()  # Ray leaves its processes to the collector, which warns of them
    assert Path("killed").exists()
    assert sum("threads: 1 " in note for note in rows["note"]) == 2
    execute(runs, place / "one", 1, quiet=True)
    one, own = (place / name / "results.parquet" for name in ("one", "engine"))
    assert one.read_bytes() == own.read_bytes()


@pytest.mark.filterwarnings("ignore")
def test_a_cluster_without_workers_is_given_up(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    distributed = pytest.importorskip("distributed", reason="the extra dask is not installed")
    monkeypatch.setattr(engines, "PATIENCE", 0.5)
    with distributed.LocalCluster(n_workers=0, dashboard_address=None) as cluster:
        address = {"scheduler-address": cluster.scheduler_address}
        with pytest.importorskip("dask").config.set(address):
            runs = runs_of("Uniform")
            message = refused(lambda: execute(runs, place / "out", 2, quiet=True, engine="dask"))
    assert "no workers any more; run the command again" in message


def test_an_engine_that_is_not_there(dosuite: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "find_spec", lambda name: None)
    assert "pip install 'dosuite[dask]'" in refused(lambda: check_engine("dask"))
    assert "no cluster at tcp://127.0.0.1:1:" in refused(
        lambda: check_reachable("tcp://127.0.0.1:1")
    )
    for command in (("run", "IceCreamShorts-v0"), ("matrix",), ("sanity",)):
        code, _, errors = dosuite(*command, "--engine", "rai")
        assert code == 2
        assert "did you mean 'ray'" in errors
    assert not any(Path(name).exists() for name in ("results", "matrix", "sanity"))

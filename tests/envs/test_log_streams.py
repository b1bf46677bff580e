"""The laws of logs that are written while they are simulated, and may be larger than memory."""

import subprocess
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from places import THROWAWAY_FILE
from recorded import ICE, RELAY, SEED, every_model, log_of, same
from refusals import refused

from dosuite.causal import (
    Array,
    Bernoulli,
    Exactly,
    InputError,
    Normal,
    World,
    action,
    latent,
    logged,
    reward,
    terminal,
)
from dosuite.envs import Log, collect, load_latents
from dosuite.envs.worlds.ice_cream import IceCreamShorts

COLLECT = import_module("dosuite.envs.logs.collect")  # the module, and not the function


def fail(error: BaseException) -> None:
    raise error


@pytest.mark.long
@every_model
def test_a_log_that_is_written_while_it_is_simulated_is_the_one_in_memory_whatever_the_pieces(
    model: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = replace(model, burn_in=min(model.burn_in, 3))
    for how in ("observe", "mixed"):
        log = log_of(model, 40, regime=how)
        whole, latents = (
            path.read_bytes() if path.exists() else b""
            for path in both(log.save(tmp_path / f"{how}.arrow"))
        )
        for rows in (1, 50):
            monkeypatch.setattr(COLLECT, "ROWS", rows)
            path = tmp_path / f"{how} {rows}.arrow"
            written = log_of(model, 40, regime=how, path=path)
            assert same(log, written)
            assert same(log, log_of(model, 40, regime=how))
            assert not any(column.flags.owndata for column in written.columns.values())
            assert (written.latents, written.path, written.origin) == ({}, path, log.origin)
            assert [path.read_bytes() if path.exists() else b"" for path in both(path)] == [
                whole,
                latents,
            ]


def both(path: Path) -> tuple[Path, Path]:
    """The log and its latents."""
    return path, path.with_suffix(".latents.arrow")


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), ValueError("no"), OSError(28, "No space left on device")]
)
def test_a_log_whose_simulation_fails_leaves_all_as_it_was(
    error: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "log.arrow"
    before = log_of(RELAY, path=path), load_latents(path)
    record, pieces = COLLECT._Recorder.record, iter(range(3))
    monkeypatch.setattr(COLLECT, "ROWS", 100)
    monkeypatch.setattr(
        COLLECT._Recorder,
        "record",
        lambda *arguments: record(*arguments) if next(pieces) < 2 else fail(error),
    )
    for target in (path, tmp_path / "new.arrow"):
        with pytest.raises(InputError if isinstance(error, OSError) else type(error)):
            log_of(RELAY, seed=1, path=target)
        pieces = iter(range(3))
    assert same(before[0], Log.load(path))
    assert np.array_equal(before[1]["trait"], load_latents(path)["trait"])
    assert sorted(file.name for file in tmp_path.iterdir()) == ["log.arrow", "log.latents.arrow"]


def test_what_cannot_be_written_is_refused_before_it_is_simulated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(COLLECT._Recorder, "record", lambda *_: fail(AssertionError()))
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "log.latents.arrow").mkdir()
    for name in ("file/log.arrow", "log.latents.arrow", "log.arrow"):
        assert "cannot be written" in refused(lambda name=name: log_of(ICE, path=tmp_path / name))  # type: ignore[misc]


class Candle(World):
    """Burns down from a whole number to fractions of it, if it does not go out before."""

    horizon: int = 20

    @logged.starting(Exactly(1))
    def light(self, light_tm1: Array) -> Exactly:
        return Exactly(0.5 * light_tm1)

    @action
    def blow(self) -> Bernoulli:
        return Bernoulli(0.8)

    @reward
    def glow(self, light: Array) -> Exactly:
        return Exactly(light)

    @terminal
    def out(self, blow: Array) -> Exactly:
        return Exactly(blow)


def test_a_column_has_the_same_type_where_episodes_end_early(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log = collect(Candle(), 50, SEED)
    monkeypatch.setattr(COLLECT, "ROWS", 1)
    assert same(log, collect(Candle(), 50, SEED))
    assert log.columns["light"].dtype == float
    assert (log.columns["step"] == 0).mean() > 0.5


class Coins(IceCreamShorts):
    """Counts whole coins in some episodes, and halves in others, by the wind."""

    @latent
    def wind(self) -> Normal:
        return Normal(0.0, 1.0)

    @logged
    def coins(self, wind: Array) -> Exactly:
        return Exactly(
            np.ones(len(wind), dtype=int) if (wind < 0).all() else np.full(len(wind), 0.5)
        )


def test_a_variable_that_is_whole_in_some_episodes_and_a_fraction_in_others_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(COLLECT, "ROWS", 1)
    assert "coins is int64 in some episodes and float64 in others; make it one type" in refused(
        lambda: collect(Coins(), 50, 1)
    )


def test_a_log_that_is_not_checked_has_the_hash_that_its_file_names(tmp_path: Path) -> None:
    path = log_of(RELAY).save(tmp_path / "log.arrow")
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"spark", b"shark"))
    assert Log.load(path, check=False).content_hash == log_of(RELAY).content_hash
    assert "was changed after it was written" in refused(lambda: Log.load(path))


LARGE = """
import resource, sys
from pathlib import Path
import numpy as np
import torch
from dosuite.agents import make_agent
from dosuite.envs import Log, collect, make_model

def write_and_learn(world, episodes, *agents):
    path = Path("log.arrow")
    collect(make_model(world, trust=True), episodes, 0, "mixed", path=path)
    for name in agents:
        make_agent(name).learn(Log.load(path), 0)
    return path.stat().st_size

torch.set_num_threads(1)
WORLDS = {sys.argv[1]: ("bc:updates=5", "naive:updates=5"), "IceCreamShorts-v0": ("bc", "naive")}
for world, agents in WORLDS.items():
    write_and_learn(world, 1_000, *agents)
(used,) = (int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmData"))
resource.setrlimit(resource.RLIMIT_DATA, ((used + 60 * 1024) * 1024,) * 2)
for episodes in (100_000, 1_000_000):
    print(*(write_and_learn(world, episodes, *agents) for world, agents in WORLDS.items()))
try:
    collect(make_model("IceCreamShorts-v0"), 1_000_000, 0)
except MemoryError:
    print("too large for memory")
"""


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="the limit on memory is Linux's")
def test_a_log_larger_than_memory_is_written_and_learned_from(tmp_path: Path) -> None:
    gauge = f"{THROWAWAY_FILE}:Gauge"
    done = subprocess.run(
        [sys.executable, "-c", LARGE, gauge],
        check=False,
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.stdout.splitlines()[-1:] == ["too large for memory"], done.stderr
    small, large = ([int(size) for size in line.split()] for line in done.stdout.splitlines()[:-1])
    assert max(small) < 10 * 2**20 < 60 * 2**20 < min(large)

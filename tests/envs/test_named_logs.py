"""Named logs: complete, made again with the listed hash, and refused if they differ."""

from pathlib import Path

import numpy as np
import pytest

from dosuite.causal import InputError
from dosuite.envs import Log, dataset, load_latents, named_logs, world_classes
from dosuite.envs.logs import named
from dosuite.envs.logs.named import NamedLog, listing, names_of_world

NAME = "IceCreamShorts-observe-1e3-v0"


def test_the_list_has_the_logs_of_every_world() -> None:
    names = [name for world in sorted(world_classes()) for name in names_of_world(world)]
    assert list(named_logs()) == names, "run python -m dosuite.envs.logs.named"


@pytest.mark.parametrize("world", world_classes())
@pytest.mark.long
def test_a_small_log_is_what_is_listed(world: str) -> None:
    for name in names_of_world(world):
        if "-1e3-" in name and "unlabelled" not in name:
            assert listing(name) == named_logs()[name], "run python -m dosuite.envs.logs.named"


def test_a_log_has_whole_episodes_and_no_more_than_needed() -> None:
    for name in ("Tiger-observe-1e3-v0", "SelectionGate-mixed-1e3-v0", "CoinEnd-mixed-1e3-v0"):
        log = dataset(name)
        last = int(np.sum(log["episode"] == log["episode"][-1]))
        assert len(log) - last < 1000 <= len(log) == named_logs()[name].rows


def test_a_large_log_is_what_is_listed() -> None:
    log = dataset("IceCreamShorts-observe-1e5-v0")
    assert len(log) == 100_000
    assert log.origin["name"] == "IceCreamShorts-observe-1e5-v0"
    means = [log["reward"][log["action"] == a].mean() for a in (0, 1)]
    assert means == pytest.approx([0.135, 0.615], abs=0.01)  # seeing


def test_a_log_without_labels_has_the_episodes_of_the_one_with_them_in_another_order() -> None:
    told, untold = (dataset(f"Door-mixed{mark}-1e3-v0") for mark in ("", "-unlabelled"))
    assert 0.4 < told["regime"].mean() < 0.6
    assert set(told.columns) - set(untold.columns) == {"regime", "propensity"}
    assert not untold.latents

    def episodes(log: Log) -> list[bytes]:
        rows = np.stack([log["step"], log["observation"], log["action"], log["reward"]], axis=1)
        starts = np.flatnonzero(np.diff(log["episode"])) + 1
        return [episode.tobytes() for episode in np.split(rows, starts)]

    assert episodes(told) != episodes(untold)
    assert sorted(episodes(told)) == sorted(episodes(untold))


def test_the_regimes_have_other_units() -> None:
    seen, done = (dataset(f"IceCreamShorts-{regime}-1e3-v0") for regime in ("observe", "intervene"))
    assert not np.array_equal(seen.latents["heat"], done.latents["heat"])


def test_a_file_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "log.arrow"
    log = dataset(NAME, path)
    assert log.path == path
    assert len(load_latents(path)["heat"]) == 1000

    def never(*_: object) -> Log:
        raise AssertionError

    monkeypatch.setattr(named, "make_named", never)
    assert dataset(NAME, path).content_hash == log.content_hash == named_logs()[NAME].hash


def test_another_hash_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(named, "named_logs", lambda: {NAME: NamedLog(1000, 1000, "0" * 32)})
    with pytest.raises(InputError, match=r"is listed with 0000.*NumPy"):
        dataset(NAME, tmp_path / "log.arrow")
    assert not list(tmp_path.iterdir())


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(InputError, match="did you mean 'IceCreamShorts-observe-1e3-v0'"):
        dataset("IceCreamShorts-observe-1e3")

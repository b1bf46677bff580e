"""The laws of log files: a log comes back as it went, whole or not at all."""

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import minari
import numpy as np
import pyarrow as pa
import pytest
from recorded import ICE, MODELS, RELAY, SEED, every_model, log_of, same
from refusals import refused

from dosuite.causal import InputError, World
from dosuite.envs import Log, load_latents
from dosuite.envs.logs.minari import from_minari, to_minari

# Files.


@pytest.mark.long
@every_model
def test_a_log_comes_back_from_its_file_as_it_went_and_is_not_read_into_memory(
    model: World, tmp_path: Path
) -> None:
    log = log_of(model, origin={"world": "somewhere"})
    path = log.save(tmp_path / "deep" / "log.arrow")
    again = Log.load(path)
    assert same(log, again)
    assert (again.logged, again.horizon, again.discount) == (log.logged, log.horizon, log.discount)
    assert (again.observation_space, again.action_space) == (
        log.observation_space,
        log.action_space,
    )
    assert again.origin == {**log.origin, "world": "somewhere", "seed": SEED}
    for name, column in again.columns.items():
        assert column.dtype == log.columns[name].dtype
        assert not column.flags.owndata
        assert not column.flags.writeable


@pytest.mark.long
@every_model
def test_latents_are_in_a_file_of_their_own_that_loading_never_opens(
    model: World, tmp_path: Path
) -> None:
    log = log_of(model)
    path = log.save(tmp_path / "log.arrow")
    beside = tmp_path / "log.latents.arrow"
    assert beside.exists() == bool(model.names("latent"))
    for name in model.names("latent"):
        assert name.encode() not in path.read_bytes()
        assert np.array_equal(load_latents(path)[name], log.latents[name])
    beside.unlink(missing_ok=True)
    beside.mkdir()  # opening it would be an error
    assert Log.load(path).latents == {}
    assert same(log, Log.load(path))


def test_the_latents_of_another_log_are_refused(tmp_path: Path) -> None:
    path = log_of(ICE).save(tmp_path / "log.arrow")
    replace(log_of(ICE, seed=1), latents={}).save(path)
    assert "has the latents of another log" in refused(lambda: load_latents(path))
    (tmp_path / "log.latents.arrow").unlink()
    assert "there is no file" in refused(lambda: load_latents(path))


def foreign(path: Path) -> None:
    with (
        pa.OSFile(str(path), "wb") as sink,
        pa.ipc.new_file(sink, pa.schema([("x", pa.int64())])) as writer,
    ):
        writer.write_table(pa.table({"x": [1, 2]}))


FILES: dict[str, tuple[Callable[[Path, bytes], Any], str]] = {
    "empty": (lambda path, whole: path.write_bytes(b""), "is not a log, or not a whole one"),
    "text": (
        lambda path, whole: path.write_text("episode,step\n0,0\n"),
        "is not a log, or not a whole one",
    ),
    "foreign": (lambda path, whole: foreign(path), "is not a log, or not a whole one"),
    "folder": (lambda path, whole: path.mkdir(), "is not a log, or not a whole one"),
    "missing": (lambda path, whole: None, "there is no file"),
    "latents": (
        lambda path, whole: path.write_bytes(path.with_name("log.latents.arrow").read_bytes()),
        "is not a log",
    ),
    "first byte lost": (
        lambda path, whole: path.write_bytes(whole[1:]),
        "is not a log, or not a whole one",
    ),
    "last byte lost": (
        lambda path, whole: path.write_bytes(whole[:-1]),
        "is not a log, or not a whole one",
    ),
    "half": (
        lambda path, whole: path.write_bytes(whole[: len(whole) // 2]),
        "is not a log, or not a whole one",
    ),
    "longer horizon": (
        lambda path, whole: path.write_bytes(whole.replace(b'"horizon": 3', b'"horizon": 7')),
        "was changed after it was written",
    ),
    "key gone": (
        lambda path, whole: path.write_bytes(whole.replace(b'"discount"', b'"disc_unt"')),
        "was changed after it was written",
    ),
    "column renamed": (
        lambda path, whole: path.write_bytes(whole.replace(b"spark", b"shark")),
        "was changed after it was written",
    ),
}


@pytest.mark.parametrize(("spoil", "text"), FILES.values(), ids=FILES)
def test_a_file_that_is_not_a_whole_log_is_refused(
    spoil: Callable[[Path, bytes], Any], text: str, tmp_path: Path
) -> None:
    whole = log_of(RELAY).save(tmp_path / "log.arrow").read_bytes()
    path = tmp_path / "spoilt.arrow"
    spoil(path, whole)
    message = refused(lambda: Log.load(path))
    assert text in message
    assert "spoilt.arrow" in message


def test_a_changed_byte_is_noticed_or_changes_nothing(tmp_path: Path) -> None:
    log, path = log_of(RELAY, 40), tmp_path / "spoilt.arrow"
    whole = log.save(tmp_path / "log.arrow").read_bytes()
    places = range(0, len(whole), 97)
    unnoticed = []
    for place in places:
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x81]) + whole[place + 1 :])
        with suppress(InputError):
            unnoticed.append(Log.load(path))
    assert all(same(log, other) for other in unnoticed)
    assert len(unnoticed) < len(places) / 2


def fail(error: BaseException) -> None:
    raise error


def full_for(name: str) -> Callable[[str, Path], None]:
    """A disk that is full when a new file is to be moved to this name."""
    move = os.replace

    def full(source: str, target: Path) -> None:
        if target.name == name and not str(source).endswith(".before"):
            raise OSError(28, "No space left on device")
        move(source, target)

    return full


def test_a_save_that_fails_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log, folder = log_of(ICE), tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "file").write_text("in the way")
    assert "cannot be written" in refused(lambda: log.save(tmp_path / "file" / "log.arrow"))
    assert "cannot be written" in refused(lambda: log.save(folder))
    (folder / "log.latents.arrow").mkdir()  # in the way of the second file
    assert "log.latents.arrow is a folder" in refused(lambda: log.save(folder / "log.arrow"))
    (folder / "log.latents.arrow").rmdir()

    monkeypatch.setattr(os, "replace", full_for("log.arrow"))
    assert "log.arrow cannot be written: No space left on device" in refused(
        lambda: log.save(folder / "log.arrow")
    )
    monkeypatch.undo()
    monkeypatch.setattr(pa, "OSFile", lambda *_: fail(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        log.save(folder / "log.arrow")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "folder"]


def test_a_save_that_fails_keeps_the_log_that_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = log_of(ICE)
    path = log.save(tmp_path / "log.arrow")
    monkeypatch.setattr(pa.ipc, "new_file", lambda *_, **__: fail(OSError(5, "Input/output error")))
    assert "Input/output error" in refused(lambda: log_of(ICE, seed=1).save(path))
    for name in ("log.arrow", "log.latents.arrow"):
        monkeypatch.undo()
        monkeypatch.setattr(os, "replace", full_for(name))
        assert "log.arrow cannot be written: No space left on device" in refused(
            lambda: log_of(ICE, seed=1).save(path)
        )
    assert same(log, Log.load(path))
    assert np.array_equal(load_latents(path)["heat"], log.latents["heat"])
    assert sorted(file.name for file in tmp_path.iterdir()) == ["log.arrow", "log.latents.arrow"]


@pytest.mark.parametrize(
    ("how", "text"),
    [
        ({"regime": "observed"}, "'observed' is not a regime of a log; did you mean 'observe'?"),
        ({"episodes": 0}, "a log needs 1 episode or more"),
        ({"regime": "mixed", "share": 1.5}, "a share in [0, 1]; got 200 and 1.5 (mixed)"),
        ({"regime": "mixed", "share": float("nan")}, "a share in [0, 1]"),
        ({"regime": "observe", "share": 0.5}, "got 200 and 0.5 (observe)"),
    ],
)
def test_a_log_that_cannot_be_written_is_refused(how: dict[str, Any], text: str) -> None:
    assert text in refused(lambda: log_of(ICE, **how))


# Minari.


EXCHANGED = [
    "IceCreamShorts-v0",
    "IceCreamShorts-Domains-v0",
    "ConfoundedRiver-v0",
    "AirlinePricing-v0",
    "CorrelatedNoiseLQ-v0",
    "Relay",
    "Gauge",
]


@pytest.fixture
def minari_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    return tmp_path


@pytest.mark.usefixtures("minari_folder")
@pytest.mark.parametrize(
    "world",
    [
        "IceCreamShorts-v0",
        "IceCreamShorts-Domains-v0",
        "ConfoundedRiver-v0",
        "Relay",
        "Gauge",
        "AirlinePricing-v0",
        "CorrelatedNoiseLQ-v0",
    ],
)
def test_a_log_comes_back_from_minari_as_it_went(world: str) -> None:
    log = log_of(
        MODELS[world],
        30 if MODELS[world].horizon > 1 else 1_500,
        regime="mixed",
        origin={"world": world},
    )
    to_minari(log, "laws/world-v0")
    again = from_minari("laws/world-v0")
    assert same(log, again)
    assert again.origin == log.origin
    assert not set(MODELS[world].names("latent")) & set(
        minari.load_dataset("laws/world-v0")[0].infos
    )


def test_minari_refuses_in_one_line_and_loses_nothing(minari_folder: Path) -> None:
    log = log_of(ICE)
    to_minari(log, "laws/ice-v0")
    assert "laws/ice-v0" in refused(lambda: to_minari(log_of(ICE, seed=1), "laws/ice-v0"))
    assert same(log, from_minari("laws/ice-v0"))
    assert "Minari does not read 'laws/snow-v0'" in refused(lambda: from_minari("laws/snow-v0"))
    for name, why in (
        ("no version", "choose a name"),
        ("no_version", "choose a name"),
        ("laws/ice-v0", "there is one already"),
    ):
        assert f"Minari does not write {name!r}: {why}" in refused(
            lambda name=name: to_minari(log_of(ICE, seed=1), name)  # type: ignore[misc]
        )
    to_minari(log, "laws/ice-v0")  # it is there
    assert not list(minari_folder.glob(".*"))
    assert [path.parent.name for path in minari_folder.rglob("data")] == ["ice-v0"]

"""Latents and origin are sealed, and a log has its latents wherever its writer dies."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from recorded import ICE, log_of, same
from refusals import refused

from dosuite.causal import InputError
from dosuite.envs import Log, load_latents


def test_a_changed_byte_of_the_latents_is_noticed_or_changes_nothing(tmp_path: Path) -> None:
    log = log_of(ICE, 60)
    path = log.save(tmp_path / "log.arrow")
    latents = tmp_path / "log.latents.arrow"
    whole = latents.read_bytes()
    unnoticed = []
    places = range(0, len(whole), 13)
    for place in places:
        latents.write_bytes(whole[:place] + bytes([whole[place] ^ 0x81]) + whole[place + 1 :])
        with suppress(InputError):
            unnoticed.append({name: c.copy() for name, c in load_latents(path).items()})
    assert all(np.array_equal(found["heat"], log.latents["heat"]) for found in unnoticed)
    assert len(unnoticed) < len(places) / 2


def test_a_changed_origin_is_refused(tmp_path: Path) -> None:
    path = log_of(ICE).save(tmp_path / "log.arrow")
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b'"regime": "observe"', b'"regime": "observf"'))
    assert path.read_bytes() != whole
    assert "was changed after it was written" in refused(lambda: Log.load(path))


@pytest.mark.parametrize("moves", range(4))
def test_a_log_has_its_latents_wherever_the_process_dies(
    moves: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = log_of(ICE), log_of(ICE, seed=1)
    path = old.save(tmp_path / "log.arrow")
    move, left = os.replace, iter(range(moves))

    def dying(source: Any, target: Any) -> None:
        if next(left, None) is None:
            os._exit(1)
        move(source, target)

    child = os.fork()
    if child == 0:
        monkeypatch.setattr(os, "replace", dying)
        with suppress(BaseException):
            new.save(path)
        os._exit(0)
    os.waitpid(child, 0)

    log = Log.load(path)
    expected = old if same(log, old) else new
    assert same(log, expected)
    assert np.array_equal(load_latents(path)["heat"], expected.latents["heat"])
    new.save(path)
    assert same(Log.load(path), new)
    assert np.array_equal(load_latents(path)["heat"], new.latents["heat"])
    assert not (tmp_path / "log.latents.before.arrow").exists()

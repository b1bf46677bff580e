"""The laws of atomic writes: files are replaced together, or not at all."""

import os
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread

import pytest

from dosuite.envs.files import alone_in, clean, replacing, replacing_all, temporary_beside


def texts(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted(folder.iterdir())}


def write_new(*paths: Path) -> None:
    with replacing_all(*paths) as temporaries:
        for path in paths:
            temporaries[path].write_text("new")


def test_a_file_is_replaced_when_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "new.txt"
    with replacing(path) as temporary:
        temporary.write_text("new")
        assert not path.exists()
        assert temporary.suffix == ".txt"
    assert texts(path.parent) == {"new.txt": "new"}


def test_a_file_is_left_as_it_was_when_the_block_raises(tmp_path: Path) -> None:
    path = tmp_path / "old.txt"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt), replacing(path) as temporary:  # noqa: PT012
        temporary.write_text("new")
        raise KeyboardInterrupt
    assert texts(tmp_path) == {"old.txt": "old"}


@pytest.mark.parametrize("failing", ["one", "two", "three"])
@pytest.mark.parametrize("existing", [(), ("one",), ("two", "three"), ("one", "two", "three")])
def test_if_one_file_cannot_be_replaced_all_are_as_before(
    failing: str, existing: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in existing:
        (tmp_path / name).write_text("old")
    before = texts(tmp_path)
    move = os.replace

    def full(source: Path, target: Path) -> None:
        if target.name == failing and source.suffix != ".before":
            raise OSError(28, "No space left on device")
        move(source, target)

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        write_new(*(tmp_path / name for name in ("one", "two", "three")))
    assert texts(tmp_path) == before


def test_all_files_are_replaced_together(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("one", "two")]
    paths[1].write_text("old")
    write_new(*paths)
    assert texts(tmp_path) == {"one": "new", "two": "new"}


def test_only_the_temporary_files_of_dead_processes_are_removed(tmp_path: Path) -> None:
    own = temporary_beside(tmp_path / "log.arrow")
    host, pid, start = own.name.split("-")[1:4]
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    process.wait()
    dead = tmp_path / f".dosuite-{host}-{process.pid}-{start}-0.log.arrow"
    reborn = tmp_path / f".dosuite-{host}-{pid}-{int(start) + 1}-0.log.arrow"
    elsewhere = tmp_path / f".dosuite-abcdef01-{process.pid}-{start}-0.log.arrow"
    others = tmp_path / ".gitignore"
    for path in (own, dead, reborn, elsewhere, others):
        path.touch()
    folder = tmp_path / f".dosuite-{host}-{process.pid}-{start}-1.data"
    (folder / "deep").mkdir(parents=True)
    clean(tmp_path)
    assert set(tmp_path.iterdir()) == {own, elsewhere, others}


def test_an_error_of_the_system_names_the_file_and_not_the_temporary_one(tmp_path: Path) -> None:
    path = tmp_path / "new.txt"
    with pytest.raises(OSError, match="No space left") as caught, replacing(path) as temporary:
        raise OSError(28, "Error writing bytes to file", str(temporary))
    assert caught.value.filename == str(path)
    assert not list(tmp_path.iterdir())


def test_a_block_alone_in_a_folder_waits_for_the_others(tmp_path: Path) -> None:
    lines: list[str] = []

    def write() -> None:
        with alone_in(tmp_path):
            lines.append("begin")
            time.sleep(0.05)
            lines.append("end")

    threads = [Thread(target=write) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert lines == ["begin", "end"] * 3

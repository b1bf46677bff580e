"""The laws of atomic writes: files are replaced together, or not at all."""

import os
from pathlib import Path

import pytest

from dosuite.envs.files import replacing, replacing_all


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

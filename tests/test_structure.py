"""The house: four floors, imports that go one way, and a package that holds all folders."""

import re
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest
from draw_imports import (
    FLOORS,
    arrows_between_floors,
    arrows_between_rooms,
    circles,
    drawing,
    import_graph,
    rooms_without_level,
)
from places import ROOT

ENTRY = "eval/cli/entry"  # the folder of `python -m dosuite`
GRAPH = import_graph()
FILES = [path for floor in FLOORS for path in sorted((ROOT / floor).rglob("*.py"))]


def house(folder: Path, texts: dict[str, str]) -> Path:
    """Write these files, by path, to a folder, as a house with four floors."""
    for path, text in texts.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder


def test_no_modules_import_one_another() -> None:
    assert circles(GRAPH) == []


def test_no_floor_imports_a_higher_one() -> None:
    assert arrows_between_floors(GRAPH) == []


def test_no_room_imports_a_higher_one() -> None:
    assert arrows_between_rooms(GRAPH) == []


def test_every_room_has_a_level() -> None:
    assert rooms_without_level(GRAPH) == []


def test_the_drawing_shows_every_floor_and_room() -> None:
    text = drawing(GRAPH)
    assert all(f"{floor}\n" in text for floor in FLOORS)
    assert "partial_identification" in text


@pytest.mark.parametrize(
    "statement",
    [
        "from ..worlds.river import CELLS",
        "from ..worlds import river",
        "import dosuite.envs.worlds.river",
        "from dosuite.envs.worlds.river import CELLS",
        "from dosuite.envs.worlds import river",
        "def later():\n    from ..worlds import river",
        "if TYPE_CHECKING:\n    from ..worlds import river",
    ],
)
def test_every_kind_of_import_counts(tmp_path: Path, statement: str) -> None:
    river = "from ..pictures import scene"
    texts = {"envs/worlds/river.py": river, "envs/pictures/scene.py": statement}
    graph = import_graph(house(tmp_path, texts))
    assert circles(graph) == [["envs.pictures.scene", "envs.worlds.river"]]
    assert arrows_between_rooms(graph) == [("envs.pictures.scene", "envs.worlds.river")]


@pytest.mark.parametrize(
    "statement", ["import dosuite.eval.runs.run", "from ...eval.runs import run"]
)
def test_an_arrow_to_a_higher_floor_is_seen(tmp_path: Path, statement: str) -> None:
    root = house(tmp_path, {"envs/logs/log.py": statement, "eval/runs/run.py": ""})
    assert arrows_between_floors(import_graph(root)) == [("envs.logs.log", "eval.runs.run")]


def test_an_import_of_a_whole_floor_is_seen(tmp_path: Path) -> None:
    root = house(
        tmp_path, {"envs/logs/log.py": "from dosuite import agents", "agents/__init__.py": ""}
    )
    assert arrows_between_floors(import_graph(root)) == [("envs.logs.log", "agents")]


def test_a_new_room_needs_a_level(tmp_path: Path) -> None:
    assert "envs.attic" in rooms_without_level(import_graph(house(tmp_path, {"envs/attic.py": ""})))


def test_every_folder_with_modules_is_packaged() -> None:
    setup = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    folders = {path.parent.relative_to(ROOT).as_posix() for path in FILES} - {ENTRY}
    named = {f"dosuite.{folder.replace('/', '.')}" for folder in folders} | {"dosuite"}
    assert named == set(setup["packages"])
    floors = {folder for folder in folders if "/" not in folder}
    assert set(setup["package-dir"].values()) == floors | {ENTRY}


def test_the_package_runs_as_a_module() -> None:
    if find_spec("dosuite.__main__") is None:
        pytest.skip("dosuite is not installed")
    done = subprocess.run(
        [sys.executable, "-m", "dosuite", "--version"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith("dosuite "), done.stderr
    assert [path.name for path in (ROOT / ENTRY).glob("*.py")] == ["__main__.py"]


def test_the_workflow_tries_every_python_that_is_claimed() -> None:
    claimed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["classifiers"]
    pythons = [line.rpartition(" ")[2] for line in claimed if "Python :: 3." in line]
    text = (ROOT / ".github/workflows/tests.yml").read_text()
    tried = re.findall(r"python: \[(.*)\]", text)
    assert tried == [", ".join(f'"{python}"' for python in pythons)]
    assert all(f"{system}-latest" in text for system in ("ubuntu", "macos", "windows"))


def test_there_is_no_other_folder_with_code() -> None:
    ours = {
        path.relative_to(ROOT).parts[0]
        for path in ROOT.rglob("*.py")
        if not path.relative_to(ROOT).parts[0].startswith(".")
    }
    assert ours - {"typings", "build"} <= {*FLOORS, "tests"}

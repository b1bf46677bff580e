"""The house: four folders, imports that go one way, and a package that holds them all."""

import ast
import tomllib
from pathlib import Path

import pytest
from places import ROOT

FLOORS = ("causal", "envs", "agents", "eval")  # each may import those before it
FILES = [path for floor in FLOORS for path in sorted((ROOT / floor).rglob("*.py"))]


def imported(path: Path) -> set[str]:
    """The floors that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name.split(".")[1] for name in found if name.startswith("dosuite.")} & set(FLOORS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_imports_go_one_way(path: Path) -> None:
    floor = path.relative_to(ROOT).parts[0]
    below = FLOORS[: FLOORS.index(floor)]
    assert imported(path) <= {*below, floor}


def test_the_law_of_imports_can_fail(tmp_path: Path) -> None:
    bad = tmp_path / "bad.py"
    bad.write_text(
        "from dosuite.eval import suite\nimport dosuite.agents.agent\nfrom dosuite import envs\n"
    )
    assert imported(bad) == {"eval", "agents", "envs"}


def test_every_folder_with_modules_is_packaged() -> None:
    setup = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    folders = {path.parent.relative_to(ROOT).as_posix() for path in FILES}
    assert {f"dosuite.{folder.replace('/', '.')}" for folder in folders} == set(setup["packages"])
    assert set(setup["package-dir"].values()) == {folder for folder in folders if "/" not in folder}


def test_there_is_no_other_folder_with_code() -> None:
    ours = {
        path.relative_to(ROOT).parts[0]
        for path in ROOT.rglob("*.py")
        if not path.relative_to(ROOT).parts[0].startswith(".")
    }
    assert ours - {"typings", "build"} <= {*FLOORS, "tests"}

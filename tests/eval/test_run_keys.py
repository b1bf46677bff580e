"""The key of a run changes with all code and files that its numbers depend on."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from places import ROOT

from dosuite.causal import InputError
from dosuite.eval import Run, execute
from dosuite.eval.runs.code import FLOORS, code_hash, hash_of_folders, user_code

TOUCHED = (
    "causal/exact/decision_process.py",
    "envs/worlds/bad_control.py",
    "envs/logs/collect.py",
    "eval/runs/reference_values.py",
)
PRINT_KEYS = f"""
from pathlib import Path
from dosuite.causal import InputError
from dosuite.eval import Run, execute
from dosuite.eval.runs.code import code_hash

def key():
    code_hash.cache_clear()
    return Run("RandomSCM-BadControl-v0", "naive", "observe", 100, 0).key

print(key())
for name in {TOUCHED}:
    with Path("dosuite", name).open("a") as file:
        file.write("# changed\\n")
    print(key())
"""
AGENT = """
from dataclasses import dataclass
from dosuite.agents import Agent, TabularPolicy
from helper import TABLE

@dataclass(frozen=True)
class Fixed(Agent):
    name = "fixed"
    learns = ("observe",)

    def learn(self, source, rng):
        return TabularPolicy(TABLE, source.observation_space)
"""


def test_a_change_of_core_worlds_logs_or_scoring_changes_every_key(tmp_path: Path) -> None:
    for floor in FLOORS:
        shutil.copytree(ROOT / floor, tmp_path / "dosuite" / floor)
    done = subprocess.run(
        [sys.executable, "-c", PRINT_KEYS],
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    keys = done.stdout.split()
    assert len(set(keys)) == len(keys) == 1 + len(TOUCHED)


def test_names_of_files_count_and_other_files_do_not(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1")
    before = hash_of_folders([tmp_path])
    (tmp_path / "notes.txt").write_text("nothing is computed here")
    assert hash_of_folders([tmp_path]) == before
    (tmp_path / "a.py").rename(tmp_path / "b.py")
    assert hash_of_folders([tmp_path]) != before


def test_the_code_is_hashed_once_in_a_process() -> None:
    assert code_hash() is code_hash()


def test_a_module_beside_a_users_file_is_in_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "helper.py").write_text("from numbers_of import TABLE\n")
    (tmp_path / "numbers_of.py").write_text("TABLE = [[0.5, 0.5]]\n")
    (tmp_path / "mine.py").write_text(AGENT)
    (tmp_path / "unrelated.py").write_text("")
    run = Run("IceCreamShorts-v0", "mine.py:Fixed", "observe", 100, 0)
    before = run.key
    (tmp_path / "unrelated.py").write_text("x = 1")
    assert run.key == before
    (tmp_path / "numbers_of.py").write_text("TABLE = [[1.0, 0.0]]\n")
    assert run.key != before


def test_files_that_import_each_other_are_read_once(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text("import two\n")
    (tmp_path / "two.py").write_text("import one\n")
    assert user_code(tmp_path / "one.py") == b"import two\nimport one\n"


def test_code_that_changes_while_a_run_learns_gives_no_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = '''
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from dosuite.agents import Agent, TabularPolicy


@dataclass(frozen=True)
class Editing(Agent):
    """Changes its own file while it learns, as an editor might."""

    name: ClassVar[str] = "editing"
    learns: ClassVar[tuple[str, ...]] = ("observe",)

    def learn_from(self, source, rng):
        file = Path("editing.py")
        file.write_text(file.read_text() + "# edited")
        return TabularPolicy(np.array([[1.0, 0.0]]), source.observation_space)
'''
    (tmp_path / "editing.py").write_text(text)
    run = Run("IceCreamShorts-v0", "editing.py:Editing", "observe", 50, 0)
    with pytest.raises(InputError, match="changed during the run"):
        execute([run], tmp_path / "results", workers=1, quiet=True)
    assert not list((tmp_path / "results" / "runs").glob("*.parquet"))

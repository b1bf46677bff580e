"""What the command line imports: nothing heavy before it is needed."""

import subprocess
import sys

import pytest

from dosuite import eval as evaluation
from dosuite.eval.cli.main import app

HEAVY = {"torch", "stable_baselines3", "sb3_contrib", "matplotlib"}
NOT_FOR_HELP = HEAVY | {"pandas", "scipy", "networkx", "gymnasium", "minari", "pyarrow", "jinja2"}
COMMANDS = [
    command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands
]
PROGRAM = """
import sys
from dosuite.eval.cli.main import main
sys.argv = ["dosuite", *sys.argv[1:]]
try:
    main()
finally:
    print(*sys.modules, file=sys.stderr)
"""


def modules_loaded_by(*arguments: str) -> set[str]:
    """The names of all modules that a process has loaded when the command has ended."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], check=True, capture_output=True, text=True
    )
    return set(done.stderr.split())


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_loads_no_heavy_library(command: str) -> None:
    modules = modules_loaded_by(*command.split(), "--help")
    assert "dosuite.eval.cli.main" in modules
    assert not modules & NOT_FOR_HELP


def test_the_list_loads_no_heavy_library() -> None:
    modules = modules_loaded_by("list")
    assert "dosuite.envs.worlds.river" in modules
    assert not modules & (HEAVY | {"pandas", "scipy", "minari", "pyarrow"})


def test_the_package_loads_its_names_on_first_use() -> None:
    program = "import sys, dosuite.eval; print(*sys.modules); print(*dir(dosuite.eval))"
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    modules, names = (set(line.split()) for line in done.stdout.splitlines())
    assert not modules & NOT_FOR_HELP
    assert {"Run", "execute", "grid", "score"} <= names


def test_the_package_has_no_other_names() -> None:
    with pytest.raises(AttributeError, match="no attribute 'evaluate'"):
        _ = evaluation.evaluate

"""The command line, called in the process of a test."""

import sys
from pathlib import Path

import pytest
from commands import Call

from dosuite.eval.cli.main import main


@pytest.fixture
def dosuite(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Call:
    """Calls the command in an empty folder: arguments to exit code, output and errors."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["dosuite", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        code = stop.value.code
        return (code if isinstance(code, int) else 0), *capsys.readouterr()

    return call

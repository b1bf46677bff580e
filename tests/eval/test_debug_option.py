"""Errors on the command line: one line, or with `--debug` the traceback."""

import sys

import pytest

from dosuite import envs
from dosuite.causal import InputError
from dosuite.eval.cli.main import main

Capture = pytest.CaptureFixture[str]


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["dosuite", *arguments])
    main()


def test_bad_input_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    with pytest.raises(SystemExit) as stop:
        call(monkeypatch, "show", "IceCreamShort-v0")
    assert stop.value.code == 2
    message = capsys.readouterr().err
    assert message.startswith("dosuite: there is no environment")
    assert message.count("\n") == 1


def test_with_debug_bad_input_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="there is no environment"):
        call(monkeypatch, "--debug", "show", "IceCreamShort-v0")


def test_debug_may_stand_behind_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="there is no environment"):
        call(monkeypatch, "show", "IceCreamShort-v0", "--debug")


def test_a_file_that_cannot_be_written_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    with pytest.raises(SystemExit) as stop:
        call(monkeypatch, "data", "IceCreamShorts-v0", "--episodes=5", "--out=/dev/null/a.arrow")
    assert stop.value.code == 2
    assert "/dev/null" in capsys.readouterr().err


def test_an_error_that_is_not_expected_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object, **settings: object) -> None:
        raise ValueError("a fault of ours")

    monkeypatch.setattr(envs, "make_model", fail)
    with pytest.raises(ValueError, match="a fault of ours"):
        call(monkeypatch, "show", "IceCreamShorts-v0")

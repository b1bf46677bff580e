"""Each option of each command refuses bad values in one line, before anything is written.

The cases are made from the commands' own parameters, so that a new option is covered by itself.
"""

import sys
from collections.abc import Callable, Iterator
from inspect import signature
from pathlib import Path
from typing import Any, NamedTuple, get_args, get_type_hints

import pytest
from typer.main import get_command
from typer.models import ArgumentInfo

from dosuite.eval.cli.checked_command import CONTRADICTIONS
from dosuite.eval.cli.main import app, main

BUILT = get_command(app)  # once: building it takes longer than refusing a value
ANY = ["", " ", "two\nlines", "a\rb", "nul\x00", "\x1b[31m", "line\u2028separator"]
NUMBERS = ["", "-1", "1.5", "nan", "inf", "1e3", "x", "0x10", "True", str(10**30), "1\n2"]
PATHS = [
    *ANY,
    "file",
    "file/x.arrow",
    "file/x.png",
    "folder.arrow",
    "folder.png",
    "a.csv",
    "a",
    "x" * 300,
    "/dev/null",
]
FOLDER_IS_FINE = ["a.csv", "a", "folder.arrow", "folder.png"]

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def dosuite(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Call:
    """Calls the command in a folder with a file and two folders."""
    monkeypatch.setattr("dosuite.eval.cli.main.app", BUILT)
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("precious")
    Path("folder.arrow").mkdir()
    Path("folder.png").mkdir()

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["dosuite", *arguments])
        with pytest.raises(SystemExit) as stop:
            main()
        code = stop.value.code
        return (code if isinstance(code, int) else 0), *capsys.readouterr()

    return call


class Parameter(NamedTuple):
    """A parameter of a command."""

    command: str
    name: str
    kind: type
    info: Any  # typer's
    is_needed: bool

    @property
    def option(self) -> str:
        """What stands before the value; "" for an argument."""
        if isinstance(self.info, ArgumentInfo):
            return ""
        return (
            self.info.param_decls[0]
            if self.info.param_decls
            else "--" + self.name.replace("_", "-")
        )

    def request(self, value: str) -> list[str]:
        """The command with this value, and what else it needs."""
        words = [one.name for one in PARAMETERS if one.command == self.command and one.is_needed]
        others = ["IceCreamShorts" for name in words if name != self.name]
        return [self.command, *others, f"{self.option}={value}" if self.option else value]


def parameters() -> Iterator[Parameter]:
    for command in app.registered_commands:
        function: Any = command.callback
        hints = get_type_hints(function, include_extras=True)
        for name, parameter in signature(function).parameters.items():
            annotation, info = get_args(hints[name])
            inner = [kind for kind in get_args(annotation) if kind is not type(None)]
            kind = inner[0] if inner else annotation
            kind = get_args(kind)[0] if get_args(kind) else kind  # of a list
            is_needed = parameter.default is parameter.empty
            yield Parameter(command.name or function.__name__, name, kind, info, is_needed)


PARAMETERS = [*parameters()]


def bad_values(parameter: Parameter) -> list[str]:
    if parameter.kind is bool:
        return ["yes", ""]
    if parameter.kind in (int, float):
        values = [value for value in NUMBERS if parameter.kind is int or value != "1e3"]
        return values + ["0"] * (parameter.kind is int and parameter.info.min > 0)
    if parameter.kind is Path:
        is_folder = parameter.name == "every"  # of `data`, whose --out is a file
        is_folder = is_folder or (parameter.name == "out" and parameter.command != "data")
        return [value for value in PATHS if not (is_folder and value in FOLDER_IS_FINE)]
    return [*ANY, "nope", "nope.py", "nope.zip:x=1"]


def tree(folder: Path) -> list[tuple[str, bytes]]:
    return sorted(
        (str(path), path.read_bytes() if path.is_file() else b"") for path in folder.rglob("*")
    )


def assert_refused(dosuite: Call, request: list[str], folder: Path) -> str:
    before = tree(folder)
    code, out, err = dosuite(*request)
    assert (code, out, err.count("\n")) == (2, "", 1), f"{request}: {code}, {out}, {err}"
    assert err.startswith("dosuite"), err
    assert tree(folder) == before, f"{request} has written a file"
    return err


@pytest.mark.parametrize("parameter", PARAMETERS, ids=lambda one: f"{one.command} {one.name}")
def test_a_bad_value_is_refused_in_one_line(
    dosuite: Call, parameter: Parameter, tmp_path: Path
) -> None:
    for value in bad_values(parameter):
        assert_refused(dosuite, parameter.request(value), tmp_path)


def test_each_numeric_option_has_bounds() -> None:
    for one in PARAMETERS:
        if one.kind in (int, float):
            assert None not in (one.info.min, one.info.max), one


def pairs() -> Iterator[Any]:
    for command, contradictions in CONTRADICTIONS.items():
        for pair in contradictions:
            yield pytest.param(command, pair, id=f"{command} {' '.join(pair)}")


@pytest.mark.parametrize(("command", "pair"), [*pairs()])
def test_options_that_contradict_each_other_are_refused(
    dosuite: Call,
    command: str,
    pair: tuple[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # the library of an engine need not be installed for this
    monkeypatch.setattr("dosuite.eval.runs.engines.check_engine", lambda name: name)
    values = {"environments": ["IceCreamShorts"], "controls": ["--controls"]}
    values |= {"suite": ["--suite=main"], "log": ["--log=file"]}
    values |= {"file": ["mine.zip"], "secret": ["--secret=5"], "commit": ["--commit=5"]}
    values |= {"listed": ["--list"], "every": ["--all=there"], "regime": ["--regime=mixed"]}
    values |= {"variant": ["--variant=twin"], "out": ["--out=a.arrow"], "minari": ["--minari=a-v0"]}
    values |= {"table": ["--table=a.csv"], "shard": ["--shard=1/2"]}
    values |= {"small": ["--small"], "full": ["--full"], "kept": ["--kept"]}
    values |= {"name": ["reversal"], "findings": ["--findings"], "workers": ["--workers=1"]}
    ones = "episodes", "share", "seed", "seeds", "rows", "steps", "trials"
    values |= {name: [f"--{name}=1"] for name in ones}
    texts = {"observation": "digits", "agent": "bc", "only": "Ice", "engine": "dask"}
    values |= {name: [f"--{name}={text}"] for name, text in texts.items()}
    values |= {
        name: [f"--{name.replace('_', '-')}=5"] for name in ("offline_budget", "online_budget")
    }
    words = [word for name in pair for word in values[name]]
    assert "contradicts" in assert_refused(dosuite, [command, *words], tmp_path)


OTHERS = {
    "a place that is not writable": ["data", "IceCreamShorts", "--out=/proc/none/x.arrow"],
    "suite": ["run", "IceCreamShorts", "--suite", "nope"],
    "share of a log that is not mixed": ["data", "IceCreamShorts", "--share", "0.5"],
    "two pictures in one file": ["show", "IceCreamShorts", "--picture=a.png", "--steps=a.png"],
    "log without environment": ["run", "--log=file"],
    "log of two environments": ["run", "IceCreamShorts", "SimpsonClinic", "--log=file"],
    "device without networks": ["run", "IceCreamShorts", "--agent=back-door", "--device=cpu"],
    "two devices": ["run", "IceCreamShorts", "--agent=bc:device=meta", "--device=cpu"],
    "setting given twice": ["show", "IceCreamShorts:effect=0.1,effect=0.2"],
    "no such option": ["run", "--nope"],
    "no such command": ["nope"],
    "no such option of all": ["--nope", "list"],
    "too many arguments": ["show", "IceCreamShorts", "SimpsonClinic"],
    "no value": ["run", "--seeds"],
    "no environment": ["show"],
    "horizon": ["show", "ConfoundedRiver:horizon=1000000000"],
    "rate": ["run", "IceCreamShorts", "--agent=bc:rate=inf"],
    "rate that is no number": ["run", "IceCreamShorts", "--agent=bc:rate=nan"],
    "steps": ["run", "IceCreamShorts", "--agent=bc:updates=1.5"],
    "setting": ["show", "IceCreamShorts:effect=nan"],
}


@pytest.mark.parametrize("request_", OTHERS.values(), ids=OTHERS)
def test_other_bad_requests_are_refused(dosuite: Call, request_: list[str], tmp_path: Path) -> None:
    assert_refused(dosuite, request_, tmp_path)

"""The commands that made the results in a folder: what each asked for, with which code, and when.

A record is two files in `commands`: NAME.toml says what was asked for, and can be given to
`dosuite run` to ask for it again; NAME.csv lists the runs. A command that is repeated, or goes on
after a kill, has one record.
"""

import csv
import io
import json
import shlex
import sys
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

from dosuite.causal import InputError
from dosuite.envs.files import replacing_all

from .code import code_hash
from .machine import machine
from .run import Run

FOLDER = "commands"
MADE = "made"  # the table of a record that is no setting
MADE_TEXTS = ("command", "shard", "grid", "code", "begun", "last")  # the rest is the machine


class Line(NamedTuple):
    """A run in a record."""

    key: str
    environment: str
    variant: str
    regime: str
    agent: str
    budget: int
    log_rows: int
    seed: int
    share: str  # of interventions, "" for the usual one
    log: str

    @property
    def head(self) -> tuple[Any, ...]:
        """What tells the run from others in a table of results; it has no place for the log."""
        return self[1:-1]

    def __str__(self) -> str:
        world = f"{self.variant} of {self.environment}" if self.variant else self.environment
        return f"{self.agent}@{self.regime} in {world}, budget {self.budget}, seed {self.seed}"


@dataclass(frozen=True)
class Request:
    """What a command asks for, beside its runs."""

    settings: Mapping[str, Any] = field(default_factory=dict)  # of `dosuite run`, by its options
    shard: str = ""  # "1/8"; "" is the whole grid


@dataclass(frozen=True)
class Record:
    """A record that was read."""

    path: Path
    settings: Mapping[str, Any]
    command: str
    shard: str
    grid: str  # a hash of the runs of all shards
    code: str
    begun: str  # when it was first begun, and when last
    last: str
    machine: Mapping[str, Any]
    runs: tuple[Line, ...]


def keep_record(
    folder: Path, request: Request, grid: Iterable[str], runs: Mapping[str, Run]
) -> None:
    """Write the record of a command that begins; `grid` has the keys of the runs of all shards."""
    lines = [line_of(key, run) for key, run in runs.items()]
    hashed = blake2b(" ".join(sorted(grid)).encode(), digest_size=8).hexdigest()
    keep_lines(folder, request, hashed, code_name(), _command(), lines)


def code_name() -> str:
    """A short hash of the code and the libraries that results depend on."""
    return blake2b(code_hash(), digest_size=8).hexdigest()


def keep_lines(
    folder: Path, request: Request, grid: str, code: str, command: str, lines: Sequence[Line]
) -> None:
    """Write a record of these runs."""
    name = blake2b(f"{grid} {request.shard} {code}".encode(), digest_size=6).hexdigest()
    path = folder / FOLDER / f"{name}.toml"
    now = datetime.now(UTC).replace(tzinfo=None).isoformat(sep=" ")
    before = _parsed(path).get(MADE, {}) if path.exists() else {}
    made = {
        "command": command,
        "shard": request.shard,
        "grid": grid,
        "code": code,
        "begun": str(before.get("begun", now)),
        "last": now,
        **machine(),
    }
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerows([Line._fields, *lines])
    toml, runs = path, path.with_suffix(".csv")
    with replacing_all(toml, runs) as temporaries:
        text = f"{_toml(request.settings)}\n[{MADE}]\n{_toml(made)}"
        temporaries[toml].write_text(text, encoding="utf-8")
        temporaries[runs].write_text(table.getvalue(), encoding="utf-8")


def records(folder: Path) -> list[Record]:
    """The records of a folder, the one that was begun last at the end."""
    found = []
    for path in sorted((folder / FOLDER).glob("[!.]*.toml")):
        settings = _parsed(path)
        made = settings.pop(MADE, {})
        try:
            lines = _lines(path.with_suffix(".csv"))
            command, shard, grid, code, begun, last = (str(made.pop(name)) for name in MADE_TEXTS)
        except (OSError, LookupError, TypeError, ValueError) as error:
            raise InputError(
                f"{path} is no whole record of a command; remove it and do the command again"
            ) from error
        record = Record(path, settings, command, shard, grid, code, begun, last, made, lines)
        found.append(record)
    return sorted(found, key=lambda record: record.last)


def _lines(path: Path) -> tuple[Line, ...]:
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(
            Line(
                row["key"],
                row["environment"],
                row["variant"],
                row["regime"],
                row["agent"],
                int(row["budget"]),
                int(row["log_rows"]),
                int(row["seed"]),
                row["share"],
                row["log"],
            )
            for row in csv.DictReader(file)
        )


def shown_runs(found: Sequence[Record]) -> dict[str, Line]:
    """The runs that a report shows, by key: those under the code of the last command.

    Of runs that a table cannot tell apart, since only their logs differ or a user's file was
    edited, it is the one that was asked for last.
    """
    newest: dict[tuple[Any, ...], Line] = {}
    for record in found:
        if record.code == found[-1].code:
            newest |= {line.head: line for line in record.runs}
    return {line.key: line for line in newest.values()}


def line_of(key: str, run: Run) -> Line:
    """A run as a line of a record."""
    share = "" if run.share is None else repr(run.share)
    world = run.environment, run.variant
    numbers = run.budget, run.log_rows or 0, run.seed
    return Line(key, *world, run.regime, run.agent, *numbers, share, run.log)


def _command() -> str:
    """The command line, if it is one of this package."""
    is_ours = Path(sys.argv[0]).name in ("dosuite", "dosuite.exe", "main.py", "__main__.py")
    return shlex.join(["dosuite", *sys.argv[1:]]) if is_ours else "execute(...) in Python"


def _parsed(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path} is not TOML: {error}") from error


def _toml(settings: Mapping[str, Any]) -> str:
    """Texts, numbers, truth values and lists of texts, which JSON writes as TOML does."""
    return "".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items())

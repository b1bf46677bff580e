"""Who made the results in the folder of a study: the processes, their machine, code and CPU time.

A process that works on a study adds a `Stint` to `made.json` when it begins and completes it when
it ends. One that was killed leaves a stint without an end.
"""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dosuite.causal import InputError
from dosuite.envs.files import alone_in, replacing

from ..runs.code import versions
from ..runs.machine import machine
from ..runs.requests import code_name

FILE = "made.json"


@dataclass(frozen=True)
class Stint:
    """The work of one process and its workers on a study, without pause."""

    begun: str  # UTC, to the second
    machine: dict[str, Any]
    versions: dict[str, str]  # of this package and of the libraries it computes with, by name
    code: str  # a hash of the package and the libraries
    cpu_seconds: float | None = None  # of the process and its workers; None if it was killed


@contextmanager
def recorded(folder: Path) -> Iterator[None]:
    """Record the block as a stint in a folder."""
    begun = datetime.now(UTC).replace(tzinfo=None).isoformat(sep=" ", timespec="seconds")
    stint = Stint(begun, machine(), versions(), code_name())
    with alone_in(folder):
        place = len(stints(folder))
        _write([*stints(folder), stint], folder)
    before = _cpu_seconds()
    try:
        yield
    finally:
        with alone_in(folder):
            every = [asdict(each) for each in stints(folder)]
            every[place]["cpu_seconds"] = round(_cpu_seconds() - before, 1)
            _write([Stint(**each) for each in every], folder)


def add_stints(added: Sequence[Stint], folder: Path) -> None:
    """Add the stints of other folders to those in a folder, unless they are there already."""
    with alone_in(folder):
        before = stints(folder)
        new = [stint for stint in added if stint not in before]
        _write([*before, *sorted(new, key=lambda stint: stint.begun)], folder)


def stints(folder: Path) -> list[Stint]:
    """The stints in a folder, the first one first. Raises InputError if their file is damaged."""
    path = folder / FILE
    if not path.exists():
        return []
    try:
        return [Stint(**each) for each in json.loads(path.read_text(encoding="utf-8"))]
    except (TypeError, ValueError) as error:
        raise InputError(f"{path} is no record of a study: {error}; remove it") from error


def _write(every: list[Stint], folder: Path) -> None:
    text = json.dumps([asdict(each) for each in every], indent=1)
    with replacing(folder / FILE) as temporary:
        temporary.write_text(f"{text}\n", encoding="utf-8")


def _cpu_seconds() -> float:
    """The CPU time of this process and of its workers that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system

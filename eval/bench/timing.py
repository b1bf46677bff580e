"""Timing two sides in turns, in one process on one core, and how costs grow with size.

What is timed is in `bench_rows`.
"""

import os
import platform
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import torch
from rich import box
from rich.table import Table

from dosuite.causal.arrays import Floats

LEAST = 0.1  # seconds that a side is timed for in each turn, by calling it more than once
INSTALL = 'pip install -c constraints.txt -e ".[bench]"'

Scale = Callable[[int], int]  # how large to make what has this size in full


@dataclass(frozen=True)
class Work:
    """Something to call, and how many units of work a call is."""

    run: Callable[[], object]
    units: float = 1.0


@dataclass(frozen=True)
class Row:
    """Two sides that do the same kind of work, and what ours is to reach."""

    measured: str
    against: str
    target: (
        float | None
    )  # the least ratio of our rate to the peer's; None where there is none to reach
    unit: str  # of which each side does so many a second
    peer: str  # the distribution whose version is reported
    sides: Callable[
        [Scale], tuple[Work, Work]
    ]  # ours and the peer's, ready to run; raises ImportError without the peer
    turns: int = 9

    @property
    def title(self) -> str:
        """Both sides, as a line."""
        return f"{self.measured}, {self.against}"


@dataclass(frozen=True)
class Record:
    """What came out of a row."""

    measured: str
    against: str
    unit: str
    target: float | None
    version: str  # of the peer
    ours: float | None = None  # units a second, the median of the turns
    peer: float | None = None
    ratio: float | None = None  # of the medians
    lowest: float | None = None  # ratio of a single turn
    highest: float | None = None
    reached: bool | None = None
    missing: str = ""  # how to install a peer that is not there


@dataclass(frozen=True)
class Curve:
    """A cost as a function of a size."""

    cost: str
    against: str
    sizes: tuple[int, ...]
    work: Callable[[int], Work]  # for a size, ready to run

    @property
    def title(self) -> str:
        """Cost and size, as a line."""
        return f"{self.cost}, {self.against}"


@dataclass(frozen=True)
class Growth:
    """What came out of a curve."""

    cost: str
    against: str
    sizes: tuple[int, ...]
    seconds: tuple[float, ...]  # for a unit, the median of the turns
    exponent: float  # of the power law that fits best: 1 is proportional, 0 is no growth


def full(size: int) -> int:
    """The sizes as they are reported."""
    return size


def measure(row: Row, scale: Scale = full, least: float = LEAST) -> Record:
    """Time a row; a missing peer is reported as missing."""
    head: dict[str, Any] = {
        "measured": row.measured,
        "against": row.against,
        "unit": row.unit,
        "target": row.target,
    }
    try:
        head["version"] = f"{row.peer} {version(row.peer)}"
        sides = row.sides(scale)
    except ImportError:
        return Record(**{**head, "version": row.peer}, missing=INSTALL)
    runs = rates(sides, row.turns, least)
    ours, peer = (float(rate) for rate in np.median(runs, axis=0))
    each = runs[:, 0] / runs[:, 1]
    reached = None if row.target is None else ours / peer >= row.target
    return Record(
        **head,
        ours=ours,
        peer=peer,
        ratio=ours / peer,
        lowest=float(each.min()),
        highest=float(each.max()),
        reached=reached,
    )


def grow(curve: Curve, turns: int = 5, least: float = LEAST) -> Growth:
    """Time a curve, and fit its exponent by least squares of the logarithms."""
    seconds = 1.0 / np.median(
        rates([curve.work(size) for size in curve.sizes], turns, least), axis=0
    )
    exponent = float(np.polyfit(np.log(curve.sizes), np.log(seconds), 1)[0])
    return Growth(curve.cost, curve.against, curve.sizes, tuple(seconds.tolist()), exponent)


def rates(works: Sequence[Work], turns: int, least: float) -> Floats:
    """Units a second of each in each turn:

    (turns, works). They take turns, after a call that warms up and tells how many calls to time.
    """
    calls = [max(1, round(least / _seconds(work, 1))) for work in works]
    return np.array(
        [
            [n * work.units / _seconds(work, n) for work, n in zip(works, calls, strict=True)]
            for _ in range(turns)
        ]
    )


def _seconds(work: Work, calls: int) -> float:
    begin = perf_counter()
    for _ in range(calls):
        work.run()
    return perf_counter() - begin


@contextmanager
def one_core() -> Iterator[None]:
    """Keep all threads of this process on one core, and torch in one thread;

    not every system can pin threads, Linux can.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
    try:
        _pin({max(cores)} if cores else set())
        yield
    finally:
        _pin(cores)
        torch.set_num_threads(threads)


def _pin(cores: set[int]) -> None:
    tasks = Path("/proc/self/task")  # each thread has an affinity of its own
    for task in tasks.iterdir() if cores and tasks.exists() else ():
        os.sched_setaffinity(int(task.name), cores)


def machine() -> dict[str, str | int]:
    """What the numbers were taken on."""
    facts: dict[str, str | int] = {
        "cpu": _cpu(),
        "cores": os.cpu_count() or 1,
        "system": platform.platform(),
    }
    return {
        **facts,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "dosuite": version("dosuite"),
    }


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")),
        platform.processor(),
    )


def ratio_table(records: Iterable[Record]) -> Table:
    """The ratios as a table, in two lines each: what is measured, and against whom."""
    table = Table("measured, and against", box=box.SIMPLE_HEAD)
    for name in ("a second", "ratio", "at least", "reached"):
        table.add_column(name, justify="right", no_wrap=True)
    for record in records:
        target = "" if record.target is None else f"{record.target:g}"
        table.add_row(record.measured, _short(record.ours))
        table.add_row(
            f"  {record.against}, {record.version}",
            _short(record.peer),
            _short(record.ratio),
            target,
            _verdict(record),
        )
    return table


def _verdict(record: Record) -> str:
    if record.missing:
        return "missing"
    return "" if record.reached is None else "yes" if record.reached else "no"


def growth_table(growths: Iterable[Growth]) -> Table:
    """The costs at each size and their exponents, as a table."""
    table = Table("cost of", "against", "exponent", "size: milliseconds", box=box.SIMPLE_HEAD)
    for growth in growths:
        costs = ", ".join(
            f"{size:,}: {1e3 * second:.3g}"
            for size, second in zip(growth.sizes, growth.seconds, strict=True)
        )
        table.add_row(growth.cost, growth.against, f"{growth.exponent:.2f}", costs)
    return table


def _short(number: float | None) -> str:
    """Three digits, with M for a million."""
    if number is None:
        return ""
    if number >= 1e6:
        return f"{number / 1e6:.3g} M"
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"

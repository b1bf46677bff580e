"""Timing: two sides in turns, in one process on one core, and how a cost grows with size.

What is timed is defined in `comparisons`, and how it is printed in `tables`.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from time import perf_counter

import numpy as np
import torch

from dosuite.causal.arrays import Floats

LEAST = 0.1  # seconds that a side is timed for in each turn, by calling it more than once
INSTALL = 'pip install -c constraints.txt -e ".[bench]"'

Resize = Callable[[int], int]  # full size -> the size to use; tests make everything small


@dataclass(frozen=True)
class Work:
    """A function to time, and the units of work that a call does."""

    run: Callable[[], object]
    units: float = 1.0


Sides = tuple[Work, Work]  # ours and the peer's, set up and ready to run


@dataclass(frozen=True)
class Comparison:
    """Two sides that do the same kind of work, and the ratio of rates that ours is to reach."""

    measured: str
    against: str
    target: float | None  # least ratio of our rate to the peer's; None if there is no target
    unit: str  # of the rates, such as "steps/s"
    peer: str  # the distribution whose version is reported
    sides: Callable[[Resize], Sides]  # raises ImportError if the peer is not installed
    turns: int = 9

    @property
    def title(self) -> str:
        """Both sides, as one line."""
        return f"{self.measured}, {self.against}"


@dataclass(frozen=True)
class Rates:
    """The rates of both sides."""

    ours: float  # units a second, the median of the turns
    peer: float
    lowest: float  # ratio of a single turn
    highest: float

    @property
    def ratio(self) -> float:
        """Our median rate divided by the peer's."""
        return self.ours / self.peer


@dataclass(frozen=True)
class Measurement:
    """The result of a comparison; without rates if the peer is not installed."""

    comparison: Comparison
    version: str  # name and version of the peer
    rates: Rates | None = None

    @property
    def missing(self) -> str:
        """How to install a peer that is not installed, else ""."""
        return INSTALL if self.rates is None else ""

    @property
    def reached(self) -> bool | None:
        """Whether the ratio is at least the target; None without one of them."""
        if self.rates is None or self.comparison.target is None:
            return None
        return self.rates.ratio >= self.comparison.target


@dataclass(frozen=True)
class Curve:
    """A cost as a function of a size."""

    cost: str
    against: str  # what the size counts
    sizes: tuple[int, ...]
    work: Callable[[int], Work]  # for a size, set up and ready to run

    @property
    def title(self) -> str:
        """Cost and size, as one line."""
        return f"{self.cost}, {self.against}"


@dataclass(frozen=True)
class Growth:
    """The result of a curve."""

    curve: Curve
    seconds: tuple[float, ...]  # a unit at each size, the median of the turns
    exponent: float  # of the best power law: 1 is proportional, 0 is constant


def full(size: int) -> int:
    """The `Resize` that keeps full sizes."""
    return size


def measure(comparison: Comparison, resize: Resize = full, least: float = LEAST) -> Measurement:
    """Time both sides of a comparison, unless the peer is not installed."""
    peer = comparison.peer
    try:
        named = f"{peer} {version(peer)}"
        sides = comparison.sides(resize)
    except ImportError:
        return Measurement(comparison, peer)
    turns = rates(sides, comparison.turns, least)
    ours, theirs = np.median(turns, axis=0).tolist()
    ratios = turns[:, 0] / turns[:, 1]
    return Measurement(
        comparison, named, Rates(ours, theirs, float(ratios.min()), float(ratios.max()))
    )


def grow(curve: Curve, turns: int = 5, least: float = LEAST) -> Growth:
    """Time a curve at each size; fit its exponent by least squares on the logarithms."""
    works = [curve.work(size) for size in curve.sizes]
    seconds = 1.0 / np.median(rates(works, turns, least), axis=0)
    exponent = float(np.polyfit(np.log(curve.sizes), np.log(seconds), 1)[0])
    return Growth(curve, tuple(seconds.tolist()), exponent)


def rates(works: Sequence[Work], turns: int, least: float) -> Floats:
    """Units a second: (turns, works).

    In each turn every work is called for at least about `least` seconds. A first call warms up, and
    determines the number of calls.
    """
    calls = [max(1, round(least / _seconds(work, 1))) for work in works]
    rows = []
    for _ in range(turns):
        row = [n * work.units / _seconds(work, n) for work, n in zip(works, calls, strict=True)]
        rows.append(row)
    return np.array(rows)


def _seconds(work: Work, calls: int) -> float:
    begin = perf_counter()
    for _ in range(calls):
        work.run()
    return perf_counter() - begin


@contextmanager
def one_core() -> Iterator[None]:
    """Keep all threads of this process on one core, and torch in one thread.

    Threads are pinned on Linux only.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
    try:
        if cores:
            _pin({max(cores)})
        yield
    finally:
        if cores:
            _pin(cores)
        torch.set_num_threads(threads)


def _pin(cores: set[int]) -> None:
    """Restrict every thread of this process to these cores; each has its own affinity."""
    tasks = Path("/proc/self/task")
    if tasks.exists():
        for task in tasks.iterdir():
            os.sched_setaffinity(int(task.name), cores)

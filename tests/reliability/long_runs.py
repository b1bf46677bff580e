"""Long work in one process: does its memory stay flat, and does it leave files open?

    python tests/reliability/long_runs.py --steps 100000000 --runs 10000

`--steps` environment steps are taken in each world of WORLDS, and `--runs` runs are done, once in
one process and once by two workers. The resident memory, with that of the workers, is sampled all
the while. After the warm-up it must not grow by 20 MB, no more files may be open at the end than
before, and the last tenth of the runs must not take longer than 1.5 times the first.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import NamedTuple

import numpy as np

from dosuite.envs import CausalVectorEnv
from dosuite.eval.runs.run import Run
from dosuite.eval.runs.store import number_done
from dosuite.eval.runs.suite import execute

# of one step; sequential; with a hidden state; with arrays as observations; with real numbers as
# actions and observations
WORLDS = (
    "IceCreamShorts-v0",
    "ConfoundedRiver-v0",
    "Tiger-v0",
    "CoinEnd-v0",
    "AirlinePricing-v0",
)
UNITS = 1024  # parallel episodes
WARM_UP = 0.1  # share of the samples whose greatest is the memory before
MOST_GROWTH = 20.0  # MB
MOST_SLOWDOWN = 1.5  # of the last tenth of the runs against the first
RUN_SAMPLES = 0.5  # seconds between samples of the memory during runs
TICKS = os.sysconf("SC_CLK_TCK")  # a second
PAGE = os.sysconf("SC_PAGE_SIZE")  # bytes
HEADER = f"{'work':34} {'done':>12} {'MB':>6} {'growth':>7} {'slope':>7} {'files':>5}  first, last"


@dataclass(frozen=True)
class Measured:
    """What some long work took: memory in MB, and times in milliseconds of a processor."""

    work: str
    done: int
    memory: Sequence[float]  # samples at equal intervals
    more_files: int  # open at the end, and not before
    first: float = 0.0  # time of each run in the first tenth of them
    last: float = 0.0

    @property
    def growth(self) -> float:
        """The greatest memory after the warm-up less the greatest during it."""
        warm = max(1, int(WARM_UP * len(self.memory)))
        return max(self.memory[warm:], default=0.0) - max(self.memory[:warm])

    @property
    def slope(self) -> float:
        """How much the memory grows over the whole work, by a line through the later samples."""
        later = self.memory[int(WARM_UP * len(self.memory)) :]
        if len(later) < 2:
            return 0.0
        return float(np.polyfit(np.linspace(0.0, 1.0, len(later)), later, 1)[0])

    @property
    def is_flat(self) -> bool:
        """Whether the goals are met."""
        is_slower = self.last > MOST_SLOWDOWN * self.first
        return self.growth < MOST_GROWTH and self.more_files <= 0 and not is_slower

    def line(self) -> str:
        """A row of the table."""
        times = f"{self.first:.1f}, {self.last:.1f} ms a run" if self.first else ""
        return (
            f"{self.work:34} {self.done:>12,} {self.memory[-1]:6.0f} {self.growth:+7.1f} "
            f"{self.slope:+7.1f} {self.more_files:+5d}  {times}{'' if self.is_flat else ' MISSED'}"
        )


def long_practice(world: str, steps: int, units: int = UNITS, samples: int = 200) -> Measured:
    """Take at least `steps` steps in `units` parallel episodes, with random actions."""
    env = CausalVectorEnv(world, units)
    env.reset(seed=0)
    env.action_space.seed(0)
    actions = [env.action_space.sample() for _ in range(16)]
    files, memory = _open_files(), []
    calls = -(-steps // units)
    between = max(1, calls // samples)
    for call in range(calls):
        env.step(actions[call % len(actions)])
        if call % between == between - 1:
            memory.append(_memory())
    env.close()
    return Measured(f"steps in {world}", calls * units, memory, _open_files() - files)


def long_series(count: int, workers: int) -> Measured:
    """Do `count` runs of a cheap agent, each of its own, with logs of ten steps."""
    runs = [Run("IceCreamShorts-v0", "maximin", "observe", 10, seed) for seed in range(count)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        execute(runs[:workers], folder, workers, quiet=True)  # starts the workers
        files = _open_files()
        samples = _sampled(lambda: execute(runs, folder, workers, quiet=True), folder)
        more_files = _open_files() - files
    memory = [sample.memory for sample in samples]
    first, last = _times_of_tenths(samples)
    work = f"runs in {workers} process{'es' if workers > 1 else ''}"
    return Measured(work, samples[-1].done, memory, more_files, first, last)


class Sample(NamedTuple):
    """A moment of a series of runs."""

    memory: float
    time: float  # seconds of a processor so far
    done: int  # runs


def _sampled(do: Callable[[], object], folder: Path) -> list[Sample]:
    """Samples while something is done that writes results into a folder."""
    over = Event()
    samples: list[Sample] = []

    def sample() -> None:
        samples.append(Sample(_memory(), _time(), number_done(folder)))

    def watch() -> None:
        while not over.wait(RUN_SAMPLES):
            sample()

    sample()
    watcher = Thread(target=watch)
    watcher.start()
    try:
        do()
    finally:
        over.set()
        watcher.join()
    sample()
    return samples


def _times_of_tenths(samples: Sequence[Sample]) -> tuple[float, float]:
    """Milliseconds for each of the first and of the last tenth of the runs."""
    done, first_samples = np.unique([sample.done for sample in samples], return_index=True)
    times = [samples[number].time for number in first_samples]
    tenth = (done[-1] - done[0]) / 10
    marks = [done[0], done[0] + tenth, done[-1] - tenth, done[-1]]
    first, _, last = 1000 * np.diff(np.interp(marks, done, times)) / tenth
    return float(first), float(last)


def _memory() -> float:
    """The resident memory of this process and its children in MB."""
    return sum(int(_field(one / "statm", 1) or 0) for one in _processes()) * PAGE / 1e6


def _time() -> float:
    """The seconds that a processor worked for this process and its children."""
    ticks = sum(
        int(_field(one / "stat", number) or 0) for one in _processes() for number in (13, 14)
    )
    return ticks / TICKS


def _processes() -> list[Path]:
    """This process and its children, in /proc."""
    mine = str(os.getpid())
    children = [one for one in Path("/proc").glob("[0-9]*") if _field(one / "stat", 3) == mine]
    return [Path("/proc", mine), *children]


def _field(path: Path, number: int) -> str:
    """A field of a file about a process; "" if the process has just ended."""
    try:
        return path.read_text().split()[number]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def main() -> int:
    """Print a line for each work; the status is 1 if a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=100_000_000, help="in each world")
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--world", action="append", help="only this one; may be repeated")
    options = parser.parse_args()
    print("memory at the end, its growth after the warm-up, and its slope over the work, in MB")
    print(HEADER)
    all_flat = True
    for world in options.world or WORLDS if options.steps else ():
        all_flat &= _printed(long_practice(world, options.steps))
    for workers in (1, 2) if options.runs else ():
        all_flat &= _printed(long_series(options.runs, workers))
    return 0 if all_flat else 1


def _printed(measured: Measured) -> bool:
    print(measured.line(), flush=True)
    return measured.is_flat


if __name__ == "__main__":
    sys.exit(main())

"""Malformed inputs of every kind: each is refused in one line, or accepted as what it says.

A seeded mutator makes the inputs. `python tests/reliability/malformed.py` tries 10,000; the
inputs that fail are written to the folder of `--keep`. A case that takes longer than 10 seconds is
ended with its process, as is one that takes more memory than there is."""

import argparse
import multiprocessing
import os
import signal
import sys
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from zlib import crc32

import malformed_files as files
import malformed_texts as texts
import malformed_values as values
import numpy as np
from malformed_mutations import Case, Maker

from dosuite.causal import InputError
from dosuite.envs.trust import trusting

# of 10,000 inputs, how many are of each kind
KINDS = {
    "logs": (files.logs, 1300),
    "latents": (files.latents, 500),
    "saved policies": (files.policies, 900),
    "zips": (files.zips, 300),
    "rows of runs": (files.run_rows, 700),
    "results": (files.results, 200),
    "graph texts": (texts.graphs, 2000),
    "agents": (texts.agents, 700),
    "worlds": (texts.worlds, 700),
    "classes": (texts.classes, 700),
    "policies' outputs": (values.outputs, 700),
    "frames": (values.frames, 400),
    "CSV files": (values.csv_files, 300),
    "arguments": (values.calls, 300),
    "command line": (values.commands, 300),
}
SECONDS = 10
UNPREPARED = 3  # the exit status of a process whose valid inputs cannot be made
FAULTS = ("misread", "traceback", "hang")
COLUMNS = ("refused", "equal", "other", *FAULTS)


class Hang(BaseException):
    """A case took too long."""


def outcome(case: Case) -> tuple[str, str]:
    """What comes of a case: a name in COLUMNS, and what is wrong if anything is."""
    try:
        with limit(SECONDS), trusting():
            answer = case.run()
    except InputError as error:
        if "\n" in str(error) or not str(error):
            return "traceback", f"a message that is not one line: {str(error)!r}"
        return "refused", str(error)
    except Hang:
        return "hang", traceback.format_exc()
    except (Exception, SystemExit):
        return "traceback", traceback.format_exc()
    return (answer, "") if answer in ("equal", "other") else ("misread", answer)


@contextmanager
def limit(seconds: float) -> Iterator[None]:
    """Raise Hang if the block takes longer."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise Hang

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def made(kind: str, maker: Maker, seed: int, number: int) -> Case:
    """The case of this number, the same in every process."""
    return maker(np.random.default_rng([seed, crc32(kind.encode()), number]))


def main() -> int:
    """Print the table; return 1 if an input failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000, help="inputs of all kinds")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="one kind")
    parser.add_argument("--keep", type=Path, help="a folder for the inputs that fail")
    options = parser.parse_args()
    print(f"{'kind':<20}{'inputs':>8}" + "".join(f"{name:>11}" for name in COLUMNS), "  seconds")
    total: Counter[str] = Counter()
    for kind, (_, share) in KINDS.items():
        if options.only in ("", kind):
            start = time.monotonic()
            count = -(-share * options.count // 10_000)
            counts = _tried(kind, count, options.seed, options.keep)
            total += counts
            _print(kind, counts, time.monotonic() - start)
    _print("all", total, time.process_time())
    return int(any(total[fault] for fault in FAULTS))


def _print(kind: str, counts: "Counter[str]", seconds: float) -> None:
    cells = "".join(f"{counts[name]:>11}" for name in COLUMNS)
    print(f"{kind:<20}{counts.total():>8}{cells}{seconds:>11.0f}", flush=True)


def _tried(kind: str, count: int, seed: int, keep: Path | None) -> "Counter[str]":
    """The outcomes of the cases of a kind, tried in a process that is replaced when it hangs."""
    counts: Counter[str] = Counter()
    number = 0
    context = multiprocessing.get_context("fork")
    while number < count:
        here, there = context.Pipe()
        child = context.Process(target=_work, args=(there, kind, number, count, seed, keep))
        child.start()
        there.close()
        try:
            while number < count:
                # the alarm of the child does not reach code that stays in C
                if not here.poll(6 * SECONDS):
                    child.kill()
                    raise EOFError
                counts[here.recv()] += 1
                number += 1
        except EOFError:
            child.join()
            if child.exitcode == UNPREPARED:
                raise RuntimeError(f"the valid inputs of {kind} cannot be made") from None
            counts["hang" if child.exitcode == -signal.SIGKILL else "traceback"] += 1
            _keep(keep, kind, number, f"the process ended with {child.exitcode}", None)
            number += 1
        child.join()
    return counts


def _work(
    pipe: Connection, kind: str, first: int, count: int, seed: int, keep: Path | None
) -> None:
    sys.stderr = open(os.devnull, "w")  # noqa: SIM115 (until the process ends)
    warnings.simplefilter("ignore")
    with TemporaryDirectory() as folder:
        try:
            maker = KINDS[kind][0](Path(folder))
        except Exception:
            traceback.print_exc(file=sys.stdout)
            sys.exit(UNPREPARED)
        for number in range(first, count):
            case = made(kind, maker, seed, number)
            name, fault = outcome(case)
            if name in FAULTS:
                _keep(keep, kind, number, fault, case)
            pipe.send(name)


def _keep(keep: Path | None, kind: str, number: int, fault: str, case: Case | None) -> None:
    if keep is None:
        return
    keep.mkdir(parents=True, exist_ok=True)
    stem = f"{kind.replace(' ', '-')}-{number}"
    (keep / f"{stem}.fault").write_text(fault, errors="backslashreplace")
    if case is not None:
        (keep / f"{stem}{case.suffix}").write_bytes(case.content)


if __name__ == "__main__":
    sys.exit(main())

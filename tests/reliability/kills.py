"""SIGKILL at random moments of commands, until each is done, and what is left is as undisturbed.

    python tests/reliability/kills.py --count 200 --seed 0 --jobs 2

In a round a command is started in a folder of its own and killed, with all its processes, up to
KILLS times, and then left alone until it ends. Every fourth kill hits the main process only. The
folder must then hold the same files, bit for bit but for the dates of commands, as that of an
undisturbed command. No process may be left after a kill, and nothing of the killed in /dev/shm.
"""

import argparse
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

KILLS = 4  # in a round
EARLY = 0.3  # the share of a command's time that is mostly imports, in which 1 kill of 8 falls
LEFT_ALONE = 300  # seconds in which a command must end
ORPHANS = 30  # seconds in which the children of a dead main process must end
MARK = "DOSUITE_KILLS"
DATE = re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d\.\d+)?")  # of the commands, in reports

RUN = (
    *("run", "IceCreamShorts-v0", "--agent", "naive", "--agent", "bc:updates=30", "--seeds", "3"),
    *("--offline-budget", "200", "--workers", "2", "--out", "results"),
)
DATA = ("data", "GreedyCasino-v0", "--episodes", "200", "--out", "log.arrow")
OLDER = ("data", "GreedyCasino-v0", "--episodes", "100", "--seed", "1", "--out", "log.arrow")
MINARI = (*DATA, "--minari", "killed/log-v0")

# each command, and the ones that prepare its folder; add further commands here
COMMANDS: dict[str, tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]] = {
    "run": (RUN, ()),
    "data": (DATA, (OLDER,)),
    "data --minari": (MINARI, ()),
    "report": (("report", "--out", "results"), (RUN,)),
    "submission": (("submission", "results", "--name", "killed"), (RUN,)),
}


@dataclass
class Tally:
    """What the kills of one command showed."""

    kills: int = 0
    rounds: int = 0
    faults: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Undisturbed:
    """A command that has run in peace: its folder before, its files after, and its seconds."""

    arguments: tuple[str, ...]
    before: Path
    files: dict[str, bytes]
    seconds: float


def started(arguments: tuple[str, ...], folder: Path, mark: str) -> "subprocess.Popen[bytes]":
    """A command in a session of its own, with a mark in its environment and its children's."""
    code = "from dosuite.eval.cli.main import main; main()"
    environment = {**os.environ, MARK: mark, "MINARI_DATASETS_PATH": str(folder / "minari")}
    with (folder.parent / f"{folder.name}.txt").open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def completed(arguments: tuple[str, ...], folder: Path, mark: str = "") -> str:
    """Run a command to its end; "" if it ended well, or its last line."""
    process = started(arguments, folder, mark)
    try:
        code = process.wait(LEFT_ALONE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return f"did not end in {LEFT_ALONE} s"
    lines = (folder.parent / f"{folder.name}.txt").read_text().splitlines()
    return "" if code == 0 else f"ended with {code}: {lines[-1] if lines else ''}"


def undisturbed(name: str, folder: Path) -> Undisturbed:
    """Run a command, and those that prepare its folder, in peace."""
    arguments, preparations = COMMANDS[name]
    before, after = folder / "before", folder / "after"
    before.mkdir(parents=True)
    for preparation in preparations:
        assert not completed(preparation, before)
    shutil.copytree(before, after)
    begin = time.monotonic()
    fault = completed(arguments, after)
    assert not fault, fault
    return Undisturbed(arguments, before, files_under(after), time.monotonic() - begin)


def files_under(folder: Path) -> dict[str, bytes]:
    """The content of all files below a folder, without dates, and the empty folders, by name."""
    files = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            files[str(path.relative_to(folder))] = DATE.sub(b"", path.read_bytes())
        elif not any(path.iterdir()):
            files[f"{path.relative_to(folder)}/"] = b""
    return files


def differences(files: dict[str, bytes], expected: dict[str, bytes]) -> list[str]:
    """What the files lack, what they have too many, and those that have another content."""
    lines = [f"lacks {name}" for name in expected.keys() - files.keys()]
    lines += [f"left {name}" for name in files.keys() - expected.keys()]
    both = files.keys() & expected.keys()
    return lines + [f"{name} differs" for name in both if files[name] != expected[name]]


def marked(mark: str) -> set[int]:
    """The processes that live and have the mark in their environment."""
    found = set()
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if f"{MARK}={mark}".encode() in (place / "environ").read_bytes():
                found.add(int(place.name))
        except OSError:
            continue  # it has ended, or is another user's
    return found


def in_shared_memory(pids: set[int]) -> list[str]:
    """The names in /dev/shm that hold the number of one of the processes."""
    names = os.listdir("/dev/shm") if Path("/dev/shm").exists() else []
    return [name for name in names if pids & {int(part) for part in re.findall(r"\d+", name)}]


def one_round(
    peace: Undisturbed, folder: Path, rng: random.Random, tally: Tally, kills: int = KILLS
) -> None:
    """Kill a command up to `kills` times, let it end, and record what is wrong then."""
    mark = uuid.uuid4().hex
    pids: set[int] = set()
    shutil.copytree(peace.before, folder)
    for _ in range(kills):
        early = rng.random() < 1 / 8
        share = rng.uniform(0, EARLY) if early else rng.uniform(EARLY, 1.0)
        whole_group = rng.random() < 3 / 4
        process = started(peace.arguments, folder, mark)
        try:
            if process.wait(share * peace.seconds):
                tally.faults.append(f"ended by itself with {process.returncode}")
            break
        except subprocess.TimeoutExpired:
            pids |= marked(mark)
            if whole_group:
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
            process.wait()
            tally.kills += 1
        orphans = left_alive(mark)
        if orphans:
            tally.faults.append(f"{len(orphans)} orphans")
            for pid in orphans:
                os.kill(pid, signal.SIGKILL)
    fault = completed(peace.arguments, folder, mark)
    if fault:
        tally.faults.append(fault)
    tally.faults += differences(files_under(folder), peace.files)
    tally.faults += [f"left /dev/shm/{name}" for name in in_shared_memory(pids)]
    tally.rounds += 1


def left_alive(mark: str) -> set[int]:
    """The processes with a mark that do not end in time."""
    end = time.monotonic() + ORPHANS
    while (left := marked(mark)) and time.monotonic() < end:
        time.sleep(0.1)
    return left


def measured(
    name: str, count: int, seed: int, folder: Path, say: Callable[[str], None] = print
) -> Tally:
    """At least `count` kills of a command."""
    tally = Tally()
    rng = random.Random(f"{name} {seed}")
    peace = undisturbed(name, folder)
    say(f"{name}: {peace.seconds:.1f} s undisturbed")
    while tally.kills < count:
        before = len(tally.faults)
        place = folder / f"round{tally.rounds}"
        one_round(peace, place, rng, tally)
        for fault in tally.faults[before:]:
            say(f"{name}: {place.name}: {fault}")
        if len(tally.faults) == before:
            shutil.rmtree(place)
    return tally


def main() -> int:
    """Kill the commands, print a table, and return 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=200, help="kills in all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2, help="commands at once")
    parser.add_argument("--only", choices=COMMANDS, action="append")
    options = parser.parse_args()
    names = options.only or list(COMMANDS)
    count = -(-options.count // len(names))
    folder = Path(tempfile.mkdtemp(prefix="kills-"))
    with ThreadPoolExecutor(options.jobs) as threads:
        waiting = {
            name: threads.submit(
                measured, name, count, options.seed, folder / name.replace(" ", "")
            )
            for name in names
        }
        tallies = {name: future.result() for name, future in waiting.items()}
    print(f"{'command':<16}{'kills':>6}{'rounds':>8}{'faults':>8}")
    for name, tally in tallies.items():
        print(f"{name:<16}{tally.kills:>6}{tally.rounds:>8}{len(tally.faults):>8}")
    faults = sum(len(tally.faults) for tally in tallies.values())
    kills = sum(tally.kills for tally in tallies.values())
    print(f"{kills} kills, {faults} faults")
    if not faults:
        shutil.rmtree(folder)
    return 1 if faults or kills < options.count else 0


if __name__ == "__main__":
    sys.exit(main())

"""Two processes on one folder of results or one log: both end well, and nothing is lost or twice.

python tests/reliability/two_processes.py --count 5 --seed 0
"""

import argparse
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

from kills import DATA, MINARI, RUN, completed, differences, files_under, started

LEFT_ALONE = 300  # seconds in which both must end
REPORT = ("report", "--out", "results")

# each pair of commands, and those that prepare the folder; the second one starts a little later
PAIRS = {
    "run + run": (RUN, RUN, ()),
    "data + data": (DATA, DATA, ()),
    "data + data --minari": (DATA, MINARI, ()),
    "run + report": (RUN, REPORT, (RUN,)),
}


def expected(name: str, folder: Path) -> dict[str, bytes]:
    """The files of a folder in which the commands of a pair have run one after the other."""
    first, second, preparations = PAIRS[name]
    folder.mkdir(parents=True)
    for arguments in (*preparations, first, second):
        fault = completed(arguments, folder)
        assert not fault, fault
    return files_under(folder)


def faults_of(name: str, files: dict[str, bytes], folder: Path, delay: float) -> list[str]:
    """What is wrong after two commands that ran at once."""
    first, second, preparations = PAIRS[name]
    folder.mkdir(parents=True)
    for arguments in preparations:
        assert not completed(arguments, folder)
    processes = [started(first, folder, "")]
    time.sleep(delay)
    processes.append(started(second, folder, ""))
    codes = [process.wait(LEFT_ALONE) for process in processes]
    faults = [f"a command ended with {code}" for code in codes if code != 0]
    return faults + differences(files_under(folder), files)


def main() -> int:
    """Run the pairs, print a table, and return 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=5, help="tries of each pair")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=PAIRS, action="append")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    root = Path(tempfile.mkdtemp(prefix="two-"))
    print(f"{'pair':<24}{'tries':>6}{'faults':>8}", flush=True)
    total = 0
    for name in options.only or PAIRS:
        folder = root / name.replace(" ", "")
        files = expected(name, folder / "alone")
        faults = []
        for number in range(options.count):
            delay = rng.uniform(0, 1) if number else 0.0
            faults += faults_of(name, files, folder / str(number), delay)
        print(f"{name:<24}{options.count:>6}{len(faults):>8}", flush=True)
        print("".join(f"  {fault}\n" for fault in faults), end="")
        total += len(faults)
    if not total:
        shutil.rmtree(root)
    return 1 if total else 0


if __name__ == "__main__":
    sys.exit(main())

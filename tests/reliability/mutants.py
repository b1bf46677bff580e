"""Planted defects, each of which a test of the ordinary suite must catch.

    python tests/reliability/mutants.py --jobs 2
    python tests/reliability/mutants.py --only iqm-is-a-mean

`mutants.toml` lists the defects: each names a file, a text that occurs there once, what replaces
it, and the tests that catch it. The working tree is copied to a temporary folder for each job.
There one defect at a time is planted and its tests are run; they must fail by an assertion or by
an InputError, and must pass without the defect. Tests that run on a share of the worlds only are
left out, so that the result does not depend on the share. The exit status is 1 if a defect
survives.
"""

import argparse
import ast
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import Queue
from xml.etree import ElementTree

ROOT = Path(__file__).parents[2]
LIST = Path(__file__).with_suffix(".toml")
FLOORS = ("causal", "envs", "agents", "eval")
PATIENCE = 1800  # seconds for the tests of one defect, also on a machine that is busy
# How a test fails that noticed a defect; `Failed` is pytest's own, of an error that was not raised.
NOTICED = ("AssertionError", "Failed", "InputError")

Failure = tuple[str, str]  # a test, and the type of the exception that ended it; "" if none did


@dataclass(frozen=True)
class Mutant:
    """A defect: in `file`, `text` becomes `replacement`, and one of the `tests` fails."""

    name: str
    kind: str
    file: str
    text: str
    replacement: str
    tests: tuple[str, ...]  # files or node ids

    def fault(self, root: Path) -> str:
        """Why the defect cannot be planted in a tree, or its tests are not there or, being long, do
        not run on every world; "" if all is well.
        """
        occurrences = (root / self.file).read_text().count(self.text)
        if occurrences != 1:
            return f"{self.name}: its text occurs {occurrences} times in {self.file}"
        for test in self.tests:
            file, _, name = test.partition("::")
            path = root / file
            if not path.is_file() or (
                name and f"def {name.partition('[')[0]}(" not in path.read_text()
            ):
                return f"{self.name}: there is no test {test}"
        if all(_is_long(root, test) for test in self.tests):
            return f"{self.name}: its tests are marked long, and would run on a tenth of the worlds"
        return ""


def _is_long(root: Path, test: str) -> bool:
    """Whether a test, a node id, is marked as a long law."""
    file, _, name = test.partition("::")
    function = name.partition("[")[0]
    return any(
        isinstance(node, ast.FunctionDef)
        and node.name == function
        and any("mark.long" in ast.unparse(each) for each in node.decorator_list)
        for node in ast.walk(ast.parse((root / file).read_text(encoding="utf-8")))
    )


@dataclass(frozen=True)
class Result:
    """What the tests of a planted defect did."""

    mutant: Mutant
    caught_by: str  # "" if it survived
    how: str  # the exception, or why the failure does not count
    seconds: float


def read_mutants() -> list[Mutant]:
    """The listed defects."""
    records = tomllib.loads(LIST.read_text())["mutant"]
    return [Mutant(**{**record, "tests": tuple(record["tests"])}) for record in records]


class Workshop:
    """A copy of the working tree, in which defects are planted and tests are run."""

    def __init__(self, folder: Path):
        self.folder = folder
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
        for name in filter(None, listed.stdout.split("\0")):
            if (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / name, folder / name)
        package = folder / "typings" / "dosuite"
        package.mkdir(parents=True)
        for floor in FLOORS:
            (package / floor).symlink_to(Path("..", "..", floor))
        # No bytecode: a defect and its repair can have one size and one time.
        own = {"PYTHONPATH": str(package.parent), "PYTHONDONTWRITEBYTECODE": "1"}
        self.environment = {**os.environ, **own, "OMP_NUM_THREADS": "1"}
        self._check_imports()

    def _check_imports(self) -> None:
        """Raise RuntimeError if `dosuite` is imported from elsewhere."""
        code = "".join(
            f"import dosuite.{floor} as {floor}; print({floor}.__file__)\n" for floor in FLOORS
        )
        command = [sys.executable, "-c", code]
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            check=False,
            capture_output=True,
            text=True,
        )
        files = [Path(line).resolve() for line in done.stdout.split()]
        inside = [file.is_relative_to(self.folder.resolve()) for file in files]
        if len(inside) < len(FLOORS) or not all(inside):
            raise RuntimeError(f"dosuite is not imported from {self.folder}: {files}{done.stderr}")

    def failure(self, tests: Sequence[str]) -> Failure:
        """The first failure of some tests. Its type is "TimeoutExpired" if they do not end."""
        report = self.folder / "report.xml"
        report.unlink(missing_ok=True)
        options = ["-x", "-q", "-n0", "-p", "no:cacheprovider", "-m", "not long"]
        command = [sys.executable, "-m", "pytest", *options, f"--junitxml={report}", *tests]
        try:
            done = subprocess.run(
                command,
                cwd=self.folder,
                env=self.environment,
                check=False,
                capture_output=True,
                text=True,
                timeout=PATIENCE,
            )
        except subprocess.TimeoutExpired:
            return "", "TimeoutExpired"
        if done.returncode == 0:
            return "", ""
        output = done.stdout[-500:] + done.stderr[-500:]
        return _first_failure(report) or ("", f"no test ran: {output}")

    def plant(self, mutant: Mutant) -> Result:
        """Plant a defect, run its tests, and take it out again."""
        path = self.folder / mutant.file
        sound = path.read_text()
        start = time.monotonic()
        path.write_text(sound.replace(mutant.text, mutant.replacement))
        try:
            test, how = self.failure(mutant.tests)
        finally:
            path.write_text(sound)
        caught_by = test if how in NOTICED else ""
        return Result(mutant, caught_by, how or "survives", time.monotonic() - start)


def _first_failure(report: Path) -> Failure | None:
    """The test that failed in a report of pytest, and the type of its exception."""
    if not report.exists():
        return None
    for case in ElementTree.parse(report).iter("testcase"):
        for kind in ("failure", "error"):
            found = case.find(kind)
            if found is not None:
                test = f"{case.get('classname', '').replace('.', '/')}.py::{case.get('name')}"
                return test, _type_of(kind, found.get("message", ""))
    return None


def _type_of(kind: str, message: str) -> str:
    """The exception in the message of a failure: pytest leaves out that of an assertion."""
    if kind == "error":
        return f"error: {message}"
    if message.startswith("assert "):
        return "AssertionError"
    return message.split("\n")[0].partition(":")[0].rpartition(".")[2]


def run(mutants: Sequence[Mutant], jobs: int) -> bool:
    """Plant every defect in turn, and print who catches it. Whether all are caught."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(jobs) as threads:
        free: Queue[Workshop] = Queue()
        for number in range(jobs):
            free.put(Workshop(Path(folder, str(number))))

        tests = list(dict.fromkeys(test for mutant in mutants for test in mutant.tests))
        shares = [tests[number::jobs] for number in range(jobs) if tests[number::jobs]]
        for test, how in threads.map(partial(_sound_failure, free), shares):
            if how:
                print(f"without a defect, {test or 'a test'} fails: {how}")
                return False

        caught = 0
        for result in threads.map(partial(_planted, free), mutants):
            caught += bool(result.caught_by)
            print(_line(result), flush=True)
    print(f"{caught} of {len(mutants)} planted defects are caught")
    return caught == len(mutants)


def _sound_failure(free: "Queue[Workshop]", tests: Sequence[str]) -> Failure:
    workshop = free.get()
    try:
        return workshop.failure(tests)
    finally:
        free.put(workshop)


def _planted(free: "Queue[Workshop]", mutant: Mutant) -> Result:
    workshop = free.get()
    try:
        return workshop.plant(mutant)
    finally:
        free.put(workshop)


def _line(result: Result) -> str:
    mutant = result.mutant
    by = f"{result.how} in {result.caught_by}" if result.caught_by else f"NOT CAUGHT: {result.how}"
    return f"{mutant.name:40} {mutant.kind:34} {result.seconds:5.1f} s  {by}"


def main() -> int:
    """Run the command; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--jobs", type=int, default=2, help="copies that are tested at once")
    parser.add_argument("--only", action="append", metavar="NAME", help="plant only this defect")
    options = parser.parse_args()
    mutants = read_mutants()
    known = {mutant.name for mutant in mutants}
    for name in options.only or ():
        if name not in known:
            parser.error(f"there is no defect {name!r}")
    chosen = [mutant for mutant in mutants if not options.only or mutant.name in options.only]
    faults = [fault for mutant in chosen if (fault := mutant.fault(ROOT))]
    if faults:
        print("\n".join(faults))
        return 1
    return 0 if run(chosen, options.jobs) else 1


if __name__ == "__main__":
    sys.exit(main())

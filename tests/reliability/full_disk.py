"""Full disks, folders that are read-only or vanish: one line, nothing half-written, then onwards.

    python tests/reliability/full_disk.py --count 12 --seed 0

A disk is a small tmpfs where this process may mount one, and otherwise a limit on the size of
files. When there is room again, the command must end well, with the files of an undisturbed one.
"""

import argparse
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from kills import COMMANDS, LEFT_ALONE, Undisturbed, differences, files_under, undisturbed

POLICY = """
from dosuite.agents import make_agent, save_policy
from dosuite.envs import collect, make_model
log = collect(make_model("IceCreamShorts-v0"), 50, 0)
policy = make_agent("bc:updates=5,hidden=64").learn(log.view(0), 0)
save_policy(policy, "policy.pt")
"""
ENOUGH = 2**26  # bytes
BLOCK = 2**12
COMMAND = "from dosuite.eval.cli.main import main; main()"


def run(
    arguments: tuple[str, ...], folder: Path, limit: int | None = None, vanish: float | None = None
) -> tuple[int, str]:
    """The exit code and the output of a command or, without arguments, of the saving of a policy.

    No file may grow over `limit` bytes; after `vanish` seconds the subfolders are removed.
    """

    def before() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    # a file of its own, for the output must not end at the limit
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND if arguments else POLICY, *arguments],
        cwd=folder,
        env={**os.environ, "MINARI_DATASETS_PATH": str(folder / "minari")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=before,  # noqa: PLW1509, this process has no threads
    )
    if vanish is not None:
        time.sleep(vanish)
        for path in folder.iterdir():
            shutil.rmtree(path, ignore_errors=True)
    output, _ = process.communicate(timeout=LEFT_ALONE)
    return process.returncode, output


@contextmanager
def disk(folder: Path, size: int) -> Iterator[bool]:
    """A folder that is a tmpfs of a size in bytes; False if none can be mounted."""
    folder.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    mounted = subprocess.run(mount, check=False, capture_output=True).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=True)


def remount(folder: Path, options: str) -> None:
    """Change the options of a tmpfs."""
    subprocess.run(["mount", "-o", f"remount,{options}", str(folder)], check=True)


def faults_of_refusal(name: str, code: int, output: str) -> list[str]:
    """What is wrong with how a command ended that could not write."""
    if name == "save_policy":
        ended = code == 1 and "policy.pt" in output.splitlines()[-1]
        return [] if ended else [f"ended with {code}: {output[-200:]}"]
    # a command that refuses an option puts its own name first, which is -c in a child
    begins = ("dosuite: ", f"-c {name.partition(' ')[0]}: ")
    lines = [line for line in output.splitlines() if line.startswith(begins)]
    faults = [] if code == 2 else [f"ended with {code}: {output[-300:]}"]
    if "Traceback" in output or len(lines) != 1:
        faults.append(f"not one line: {output[-300:]}")
    return faults


def faults_of_leftovers(folder: Path, peace: Undisturbed) -> list[str]:
    """The files that are not whole: hidden ones, and others than those of the undisturbed."""
    before = files_under(peace.before)
    faults = []
    for path, content in files_under(folder).items():
        if path.endswith("/"):
            continue
        if "/." in f"/{path}":
            faults.append(f"left {path}")
        elif content != peace.files.get(path) and content != before.get(path):
            faults.append(f"half-written {path}")
    return faults


def full(name: str, peace: Undisturbed, folder: Path, share: float) -> list[str]:
    """A disk with room for a share of the files; then with enough."""
    sizes = [-(-len(content) // BLOCK) * BLOCK for content in peace.files.values()]
    size = int(share * sum(sizes))
    with disk(folder, ENOUGH) as mounted:
        shutil.copytree(peace.before, folder, dirs_exist_ok=True)
        if mounted:
            used = sum(path.stat().st_blocks * 512 for path in folder.rglob("*"))
            remount(folder, f"size={max(size, used + BLOCK)}")
        code, output = run(
            peace.arguments, folder, None if mounted else int(share * max(sizes, default=0))
        )
        faults = [] if code == 0 else faults_of_refusal(name, code, output)
        faults += faults_of_leftovers(folder, peace)
        if mounted:
            remount(folder, f"size={ENOUGH}")
        return faults + faults_of_rest(peace, folder)


def read_only(name: str, peace: Undisturbed, folder: Path, share: float) -> list[str]:
    """A folder that cannot be written to; then one that can."""
    with disk(folder, ENOUGH) as mounted:
        shutil.copytree(peace.before, folder, dirs_exist_ok=True)
        if mounted:
            remount(folder, "ro")
        elif os.geteuid():
            folder.chmod(0o555)
        else:
            return []
        faults = faults_of_refusal(name, *run(peace.arguments, folder))
        if mounted:
            remount(folder, "rw")
        else:
            folder.chmod(0o755)
        return faults + faults_of_rest(peace, folder)


def vanishing(name: str, peace: Undisturbed, folder: Path, share: float) -> list[str]:
    """A folder whose subfolders vanish while a command writes; then it is started again."""
    shutil.copytree(peace.before, folder)
    code, output = run(peace.arguments, folder, vanish=share * peace.seconds)
    faults = [] if code == 0 else faults_of_refusal(name, code, output)
    for path in peace.before.iterdir():
        if path.is_dir():
            shutil.copytree(path, folder / path.name, dirs_exist_ok=True)
    return faults + faults_of_rest(peace, folder)


def faults_of_rest(peace: Undisturbed, folder: Path) -> list[str]:
    """What is wrong when a command is started again and nothing is in its way."""
    code, output = run(peace.arguments, folder)
    if code:
        return [f"does not go on: {output[-300:]}"]
    return differences(files_under(folder), peace.files)


def saved_policy(folder: Path) -> Undisturbed:
    """The saving of a policy, undisturbed."""
    (folder / "before").mkdir(parents=True)
    (folder / "after").mkdir()
    begin = time.monotonic()
    code, output = run((), folder / "after")
    assert code == 0, output
    files = files_under(folder / "after")
    return Undisturbed((), folder / "before", files, time.monotonic() - begin)


KINDS: dict[str, Callable[[str, Undisturbed, Path, float], list[str]]] = {
    "full": full,
    "read-only": read_only,
    "vanishing": vanishing,
}
NAMES = (*COMMANDS, "save_policy")


def measured(kind: str, name: str, peace: Undisturbed, folder: Path, share: float) -> list[str]:
    """What is wrong after one try."""
    faults = KINDS[kind](name, peace, folder, share)
    return [f"{kind}, {name}, {share:.2f}: {fault}" for fault in faults]


def main() -> int:
    """Try all kinds with all commands, print a table, and return 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=12, help="sizes of the disk, and moments")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=NAMES, action="append")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    root = Path(tempfile.mkdtemp(prefix="disk-"))
    print(f"{'command':<16}{'kind':<12}{'tries':>6}{'faults':>8}", flush=True)
    total = 0
    for name in options.only or NAMES:
        place = root / name.replace(" ", "")
        peace = saved_policy(place) if name == "save_policy" else undisturbed(name, place)
        for kind in KINDS:
            faults = []
            tries = 1 if kind == "read-only" else options.count
            if kind == "vanishing" and name == "save_policy":
                continue  # it writes in no subfolder
            for number in range(tries):
                share = (number + rng.random()) / tries
                faults += measured(kind, name, peace, place / f"{kind}{number}", share)
            print(f"{name:<16}{kind:<12}{tries:>6}{len(faults):>8}", flush=True)
            print("".join(f"  {fault}\n" for fault in faults), end="", flush=True)
            total += len(faults)
    if not total:
        shutil.rmtree(root)
    return 1 if total else 0


if __name__ == "__main__":
    sys.exit(main())

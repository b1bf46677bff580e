"""Build the sdist and the wheel, install each in an environment of its own, and use it.

    python tests/reliability/distributions.py

needs the package `build`, and a network for the libraries. `--libraries here` builds without
isolation, and the new environments use the libraries of the Python that runs this file; then
neither is needed, but `setuptools` is. `--libraries lowest` is the same with the lowest versions
that pyproject.toml allows, but for torch; it needs a network. The versions that were tried are
printed.
"""

import argparse
import re
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import tomllib
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
BUILD = """
import sys
from setuptools import build_meta
out = sys.argv[1]  # which building changes
build_meta.build_sdist(out)
build_meta.build_wheel(out)
"""
VERSIONS = """
import re
from importlib.metadata import requires, version
texts = [text for text in requires("dosuite") if "extra ==" not in text]
names = sorted(re.match(r"[\\w-]+", text)[0] for text in texts)
print(", ".join(f"{name} {version(name)}" for name in names))
"""
# what is done with an installed package, and a text that it prints
USES = (
    (("-m", "dosuite", "--version"), "dosuite "),
    (("-m", "dosuite", "show", "IceCreamShorts-v0"), "0.6150"),
    (("-m", "dosuite", "cite", "SimpsonClinic-v0"), "@software{dosuite"),
    (("-m", "dosuite", "study", "--findings"), ""),
    (("-m", "dosuite", "run", "IceCreamShorts-v0", "--agent", "naive", "--seeds", "1"), "report: "),
)


def main() -> int:
    """Check both distributions, and say what failed: the exit status is 1 if anything did."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--libraries", choices=("fresh", "here", "lowest"), default="fresh")
    libraries = parser.parse_args().libraries
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        for file in _built(Path(folder), libraries == "fresh"):
            missing = _not_packed(file)
            python = _installed(file, Path(folder) / f"{file.name}-environment", libraries)
            failed = [command for command, text in USES if text not in _output(python, command)]
            print(f"{file.name}: {len(USES) - len(failed)} of {len(USES)} commands ran")
            print(f"  with {_output(python, ('-c', VERSIONS)).strip()}")
            for name in missing:
                print(f"  lacks {name}")
            for command in failed:
                print(f"  failed: python {' '.join(command)}")
            failures += len(missing) + len(failed)
    return int(failures > 0)


def _built(folder: Path, is_isolated: bool) -> list[Path]:
    """The sdist and the wheel, built of what git has."""
    source, out = folder / "source", folder / "dist"
    source.mkdir()
    archive = folder / "source.tar"
    subprocess.run(["git", "archive", "-o", archive, "HEAD"], cwd=ROOT, check=True)
    with tarfile.open(archive) as tar:
        tar.extractall(source, filter="data")
    command = ["-m", "build", "--outdir", str(out)] if is_isolated else ["-c", BUILD, str(out)]
    subprocess.run([sys.executable, *command], cwd=source, check=True, capture_output=True)
    return sorted(out.iterdir())


def _not_packed(file: Path) -> list[str]:
    """Files of the wheel or sdist that git has in the four folders, but the distribution lacks."""
    if file.suffix == ".whl":
        packed = {name.removeprefix("dosuite/") for name in zipfile.ZipFile(file).namelist()}
    else:
        with tarfile.open(file) as tar:
            packed = {name.partition("/")[2] for name in tar.getnames()}
    folders = ("causal", "envs", "agents", "eval")
    listed = subprocess.run(
        ["git", "ls-files", *folders], cwd=ROOT, check=True, capture_output=True, text=True
    )
    if "__main__.py" in packed:
        packed.add("eval/cli/entry/__main__.py")
    return sorted(set(listed.stdout.split()) - packed)


def _installed(file: Path, place: Path, libraries: str) -> Path:
    """The Python of a new environment that has the distribution."""
    are_fresh = libraries == "fresh"
    venv.create(place, with_pip=are_fresh, symlinks=True)
    python = place / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    options = ["-c", str(ROOT / "constraints.txt")]
    if not are_fresh:
        options = ["--no-deps", "--no-build-isolation", "--ignore-installed"]
        (site,) = place.glob("lib/python*/site-packages")
        # a path in a .pth file: packages can be imported from there, editable installs cannot
        (site / "libraries.pth").write_text(sysconfig.get_path("purelib"))
        if libraries == "lowest":  # what stands in the environment comes before the path
            options += ["--only-binary", "numpy,pandas,scipy", *_lowest(), "pytz"]  # for pandas 2
    command = [str(python), "-m", "pip", "install", "--quiet", *options, str(file)]
    subprocess.run(command, cwd=place, check=True)
    return python


def _lowest() -> list[str]:
    """The lowest version of each library that pyproject.toml allows, but for torch."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pairs = [re.match(r"([\w-]+).*>=([\d.]+)", text) for text in project["dependencies"]]
    return [f"{pair[1]}=={pair[2]}" for pair in pairs if pair and pair[1] != "torch"]


def _output(python: Path, command: tuple[str, ...]) -> str:
    """What a command prints; with an exit status that is not 0, a text that nothing expects."""
    done = subprocess.run(
        [python, *command], cwd=python.parent, capture_output=True, text=True, check=False
    )
    return done.stdout if done.returncode == 0 else "\0"


if __name__ == "__main__":
    sys.exit(main())

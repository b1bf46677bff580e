"""A hash of all code that a result depends on, so that a change of it makes results stale."""

import ast
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from hashlib import blake2b
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

HASH_BYTES = 16
FLOORS = ("causal", "envs", "agents", "eval")
# The same seed gives other numbers under other versions of these: initial weights, random streams,
# optimisers and linear algebra are theirs. Nothing is computed with the other dependencies.
LIBRARIES = (
    "gymnasium",
    "networkx",
    "numpy",
    "sb3-contrib",
    "scipy",
    "stable-baselines3",
    "torch",
)


@cache
def code_hash() -> bytes:
    """A hash of the whole package and of the versions of the libraries it computes with.

    It is taken once in a process, which took 10 ms for 230 files, and goes on naming the code that
    the process has loaded.
    """
    return code_bytes(hash_of_floors(FLOORS), versions())


def code_bytes(code: bytes, versions: Mapping[str, str]) -> bytes:
    """The `code_hash` of code with this hash that computes with these versions."""
    return code + " ".join(f"{name} {number}" for name, number in versions.items()).encode()


def versions() -> dict[str, str]:
    """The versions of this package and of the libraries it computes with, by name."""
    return {name: version(name) for name in ("dosuite", *LIBRARIES)}


def hash_of_floors(floors: tuple[str, ...]) -> bytes:
    """A hash of the code of some floors of the package, such as ("causal", "envs")."""
    specs = [find_spec(f"dosuite.{floor}") for floor in floors]
    return hash_of_folders(Path(spec.origin).parent for spec in specs if spec and spec.origin)


def hash_of_folders(folders: Iterable[Path]) -> bytes:
    """A hash of the names and contents of all Python files and weights under some folders."""
    digest = blake2b(digest_size=HASH_BYTES)
    for folder in folders:
        for path in sorted([*folder.rglob("*.py"), *folder.rglob("*.npz")]):
            content = blake2b(path.read_bytes(), digest_size=16).digest()
            digest.update(f"{folder.name}/{path.relative_to(folder)}".encode() + content)
    return digest.digest()


def user_code(path: Path) -> bytes:
    """The contents of a user's file and of the modules beside it that it imports, and so on."""
    contents: dict[Path, bytes] = {}
    waiting = [path.resolve()]
    while waiting:
        file = waiting.pop()
        if file not in contents:
            contents[file] = file.read_bytes()
            waiting += _imported_from(file.parent, contents[file])
    return b"".join(content for _, content in sorted(contents.items()))


def _imported_from(folder: Path, content: bytes) -> list[Path]:
    """The files in a folder that a module imports by name: `import helper` -> `helper.py`."""
    files = []
    for name in _imported_names(content):
        files += [folder / f"{name}.py", *sorted((folder / name).rglob("*.py"))]
    return [file.resolve() for file in files if file.is_file()]


@lru_cache(maxsize=64)
def _imported_names(content: bytes) -> tuple[str, ...]:
    """The first part of the name of each module that a source text imports, sorted."""
    names = set()
    try:
        module = ast.parse(content)
    except (SyntaxError, ValueError):  # such a file cannot have been imported
        return ()
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return tuple(sorted(names))

"""Import a user's Python file, so that one broken class does not hide the others."""

import __future__

import ast
import importlib
import importlib.util
import io
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from types import ModuleType
from typing import Any

from dosuite.causal import InputError

from .trust import PYTHON, check_trusted

MAIN = 'if __name__ == "__main__":'
_helpers: dict[str, Path] = {}  # modules imported from beside users' files, and their folders
_faults: dict[str, dict[str, Exception]] = {}  # by module: broken classes, and what they raised
_importing: set[str] = set()


def import_file(file: Path) -> ModuleType:
    """Import a file, once for each content: a file that was changed is another module.

    A class statement that raises is left out, and `faults_of` has its error. Raises InputError if
    anything else raises, or if the file is not trusted, exits, reads its input, or imports itself.
    """
    check_trusted(file, PYTHON)
    name = f"{file.stem}_{blake2b(file.read_bytes(), digest_size=8).hexdigest()}"
    if name in _importing:
        raise InputError(
            f"{file} asks for its own classes while it is imported; move these lines under {MAIN}"
        )
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None:
        raise InputError(f"{file} is not a Python file")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    _faults[name] = {}
    _importing.add(name)
    try:
        with importing_beside(file), _without_input():
            _execute(file, module)
    except BaseException as error:  # the file is the user's, and may raise anything
        del sys.modules[name]
        reason = _reason(error, _faults[name])
        if not reason:
            raise
        raise InputError(f"{file}{reason}") from error
    finally:
        _importing.discard(name)
    return module


def faults_of(module: ModuleType) -> Mapping[str, Exception]:
    """The broken classes of a user's file by name, and what their definitions raised."""
    return _faults.get(module.__name__, {})


def described(error: BaseException) -> str:
    """An error that a user's code raised: an InputError says all, others get their type."""
    return str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}"


def _execute(file: Path, module: ModuleType) -> None:
    """Run the statements of a file in its module, each on its own."""
    tree = ast.parse(file.read_bytes(), str(file))
    # The names that `from __future__ import` lists hold for all statements of the file.
    flags = 0
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            for alias in node.names:
                flags |= getattr(__future__, alias.name).compiler_flag
    compile(tree, str(file), "exec", flags, dont_inherit=True)  # raises at errors of syntax
    faults = _faults[module.__name__]
    module.__doc__ = ast.get_docstring(tree, clean=False)
    for node in tree.body:
        code = compile(ast.Module([node], []), str(file), "exec", flags, dont_inherit=True)
        try:
            exec(code, vars(module))
        except Exception as error:
            if not isinstance(node, ast.ClassDef):
                raise
            faults[node.name] = _cause(error, faults)
            vars(module).pop(node.name, None)


def _reason(error: BaseException, faults: Mapping[str, Exception]) -> str:
    """How the message of an error goes on after the file's name; "" if it is to be raised."""
    if isinstance(error, SystemExit):
        return f" exits when it is imported; move what it runs under {MAIN}"
    if not isinstance(error, Exception):
        return ""
    cause = _cause(error, faults)
    if isinstance(cause, InputError):
        return f": {cause}"
    return f" does not import: {described(cause)}"


def _cause(error: Exception, faults: Mapping[str, Exception]) -> Exception:
    """The fault of the broken class whose name is missing, if that is the error."""
    name = error.name if isinstance(error, NameError) else None
    return faults.get(name, error) if name else error


class _NoInput(io.TextIOBase):
    """A standard input that is not there to be read."""

    def read(self, size: int | None = -1, /) -> str:
        raise InputError(f"it reads its input when it is imported; move that under {MAIN}")

    def readline(self, size: int = -1, /) -> str:  # type: ignore[override]
        return self.read()

    @property
    def buffer(self) -> Any:
        return self.read()


@contextmanager
def _without_input() -> Iterator[None]:
    """Refuse reads of the standard input, which would wait for somebody to type."""
    before = sys.stdin
    sys.stdin = _NoInput()
    try:
        yield
    finally:
        sys.stdin = before


@contextmanager
def importing_beside(file: Path) -> Iterator[None]:
    """Import with the folder of a user's file first on the path, as `python file.py` does.

    The folder stays on the path, at its end, for imports inside functions. A module of the same
    name from beside another user's file is forgotten, so that each file gets its own.
    """
    folder = file.resolve().parent
    for name, place in list(_helpers.items()):
        if place != folder and _holds(folder, name):
            sys.modules.pop(name, None)
            del _helpers[name]
    before = set(sys.modules)
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        if str(folder) not in sys.path:
            sys.path.append(str(folder))
        for name in set(sys.modules) - before:
            origin = getattr(sys.modules[name], "__file__", None)
            if origin and Path(origin).resolve().is_relative_to(folder):
                _helpers[name] = folder


def _holds(folder: Path, name: str) -> bool:
    """Whether a folder has a module or a package that an import of this name can find."""
    first = folder / name.partition(".")[0]
    return first.with_suffix(".py").is_file() or first.is_dir()

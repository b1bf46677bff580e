"""Find worlds and agents: by scanning a package, or in a user's file."""

import importlib
import importlib.util
import inspect
import pkgutil
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from dosuite.causal import InputError
from dosuite.causal.errors import did_you_mean

T = TypeVar("T")
_FILE = r"(.+\.py)(?::(\w+))?"
_helpers: dict[str, Path] = {}  # modules imported from beside users' files, and their folders


def classes_in_package(package: ModuleType, base: type[T]) -> list[type[T]]:
    """Every subclass of `base` that a module of a package defines, sorted by module, then by line.

    All modules of the package are imported.
    """
    modules = pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    classes: list[type[T]] = []
    for module in sorted(info.name for info in modules):
        classes += _classes(importlib.import_module(module), base)
    return classes


def names_file(text: str) -> bool:
    """Whether a text has the form `path/to/file.py` or `path/to/file.py:Class`."""
    return re.fullmatch(_FILE, text) is not None


def class_in_file(where: str, base: type[T], wider: type[Any] | None = None) -> type[T]:
    """The class named by `path/to/file.py:Class`, or the only one in `path/to/file.py`.

    `wider` is a superclass of `base` that a user may have subclassed by mistake. Raises InputError
    if the file does not exist or cannot be imported, or if no class or several classes fit.
    """
    file, name = _split(where)
    if not file.is_file():
        raise InputError(f"there is no file {file}")
    module = _import_file(file)
    classes = {cls.__name__: cls for cls in _classes(module, base)}
    if name in classes:
        return classes[name]
    if not name and len(classes) == 1:
        return next(iter(classes.values()))

    if wider is not None:
        for cls in _classes(module, wider):
            if cls.__name__ == name or not (name or classes):
                raise InputError(
                    f"{file}: {cls.__name__} must subclass {base.__name__}, and subclasses "
                    f"{wider.__name__}"
                )
    if name:
        raise InputError(
            f"{file} has no {base.__name__} named {name!r}; {did_you_mean(name, classes)}"
        )
    raise InputError(
        f"{file} has {len(classes)} subclasses of {base.__name__}; name one as {file}:Class"
    )


def named_in_file(where: str) -> Any:
    """The object named by `path/to/file.py:name`; None if the file or the name does not exist.

    Raises InputError if the file cannot be imported.
    """
    file, name = _split(where)
    if not name or not file.is_file():
        return None
    return getattr(_import_file(file), name, None)


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


def _split(where: str) -> tuple[Path, str]:
    """The file, and the name after the colon, which may be empty."""
    path, name = re.fullmatch(_FILE, where).groups("")  # type: ignore[union-attr]
    return Path(path), name


def _classes(module: ModuleType, base: type[T]) -> list[type[T]]:
    """The subclasses of `base` that a module defines, without those that it imports."""
    return [
        member
        for member in vars(module).values()
        if inspect.isclass(member)
        and issubclass(member, base)
        and member.__module__ == module.__name__
    ]


def _import_file(file: Path) -> ModuleType:
    """Import a file, once for each content: a file that was changed is another module."""
    name = f"{file.stem}_{blake2b(file.read_bytes(), digest_size=8).hexdigest()}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise InputError(f"{file} is not a Python file")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        with importing_beside(file):
            spec.loader.exec_module(module)
    except InputError as error:
        del sys.modules[name]
        raise InputError(f"{file}: {error}") from error
    except (Exception, SystemExit) as error:  # the file is the user's, and may raise anything
        del sys.modules[name]
        raise InputError(f"{file} does not import: {type(error).__name__}: {error}") from error
    return module

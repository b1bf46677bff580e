"""Find worlds and agents: by scanning a package, or in a user's file."""

import importlib
import importlib.util
import inspect
import pkgutil
import re
import sys
from hashlib import blake2b
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from dosuite.causal import InputError
from dosuite.causal.errors import did_you_mean

T = TypeVar("T")
_FILE = r"(.+\.py)(?::(\w+))?"


def classes_in_package(package: ModuleType, base: type[T]) -> list[type[T]]:
    """Every subclass of `base` that a module of the package defines, in the order of names and
    lines.
    """
    found: list[type[T]] = []
    for module in sorted(
        info.name for info in pkgutil.walk_packages(package.__path__, package.__name__ + ".")
    ):
        found += _classes(importlib.import_module(module), base)
    return found


def names_file(text: str) -> bool:
    """Whether a name is that of a file: `path/to/file.py` or `path/to/file.py:Class`."""
    return re.fullmatch(_FILE, text) is not None


def class_in_file(where: str, base: type[T]) -> type[T]:
    """The class named by `path/to/file.py:Class`, or the only one in `path/to/file.py`.

    Raises InputError if the file is not there, does not import, or has no such class or several.
    """
    path, name = re.fullmatch(_FILE, where).groups("")  # type: ignore[union-attr]
    file = Path(path)
    if not file.is_file():
        raise InputError(f"there is no file {file}")
    found = {cls.__name__: cls for cls in _classes(_import_file(file), base)}
    if name and name not in found:
        raise InputError(
            f"{file} has no {base.__name__} named {name!r}; {did_you_mean(name, found)}"
        )
    if not name and len(found) != 1:
        raise InputError(
            f"{file} has {len(found)} subclasses of {base.__name__}; name one as {file}:Class"
        )
    return found[name] if name else next(iter(found.values()))


def named_in_file(where: str) -> Any:
    """What is named by `path/to/file.py:name`;

    None if the file or the name is not there. Raises InputError if it does not import.
    """
    path, name = re.fullmatch(_FILE, where).groups("")  # type: ignore[union-attr]
    return getattr(_import_file(Path(path)), name, None) if name and Path(path).is_file() else None


def _classes(module: ModuleType, base: type[T]) -> list[type[T]]:
    members = vars(module).values()
    return [
        cls
        for cls in members
        if inspect.isclass(cls) and issubclass(cls, base) and cls.__module__ == module.__name__
    ]


def _import_file(file: Path) -> ModuleType:
    # a changed file is another module
    name = f"{file.stem}_{blake2b(file.read_bytes(), digest_size=8).hexdigest()}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise InputError(f"{file} is not a Python file")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        if isinstance(error, InputError):
            raise InputError(f"{file}: {error}") from None
        raise InputError(f"{file} does not import: {type(error).__name__}: {error}") from error
    return module

"""Find worlds and agents: by scanning a package, or in a user's file."""

import importlib
import inspect
import pkgutil
import re
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from dosuite.causal import InputError
from dosuite.causal.errors import did_you_mean

from .user_files import described, faults_of, import_file

T = TypeVar("T")
_FILE = r"(.+\.py)(?::(\w+))?"


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
    if the file does not exist, is not trusted (see `trust`) or cannot be imported, or if no class
    or several classes fit.
    """
    file, name = _split(where)
    if not file.is_file():
        raise InputError(f"there is no file {file}")
    module = import_file(file)
    classes = {cls.__name__: cls for cls in _classes(module, base)}
    faults = faults_of(module)
    if name in classes:
        return classes[name]
    if not name and len(classes) == 1 and not faults:
        return next(iter(classes.values()))

    if wider is not None:
        for cls in _classes(module, wider):
            if cls.__name__ == name or not (name or classes):
                raise InputError(
                    f"{file}: {cls.__name__} must subclass {base.__name__}, and subclasses "
                    f"{wider.__name__}"
                )
    if name in faults or (faults and not (name or classes)):
        broken = name or next(iter(faults))
        raise InputError(f"{file}: {_blamed(broken, faults[broken])}") from faults[broken]
    if not classes:
        wanted = f"{base.__name__} named {name!r}" if name else base.__name__
        raise InputError(f"{file} has no {wanted}; define a subclass of {base.__name__} there")
    if name:
        hint = did_you_mean(name, [*classes, *faults])
        raise InputError(f"{file} has no {base.__name__} named {name!r}; {hint}")
    first, *others = *classes, *faults
    names = ", ".join([first, *others])
    raise InputError(f"{file} has several classes, {names}; name one of them, {file}:{first}")


def _blamed(name: str, fault: Exception) -> str:
    """The error of a broken class, which begins with the name of the class."""
    text = described(fault)
    return text if text.startswith(name) else f"{name}: {text}"


def named_in_file(where: str) -> Any:
    """The object named by `path/to/file.py:name`; None if the file or the name does not exist.

    Raises InputError if the file is not trusted or cannot be imported, or if the name is that of a
    broken class.
    """
    file, name = _split(where)
    if not name or not file.is_file():
        return None
    module = import_file(file)
    if name in faults_of(module):
        fault = faults_of(module)[name]
        raise InputError(f"{file}: {_blamed(name, fault)}") from fault
    return getattr(module, name, None)


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

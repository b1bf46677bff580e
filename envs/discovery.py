"""Finding worlds and agents: by scanning a folder, by name, or in a user's file; and settings written as text."""

import importlib
import importlib.util
import inspect
import pkgutil
import re
import sys
from collections.abc import Collection
from dataclasses import MISSING, fields
from hashlib import blake2b
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from confoundry.causal import InputError, did_you_mean

T = TypeVar("T")
_FILE = r"(.+\.py)(?::(\w+))?"


def classes_in_package(package: ModuleType, base: type[T], skip: Collection[str] = ()) -> list[type[T]]:
    """Every subclass of `base` that a module of the package defines, but for modules to skip, in the order of names and lines."""
    found: list[type[T]] = []
    for module in sorted(info.name for info in pkgutil.iter_modules(package.__path__) if info.name not in skip):
        found += _classes(importlib.import_module(f"{package.__name__}.{module}"), base)
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
        raise InputError(f"{file} has no {base.__name__} named {name!r}; {did_you_mean(name, found)}")
    if not name and len(found) != 1:
        raise InputError(f"{file} has {len(found)} subclasses of {base.__name__}; name one as {file}:Class")
    return found[name] if name else next(iter(found.values()))


def named_in_file(where: str) -> Any:
    """What is named by `path/to/file.py:name`; None if the file or the name is not there. Raises InputError if it does not import."""
    path, name = re.fullmatch(_FILE, where).groups("")  # type: ignore[union-attr]
    return getattr(_import_file(Path(path)), name, None) if name and Path(path).is_file() else None


def parse(text: str) -> tuple[str, dict[str, str]]:
    """`name:key=value,key=value` as the name and its settings; the name may be a `file.py` or `file.py:Class`."""
    head, _, tail = text.rpartition(":")
    if not head or "=" not in tail:
        return text, {}
    pairs = [part.partition("=") for part in tail.split(",")]
    if bad := [part for part, equals, _ in pairs if not equals]:
        raise InputError(f"{text}: write settings as key=value, and not {bad[0]!r}")
    return head, {key.strip(): value.strip() for key, _, value in pairs}


def unparse(name: str, settings: dict[str, Any]) -> str:
    """The text that `parse` reads."""
    return ":".join(filter(None, [name, ",".join(f"{key}={value}" for key, value in settings.items())]))


def typed(cls: type, settings: dict[str, Any]) -> dict[str, Any]:
    """The settings of a dataclass with text turned into the type of the field's default.

    Raises InputError if a setting is not a field, or cannot be read as its type.
    """
    defaults = {field.name: field.default for field in fields(cls) if field.init and field.default is not MISSING}
    for key in settings:
        if key not in defaults:
            raise InputError(f"{cls.__name__} has no setting {key!r}; {did_you_mean(key, defaults)}")
    return {key: _read(cls, key, value, type(defaults[key])) for key, value in settings.items()}


def _read(cls: type, key: str, value: Any, kind: type) -> Any:
    if not isinstance(value, str) or kind is str:
        return value
    if kind is bool and value.lower() in ("true", "false"):
        return value.lower() == "true"
    try:
        if kind in (int, float):
            return kind(value)
    except ValueError:
        pass
    raise InputError(f"{cls.__name__}: {key} must be of type {kind.__name__}, and got {value!r}")


def _classes(module: ModuleType, base: type[T]) -> list[type[T]]:
    members = vars(module).values()
    return [cls for cls in members if inspect.isclass(cls) and issubclass(cls, base) and cls.__module__ == module.__name__]


def _import_file(file: Path) -> ModuleType:
    name = f"{file.stem}_{blake2b(file.read_bytes(), digest_size=8).hexdigest()}"  # a changed file is another module
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

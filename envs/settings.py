"""Settings written as text: `name:key=value,key=value`."""

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any

from dosuite.causal import InputError
from dosuite.causal.errors import no_setting


def parse(text: str) -> tuple[str, dict[str, str]]:
    """Split `name:key=value,key=value` into the name and its settings.

    The name may be a `file.py` or `file.py:Class`. Raises InputError if a setting has no `=`.
    """
    name, _, tail = text.rpartition(":")
    if not name or "=" not in tail:
        return text, {}
    settings = {}
    for part in tail.split(","):
        key, equals, value = part.partition("=")
        if not equals:
            raise InputError(f"{text}: write settings as key=value, and not {key!r}")
        settings[key.strip()] = value.strip()
    return name, settings


def unparse(name: str, settings: Mapping[str, Any]) -> str:
    """The text that `parse` splits into this name and these settings."""
    if not settings:
        return name
    tail = ",".join(f"{key}={value}" for key, value in settings.items())
    return f"{name}:{tail}" if name else tail


def typed(cls: type, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a dataclass, with text converted to the type of the field's default.

    Raises InputError if a setting is not a field, or its text cannot be converted.
    """
    defaults = {
        field.name: field.default
        for field in fields(cls)
        if field.init and field.default is not MISSING
    }
    values = {}
    for key, value in settings.items():
        if key not in defaults:
            raise no_setting(cls, key, defaults)
        values[key] = _converted(cls, key, value, type(defaults[key]))
    return values


def _converted(cls: type, key: str, value: Any, kind: type) -> Any:
    if not isinstance(value, str) or kind is str:
        return value
    if kind is bool and value.lower() in ("true", "false"):
        return value.lower() == "true"
    try:
        if kind in (int, float):
            return kind(value)
    except ValueError:
        pass  # the message below names the setting
    raise InputError(f"{cls.__name__}: {key} must be of type {kind.__name__}, and got {value!r}")

"""Settings written as text: `name:key=value,key=value`."""

from dataclasses import MISSING, fields
from typing import Any

from dosuite.causal import InputError
from dosuite.causal.errors import did_you_mean


def parse(text: str) -> tuple[str, dict[str, str]]:
    """`name:key=value,key=value` as the name and its settings;

    the name may be a `file.py` or `file.py:Class`.
    """
    head, _, tail = text.rpartition(":")
    if not head or "=" not in tail:
        return text, {}
    pairs = [part.partition("=") for part in tail.split(",")]
    if bad := [part for part, equals, _ in pairs if not equals]:
        raise InputError(f"{text}: write settings as key=value, and not {bad[0]!r}")
    return head, {key.strip(): value.strip() for key, _, value in pairs}


def unparse(name: str, settings: dict[str, Any]) -> str:
    """The text that `parse` reads."""
    return ":".join(
        filter(None, [name, ",".join(f"{key}={value}" for key, value in settings.items())])
    )


def typed(cls: type, settings: dict[str, Any]) -> dict[str, Any]:
    """The settings of a dataclass with text turned into the type of the field's default.

    Raises InputError if a setting is not a field, or cannot be read as its type.
    """
    defaults = {
        field.name: field.default
        for field in fields(cls)
        if field.init and field.default is not MISSING
    }
    for key in settings:
        if key not in defaults:
            raise InputError(
                f"{cls.__name__} has no setting {key!r}; {did_you_mean(key, defaults)}"
            )
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

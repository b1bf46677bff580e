"""Settings written as text: `name:key=value,key=value`."""

import math
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import MISSING, fields
from typing import Any

import numpy as np

from dosuite.causal import InputError
from dosuite.causal.errors import no_setting

COMMAS = re.compile(r",(?![^\[]*\])")  # those outside of brackets


def parse(text: str) -> tuple[str, dict[str, str]]:
    """Split `name:key=value,key=value` into the name and its settings.

    The name may be a `file.py` or `file.py:Class`. A value that has settings itself is written
    `value[key=value,...]`; as a whole text, that means the same as `value:key=value,...`. Raises
    InputError if a setting has no `=` or is given twice.
    """
    outside, bracket, inside = text.partition("[")
    name, _, tail = outside.rpartition(":")
    if bracket and "=" not in tail and inside.endswith("]"):
        name, tail = outside, inside[:-1]
    else:
        tail += bracket + inside
    if not name or "=" not in tail:
        return text, {}
    settings = {}
    for part in COMMAS.split(tail):
        key, equals, value = part.partition("=")
        if not equals:
            raise InputError(f"{text}: write settings as key=value, and not {key!r}")
        if key.strip() in settings:
            raise InputError(f"{text} gives the setting {key.strip()} twice")
        settings[key.strip()] = value.strip()
    return name, settings


def unparse(name: str, settings: Mapping[str, Any]) -> str:
    """The text that `parse` splits into this name and these settings."""
    if not settings:
        return name
    tail = ",".join(f"{key}={bracketed(value)}" for key, value in settings.items())
    return f"{name}:{tail}" if name else tail


def bracketed(value: Any) -> Any:
    """A value of a setting, with its own settings in brackets."""
    name, settings = parse(value) if isinstance(value, str) else (value, {})
    return f"{name}[{unparse('', settings)}]" if settings else value


def typed(cls: type, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a dataclass, with text and numbers converted to the type of the default.

    Raises InputError if a setting is not a field, its text cannot be converted, a whole number is a
    fraction or a bool, or a number is not finite.
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
        kind = type(defaults[key])
        if kind in (int, float):
            values[key] = _number(cls, key, value, kind)
        elif isinstance(value, str) and kind is not str:
            values[key] = _flag(cls, key, value, kind)
        else:
            values[key] = value
    return values


def _number(cls: type, key: str, value: Any, kind: type) -> Any:
    """A text, an int or float, or one of NumPy's, as a finite number of a type."""
    allowed = (str, int, np.integer) if kind is int else (str, int, float, np.integer, np.floating)
    number = None
    if isinstance(value, allowed) and not isinstance(value, bool):
        with suppress(ValueError, OverflowError):
            number = kind(value)
    if number is None:
        raise InputError(
            f"{cls.__name__}: {key} must be of type {kind.__name__}, and got {value!r}"
        )
    if not math.isfinite(number):
        raise InputError(f"{cls.__name__}: {key} must be finite, and got {value}")
    return number


def _flag(cls: type, key: str, text: str, kind: type) -> bool:
    if kind is bool and text.lower() in ("true", "false"):
        return text.lower() == "true"
    raise InputError(f"{cls.__name__}: {key} must be of type {kind.__name__}, and got {text!r}")

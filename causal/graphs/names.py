"""Names of variables: one or several of them, and those of variables one step earlier."""

from collections.abc import Iterable
from typing import Any

from ..errors import InputError, short

LAG = "_tm1"  # the suffix of a variable one step earlier: "time minus 1"

Names = str | Iterable[str]  # one name or several


def as_names(names: Names) -> tuple[str, ...]:
    """One name or several, as a tuple in their order. Text is one name, never letters."""
    return tuple(text_name(name) for name in listed(names))


def text_name(node: object) -> str:
    """The name of any node as text; the pairs (name, step) of `unroll` become name[step]."""
    if isinstance(node, tuple) and len(node) == 2:
        return f"{node[0]}[{node[1]}]"
    return str(node)


def one_name(names: Names, what: str) -> str:
    """The name itself, or the only one in a list. Raises InputError if there are more or none."""
    found = as_names(names)
    if len(found) != 1:
        raise InputError(f"{what} is one variable, and got {short(names)}; name one")
    return found[0]


def flat_names(names: Iterable[Names]) -> tuple[str, ...]:
    """Names, and lists of names, as one tuple."""
    return tuple(name for part in names for name in as_names(part))


def listed(names: Any) -> tuple[Any, ...]:
    """One thing or several, as a tuple."""
    if isinstance(names, str) or not isinstance(names, Iterable):
        return (names,)
    return tuple(names)

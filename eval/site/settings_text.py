"""The settings of agents and worlds, with the comments that their source has beside them."""

import inspect
import re
from collections.abc import Iterable
from dataclasses import MISSING, fields
from typing import Any

import pandas as pd

from .prose import inline

_SETTING = re.compile(r"    (\w+): [^=]+ = .*?(?:  # (.*))?$")
_COMMENT = re.compile(r"    # (.*)")


def settings_table(cls: type[Any], inherited: Iterable[str] = ()) -> pd.DataFrame:
    """A row of texts for each setting of a dataclass: name, default and comment.

    Settings named in `inherited` are left out.
    """
    comments = comments_of(cls)
    hidden = set(inherited)
    rows = [
        [
            field.name,
            "" if field.default is MISSING else repr(field.default),
            inline(comments[field.name]),
        ]
        for field in fields(cls)
        if field.init and field.name not in hidden and field.name in comments
    ]
    return pd.DataFrame(rows, columns=["setting", "default", "what it is"])


def comments_of(cls: type[Any]) -> dict[str, str]:
    """The comment beside or above each setting of a class and its bases; "" where there is none."""
    comments: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        if base is object or base.__module__ == "abc":
            continue
        above: list[str] = []
        for line in inspect.getsource(base).splitlines():
            if comment := _COMMENT.match(line):
                above.append(comment[1])
                continue
            if setting := _SETTING.match(line):
                text = " ".join([*above, setting[2] or ""]).strip()
                comments[setting[1]] = text or comments.get(setting[1], "")
            above = []
    return comments

"""Graphs as text: this package's own notation.

A name that holds an arrow, a separator or another sign of these notations is written in double
quotes, in which a backslash escapes a quote, a backslash or, as \\n, a new line. So is a name of
several words that stands without an arrow, or of which a word is a variable too."""

import re
from collections.abc import Container
from dataclasses import dataclass, field
from itertools import pairwise, product
from typing import NoReturn

from ..errors import InputError

Pair = tuple[str, str]

ARROW = re.compile(r"(<->|->|<-)")
QUOTED = r'"(?:[^"\\]|\\.)*"'
MARK = "\0"  # stands on both sides of the number of a quoted name
# what cannot be in a name without quotes; `[8]` after a name is a step, as `unroll` writes it
RESERVED = re.compile(
    r'[<>{}"=|~@#\\,;\n\r\0\u2190-\u21ff\u27f0-\u27ff\u2900-\u297f]|--|//|/\*|\bo-o\b'
    r"|[\u00ad\u200b-\u200f\u202a-\u202e\u2060\ufeff]"  # signs that cannot be seen
    r"|(?<!\S)[-\u2013\u2014+&:](?!\S)|\s\s|[^\S ]|^[-(]|[-.:]$"
)
STEP = re.compile(r"(?<=.)\[\d+\]$")
ROLE = re.compile(r"^(.*\S)\s*\[(latent|selected)\]$", re.S)  # of a node, in this notation
CIRCLE = re.compile(r"(?<=\s)o->|<-o(?=\s)|(?<=\s)o-o(?=\s)")  # ends of edges of a PAG


@dataclass
class GraphText:
    """The nodes and edges of a text, in their order, and the roles that it gives to nodes."""

    nodes: dict[str, None] = field(default_factory=dict)
    directed: set[Pair] = field(default_factory=set)
    bidirected: set[Pair] = field(default_factory=set)
    roles: dict[str, str] = field(default_factory=dict)

    def add(self, groups: list[list[str]], arrows: list[str]) -> None:
        """Add a chain: groups of names with an arrow between each two."""
        for group in groups:
            self.nodes.update(dict.fromkeys(group))
        for (left, right), arrow in zip(pairwise(groups), arrows, strict=True):
            if arrow == "<->":
                self.bidirected.update(product(left, right))
            elif arrow == "->":
                self.directed.update(product(left, right))
            else:
                self.directed.update(product(right, left))


def quoted(name: str) -> str:
    """The name in quotes, as every notation reads it."""
    escaped = name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def written(name: str, among: Container[str], is_alone: bool = False) -> str:
    """The name as it is written in a text: in quotes, if it could be taken for something else.

    `among` has all names of the graph; `is_alone` tells whether no arrow is in the statement."""
    words = name.split()
    is_phrase = len(words) > 1
    could_be_several = is_phrase and (is_alone or any(word in among for word in words))
    return name if is_plain(name) and not could_be_several else quoted(name)


def is_plain(name: str) -> bool:
    """Whether a name has no sign of the notation, also not beside an arrow, where o is a circle."""
    is_circle = name == "o" or name.startswith("o ") or name.endswith(" o")
    return _has_no_signs(name) and not is_circle


def _has_no_signs(name: str) -> bool:
    if not name or name != name.strip() or RESERVED.search(name):
        return False
    if name.count("(") != name.count(")"):
        return False
    without_step = STEP.sub("", name)
    return "[" not in without_step and "]" not in without_step


def unquoted(name: str) -> str:
    return re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], name[1:-1], flags=re.S)


def own_notation(text: str) -> GraphText:
    """The graph in a text of this package's notation.

    Raises InputError with the statement that is not understood."""
    graph = GraphText()
    names: list[str] = []

    def replace(match: re.Match[str]) -> str:
        if not match[0].startswith('"'):
            return ""
        names.append(match[0])
        return f"{MARK}{len(names) - 1}{MARK}"

    if MARK in text:
        raise InputError("the text of a graph has a null character; remove it")
    marked = re.sub(rf"(?m)^[ \t]*(?:#|//)[^\n]*|{QUOTED}", replace, text)
    phrases: dict[str, str] = {}  # names of several words without quotes, and their statements
    for statement in re.split(r"[;\n]", marked):
        if not statement.strip():
            continue
        as_written = re.sub(f"{MARK}(\\d+){MARK}", lambda m: names[int(m[1])], statement.strip())
        if CIRCLE.search(statement):
            _refuse(as_written)
        # Names and arrows alternate: "a, b -> c <-> d" has the groups [a, b], [c] and [d].
        parts = ARROW.split(statement.strip())
        role = ROLE.match(parts[-1]) if len(parts) == 1 else None
        if role:
            parts = [role[1]]
        groups = []
        for part in parts[::2]:
            group = []
            for name in part.split(","):
                group.append(_own_name(name.strip(), names, as_written))
                if MARK not in name and " " in name.strip():
                    phrases[group[-1]] = as_written
                    if len(parts) == 1:
                        _refuse_phrase(group[-1], as_written)
            groups.append(group)
        graph.add(groups, parts[1::2])
        if role:
            meant = "latent" if role[2] == "latent" else "selection"
            graph.roles.update(dict.fromkeys(groups[0], meant))
    for name, as_written in phrases.items():
        if any(word in graph.nodes for word in name.split()):
            _refuse_phrase(name, as_written)
    return graph


def _own_name(name: str, names: list[str], statement: str) -> str:
    marked = re.fullmatch(f"{MARK}(\\d+){MARK}", name)
    if marked:
        return unquoted(names[int(marked[1])])
    if not _has_no_signs(name):
        _refuse(statement)
    return name


def _refuse_phrase(name: str, statement: str) -> NoReturn:
    several = ", ".join(name.split())
    raise InputError(
        f"{statement!r} may mean one variable or several; write {quoted(name)} in double quotes "
        f"for one, and {several} for several"
    )


def _refuse(statement: str) -> NoReturn:
    raise InputError(
        f"{statement!r} cannot be read; write names and arrows as in 'x -> y, z; x <-> y', and "
        "names with other signs in double quotes"
    )

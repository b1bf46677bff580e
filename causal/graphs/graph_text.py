"""Graphs as text: this package's own notation, and the parts of DOT and DAGitty that have a meaning
here.

A name that holds an arrow, a separator or another sign of these notations is written in double
quotes, in which a backslash escapes a quote, a backslash or, as \\n, a new line. So is a name of
several words that stands without an arrow, or of which a word is a variable too."""

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from itertools import pairwise, product
from typing import NamedTuple, NoReturn

from ..errors import InputError, checked_type
from .marks import hides

Pair = tuple[str, str]

ARROW = re.compile(r"(<->|->|<-)")
QUOTED = r'"(?:[^"\\]|\\.)*"'
MARK = "\0"  # stands on both sides of the number of a quoted name
# what cannot be in a name without quotes; `[8]` after a name is a step, as `unroll` writes it
RESERVED = re.compile(
    r'[<>{}"=|~@#\\,;\n\r\0\u2190-\u21ff\u27f0-\u27ff\u2900-\u297f]|--|//|/\*|\bo-o\b'
    r"|(?<!\S)[-\u2013\u2014+&:](?!\S)|\s\s|[^\S ]|^[-(]|[-.:]$"
)
STEP = re.compile(r"(?<=.)\[\d+\]$")
ROLE = re.compile(r"^(.*\S)\s*\[(latent|selected)\]$", re.S)  # of a node, in this notation
CIRCLE = re.compile(r"(?<=\s)o->|<-o(?=\s)|(?<=\s)o-o(?=\s)")  # ends of edges of a PAG

HEADER = re.compile(
    rf'\s*(?:strict\s+)?(?:digraph|graph|dag|pdag|mag|pag)\b\s*(?:[^\s{{"]+|{QUOTED})?\s*\{{', re.I
)
WORD = r"[\w.]+|(?<![\w.])-[\d.]+"  # of DOT and DAGitty
TOKEN = rf"<->|->|<-|--|[\[\]{{}};,=]|{WORD}"
HIDDEN = {"latent", "l", "unobserved", "u", "hidden"}
WITHOUT_MEANING = {"exposure", "e", "outcome", "o", "adjusted", "a"}  # DAGitty's choice of a query
SELECTED = {"selected", "s"}
DRAWING = frozenset(
    {"arc", "arrowsize", "beta", "color", "comment", "constraint", "fillcolor", "fixedsize"}
    | {"fontcolor", "fontname", "fontsize", "group", "headport", "height", "label", "labelangle"}
    | {"labeldistance", "len", "margin", "minlen", "penwidth", "pos", "shape", "tailport"}
    | {"tooltip", "weight", "width", "xlabel"}
)


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


def read(text: str) -> GraphText:
    """The graph in a text of any of the three notations.

    Raises InputError with the statement or line that is not understood."""
    checked_type(text, str, "a graph is read from a text")
    comment = r"^[ \t]*(?:#|//)[^\n]*"
    body = re.sub(f"(?m){comment}|{QUOTED}", _without_comment, text)
    header = HEADER.match(re.sub(r"/\*.*?\*/", " ", body, flags=re.S))
    return _Braces(text).read() if header else _own_notation(text)


def _without_comment(match: re.Match[str]) -> str:
    return match[0] if match[0].startswith('"') else ""


def _unquoted(name: str) -> str:
    return re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], name[1:-1], flags=re.S)


def _own_notation(text: str) -> GraphText:
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
        return _unquoted(names[int(marked[1])])
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


class _Token(NamedTuple):
    text: str
    position: int
    is_quoted: bool

    def is_name(self) -> bool:
        return self.is_quoted or bool(re.fullmatch(WORD, self.text))


class _Braces:
    """Reader of `digraph { ... }` of DOT and `dag { ... }` of DAGitty."""

    def __init__(self, text: str):
        self._text = text
        self._tokens = list(self._split())
        self._next = 0
        self._graph = GraphText()

    def read(self) -> GraphText:
        """The graph. Raises InputError with the line that is not understood."""
        if self._peek() == "strict":
            self._take()
        kind = self._take()
        if kind.text.lower() not in ("digraph", "dag"):
            self._fail(kind, "is not a causal graph; use digraph or dag")
        if self._peek() != "{":
            self._name()
        self._expect("{")
        while self._peek() != "}":
            if self._peek() in (";", ","):
                self._take()
            else:
                self._statement()
        self._expect("}")
        if self._next < len(self._tokens):
            self._fail(self._tokens[self._next], "comes after the end of the graph")
        return self._graph

    def _split(self) -> Iterator[_Token]:
        pattern = re.compile(
            rf"(?P<space>\s+|//[^\n]*|/\*.*?\*/|(?m:^[ \t]*#[^\n]*))"
            rf"|(?P<quoted>{QUOTED})|(?P<token>{TOKEN})",
            re.S,
        )
        position = 0
        while position < len(self._text):
            match = pattern.match(self._text, position)
            if match is None:
                self._fail(_Token(self._text[position], position, False), "is not understood")
            position = match.end()
            if match["quoted"]:
                yield _Token(_unquoted(match["quoted"]), match.start(), True)
            elif match["token"]:
                yield _Token(match["token"], match.start(), False)

    def _statement(self) -> None:
        first = self._tokens[self._next]
        groups = [self._group()]
        if self._peek() == "=":
            self._take()
            self._name()  # a setting of the drawing, such as rankdir=LR or bb="0,0,1,1"
            return
        arrows = []
        while self._peek() in ("->", "<-", "<->", "--"):
            arrow = self._take()
            if arrow.text == "--":
                self._fail(arrow, "is no arrow from cause to effect")
            arrows.append(arrow.text)
            groups.append(self._group())
        attributes: dict[str, str | None] = {}
        while self._peek() == "[":
            attributes |= self._attributes(is_edge=bool(arrows))
        keyword = first.text.lower() if not first.is_quoted else ""
        if keyword in ("node", "edge", "graph") and not arrows:
            self._check_default(first, attributes)
        elif arrows:
            self._add_edges(first, groups, arrows, attributes)
        else:
            self._graph.add(groups, [])
            self._add_roles(groups[0], attributes)

    def _check_default(self, keyword: _Token, attributes: dict[str, str | None]) -> None:
        if set(attributes) - DRAWING - {"style"}:
            self._fail(keyword, "gives a default with a meaning; write it at each node or edge")

    def _add_edges(
        self,
        first: _Token,
        groups: list[list[str]],
        arrows: list[str],
        attributes: dict[str, str | None],
    ) -> None:
        direction = attributes.get("dir", "forward")
        if direction not in ("forward", "back", "both"):
            self._fail(first, f"has dir={direction}, which is no causal arrow")
        if direction != "forward" and set(arrows) != {"->"}:
            self._fail(first, f"has dir={direction} for an arrow other than ->")
        dashed = attributes.get("style") in ("dashed", "dotted") and "dir" not in attributes
        if dashed and set(arrows) != {"<->"}:
            self._fail(first, "has a dashed arrow; write <-> if it is a hidden common cause")
        as_written = {"forward": None, "back": "<-", "both": "<->"}[direction]
        self._graph.add(groups, [as_written or arrow for arrow in arrows])

    def _add_roles(self, names: list[str], attributes: dict[str, str | None]) -> None:
        for name in names:
            for key, value in attributes.items():
                if key in HIDDEN or key == "observed":
                    if self._hides(name, key, value):
                        self._graph.roles[name] = "latent"
                elif key in SELECTED:
                    self._graph.roles[name] = "selection"
                elif key == "role" and value:
                    self._graph.roles[name] = value

    def _hides(self, name: str, key: str, value: str | None) -> bool:
        try:
            return hides(key, value)
        except InputError as error:
            position = self._tokens[self._next - 1].position
            self._fail(_Token(name, position, True), f"has {error}")

    def _attributes(self, is_edge: bool) -> dict[str, str | None]:
        self._expect("[")
        attributes: dict[str, str | None] = {}
        while self._peek() != "]":
            if self._peek() in (",", ";"):
                self._take()
                continue
            token = self._name()
            key = token.text.lower()
            value = None
            if self._peek() == "=":
                self._take()
                value = self._name().text
            meant = {"dir"} if is_edge else HIDDEN | SELECTED | WITHOUT_MEANING
            if not is_edge:
                meant = meant | {"observed", "role"}
            if key == "style" and not is_edge and value in ("dashed", "dotted"):
                self._fail(token, "draws a dashed node; write [latent] if it is hidden")
            if key not in meant | DRAWING | {"style"}:
                self._fail(token, "is an attribute that is not understood")
            attributes[key] = value
        self._expect("]")
        return attributes

    def _group(self) -> list[str]:
        """Names with commas between them, or in braces."""
        if self._peek() == "{":
            self._take()
            names = []
            while self._peek() != "}":
                if self._peek() in (",", ";"):
                    self._take()
                else:
                    names.append(self._name().text)
            self._expect("}")
            return names
        names = [self._node()]
        while self._peek() == ",":
            self._take()
            names.append(self._node())
        return names

    def _node(self) -> str:
        token = self._name()
        if token.text.lower() == "subgraph" and not token.is_quoted:
            self._fail(token, "is not read; write the nodes without it")
        if self._peek() == "[" and not token.is_quoted:
            step = [self._tokens[self._next + i].text for i in (1, 2) if self._has(i)]
            if len(step) == 2 and step[0].isdigit() and step[1] == "]":
                self._next += 3
                return f"{token.text}[{step[0]}]"
        return token.text

    def _has(self, ahead: int) -> bool:
        return self._next + ahead < len(self._tokens)

    def _peek(self) -> str:
        """The next sign or word; a quoted one and the end are none."""
        if not self._has(0):
            self._fail(_Token("", len(self._text), False), "lacks a closing brace or bracket")
        token = self._tokens[self._next]
        return "" if token.is_quoted else token.text

    def _take(self) -> _Token:
        self._peek()
        self._next += 1
        return self._tokens[self._next - 1]

    def _name(self) -> _Token:
        token = self._take()
        if not token.is_name():
            self._fail(token, "is not understood")
        return token

    def _expect(self, text: str) -> None:
        token = self._take()
        if token.text != text or token.is_quoted:
            self._fail(token, f"is not understood; {text} was expected")

    def _fail(self, token: _Token, reason: str) -> NoReturn:
        number = self._text.count("\n", 0, token.position) + 1
        line = self._text.split("\n")[number - 1].strip()
        raise InputError(f"line {number}, {line!r}, cannot be read: {token.text!r} {reason}")

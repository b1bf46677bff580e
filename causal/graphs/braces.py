"""Graphs in braces: the parts of DOT and of DAGitty's notation that have a meaning here."""

import re
from collections.abc import Collection, Iterator
from typing import NamedTuple, NoReturn

from ..errors import InputError, checked_type
from .graph_text import QUOTED, GraphText, own_notation, unquoted
from .marks import HIDDEN, arrow_of, role_of

HEADER = re.compile(
    rf'\s*(?:strict\s+)?(?:digraph|graph|dag|pdag|mag|pag)\b\s*(?:[^\s{{"]+|{QUOTED})?\s*\{{', re.I
)
WORD = r"[\w.]+|(?<![\w.])-[\d.]+"
TOKEN = rf"<->|->|<-|--|[\[\]{{}};:,=]|{WORD}"
SHORT = {"l": "latent", "u": "unobserved", "s": "selected"}  # as in DAGitty
WITHOUT_MEANING = {"exposure", "e", "outcome", "o", "adjusted", "a"}  # DAGitty's choice of a query
DRAWING = frozenset(
    {"arc", "arrowsize", "beta", "color", "comment", "constraint", "fillcolor", "fixedsize"}
    | {"fontcolor", "fontname", "fontsize", "group", "headport", "height", "label", "labelangle"}
    | {"labeldistance", "len", "margin", "minlen", "penwidth", "pos", "shape", "style", "tailport"}
    | {"tooltip", "weight", "width", "xlabel"}
)
OF_NODES = DRAWING | HIDDEN | WITHOUT_MEANING | {"observed", "role", "selected"}
OF_EDGES = DRAWING | {"dir"}
DEEPEST = 50  # braces within braces

Attributes = dict[str, str | None]


def read(text: str) -> GraphText:
    """The graph in a text of DOT, of DAGitty or of our own notation.

    Raises InputError with the statement or line that is not understood."""
    checked_type(text, str, "a graph is read from a text")
    comment = r"^[ \t]*(?:#|//)[^\n]*"
    body = re.sub(f"(?m){comment}|{QUOTED}", _without_comment, text)
    header = HEADER.match(re.sub(r"/\*.*?\*/", " ", body, flags=re.S))
    return _Braces(text).read() if header else own_notation(text)


def _without_comment(match: re.Match[str]) -> str:
    return match[0] if match[0].startswith('"') else ""


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
        self._depth = 0
        self._is_dot = False
        self._graph = GraphText()

    def read(self) -> GraphText:
        """The graph. Raises InputError with the line that is not understood."""
        if self._peek() == "strict":
            self._take()
        kind = self._take()
        if kind.text.lower() not in ("digraph", "dag"):
            self._fail(kind, "is not a causal graph; use digraph or dag")
        self._is_dot = kind.text.lower() == "digraph"
        if self._peek() != "{":
            self._name()
        self._statements()
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
                # a backslash at the end of a line goes on in the next line
                name = re.sub(r"(?<!\\)((?:\\\\)*)\\\n", r"\1", match["quoted"])
                yield _Token(unquoted(name), match.start(), True)
            elif match["token"]:
                yield _Token(match["token"], match.start(), False)

    def _statements(self) -> list[str]:
        """Read statements in braces; the names in them."""
        brace = self._expect("{")
        self._depth += 1
        if self._depth > DEEPEST:
            self._fail(brace, f"is deeper than {DEEPEST} braces")
        names: dict[str, None] = {}
        while self._peek() != "}":
            if self._peek() in (";", ","):
                self._take()
            else:
                names.update(dict.fromkeys(self._statement()))
        self._take()
        self._depth -= 1
        return list(names)

    def _statement(self) -> list[str]:
        """Read one statement; the names in it."""
        first = self._tokens[self._next]
        keyword = "" if first.is_quoted else first.text.lower()
        if keyword in ("node", "edge", "graph") and self._has(1) and self._peek(1) == "[":
            self._default(keyword)
            return []
        groups = [self._group()]
        if self._peek() == "=":
            self._take()
            self._name()  # a setting of the drawing, such as rankdir=LR or bb="0,0,1,1"
            return []
        self._graph.add(groups, [])
        arrows = []
        while self._peek() in ("->", "<-", "<->", "--"):
            arrow = self._take()
            if arrow.text == "--":
                self._fail(arrow, "is no arrow from cause to effect")
            arrows.append(arrow.text)
            groups.append(self._group())
        attributes: Attributes = {}
        while self._peek() == "[":
            attributes |= self._attributes(OF_EDGES if arrows else OF_NODES)
        if arrows:
            self._add_edges(first, groups, arrows, attributes)
        else:
            self._add_roles(first, groups[0], attributes)
        return [name for group in groups for name in group]

    def _default(self, keyword: str) -> None:
        """Read a default, as in `node [shape=box]`, which may only be about the drawing."""
        first = self._take()
        attributes = self._attributes(None)
        is_drawing = keyword == "graph" or not set(attributes) - DRAWING
        try:
            role_of(keyword, attributes)  # or a style that can have a meaning
        except InputError:
            is_drawing = False
        if not is_drawing:
            self._fail(first, "gives a default with a meaning; write it at each node or edge")

    def _add_edges(
        self, first: _Token, groups: list[list[str]], arrows: list[str], attributes: Attributes
    ) -> None:
        if "dir" in attributes and set(arrows) != {"->"}:
            self._fail(first, f"has dir={attributes['dir']} for an arrow other than ->")
        is_bidirected = {} if set(arrows) != {"<->"} else {"type": "bidirected"}
        try:
            arrow = arrow_of("this", "that", {**attributes, **is_bidirected})
        except InputError as error:
            self._refuse(first.position, str(error).replace("of this and that ", ""))
        self._graph.add(groups, [arrow] * len(arrows) if "dir" in attributes else arrows)

    def _add_roles(self, first: _Token, names: list[str], attributes: Attributes) -> None:
        for name in names:
            try:
                role = role_of(name, attributes)
            except InputError as error:
                self._refuse(first.position, str(error))
            if role == "latent":
                self._graph.roles[name] = role
            elif "selected" in attributes:
                self._graph.roles[name] = "selection"
            elif role:
                self._graph.roles[name] = role

    def _attributes(self, known: Collection[str] | None) -> Attributes:
        """Attributes in brackets. Raises InputError at one that is not among the `known`."""
        self._expect("[")
        attributes: Attributes = {}
        while self._peek() != "]":
            if self._peek() in (",", ";"):
                self._take()
                continue
            token = self._name()
            key = token.text.lower()
            key = SHORT.get(key, key)
            value = None
            if self._peek() == "=":
                self._take()
                value = self._name().text
            if known is not None and key not in known:
                self._fail(token, "is an attribute that is not understood")
            attributes[key] = value
        self._expect("]")
        return attributes

    def _group(self) -> list[str]:
        """Names with commas between them, or those of the statements in braces."""
        token = self._tokens[self._next]
        if self._peek().lower() == "subgraph":
            self._take()
            if self._peek() != "{":
                self._name()
        if self._peek() == "{":
            return self._statements()
        if self._tokens[self._next] is not token and token.text.lower() == "subgraph":
            self._fail(token, "needs its nodes in braces")
        names = [self._node()]
        while self._peek() == ",":
            self._take()
            names.append(self._node())
        return names

    def _node(self) -> str:
        token = self._name()
        if self._peek() == "[" and not token.is_quoted:
            step = [self._tokens[self._next + i].text for i in (1, 2) if self._has(i)]
            if len(step) == 2 and step[0].isdigit() and step[1] == "]":
                self._next += 3
                return f"{token.text}[{step[0]}]"
        while self._is_dot and self._peek() == ":":  # a port: where the drawing's arrow begins
            self._take()
            self._name()
        return token.text

    def _has(self, ahead: int) -> bool:
        return self._next + ahead < len(self._tokens)

    def _peek(self, ahead: int = 0) -> str:
        """The next sign or word; a quoted one and the end are none."""
        if not self._has(ahead):
            self._fail(_Token("", len(self._text), False), "lacks a closing brace or bracket")
        token = self._tokens[self._next + ahead]
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

    def _expect(self, text: str) -> _Token:
        token = self._take()
        if token.text != text or token.is_quoted:
            self._fail(token, f"is not understood; {text} was expected")
        return token

    def _fail(self, token: _Token, reason: str) -> NoReturn:
        self._refuse(token.position, f"{token.text!r} {reason}")

    def _refuse(self, position: int, reason: str) -> NoReturn:
        number = self._text.count("\n", 0, position) + 1
        line = self._text.split("\n")[number - 1].strip()
        raise InputError(f"line {number}, {line!r}, cannot be read: {reason}")

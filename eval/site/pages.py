"""A page of the site, and how one is written: the templates, and the frame around every page."""

import inspect
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from html import unescape
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

FOLDER = Path(__file__).parent  # of the templates
_NUMBER = re.compile(r"-?[\d.,]+( \[.*\])?( ± .*)?( %)?|-|n/a|> 100")
_SILENT = re.compile(
    r'<(script|style|svg|math)\b.*?</\1>|<div class="code">.*?</div>|<[^>]+>', re.DOTALL
)  # tags, and elements that are not prose


class Entry(NamedTuple):
    """What the search finds."""

    title: str
    path: str  # from the root of the site, perhaps with an anchor
    summary: str
    words: str  # all on one line


@dataclass(frozen=True)
class Page:
    """A page of the site."""

    path: str  # from the root of the site: "worlds/IceCreamShorts-v0.html"
    title: str
    summary: str  # a line about it, for lists and the search
    body: str  # HTML
    files: Mapping[str, bytes] = field(default_factory=dict)  # what it shows, by path from the root
    entries: tuple[Entry, ...] = ()  # what the search finds in it, besides the page
    is_whole: bool = False  # whether the body is a whole page, without the frame

    @property
    def root(self) -> str:
        """The way from the page's folder to the root of the site: "../"."""
        return "../" * self.path.count("/")

    def found(self) -> list[Entry]:
        """What the search finds: the page by its prose, and its entries."""
        words = "" if self.is_whole else prose_of(self.body)
        return [Entry(self.title, self.path, self.summary, words), *self.entries]

    def html(self, sections: Sequence[tuple[str, str]]) -> str:
        """The whole page, in the frame that all pages share, which links to the sections.

        A section is a title and a path from the root.
        """
        if self.is_whole:
            return self.body
        frame = templates().get_template("layout.html")
        body = Markup(self.body)
        return frame.render(page=self, body=body, sections=sections, version=version("dosuite"))


def prose_of(html: str) -> str:
    """The text of HTML without tags, scripts, pictures, formulas and code, in one line."""
    return " ".join(unescape(_SILENT.sub(" ", html)).split())


def rendered(template: str, **content: Any) -> str:
    """The body of a page from a template of this folder."""
    return templates().get_template(template).render(**content)


def summary_of(described: object) -> str:
    """The first sentence of a docstring, on one line."""
    first = " ".join((inspect.getdoc(described) or "").partition("\n\n")[0].split())
    return first.partition(". ")[0].rstrip(".") + "."


@cache
def templates() -> Environment:
    """The templates of this folder; what is not marked as HTML is escaped."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["number"] = lambda text: bool(_NUMBER.fullmatch(str(text)))
    return environment

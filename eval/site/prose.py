"""Docstrings and code as HTML."""

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from markupsafe import Markup, escape
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name

LABELS = ("Observation", "Trap", "Way out", "Best", "Twin", "Source")  # of lines in docstrings
_LABELLED = re.compile(rf"({'|'.join(LABELS)}): +(.*)")
_CODE = re.compile(r"`+([^`]+)`+")
_LIGHT, _DARK = "friendly", "github-dark"  # styles of Pygments


class Prose(NamedTuple):
    """A docstring: its paragraphs, drawings and lists, and what stands behind each label."""

    story: Markup
    labelled: dict[str, Markup]


def prose(docstring: str) -> Prose:
    """The parts of a docstring as HTML; a label begins a line, and its text ends the paragraph."""
    story, labelled = [], {}
    for paragraph in re.split(r"\n[ \t]*\n", docstring):
        lines = paragraph.splitlines()
        if all(line.startswith("    ") for line in lines):
            story.append(Markup("<pre>{}</pre>").format("\n".join(line[4:] for line in lines)))
            continue
        for label, text in _entries(lines):
            if label:
                labelled[label] = inline(text)
            elif text.startswith("- "):
                items = (inline(item) for item in re.split(r"(?:^| )- ", text)[1:])
                story.append(_list(items))
            else:
                story.append(Markup("<p>{}</p>").format(inline(text)))
    return Prose(Markup("\n").join(story), labelled)


def inline(text: str) -> Markup:
    """One line of text, with what is between backticks as code."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))


def highlighted(code: str, language: str = "python") -> Markup:
    """Code in the colours of `code_styles`."""
    formatter = HtmlFormatter(cssclass="code")
    return Markup(highlight(code, get_lexer_by_name(language), formatter))


@cache
def code_styles() -> str:
    """The style sheet of code, for light and for dark pages."""
    light, dark = (HtmlFormatter(style=style).get_style_defs(".code") for style in (_LIGHT, _DARK))
    return f"{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}\n"


def _entries(lines: list[str]) -> Iterator[tuple[str, str]]:
    """The labels of a paragraph and their texts; what comes before them has the label ""."""
    label, texts = "", list[str]()
    for line in lines:
        if match := _LABELLED.match(line):
            if texts:
                yield label, " ".join(texts)
            label, texts = match[1], [match[2]]
        else:
            texts.append(line.strip())
    if texts:
        yield label, " ".join(texts)


def _list(items: Iterator[Markup]) -> Markup:
    lines = Markup("\n").join(Markup("<li>{}</li>").format(item) for item in items)
    return Markup("<ul>\n{}\n</ul>").format(lines)

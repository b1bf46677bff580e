"""The tutorial: a Markdown file whose blocks are run, and shown with what they print.

A block of Python is run after those before it, in one namespace; its last line, if it is an
expression, is shown too. `python name.py` writes a file instead. The lines of a block `console`
that begin with "$ " are commands. A block with `needs=library` is shown but not run where the
library is not installed.
"""

import ast
import io
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir, redirect_stdout
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup
from matplotlib.figure import Figure

from dosuite.causal import InputError

from .drawing import as_svg
from .pages import FOLDER, Page, rendered
from .prose import highlighted

SOURCE = FOLDER / "tutorial.md"
COMMAND = (sys.executable, "-m", "dosuite.eval.cli.main")  # what `dosuite` stands for
# the language of a block, the file that it writes, and the library that it needs
_BLOCK = re.compile(r"(\w+)(?: ([\w.]+))?(?: needs=(\w+))?")
_SVG = re.compile(r"<svg\b.*</svg>", re.DOTALL)


def tutorial_page(text: str = "") -> Page:
    """The page of a tutorial, by default that of the package, with the output of its blocks.

    It is run in an empty folder, which is removed. Raises InputError if a block fails.
    """
    parser = MarkdownIt("commonmark").enable("table")
    tokens = parser.parse(text or SOURCE.read_text(encoding="utf-8"))
    names: dict[str, Any] = {"__name__": "tutorial"}
    with TemporaryDirectory() as folder, chdir(folder):
        for token in tokens:
            if token.type == "fence":
                _run(token, names)
    contents = list(_with_anchors(tokens))
    body = Markup(parser.renderer.render(tokens, parser.options, {}))
    return Page(
        path="tutorial.html",
        title="Tutorial",
        summary="From a first world to an agent and a world of your own, in an hour.",
        body=rendered("tutorial.html", contents=contents, body=body),
    )


def _run(token: Token, names: dict[str, Any]) -> None:
    """Run a block, and turn it into HTML with its output."""
    match = _BLOCK.fullmatch(token.info)
    language, file, library = match.groups("") if match else ("", "", "")
    caption = _facts(f"The file {file}:") if file else Markup()
    try:
        if library and find_spec(library) is None:
            output = _facts(f"It was not run here, where {library} is not installed.")
        elif file:
            Path(file).write_text(token.content, encoding="utf-8")
            output = Markup()
        elif language == "python":
            output = _python(token.content, names)
        else:
            output = _commands(token.content)
    except Exception as error:
        line = token.map[0] + 1 if token.map else 0
        raise InputError(
            f"the block of the tutorial at line {line} failed: {type(error).__name__}: {error}"
        ) from error
    token.type = "html_block"
    token.content = caption + highlighted(token.content, language) + output


def _facts(text: str) -> Markup:
    return Markup("<p class='facts'>{}</p>").format(text)


def _python(code: str, names: dict[str, Any]) -> Markup:
    """Run Python, and return what it prints and the value of its last line as HTML."""
    tree = ast.parse(code)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    printed, value = io.StringIO(), None
    with redirect_stdout(printed):
        exec(compile(tree, "tutorial", "exec"), names)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), "tutorial", "eval"), names)
    return _output(printed.getvalue()) + _shown(value)


def _commands(block: str) -> Markup:
    """Run the commands of a block, and return what they print; one that fails is an error."""
    printed = []
    for line in block.splitlines():
        words = shlex.split(line.removeprefix("$ "))
        command = [*COMMAND, *words[1:]] if words[0] == "dosuite" else words
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise InputError(f"{line}: {done.stderr.strip() or done.stdout.strip()}")
        printed.append(done.stdout)
    return _output("".join(printed))


def _output(text: str) -> Markup:
    return Markup("<pre class='output'>{}</pre>").format(text.rstrip()) if text else Markup()


def _shown(value: Any) -> Markup:
    """A value as a notebook shows it: a figure, a table, or its representation."""
    if value is None:
        return Markup()
    if isinstance(value, Figure):
        svg = _SVG.search(as_svg(value).decode())
        assert svg is not None
        return Markup("<figure class='paper'>{}</figure>").format(Markup(svg[0]))
    if isinstance(value, pd.DataFrame):
        table = value.to_html(border=0, index=value.index.name is not None)
        return Markup("<div class='scroll'>{}</div>").format(Markup(table))
    return _output(repr(value))


def _with_anchors(tokens: list[Token]) -> Iterator[tuple[str, str]]:
    """Give the headings of sections anchors; yield anchor and title of each."""
    for opening, inside in pairwise(tokens):
        if opening.type == "heading_open" and opening.tag == "h2":
            anchor = re.sub(r"\W+", "-", inside.content.lower()).strip("-")
            opening.attrSet("id", anchor)
            yield anchor, inside.content

"""Sections of sentences and tables, printed on a terminal and written as Markdown and as a page."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any
from unicodedata import category

import numpy as np
import pandas as pd
from jinja2 import Environment, StrictUndefined
from rich import box
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from dosuite.causal import Array
from dosuite.envs.files import replacing

_INTERVAL = re.compile(r"(?<=\d) \[-?\d.*")  # with all that follows it: "0.48 [0.41, 0.55]"
_FIRST_NUMBER = re.compile(r"-?\d+(\.\d+)?(?= |$)")


@dataclass(frozen=True)
class Table:
    """A table of texts."""

    name: str  # of its file
    frame: pd.DataFrame
    shade: pd.DataFrame | None = None  # scores of the same shape, which tint the page's cells
    caption: str = ""
    grouped: bool = False  # whether the first column names a group of rows and repeats in each
    # On a terminal a table is printed without intervals; with `fold`, with them, and with that many
    # of the columns between the first and the last at a time.
    fold: int = 0
    # By heading, whether more (1) or less (-1) is better; the best is bold, in each group.
    better: Mapping[str, int] = field(default_factory=dict)

    def best(self) -> Array:
        """Which cells have the best number of their column, and of their group if grouped.

        Reference policies, whose agents are "(exact)", do not compete, and without a rival nobody
        is best. Numbers are compared as they are printed, so that equals are all best.
        """
        bold = np.zeros(self.frame.shape, bool)
        names = list(self.frame.columns)
        if not names or "agent" not in names:
            return bold
        learned = ~self.frame["agent"].astype(str).str.contains("(exact", regex=False).to_numpy()
        groups = self.frame[names[0]].to_numpy() if self.grouped else np.zeros(len(self.frame))
        for name, sign in self.better.items():
            values = sign * self.frame[name].map(_number).to_numpy(float)
            for group in np.unique(groups):
                rivals = learned & (groups == group) & ~np.isnan(values)
                if rivals.sum() > 1:
                    bold[:, names.index(name)] |= rivals & (values == values[rivals].max())
        return bold

    def tinted_rows(self) -> Iterator[list[tuple[str, str]]]:
        """The rows, as pairs of a text and its style in CSS ("" for none)."""
        if self.shade is None:
            scores = np.full(self.frame.shape, np.nan)
        else:
            scores = self.shade.to_numpy(float)
        for texts, row_scores, bold in zip(self.frame.to_numpy(), scores, self.best(), strict=True):
            styles = [
                _tint(score) + ("font-weight: 600;" if is_best else "")
                for score, is_best in zip(row_scores, bold, strict=True)
            ]
            yield list(zip(texts, styles, strict=True))

    def parts(self) -> Iterator[pd.DataFrame]:
        """The parts of the table that fit the width of a terminal."""
        if not self.fold:
            yield self.frame.map(lambda text: _INTERVAL.sub("", text))
            return
        first, *middle, last = self.frame.columns
        for start in range(0, len(middle), self.fold):
            yield self.frame[[first, *middle[start : start + self.fold], last]]


@dataclass(frozen=True)
class Section:
    """A question, the sentences, tables and figure that answer it."""

    title: str
    sentences: list[str]
    tables: list[Table]
    figure: str = ""  # its name
    on_terminal: bool = True  # whether `print_sections` shows it, or only the page
    # These are on the page only:
    points: Sequence[tuple[str, str]] = ()  # a numbered list after the sentences: heads and texts
    parts: Sequence["Section"] = ()  # below all else, each with its title as a heading
    folded: bool = False  # as a part: whether only its title shows until it is clicked


def print_sections(sections: Sequence[Section], console: Console) -> None:
    """Print the sentences and tables of the sections for a terminal, without figures."""
    for section in sections:
        if not section.on_terminal:
            continue
        console.print(Text(f"\n{section.title}\n", style="bold"))
        for sentence in section.sentences:
            console.print(Text(sentence))
        for table in section.tables:
            if table.caption:
                console.print()
                console.print(table.caption)
            for part in table.parts():
                console.print()
                console.print(_grid(part, table.grouped))


def write_sections(
    sections: Sequence[Section], rows: pd.DataFrame, name: str, folder: Path
) -> Path:
    """Write sections without figures as `name`.md and `name`.html; return the path of the latter.

    `rows` are those of the runs that the sections are about.
    """
    paragraphs = []
    for section in sections:
        paragraphs += [f"## {section.title}", *section.sentences]
        paragraphs += [markdown(table) for table in section.tables]
    files = {
        f"{name}.md": "\n\n".join(paragraphs).encode() + b"\n",
        f"{name}.html": page(sections, {}, rows).encode(),
    }
    save(files, folder)
    return folder / f"{name}.html"


def save(files: Mapping[str, bytes], folder: Path) -> None:
    """Write files by name under a folder; each is complete as soon as it is there."""
    for name, content in files.items():
        with replacing(folder / name) as temporary:
            temporary.write_bytes(content)


def page(sections: Sequence[Section], figures: Mapping[str, str], rows: pd.DataFrame) -> str:
    """Sections as one page of HTML, with the figures they name, as data URLs, inside it."""
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    text = Path(__file__).with_name("report.html").read_text(encoding="utf-8")
    return environment.from_string(text).render(
        sections=sections,
        figures=figures,
        runs=rows[rows["world"] == ""],
        version=version("dosuite"),
    )


def markdown(table: Table) -> str:
    """A table in Markdown, with the characters that have a meaning there as they are."""
    return str(table.frame.map(_as_markdown).to_markdown(index=False))


def csv(frame: pd.DataFrame) -> str:
    """A table as CSV, in which no text is a formula to a spreadsheet."""
    safe = frame.copy()
    for name in frame.columns:
        if frame[name].dtype.kind not in "biuf":
            safe[name] = [_as_csv(value) for value in frame[name]]
    return str(safe.to_csv(index=False))


def _as_markdown(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    text = printable(text).replace("\\", "\\\\").replace("&", "&amp;").replace("<", "&lt;")
    for sign in ("|", "`", "$", "*", "]("):
        text = text.replace(sign, f"\\{sign}" if len(sign) == 1 else "]\\(")
    return text


def _as_csv(value: Any) -> Any:
    """The value; a text that begins like a formula, after an apostrophe."""
    if not isinstance(value, str):
        return value
    text = printable(value)
    return f"'{text}" if text.lstrip().startswith(("=", "+", "-", "@")) else text


def printable(text: str) -> str:
    """The text on one line: control characters, line breaks too, become spaces."""
    return "".join(" " if category(sign) in ("Cc", "Zl", "Zp") else sign for sign in text)


def _grid(frame: pd.DataFrame, grouped: bool) -> Grid:
    """A table for a terminal; if grouped, the first column becomes headings among the rows."""
    first_shown = 1 if grouped else 0
    grid = Grid(
        *frame.columns[first_shown:],
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        collapse_padding=True,
    )
    groups = frame.groupby(frame.columns[0], sort=False) if grouped else [("", frame)]
    for name, part in groups:
        if grouped:
            grid.add_row(Text(str(name), style="bold"))
        for row in part.to_numpy()[:, first_shown:]:
            grid.add_row(*(Text(text) for text in row))
    return grid


def _tint(score: float) -> str:
    """The background in CSS: blue above 0, orange below, nothing where there is no score."""
    colour = "0, 114, 178" if score > 0 else "230, 159, 0"
    tint = f"background: rgba({colour}, {min(abs(score), 1) * 0.45:.2f});"
    return "" if np.isnan(score) else tint


def _number(text: str) -> float:
    """The number that a cell begins with; NaN if there is none."""
    found = _FIRST_NUMBER.match(text)
    return float(found[0]) if found else np.nan

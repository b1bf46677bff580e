"""Sections of sentences and tables, on a terminal, in Markdown and on a page."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from jinja2 import Environment, StrictUndefined
from rich import box
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text


@dataclass(frozen=True)
class Table:
    """A table of texts, and the file it goes to;

    `shade`, of the same shape, holds the scores that tint the cells of the page.
    """

    name: str
    frame: pd.DataFrame
    shade: pd.DataFrame | None = None
    caption: str = ""

    def cells(self) -> Iterator[list[tuple[str, str]]]:
        """The rows, of pairs (text, background)."""
        shades = (
            np.full(self.frame.shape, np.nan) if self.shade is None else self.shade.to_numpy(float)
        )
        for texts, scores in zip(self.frame.to_numpy(), shades, strict=True):
            yield [(text, _tint(score)) for text, score in zip(texts, scores, strict=True)]


@dataclass(frozen=True)
class Section:
    """A question, what the rows say to it in sentences, a figure by name, and tables."""

    title: str
    sentences: list[str]
    tables: list[Table]
    figure: str = ""


def print_sections(found: Sequence[Section], console: Console) -> None:
    """Print sentences and tables, without figures."""
    for section in found:
        console.print(Text(f"\n{section.title}\n", style="bold"))
        for sentence in section.sentences:
            console.print(Text(sentence))
        for table in section.tables:
            for part in [*filter(None, [table.caption]), *map(_grid, _parts(table))]:
                console.print()
                console.print(part)


def write_sections(found: Sequence[Section], rows: pd.DataFrame, name: str, folder: Path) -> Path:
    """Write sections without figures as `name`.md and as the page `name`.html under `folder`; the
    path of the page.

    `rows` are those of the runs that they tell of.
    """
    text = [
        part
        for section in found
        for part in (f"## {section.title}", *section.sentences, *map(markdown, section.tables))
    ]
    save(
        {
            f"{name}.md": "\n\n".join(text).encode() + b"\n",
            f"{name}.html": page(found, {}, rows).encode(),
        },
        folder,
    )
    return folder / f"{name}.html"


def save(files: Mapping[str, bytes], folder: Path) -> None:
    """Write files by name under `folder`; a file is complete as soon as it is there."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            temporary.write_bytes(content)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


def page(found: Sequence[Section], figures: Mapping[str, str], rows: pd.DataFrame) -> str:
    """Sections as one page of HTML, with the figures that they name, as SVG in base64."""
    made = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = made.from_string(Path(__file__).with_name("report.html").read_text(encoding="utf-8"))
    return template.render(
        sections=found, figures=figures, runs=rows[rows["world"] == ""], version=version("dosuite")
    )


def markdown(table: Table) -> str:
    """A table in Markdown."""
    return str(table.frame.to_markdown(index=False))


def _parts(table: Table) -> Iterator[pd.DataFrame]:
    """What fits a terminal: three families beside each other, elsewhere no intervals."""
    if table.name != "headline":
        yield table.frame.map(lambda text: text.partition(" [")[0])
        return
    families = list(table.frame.columns[1:-1])
    for start in range(0, len(families), 3):
        yield table.frame[["agent", *families[start : start + 3], "won"]]


def _grid(frame: pd.DataFrame) -> Grid:
    """A table for a terminal, with the environments as headings among the rows."""
    headed = frame.columns[0] == "environment"
    grid = Grid(
        *frame.columns[headed:],
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        collapse_padding=True,
    )
    for name, part in frame.groupby("environment", sort=False) if headed else [("", frame)]:
        if headed:
            grid.add_row(Text(str(name), style="bold"))
        for row in part.to_numpy()[:, headed:]:
            grid.add_row(*(Text(text) for text in row))
    return grid


def _tint(score: float) -> str:
    """Blue above 0, orange below, nothing where there is no score."""
    colour = "0, 114, 178" if score > 0 else "230, 159, 0"
    return "" if np.isnan(score) else f"rgba({colour}, {min(abs(score), 1) * 0.45:.2f})"

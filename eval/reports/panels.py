"""The parts that figures are drawn from: panels, axes, marks and names above lines."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D

from dosuite.causal import Array

WRONG = "#D55E00"
INK = "#222222"
GREY = "#888888"
# for lines: of Okabe and Ito (2008), which colour-blind readers can tell apart
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", INK, GREY)
WIDTH = 9.0  # inches: 900 pixels at the width of a README
FONT = 8.5  # points
LINE = 0.2  # inches for one agent
LABEL = 0.15  # inches for one row of labels
STEP = 10.5  # points from one row of labels to the next
NEAR = 0.012  # of the width: closer lines share a name
LETTER = 0.52 * FONT / (72 * 0.24 * WIDTH)  # a letter, as a share of the axes of three panels

Draw = Callable[[Axes, pd.DataFrame, list[str]], None]


def panels(
    height: int, width: int, inches: float, heights: list[float] | None = None
) -> tuple[Figure, Array]:
    """A figure of some inches in height, and its panels (height, width)."""
    layout = ConstrainedLayoutEngine(hspace=0.06, h_pad=0.08)
    figure = Figure(figsize=(WIDTH, inches), layout=layout)
    return figure, figure.subplots(height, width, squeeze=False, height_ratios=heights)


def titled_panels(titles: Sequence[str], inches: float) -> tuple[Figure, list[Axes]]:
    """A figure with a panel for each title, two in a row of some inches in height."""
    height = math.ceil(len(titles) / 2)
    figure, axes_grid = panels(height, 2, inches * height + 0.6)
    axes_of = list(axes_grid.flat)
    for axes, title in zip(axes_of, titles, strict=False):
        axes.set_title(title, loc="left", fontsize=FONT, color=INK)
        axes.tick_params(labelsize=FONT - 0.5)
    for axes in axes_of[len(titles) :]:
        axes.set_axis_off()
    return figure, axes_of[: len(titles)]


def panel_per_environment(rows: pd.DataFrame, draw: Draw, extra: float) -> Figure:
    """One panel for each environment, two in a row of the figure.

    `extra` is the height, in inches, of what is around a panel.
    """
    worlds = dict(iter(rows.groupby("where")))
    if not worlds:
        return no_results()
    lines = max(world["who"].nunique() for world in worlds.values())
    height = math.ceil(len(worlds) / 2)
    figure, axes_grid = panels(height, 2, height * (lines * LINE + extra))
    for axes, (where, world) in zip(axes_grid.flat, worlds.items(), strict=False):
        agents = list(world["who"].unique())
        axes.set_title(where, loc="left", fontsize=FONT + 0.5, fontweight="bold", color=INK)
        style(axes, agents)
        draw(axes, world, agents)
    for axes in axes_grid.flat[len(worlds) :]:
        axes.set_axis_off()
    return figure


def no_results() -> Figure:
    """A figure that says that there is nothing to draw."""
    figure = Figure(figsize=(WIDTH, 0.5))
    figure.text(0.5, 0.5, "no such results", ha="center", color=GREY, fontsize=FONT)
    return figure


def legend(figure: Figure, marks: list[Line2D], columns: int) -> None:
    """Add a legend above the panels."""
    figure.legend(
        handles=marks, loc="outside upper left", ncols=columns, frameon=False, fontsize=FONT
    )


def mark(label: str, **look: Any) -> Line2D:
    """A mark of a legend."""
    return Line2D([], [], linestyle="", markersize=7, label=label, **look)


def style(axes: Axes, agents: list[str]) -> None:
    """Lines for agents from top to bottom, with their names on the left and few other lines."""
    axes.set_yticks(range(len(agents)), agents, fontsize=FONT)
    axes.set_ylim(len(agents) - 0.4, -0.6)
    axes.tick_params(axis="x", labelsize=FONT - 0.5, colors="#444444")
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", color="#eeeeee", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.margins(x=0.06)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color("#999999")


def name_lines(axes: Axes, marks: Iterable[tuple[float, str]]) -> int:
    """Write names above vertical lines, and return the number of rows of names.

    Marks are pairs of a place, as a share of the axes, and a name, from left to right. A name goes
    to the first row in which it overlaps no other.
    """
    ends = [-1.0, -1.0, -1.0]  # where the last name of each row ends, as a share of the axes
    where: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points"}
    pointer = {"arrowstyle": "-", "color": "#aaaaaa", "linewidth": 0.7}
    look: dict[str, Any] = {"fontsize": FONT - 1, "color": "#444444"}
    for x, name in _merged(marks):
        half = LETTER * len(name) / 2
        centre = min(max(x, half - 0.02), 1.02 - half)
        row = next((row for row, end in enumerate(ends) if centre - half > end + LETTER), 2)
        ends[row] = centre + half
        height = 3 + STEP * row
        axes.annotate("", (x, 1), (0, height), arrowprops=pointer, **where)
        axes.annotate(name, (centre, 1), (0, height), ha="center", va="bottom", **look, **where)
    return sum(end > -1.0 for end in ends)


def _merged(marks: Iterable[tuple[float, str]]) -> Iterator[tuple[float, str]]:
    """The marks, those that all but coincide as one: "confused = causal", "uniform, the log"."""
    place, names = -1.0, ""
    for x, name in marks:
        if names and x - place <= NEAR:
            names += f"{' = ' if x - place < 1e-6 else ', '}{name}"
            continue
        if names:
            yield place, names
        place, names = x, name
    yield place, names

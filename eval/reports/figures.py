"""Pictures of result rows.

Each function returns a Figure and leaves matplotlib's global state alone.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D

from dosuite.causal import Array

from .. import metrics

REGIMES = {
    "observe": "offline",
    "mixed": "mixed",
    "intervene": "online",
    "counterfactual": "intent",
    "given": "given",
    "exact": "exact",
}
LEGEND = {
    "observe": "offline, from the log",
    "mixed": "log and practice mixed",
    "intervene": "online, acting",
    "counterfactual": "online, shown the intent",
    "given": "brought as it is",
}
COLOURS = {  # of Okabe and Ito
    "observe": "#0072B2",
    "mixed": "#CC79A7",
    "intervene": "#E69F00",
    "counterfactual": "#009E73",
    "given": "#56B4E9",
    "exact": "#555555",
}
MARKERS = {"observe": "o", "mixed": "^", "intervene": "s", "counterfactual": "D", "given": "v"}
LINES = {  # column of the reference: its name and its line
    "j_confused": ("confused", {"color": "#D55E00", "linestyle": "--", "linewidth": 1.6}),
    "j_uniform": ("uniform", {"color": "#888888", "linestyle": ":", "linewidth": 1.6}),
    "j_behaviour": ("the log", {"color": "#888888", "linestyle": "-.", "linewidth": 1.1}),
    "j_causal": ("causal", {"color": "#222222", "linestyle": "-", "linewidth": 1.6}),
    "j_intent": ("best with intent", {"color": "#009E73", "linestyle": "-", "linewidth": 1.1}),
}
WRONG = "#D55E00"
INK = "#222222"
WIDTH = 9.0  # inches: 900 pixels at the width of a README
FONT = 8.5  # points
LINE = 0.2  # inches for one agent
LABEL = 0.15  # inches for one row of labels
STEP = 10.5  # points from one row of labels to the next


def labelled(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with `where` (environment and member) and `who` (agent, regime, what it was given),
    sorted by both.
    """
    regime = rows["regime"].map(list(REGIMES).index)
    given = (
        rows["needs"].fillna("").map(lambda needs: f", {needs}" if needs else "")
        if "needs" in rows
        else ""
    )
    who = rows["agent"] + " (" + rows["regime"].map(REGIMES) + given + ")"
    order = list(dict.fromkeys(who.iloc[np.lexsort((rows["agent"], regime))]))
    where = (rows["environment"] + " " + rows["member"]).str.strip()
    labels = rows.assign(where=where, who=pd.Categorical(who, order, ordered=True))
    return labels.sort_values(["where", "variant", "world", "who", "budget", "seed"], kind="stable")


def causal_score(rows: pd.DataFrame) -> Figure:
    """What each agent earns in each environment and in its twin, between the reference policies.

    One row of panels an environment; small marks are seeds, large ones their interquartile mean
    with its 95 % interval."""
    runs = labelled(metrics.largest_budget(metrics.deployment(rows)))
    worlds = dict(iter(runs[runs["variant"] != "control"].groupby("where")))
    if not worlds:
        return _nothing()
    learners = {
        where: list(world.loc[world["regime"] != "exact", "who"].unique())
        for where, world in worlds.items()
    }
    heights = [len(agents) * LINE + 5 * LABEL for agents in learners.values()]
    figure, panels = _panels(len(worlds), 2, sum(heights) + 0.9, heights)
    for (where, world), (left, right) in zip(worlds.items(), panels, strict=True):
        here = _world_panel(left, world[world["variant"] == ""], learners[where])
        there = _world_panel(right, world[world["variant"] == "twin"], learners[where])
        pad = 6 + STEP * max(here, there)
        left.set_title(
            where, loc="left", pad=pad, fontsize=FONT + 0.5, fontweight="bold", color=INK
        )
        right.set_title(
            "its twin: the same log, other causes",
            loc="left",
            pad=pad,
            fontsize=FONT + 0.5,
            color=INK,
        )
        right.set_yticklabels([])
    for axes in panels[-1]:
        axes.set_xlabel("expected return J under intervention", fontsize=FONT)
    regimes = set(runs["regime"])
    marks = [
        _mark(label, color=COLOURS[name], marker=MARKERS[name])
        for name, label in LEGEND.items()
        if name in regimes
    ]
    figure.legend(handles=marks, loc="outside upper left", ncols=4, frameon=False, fontsize=FONT)
    return figure


def shift_regret(rows: pd.DataFrame) -> Figure:
    """The regret of each agent under each shift, 0 (white) to 1 (dark);

    (+) marks shifts in which the confused policy wins.
    """
    shifted = labelled(
        metrics.largest_budget(
            rows[(rows["world"] != "") & (rows["variant"] == "") & (rows["status"] == "ok")]
        )
    )
    return _grid(shifted.assign(regret=metrics.regret(shifted)), _heatmap, 1.2)


def belief(rows: pd.DataFrame) -> Figure:
    """What each agent believes its policy earns, beside what it earns."""
    runs = labelled(metrics.largest_budget(metrics.deployment(rows)))
    figure = _grid(runs[(runs["variant"] == "") & runs["believed"].notna()], _belief_panel, 0.8)
    marks = [
        _mark("earned", color=INK, marker="o"),
        _mark("believed", color=INK, marker="o", markerfacecolor="white"),
    ]
    figure.legend(handles=marks, loc="outside upper left", ncols=2, frameon=False, fontsize=FONT)
    return figure


def _world_panel(axes: Axes, runs: pd.DataFrame, learners: list[str]) -> int:
    """Draw the runs of one world; the number of rows of labels above it."""
    _style(axes, learners)
    if runs.empty:
        axes.set_xticks([])
        axes.text(
            0.5,
            0.5,
            "no twin",
            transform=axes.transAxes,
            ha="center",
            color="#888888",
            fontsize=FONT,
        )
        return 0
    marks = _references(runs)
    for column, value in marks:
        axes.axvline(value, zorder=1, **LINES[column][1])  # type: ignore[arg-type]
    for y, who in enumerate(learners):
        _dots(axes, runs[runs["who"] == who], y)
    low, high = axes.get_xlim()
    return _name_lines(
        axes, [((value - low) / (high - low), LINES[column][0]) for column, value in marks]
    )


def _references(runs: pd.DataFrame) -> list[tuple[str, float]]:
    """The reference values of one world, lowest first;

    that with intent only if it is more than the causal one.
    """
    first = runs.iloc[0]
    marks = {
        column: float(first[column])
        for column in LINES
        if column in runs and pd.notna(first[column])
    }
    if marks.get("j_intent", 0.0) <= marks.get("j_causal", 0.0) + metrics.NEGLIGIBLE:
        marks.pop("j_intent", None)
    return sorted(marks.items(), key=lambda mark: mark[1])


def _dots(axes: Axes, runs: pd.DataFrame, y: int) -> None:
    if runs.empty:
        return
    values, regime = runs["value"].to_numpy(float), runs["regime"].iloc[0]
    middle, low, high = metrics.interval(values, np.zeros(len(values)), np.random.default_rng(0))
    look: dict[str, Any] = {"color": COLOURS[regime], "linewidths": 0.0}
    axes.plot(
        [low, high],
        [y, y],
        color=COLOURS[regime],
        linewidth=3,
        alpha=0.5,
        zorder=2,
        solid_capstyle="round",
    )
    axes.scatter(values, np.full(len(values), y), s=12, alpha=0.35, zorder=3, **look)
    axes.scatter(
        [middle],
        [y],
        s=46,
        marker=MARKERS[regime],
        color=COLOURS[regime],
        edgecolors="white",
        linewidths=0.8,
        zorder=4,
    )


def _name_lines(axes: Axes, marks: list[tuple[float, str]]) -> int:
    """Names above the lines, in as many rows as they need, which are counted;

    lines that all but coincide share a name.
    """
    ends = [-1.0, -1.0, -1.0]  # where the last name of each row ends, as a share of the axes
    letter = 0.52 * FONT / (72 * 0.36 * WIDTH)
    for x, name in _together(marks):
        half = letter * len(name) / 2
        centre = min(max(x, half - 0.02), 1.02 - half)
        row = next((row for row, end in enumerate(ends) if centre - half > end + letter), 2)
        ends[row] = centre + half
        where: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points"}
        axes.annotate(
            "",
            (x, 1),
            (0, 3 + STEP * row),
            arrowprops={"arrowstyle": "-", "color": "#aaaaaa", "linewidth": 0.7},
            **where,
        )
        axes.annotate(
            name,
            (centre, 1),
            (0, 3 + STEP * row),
            ha="center",
            va="bottom",
            fontsize=FONT - 1,
            color="#444444",
            **where,
        )
    return sum(end > -1.0 for end in ends)


def _together(
    marks: Iterable[tuple[float, str]], near: float = 0.012
) -> Iterator[tuple[float, str]]:
    place, names = -1.0, ""
    for x, name in marks:
        if names and x - place <= near:
            names = f"{names}{' = ' if x - place < 1e-6 else ', '}{name}"
            continue
        if names:
            yield place, names
        place, names = x, name
    yield place, names


def _grid(
    rows: pd.DataFrame, draw: Callable[[Axes, pd.DataFrame, list[str]], None], extra: float
) -> Figure:
    """One panel for each environment, two beside each other;

    `extra` inches are for what is around a panel.
    """
    worlds = dict(iter(rows.groupby("where")))
    if not worlds:
        return _nothing()
    lines = max(world["who"].nunique() for world in worlds.values())
    height = math.ceil(len(worlds) / 2)
    figure, panels = _panels(height, 2, height * (lines * LINE + extra))
    for axes, (where, world) in zip(panels.flat, worlds.items(), strict=False):
        agents = list(world["who"].unique())
        axes.set_title(where, loc="left", fontsize=FONT + 0.5, fontweight="bold", color=INK)
        _style(axes, agents)
        draw(axes, world, agents)
    for axes in panels.flat[len(worlds) :]:
        axes.set_axis_off()
    return figure


def _nothing() -> Figure:
    figure = Figure(figsize=(WIDTH, 0.5))
    figure.text(0.5, 0.5, "no such results", ha="center", color="#888888", fontsize=FONT)
    return figure


def _panels(
    height: int, width: int, inches: float, heights: list[float] | None = None
) -> tuple[Figure, Array]:
    figure = Figure(
        figsize=(WIDTH, inches), layout=ConstrainedLayoutEngine(hspace=0.06, h_pad=0.08)
    )
    return figure, figure.subplots(height, width, squeeze=False, height_ratios=heights)


def _mark(label: str, **look: Any) -> Line2D:
    return Line2D([], [], linestyle="", markersize=7, label=label, **look)


def _heatmap(axes: Axes, rows: pd.DataFrame, agents: list[str]) -> None:
    shifts = list(rows["world"].unique())
    wins = set(rows.loc[rows["j_confused"] > rows["j_causal"] + metrics.NEGLIGIBLE, "world"])
    table = (
        rows.groupby(["who", "world"], observed=True)["regret"]
        .apply(lambda values: metrics.iqm(values.to_numpy()))
        .unstack("world")
    )
    values: Array = table.reindex(index=agents, columns=shifts).to_numpy(float)
    axes.set_facecolor("#eeeeee")
    axes.imshow(values, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (y, x), value in np.ndenumerate(values):
        text = "n/a" if np.isnan(value) else f"{value:z.2f}"
        axes.text(
            x,
            y,
            text,
            ha="center",
            va="center",
            fontsize=FONT - 1,
            color="white" if value > 0.55 else INK,
        )
    names = [shift.replace("_", " ") + (" (+)" if shift in wins else "") for shift in shifts]
    axes.set_xticks(range(len(shifts)), names, rotation=20, ha="right", fontsize=FONT - 0.5)
    for tick, shift in zip(axes.get_xticklabels(), shifts, strict=True):
        tick.set_color(WRONG if shift in wins else INK)
    axes.grid(visible=False)
    axes.tick_params(length=0)


def _belief_panel(axes: Axes, rows: pd.DataFrame, agents: list[str]) -> None:
    for y, who in enumerate(agents):
        runs = rows[rows["who"] == who]
        earned, believed = (
            metrics.iqm(runs["value"].to_numpy(float)),
            metrics.iqm(runs["believed"].to_numpy(float)),
        )
        colour = COLOURS[runs["regime"].iloc[0]]
        axes.plot([earned, believed], [y, y], color=colour, linewidth=2, alpha=0.45, zorder=2)
        axes.scatter([earned], [y], s=40, color=colour, edgecolors="white", zorder=4)
        axes.scatter(
            [believed], [y], s=40, facecolors="white", edgecolors=colour, linewidths=1.4, zorder=3
        )


def _style(axes: Axes, agents: list[str]) -> None:
    axes.set_yticks(range(len(agents)), agents, fontsize=FONT)
    axes.set_ylim(len(agents) - 0.4, -0.6)
    axes.tick_params(axis="x", labelsize=FONT - 0.5, colors="#444444")
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", color="#eeeeee", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.margins(x=0.06)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color("#999999")

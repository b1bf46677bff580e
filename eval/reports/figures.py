"""The figures of the report, from result rows.

Each function returns a Figure and leaves matplotlib's global state alone.
"""

from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dosuite.causal import Array
from dosuite.envs.regimes import Regime

from ..runs.reference_values import REFERENCES, Line
from ..scores import metrics
from .labels import labelled
from .panels import (
    FONT,
    GREY,
    INK,
    LABEL,
    LINE,
    STEP,
    WRONG,
    legend,
    mark,
    name_lines,
    no_results,
    panel_per_environment,
    panels,
    style,
)
from .rounding import number_text

FLOOR = Line("floor", "#CC0000", "-", 1.8)
FIRST = ("regime", "first")  # of the rows of a group
BELIEF_NOTE = "expected return J of an episode; the number is believed less earned"
SHIFT_NOTE = (
    "shifted world; (+) the confused policy earns more there than the causal one; "
    "n/a: all policies earn the same, or it is not known"
)
DECIMALS = 9  # of a regret that is coloured: less is rounding
LEAST = 0.01  # the least width of an axis of beliefs, as a share of its numbers
# of a regret; light green and red are less than 0 and more than 1
REGRET = matplotlib.colormaps["Blues"].with_extremes(under="#c7e9c0", over="#fc9272")
OTHERS = "other agents"  # the line of those that have been run beforehand


def score_panels(rows: pd.DataFrame, beforehand: pd.DataFrame | None = None) -> Figure:
    """What each agent earns in each environment, in its twin, and on average in both.

    One row of panels for each environment, with the reference policies and, for the average, the
    floor. Small marks are seeds, large ones their interquartile mean with its 95 % interval. The
    runs that were made `beforehand` in the same environments, by agents of other names, are grey
    marks in a line below, one for each agent.
    """
    runs = labelled(metrics.largest_budget(metrics.deployment(rows)))
    others = _other_agents(runs, beforehand)
    worlds = dict(iter(runs[runs["variant"].isin(["", "twin"])].groupby("where")))
    if not worlds:
        return no_results()
    learners = {
        where: list(world.loc[world["regime"] != Regime.EXACT, "who"].unique())
        for where, world in worlds.items()
    }
    lines = [len(learners[where]) + bool((others["where"] == where).any()) for where in worlds]
    heights = [max(number, 2) * LINE + 5 * LABEL for number in lines]
    figure, axes_grid = panels(len(worlds), 3, sum(heights) + 0.9, heights)
    for (where, world), pair in zip(worlds.items(), axes_grid, strict=True):
        _pair_panels(pair, str(where), world, learners[where], others[others["where"] == where])
    figure.supxlabel("expected return J of an episode under intervention", fontsize=FONT)
    present = set(runs["regime"])
    marks = [
        mark(regime.legend, color=regime.colour, marker=regime.marker)
        for regime in Regime
        if regime in present and regime.legend
    ]
    if len(others):
        marks.append(mark("agents of dosuite that are not run here", color=GREY, marker="o"))
    legend(figure, marks, columns=4)
    return figure


def regret_heatmaps(rows: pd.DataFrame) -> Figure:
    """The regret of each agent under each shift, from 0 (white) to 1 (dark).

    (+) marks shifts in which the confused policy wins. A colour bar gives the scale; its pointed
    ends are regrets beyond it, which only an agent that is shown the intent can have.
    """
    wanted = (rows["world"] != "") & (rows["variant"] == "") & (rows["status"] == "ok")
    shifted = labelled(metrics.largest_budget(rows[wanted]))
    shifted = shifted.assign(regret=metrics.regret(shifted))
    figure = panel_per_environment(shifted, _heatmap, 1.2)
    panels_drawn = [axes for axes in figure.axes if axes.images]
    if panels_drawn:
        figure.set_figheight(figure.get_figheight() + 0.9)
        _colour_bar(figure, panels_drawn, shifted["regret"])
        figure.supxlabel(SHIFT_NOTE, fontsize=FONT)
    return figure


def belief_panels(rows: pd.DataFrame) -> Figure:
    """What each agent believes that its policy earns, joined to what it earns.

    The number is the difference, believed less earned.
    """
    runs = labelled(metrics.largest_budget(metrics.deployment(rows)))
    believing = runs[(runs["variant"] == "") & runs["believed"].notna()]
    figure = panel_per_environment(believing, _belief_panel, 0.8)
    marks = [
        mark("what its policy earns", color=INK, marker="o"),
        mark("what the agent believes it earns", color=INK, marker="o", markerfacecolor="white"),
    ]
    if len(believing):
        figure.set_figheight(figure.get_figheight() + 0.6)
        legend(figure, marks, columns=2)
        figure.supxlabel(BELIEF_NOTE, fontsize=FONT)
    return figure


def _other_agents(runs: pd.DataFrame, beforehand: pd.DataFrame | None) -> pd.DataFrame:
    """The runs that were made beforehand in the same environments, by agents of other names."""
    if beforehand is None:
        return runs.iloc[:0]
    others = labelled(metrics.largest_budget(metrics.deployment(beforehand)))
    is_other = ~others["agent"].isin(runs["agent"]) & (others["regime"] != Regime.EXACT)
    return others[is_other & others["where"].isin(runs["where"])]


def _pair_panels(
    three: Array, where: str, world: pd.DataFrame, learners: list[str], others: pd.DataFrame
) -> None:
    """Draw an environment, its twin and the mean of both, from left to right."""
    left, right, both = three
    names = [*learners, OTHERS] if len(others) else learners
    for axes in three:
        style(axes, names)
    for axes, variant in ((left, ""), (right, "twin")):
        _grey_dots(axes, others[others["variant"] == variant], len(learners))
    _grey_dots(both, _pair_means(others), len(learners))
    label_rows = max(
        _world_panel(left, world[world["variant"] == ""], learners),
        _world_panel(right, world[world["variant"] == "twin"], learners),
        _mean_panel(both, world, learners),
    )
    if len(others):
        left.get_yticklabels()[-1].set_color(GREY)
    look: dict[str, Any] = {"pad": 6 + STEP * label_rows, "fontsize": FONT + 0.5, "color": INK}
    left.set_title(where.replace(" ", "\n"), loc="left", fontweight="bold", **look)
    if both.axison:
        right.set_title("its twin: the same log", loc="left", **look)
        both.set_title("mean of both", loc="left", **look)
    right.set_yticklabels([])
    both.set_yticklabels([])


def _world_panel(axes: Axes, runs: pd.DataFrame, learners: list[str]) -> int:
    """Draw the runs of one world, and return the number of rows of labels above it."""
    if runs.empty:
        axes.set_axis_off()
        where: dict[str, Any] = {"transform": axes.transAxes, "ha": "center"}
        axes.text(0.5, 0.5, "no twin", color=GREY, fontsize=FONT, **where)
        return 0
    return _marked(axes, runs, learners, _reference_lines(runs))


def _mean_panel(axes: Axes, world: pd.DataFrame, learners: list[str]) -> int:
    """Draw what every run earns on average in the two worlds, and the floor of the pair.

    Returns the number of rows of labels above it.
    """
    means = _pair_means(world)
    if means.empty:
        axes.set_axis_off()
        return 0
    # The floor of one that is told the graph is that of the world and its hedge.
    untold = world[world["needs"].fillna("") == ""] if "needs" in world else world
    floor = float(untold["floor"].max()) if "floor" in untold else np.nan
    marks = [] if np.isnan(floor) else [(floor, FLOOR)]
    return _marked(axes, means, learners, marks)


def _pair_means(world: pd.DataFrame) -> pd.DataFrame:
    """The mean value of each agent and seed in a world and its twin, if both are there."""
    pairs = world[world["variant"].isin(["", "twin"])].groupby(["who", "seed"], observed=True)
    means = pairs.agg(value=("value", "mean"), worlds=("variant", "nunique"), regime=FIRST)
    return means[means["worlds"] == 2].reset_index()


def _marked(
    axes: Axes, runs: pd.DataFrame, learners: list[str], marks: list[tuple[float, Line]]
) -> int:
    """Draw lines and the values of runs, and return the number of rows of labels of the lines."""
    for value, line in marks:
        look: dict[str, Any] = {"linestyle": line.style, "linewidth": line.width}
        axes.axvline(value, zorder=1, color=line.colour, **look)
    for y, who in enumerate(learners):
        _dots(axes, runs[runs["who"] == who], y)
    low, high = axes.get_xlim()
    return name_lines(axes, [((value - low) / (high - low), line.label) for value, line in marks])


def _reference_lines(runs: pd.DataFrame) -> list[tuple[float, Line]]:
    """The reference values of one world, lowest first.

    That with intent is drawn only if it is more than the causal one.
    """
    first = runs.iloc[0]
    values = {
        column: float(first[column])
        for column, each in REFERENCES.items()
        if each.line and column in runs and pd.notna(first[column])
    }
    if values.get("j_intent", 0.0) <= values.get("j_causal", 0.0) + metrics.NEGLIGIBLE:
        values.pop("j_intent", None)
    marks = []
    for column, value in values.items():
        line = REFERENCES[column].line
        if line is not None:
            marks.append((value, line))
    return sorted(marks, key=lambda pair: pair[0])


def _dots(axes: Axes, runs: pd.DataFrame, y: int) -> None:
    """Draw the seeds of one agent, their interquartile mean and its interval."""
    if runs.empty:
        return
    values, regime = runs["value"].to_numpy(float), Regime(runs["regime"].iloc[0])
    middle, low, high = metrics.interval(values)
    bar: dict[str, Any] = {"linewidth": 3, "alpha": 0.5, "solid_capstyle": "round"}
    small: dict[str, Any] = {"s": 12, "alpha": 0.35, "linewidths": 0.0}
    large: dict[str, Any] = {"s": 46, "edgecolors": "white", "linewidths": 0.8}
    axes.plot([low, high], [y, y], color=regime.colour, zorder=2, **bar)
    axes.scatter(values, np.full(len(values), y), color=regime.colour, zorder=3, **small)
    axes.scatter([middle], [y], marker=regime.marker, color=regime.colour, zorder=4, **large)


def _grey_dots(axes: Axes, runs: pd.DataFrame, y: int) -> None:
    """Draw the interquartile mean of each agent in one line, in the mark of its regime."""
    look: dict[str, Any] = {"s": 16, "color": GREY, "alpha": 0.6, "linewidths": 0.0, "zorder": 2}
    for (_, regime), group in runs.groupby(["who", "regime"], observed=True):
        middle = metrics.iqm(group["value"].to_numpy(float))
        axes.scatter([middle], [y], marker=Regime(str(regime)).marker, **look)


def _heatmap(axes: Axes, rows: pd.DataFrame, agents: list[str]) -> None:
    """Draw the regret of each agent (lines) under each shift (columns) as a coloured number."""
    shifts = list(rows["world"].unique())
    gained = rows["j_confused"] > rows["j_causal"] + metrics.NEGLIGIBLE
    wins = set(rows.loc[gained, "world"])
    groups = rows.groupby(["who", "world"], observed=True)["regret"]
    means = groups.apply(lambda values: metrics.iqm(values.to_numpy())).unstack("world")
    values: Array = means.reindex(index=agents, columns=shifts).to_numpy(float)
    axes.set_facecolor("#eeeeee")
    axes.imshow(values.round(DECIMALS), cmap=REGRET, vmin=0, vmax=1, aspect="auto")
    centred: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": FONT - 1}
    for (y, x), value in np.ndenumerate(values):
        text = "n/a" if np.isnan(value) else number_text(value, 2)
        is_dark = 0.55 < value < 1 + metrics.NEGLIGIBLE
        axes.text(x, y, text, color="white" if is_dark else INK, **centred)
    names = [shift.replace("_", " ") + (" (+)" if shift in wins else "") for shift in shifts]
    axes.set_xticks(range(len(shifts)), names, rotation=20, ha="right", fontsize=FONT - 0.5)
    for tick, shift in zip(axes.get_xticklabels(), shifts, strict=True):
        tick.set_color(WRONG if shift in wins else INK)
    axes.grid(visible=False)
    axes.tick_params(length=0)


def _colour_bar(figure: Figure, shown: list[Axes], regrets: "pd.Series[float]") -> None:
    """Add the scale of the regrets, with pointed ends if some are beyond it."""
    below = bool((regrets < -metrics.NEGLIGIBLE).any())
    above = bool((regrets > 1 + metrics.NEGLIGIBLE).any())
    extend = {(False, False): "neither", (True, False): "min", (False, True): "max"}
    look: dict[str, Any] = {"extend": extend.get((below, above), "both"), "aspect": 40}
    where: dict[str, Any] = {"ax": shown, "location": "top", "shrink": 0.5}
    bar = figure.colorbar(shown[0].images[0], **where, **look)
    bar.set_label("regret: 0 is the best policy of the shifted world, 1 the worst", fontsize=FONT)
    bar.ax.tick_params(labelsize=FONT - 1)


def _belief_panel(axes: Axes, rows: pd.DataFrame, agents: list[str]) -> None:
    """Draw what each agent earns (full) and believes that it earns (empty), and the difference."""
    look: dict[str, Any] = {"textcoords": "offset points", "fontsize": FONT - 1, "va": "center"}
    for y, who in enumerate(agents):
        runs = rows[rows["who"] == who]
        earned = metrics.iqm(runs["value"].to_numpy(float))
        believed = metrics.iqm(runs["believed"].to_numpy(float))
        colour = Regime(runs["regime"].iloc[0]).colour
        full: dict[str, Any] = {"color": colour, "edgecolors": "white"}
        empty: dict[str, Any] = {"facecolors": "white", "edgecolors": colour, "linewidths": 1.4}
        axes.plot([earned, believed], [y, y], color=colour, linewidth=2, alpha=0.45, zorder=2)
        sign = "+" if believed - earned >= 0.0005 else ""
        text = sign + number_text(believed - earned, 3)
        axes.annotate(text, (max(earned, believed), y), (7, 0), **look)
        axes.scatter([earned], [y], s=40, zorder=4, **full)
        axes.scatter([believed], [y], s=40, zorder=3, **empty)
    values = rows[["value", "believed"]].to_numpy(float)
    low, high = values.min(), values.max()
    # differences of rounding are no differences
    width = max(high - low, LEAST * max(1.0, abs(low), abs(high)))
    middle = (low + high) / 2
    axes.set_xlim(middle - 0.6 * width, middle + 0.75 * width)  # room for the numbers

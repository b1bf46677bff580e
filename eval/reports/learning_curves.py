"""Learning curves of runs whose agents have `points`: as rows, and as a section with a figure.

The values are exact where the value of a policy is, and no episode is played to read them.
"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dosuite.causal import Array
from dosuite.envs.regimes import ONLINE

from ..runs.scored_rows import KAPPA_AT, VALUE_AT
from ..scores import metrics
from .labels import labelled
from .page import Section
from .panels import COLOURS, FONT, GREY, INK, mark, panels

NAME = "learning_curves"  # of the figure, and of its table
TITLE = "How do they learn?"
TEXT = (
    "The exact score CS_chance of the policy at points of its training, 0 for uniform chance and 1 "
    "for the causal policy: before the training, after 1/2, 1/4, ... of it, and at its end. Thick "
    "lines are means over seeds, thin ones seeds, and the dashed line is the confused policy. On "
    "the right is kappa of the agents that have action values: 0 for one that predicts what acting "
    "does, 1 for one that reproduces the log. The training is the practice of an agent that acts, "
    "and the updates of one that learns from a log."
)


def curves(rows: pd.DataFrame) -> pd.DataFrame:
    """A row for each run with points and each of them, and one for its end.

    The columns are those of its deployment's row, whose `value` and `kappa` are those at the point;
    `step`, the steps of practice or the updates before it; `share` of the training, from 0 to 1;
    and `score`, CS_chance. No row if no run has points.
    """
    deployed = metrics.deployment(rows)
    names = [name for name in deployed.columns if name.startswith(VALUE_AT)]
    if not names:
        return deployed.iloc[:0]
    steps = {name: int(name.removeprefix(VALUE_AT)) for name in names}
    ended = deployed[deployed[names].notna().any(axis=1)]
    ended = ended.assign(step=_length(ended, steps))
    parts = []
    for name, step in steps.items():
        there = ended[ended[name].notna() & (ended["step"] > step)]
        kappa = there.get(f"{KAPPA_AT}{step}", np.nan)
        parts.append(there.assign(step=step, value=there[name], kappa=kappa))
    found = pd.concat([*parts, ended])
    whole = found.groupby("run")["step"].transform("max")
    found = found.assign(score=metrics.chance_score(found), share=found["step"] / whole)
    read = [name for name in found.columns if name.startswith((VALUE_AT, KAPPA_AT))]
    order = ["environment", "member", "variant", "agent", "regime", "budget", "seed", "step"]
    return found.drop(columns=read).sort_values(order, kind="stable", ignore_index=True)


def _length(runs: pd.DataFrame, steps: dict[str, int]) -> Array:
    """The steps of each run's practice; the updates on its log, up to one if they are odd."""
    last = (runs[[*steps]].notna() * pd.Series(steps, dtype=int)).max(axis=1)
    practice = np.maximum(runs["budget"], last)  # an agent may finish its last rollout
    return np.where(runs["regime"].isin(ONLINE), practice, np.maximum(2 * last, 1))


def curves_section(found: pd.DataFrame) -> Section | None:
    """The section of the curves; None if there are none."""
    return Section(TITLE, [TEXT], [], NAME, on_terminal=False) if len(found) else None


def curves_figure(found: pd.DataFrame) -> Figure:
    """A line of panels for each world with curves: the score, and kappa if any agent has one."""
    runs = labelled(metrics.largest_budget(found))
    agents = list(runs["who"].unique())
    colours = {agent: COLOURS[i % len(COLOURS)] for i, agent in enumerate(agents)}
    worlds = dict(iter(runs.groupby(["where", "variant"], sort=False)))
    columns = ["score", "kappa"] if runs["kappa"].notna().any() else ["score"]
    figure, grid = panels(len(worlds), len(columns), 2.2 * len(worlds) + 0.2 * len(agents) + 0.4)
    for ((where, variant), world), line in zip(worlds.items(), grid, strict=True):
        for axes, column in zip(line, columns, strict=True):
            _draw(axes, world, column, colours)
        title = f"{where}, {variant}" if variant else where
        line[0].set_title(title, loc="left", fontsize=FONT, fontweight="bold", color=INK)
        confused = metrics.chance_score(world.assign(value=world["j_confused"])).mean()
        line[0].axhline(confused, color=GREY, linestyle="--", linewidth=1)
    marks = [mark(agent, color=colour, marker="o") for agent, colour in colours.items()]
    figure.legend(handles=marks, loc="outside upper left", frameon=False, fontsize=FONT)
    return figure


def _draw(axes: Axes, world: pd.DataFrame, column: str, colours: dict[str, str]) -> None:
    known = world[world[column].notna()]
    halvings = np.log2(known["share"].where(known["share"] > 0))
    least = min(halvings.min(), -1.0) - 1 if len(known) else -2.0  # where the start is drawn
    known = known.assign(at=halvings.fillna(least))
    for agent, own in known.groupby("who", observed=True):
        colour = colours[str(agent)]
        for _, seed in own.groupby("seed"):
            axes.plot(seed["at"], seed[column], linewidth=0.6, alpha=0.4, color=colour)
        mean = own.groupby("at")[column].mean()
        axes.plot(mean.index, mean, "-o", linewidth=1.6, markersize=3, color=colour)
    ticks = range(int(np.ceil(least)) + 1, 1)
    names = ["1" if tick == 0 else f"1/{2**-tick}" for tick in ticks]
    axes.set_xticks([least, *ticks], ["0", *names], fontsize=FONT - 1.5)
    axes.tick_params(axis="y", labelsize=FONT - 0.5)
    axes.set_xlabel("share of the training", fontsize=FONT)
    axes.set_ylabel("CS_chance" if column == "score" else column, fontsize=FONT)
    axes.spines[["top", "right"]].set_visible(False)

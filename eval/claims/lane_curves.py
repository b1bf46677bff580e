"""Learning curves on controls: agents that practise with all seeds at once beside the agents of
Stable-Baselines3 that they stand for.

A point of a curve is a run with that budget, since exploration is scheduled over the whole of it.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dosuite.causal import InputError

from ..reports.panels import FONT, GREY, INK, WRONG, legend, mark, panels
from ..runs.run import Run
from ..scores import metrics

WORLDS = (
    "ConfoundedRiver-v0",
    "CoinEnd-v0",
    "BrakeLight-v0",
    "DelusionBox-v0",
    "TrafficLight-v0",
    "GenotypeClinic-v0",
    "TreeHarvest-v0",
    "IceCreamShorts-v0",
)
ALGORITHMS = ("dqn", "ppo")
PARTS = (16, 8, 4, 2, 1)  # of the steps of a whole practice
CELL = ["environment", "algorithm", "budget"]
NEGLIGIBLE = 0.02  # difference of mean scores
ERRORS = 2.0  # standard errors of a difference that seeds explain
LOOKS = {
    "dqn": ("DQN of Stable-Baselines3", GREY, "-"),
    "dqn-lanes": ("dqn-lanes", WRONG, "-"),
    "ppo:entropy=0.0": ("PPO of Stable-Baselines3", GREY, "--"),  # the settings of ppo-lanes
    "ppo-lanes": ("ppo-lanes", WRONG, "--"),
}


def curve_runs(only: Sequence[str], seeds: int, steps: int) -> list[Run]:
    """Runs of both kinds of agents on the controls that have a text of `only` in their name.

    Raises InputError if there is none.
    """
    worlds = [name for name in WORLDS if not only or any(part in name for part in only)]
    if not worlds:
        raise InputError(f"no curve is of {' or '.join(only)}; choose from {', '.join(WORLDS)}")
    budgets = sorted({max(1, steps // part) for part in PARTS})
    return [
        Run(world, agent, "intervene", budget, seed, "control")
        for world in worlds
        for agent in LOOKS
        for budget in budgets
        for seed in range(seeds)
    ]


def curve_scores(rows: pd.DataFrame) -> pd.DataFrame:
    """A row for each algorithm, control and budget, from the results of the runs.

    The score is 1 - NR, the normalised regret: 1 for the best policy, 0 for the worst. Columns:
    `theirs` and `ours`, the mean over seeds; `error`, the standard error of their difference; and
    `within`, whether the difference is at most two errors, or at most 0.02.
    """
    deployed = metrics.deployment(rows)
    kind = deployed["agent"].str.partition(":")[0]
    scored = deployed.assign(
        score=1 - metrics.normalised_regret(deployed),
        algorithm=kind.str.removesuffix("-lanes"),
        side=np.where(kind.str.endswith("-lanes"), "ours", "theirs"),
    )
    by_side = scored.groupby([*CELL, "side"])["score"]
    means = by_side.mean().unstack("side")
    squares = (by_side.var(ddof=1) / by_side.size()).unstack("side").sum(axis=1)
    table = means.assign(error=np.sqrt(squares)).reset_index().rename_axis(columns=None)
    difference = abs(table["ours"] - table["theirs"])
    within = difference <= np.maximum(ERRORS * table["error"], NEGLIGIBLE)
    return table[[*CELL, "theirs", "ours", "error"]].assign(within=within)


def curve_figure(rows: pd.DataFrame) -> Figure:
    """A panel for each control: the mean score of each agent by budget, and every seed."""
    deployed = metrics.deployment(rows)
    scored = deployed.assign(score=1 - metrics.normalised_regret(deployed))
    worlds = dict(iter(scored.groupby("environment", sort=False)))
    height = -(-len(worlds) // 2)
    figure, axes_grid = panels(height, 2, 2.2 * height + 0.5)
    for axes, (world, part) in zip(axes_grid.flat, worlds.items(), strict=False):
        axes.set_title(f"{world!s}, control", loc="left", fontsize=FONT, color=INK)
        _draw(axes, part)
    for axes in axes_grid.flat[len(worlds) :]:
        axes.set_axis_off()
    marks = [
        mark(label, color=colour, marker="o" if line == "-" else "s")
        for label, colour, line in LOOKS.values()
    ]
    legend(figure, marks, 4)
    return figure


def _draw(axes: Axes, part: pd.DataFrame) -> None:
    for agent, (_, colour, line) in LOOKS.items():
        rows = part[part["agent"] == agent]
        means = rows.groupby("budget")["score"].mean()
        marker = "o" if line == "-" else "s"
        axes.plot(means.index, means, line, color=colour, linewidth=1.2, marker=marker)
        axes.plot(rows["budget"], rows["score"], ".", color=colour, markersize=2, alpha=0.5)
    axes.set_xscale("log")
    budgets = sorted(part["budget"].unique())
    axes.set_xticks(budgets, [f"{budget:,}" for budget in budgets])
    axes.minorticks_off()
    axes.set_xlabel("steps of practice", fontsize=FONT)
    axes.set_ylabel("1 - NR", fontsize=FONT)
    axes.tick_params(labelsize=FONT - 0.5)

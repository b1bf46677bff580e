"""Is a good predictor of the log a good controller?"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy import stats

from dosuite.causal import Array

from ..reports.panels import FONT, INK, WRONG, legend, mark, titled_panels
from ..runs.run import Run
from ..scores.bootstrap import Interval
from ..scores.metrics import NEGLIGIBLE
from .scaling import ADAM, SGD, scaling_runs, scaling_table
from .static_scale import CASINO, ICE, NAPKIN, RIVER
from .study import Size, Study
from .verdicts import LEAST_SEEDS, Check, Finding, below, compared, counted, finding

RESAMPLES = 1000  # of the seeds
SOLVED = 0.05  # the regret that the control's best predictors may have
LEAST_RANK = 0.0  # the rank correlation on the control must lie above it, that on the world below
GRIDS: Mapping[Size, dict[str, Any]] = {
    Size.SMALL: {
        "worlds": (ICE,),
        "rows": (30, 100, 300, 1000),
        "learners": {ADAM: (4, 16)},
        "seeds": 6,
    },
    Size.DEFAULT: {
        "worlds": (ICE, CASINO, NAPKIN, RIVER),
        "rows": (30, 100, 300, 1000, 3000, 10_000),
        "learners": {ADAM: (4, 16, 64)},
        "seeds": 10,
    },
    Size.FULL: {
        "worlds": (ICE, CASINO, NAPKIN, RIVER),
        "rows": (30, 100, 300, 1000, 3000, 10_000, 100_000),
        "learners": {ADAM: (4, 16, 64, 256, 1024), SGD: (4, 16, 64, 256, 1024)},
        "seeds": 20,
    },
}


@dataclass(frozen=True)
class PredictControl(Study):
    """One network scored as a predictor of the log and as a controller."""

    name: str = "predict-control"
    question: str = "Is a good predictor of the log a good controller?"
    hypothesis: str = (
        "Only without confounding: on a confounded log, networks that predict better have no "
        "smaller regret, and often a larger one."
    )
    criterion: str = (
        "In every world, over rows, widths, learners and seeds: the rank correlation between "
        "predictive loss and regret lies below 0, or the regret is the same for all; by its 95 % "
        "interval over seeds. No verdict if on the control that correlation does not lie above 0, "
        "or if the widest networks with the most rows have a mean regret of .05 or more there."
    )
    budget: Mapping[Size, str] = field(
        default_factory=lambda: {
            Size.SMALL: "1 world, 6 seeds, logs up to 1e3 rows, widths to 16; minutes",
            Size.DEFAULT: "4 worlds, 10 seeds, logs up to 1e4 rows, widths to 64",
            Size.FULL: "4 worlds, 20 seeds, logs up to 1e5 rows, widths to 1,024; for a cluster",
        }
    )

    def runs(self, size: Size) -> list[Run]:
        return scaling_runs(**GRIDS[size])

    def table(self, rows: pd.DataFrame, folder: Path) -> pd.DataFrame:
        """See `scaling_table`."""
        return scaling_table(rows, folder)

    def findings(self, table: pd.DataFrame) -> list[Finding]:
        """A verdict for each world."""
        return [_judged(str(where), part) for where, part in table.groupby("where")]

    def figure(self, table: pd.DataFrame) -> Figure:
        """A panel for each world: the regret of every network against its predictive loss."""
        worlds = list(table.groupby("where"))
        figure, axes_of = titled_panels([str(where) for where, _ in worlds], 2.6)
        for axes, (_, part) in zip(axes_of, worlds, strict=True):
            for variant, colour in (("", WRONG), ("control", INK)):
                shown = part[part["variant"] == variant]
                axes.scatter(shown["loss"], shown["regret"], s=10, alpha=0.6, color=colour)
            axes.set_xscale("log")
            axes.set_xlabel("predictive loss on the log", fontsize=FONT)
            axes.set_ylabel("regret of acting", fontsize=FONT)
        world, control = (
            mark("world", color=WRONG, marker="o"),
            mark("control", color=INK, marker="o"),
        )
        legend(figure, [world, control], 2)
        return figure

    def headline(self, table: pd.DataFrame) -> str:
        """The range of the rank correlations over worlds, and that over their controls."""
        ranges = []
        for variant in ("", "control"):
            parts = table[table["variant"] == variant].groupby("where")
            ranks = [rank_correlation(part)[0] for _, part in parts]
            ranges.append(f"between {min(ranks):.2f} and {max(ranks):.2f}")
        worlds = counted(table["where"].nunique(), "confounded world")
        return (
            "Over networks of all sizes, the rank correlation between predictive loss and regret "
            f"is {ranges[0]} on {worlds}, and {ranges[1]} without confounding."
        )

    def paragraph(self, table: pd.DataFrame) -> str:
        """The rank correlations of every world and its control."""
        sentences = []
        for where, part in table.groupby("where"):
            texts = [
                f"{middle:.2f} [{low:.2f}, {high:.2f}] on the {name}"
                for name, (middle, low, high) in (
                    ("world", rank_correlation(part[part["variant"] == ""])),
                    ("control", rank_correlation(part[part["variant"] == "control"])),
                )
            ]
            sentences.append(
                f"In {where} the rank correlation between predictive loss and regret is "
                f"{' and '.join(texts)}."
            )
        return "\n".join(sentences)


def rank_correlation(part: pd.DataFrame) -> Interval:
    """Spearman's correlation of `loss` and `regret`, and its 95 % bootstrap interval over seeds.

    0 where all regrets are the same. All reals for fewer than 3 seeds or numbers that are missing.
    """
    groups = [group[["loss", "regret"]].to_numpy(float) for _, group in part.groupby("seed")]
    if len(groups) < LEAST_SEEDS or part[["loss", "regret"]].isna().any(axis=None):
        return np.nan, -np.inf, np.inf
    rng = np.random.default_rng(0)
    picks = rng.integers(len(groups), size=(RESAMPLES, len(groups)))
    ranks = [_spearman(np.concatenate([groups[seed] for seed in row])) for row in picks]
    low, high = np.quantile(ranks, [0.025, 0.975])
    return _spearman(np.concatenate(groups)), float(low), float(high)


def _spearman(pairs: Array) -> float:
    if (np.ptp(pairs, axis=0) <= NEGLIGIBLE).any():
        return 0.0
    return float(stats.spearmanr(pairs[:, 0], pairs[:, 1]).statistic)


def _judged(case: str, part: pd.DataFrame) -> Finding:
    world, control = part[part["variant"] == ""], part[part["variant"] == "control"]
    best = control[control["width"] == control["width"].max()]
    best = best[best["rows"] == best["rows"].max()].groupby("seed")["regret"].mean()
    own = rank_correlation(control)
    controls = [
        below("the control's regret with the most rows", best.to_numpy(float), SOLVED),
        compared("the control's rank correlation", own, LEAST_RANK, is_below=False),
    ]
    if np.ptp(world["regret"]) <= NEGLIGIBLE:
        claim = Check(True, f"the regret of every network is {world['regret'].iloc[0]:.3g}")
    else:
        measured = rank_correlation(world)
        claim = compared("the rank correlation", measured, LEAST_RANK, is_below=True)
    return finding(case, controls, [claim])


STUDY = PredictControl()

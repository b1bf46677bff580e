"""What depends on the seed alone: how far policies of equal runs disagree, and how their returns
spread."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..runs.disagreement import kept_disagreement
from ..scores import metrics
from ..scores.path_dependence import BIMODAL, LEAST_DISAGREEMENT, path_dependence, sarle
from ..scores.scale import CURVE, learned
from .labels import labelled
from .page import Section, Table
from .rounding import number_text

FEWEST_SEEDS = 20  # of a cell that the table shows
TITLE = "Do the seeds agree?"
TEXT = (
    "Runs that differ in their seed alone, which draws the data, their order and the "
    f"initialisation; of agents with at least {FEWEST_SEEDS} seeds."
)
DEFINITIONS = [
    "FD, functional disagreement, is the mean total variation distance between the policies of two "
    "seeds: at the contexts as the log has them, and, shifted, at those of the logs of shifts, "
    "which weigh the same.",
    f"PD, path dependence, is FD shifted / max(FD, {LEAST_DISAGREEMENT}). SD is the standard "
    "deviation of J over seeds. Sarle's coefficient of J is (skewness^2 + 1) / kurtosis, corrected "
    f"for bias; above {BIMODAL:.3f}, that of a uniform law, the seeds count as bimodal.",
]


def paths_section(rows: pd.DataFrame, folder: Path) -> Section | None:
    """The agents with enough seeds in one world, at their largest budget; None if there are none.

    Their policies are read from the folder of the results.
    """
    runs = learned(metrics.largest_budget(metrics.deployment(rows)))
    found: list[dict[str, Any]] = []
    for cell, own in runs.groupby(CURVE):
        if own["seed"].nunique() >= FEWEST_SEEDS:
            of_runs = rows[rows["run"].isin(own["run"]) & (rows["world"] != "")]
            named = dict(zip(CURVE, cell, strict=True))
            found.append({**named, "needs": own["needs"].iloc[0], **_texts(own, of_runs, folder)})
    if not found:
        return None
    shown = labelled(pd.DataFrame(found).assign(world="", budget=0, seed=0))
    columns = ["seeds", "FD", "FD shifted", "PD", "SD", "Sarle", "bimodal"]
    frame = shown[["where", "who", *columns]].astype(str)
    frame = frame.rename(columns={"where": "environment", "who": "agent"})
    table = Table("paths", frame, grouped=True)
    return Section(TITLE, [TEXT], [table], on_terminal=False)


def _texts(runs: pd.DataFrame, shifted: pd.DataFrame, folder: Path) -> dict[str, str]:
    """The numbers of one agent in one world: its deployment rows, and those of the shifts."""
    here, there = kept_disagreement(runs, folder)
    values = runs["value"].to_numpy(float)
    coefficients = {"deployment": sarle(values)} | {
        str(world): sarle(own["value"].to_numpy(float)) for world, own in shifted.groupby("world")
    }
    bimodal = [name for name, coefficient in coefficients.items() if coefficient > BIMODAL]
    return {
        "seeds": str(runs["seed"].nunique()),
        "FD": _text(here),
        "FD shifted": _text(there),
        "PD": _text(path_dependence(there, here)),
        "SD": _text(float(values.std(ddof=1))),
        "Sarle": _text(coefficients["deployment"]),
        "bimodal": ", ".join(bimodal) or "no",
    }


def _text(number: float) -> str:
    return "n/a" if np.isnan(number) else number_text(number, 3)

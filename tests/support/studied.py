"""A small table of a study, and a folder of the study that has it as its result."""

from pathlib import Path

import numpy as np
import pandas as pd

from dosuite.eval.studies.made import recorded
from dosuite.eval.studies.study import Size, study_named, write_down

NAME = "reversal"
SEEDS = 4


def regrets(excess: float = 0.0) -> pd.DataFrame:
    """Regrets along a dial in one world; the static learner's exceed the analytic ones by some."""
    rng = np.random.default_rng(0)
    lines = []
    for seed in range(SEEDS):
        for learner, more in (("static", excess), ("causal", 0.0)):
            for at in (0.0, 0.5, 1.0):
                regret = at + more + 0.001 * rng.normal()
                lines.append(("W", "", learner, seed, "heat", at, regret, at))
        lines.append(("W", "control", "static", seed, "", np.nan, 0.0, 0.0))
    columns = ["where", "variant", "learner", "seed", "dial", "at", "regret", "analytic"]
    return pd.DataFrame(lines, columns=columns)


def done_folder(folder: Path, table: pd.DataFrame, size: Size = Size.DEFAULT) -> Path:
    """Make a folder of the study that has this table as its result."""
    write_down(study_named(NAME), size, folder)
    with recorded(folder):
        table.to_parquet(folder / "study.parquet")
    study_named(NAME).figure(table).savefig(folder / "study.png", dpi=50)
    return folder

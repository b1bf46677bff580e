"""What is said of a confounded classic: its channels, and the gap that has been measured in it."""

import re
from collections.abc import Sequence

import pandas as pd

from dosuite.envs import CLASSICS

from ..reports.rounding import number_text
from .kept_gaps import Gap

FUNCTION = re.compile(r"<function (?:\w+\.<locals>\.)?(\w+) at 0x[0-9a-f]+>")  # as Python prints it
HEADINGS = ("strength", "of the log", "of the experiment", "expert, sees U", "gap", "95 %")


def about(name: str) -> str:
    """What it is a variant of, its steps, and its story."""
    recipe = CLASSICS[name]
    return f"{name}: {recipe.base}, {recipe.steps} steps. {recipe.about}"


def channels(name: str) -> list[str]:
    """A line for each way in which the hidden driver acts."""
    return [
        FUNCTION.sub(r"\1", f"{channel}: {value}")
        for channel, value in CLASSICS[name].channels.items()
    ]


def gap_frame(gaps: Sequence[Gap]) -> pd.DataFrame:
    """A row of texts for each strength: the mean returns of three policies, and the gap."""
    rows = [
        [
            f"{gap.strength:g}",
            _with_error(gap.confounded, gap.confounded_error),
            _with_error(gap.experimental, gap.experimental_error),
            _with_error(gap.expert, gap.expert_error),
            number_text(gap.gap, 1),
            interval(gap),
        ]
        for gap in gaps
    ]
    return pd.DataFrame(rows, columns=list(HEADINGS))


def measured(gap: Gap) -> str:
    """How the gaps of an environment were measured."""
    return (
        f"Returns, estimated in {gap.seeds} seeds, with standard errors. The learner is "
        f"{gap.learner}, and each log has {gap.rows:,} rows. The experimenter acts by the "
        "same law, but does not see U. The gap is what is earned more after the experiment than "
        "after the log, with its 95 % interval. At strength 0 nothing is confounded."
    )


def no_gap(name: str) -> str:
    """What is said where no gap has been measured."""
    return f"No gap is kept: python -m dosuite.eval.claims.confounded_gaps {name}"


def interval(gap: Gap) -> str:
    """The interval of a gap as a text."""
    return f"{number_text(gap.low, 1)} to {number_text(gap.high, 1)}"


def _with_error(value: float, error: float) -> str:
    return f"{number_text(value, 1)} ± {number_text(error, 1)}"

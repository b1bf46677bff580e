"""What `dosuite show` prints of a confounded classic."""

import re
from collections.abc import Sequence

from rich import box
from rich.table import Column, Table

from dosuite.envs import CLASSICS

from ..claims.kept_gaps import Gap, kept_gaps
from ..reports.rounding import number_text
from .options import print_plain, print_table

FUNCTION = re.compile(r"<function (?:\w+\.<locals>\.)?(\w+) at 0x[0-9a-f]+>")  # as Python prints it


def show_classic(name: str) -> None:
    """Print what a confounded classic is, and the gap that has been measured in it."""
    recipe = CLASSICS[name]
    print_plain(f"{name}: {recipe.base}, {recipe.steps} steps. {recipe.about}\n")
    for channel, value in recipe.channels.items():
        print_plain(FUNCTION.sub(r"\1", f"{channel}: {value}"))
    gaps = [gap for gap in kept_gaps() if gap.environment == name]
    if not gaps:
        print_plain(f"\nNo gap is kept: python -m dosuite.eval.claims.confounded_gaps {name}")
        return
    print_table(gap_table(gaps))
    print_plain(
        f"Returns, estimated in {gaps[0].seeds} seeds, with standard errors. The learner is "
        f"{gaps[0].learner}, and each log has {gaps[0].rows:,} rows. The experimenter acts by the "
        "same law, but does not see U. The gap is what is earned more after the experiment than "
        "after the log, with its 95 % interval. At strength 0 nothing is confounded."
    )


def gap_table(gaps: Sequence[Gap]) -> Table:
    """A row for each strength: the mean returns of three policies, and the gap."""
    headings = "strength", "of the log", "of the experiment", "expert, sees U", "gap", "95 %"
    table = Table(box=box.SIMPLE_HEAD)
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    for gap in gaps:
        table.add_row(
            f"{gap.strength:g}",
            _with_error(gap.confounded, gap.confounded_error),
            _with_error(gap.experimental, gap.experimental_error),
            _with_error(gap.expert, gap.expert_error),
            number_text(gap.gap, 1),
            _interval(gap),
        )
    return table


def classics_table(gaps: Sequence[Gap]) -> Table:
    """The classics with a significant gap at full strength, and that gap."""
    table = Table(Column("environment", no_wrap=True), "of", "gap", "95 %", box=box.SIMPLE_HEAD)
    for gap in gaps:
        if gap.strength == 1 and gap.is_significant:
            base = CLASSICS[gap.environment].base
            table.add_row(gap.environment, base, number_text(gap.gap, 1), _interval(gap))
    return table


def _interval(gap: Gap) -> str:
    return f"{number_text(gap.low, 1)} to {number_text(gap.high, 1)}"


def _with_error(value: float, error: float) -> str:
    return f"{number_text(value, 1)} ± {number_text(error, 1)}"

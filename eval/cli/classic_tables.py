"""What `dosuite show` and `dosuite list` print of the confounded classics."""

from collections.abc import Sequence

from rich import box
from rich.table import Column, Table

from dosuite.envs import CLASSICS

from ..claims.classic_text import HEADINGS, about, channels, gap_frame, interval, measured, no_gap
from ..claims.kept_gaps import Gap, kept_gaps
from ..reports.rounding import number_text
from .options import print_plain, print_table


def show_classic(name: str) -> None:
    """Print what a confounded classic is, and the gap that has been measured in it."""
    print_plain(f"{about(name)}\n")
    for line in channels(name):
        print_plain(line)
    gaps = [gap for gap in kept_gaps() if gap.environment == name]
    if not gaps:
        print_plain(f"\n{no_gap(name)}")
        return
    print_table(_gap_table(gaps))
    print_plain(measured(gaps[0]))


def _gap_table(gaps: Sequence[Gap]) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for heading in HEADINGS:
        table.add_column(heading, justify="right", no_wrap=True)
    for row in gap_frame(gaps).itertuples(index=False):
        table.add_row(*row)
    return table


def classics_table(gaps: Sequence[Gap]) -> Table:
    """The classics with a significant gap at full strength, and that gap."""
    table = Table(Column("environment", no_wrap=True), "of", "gap", "95 %", box=box.SIMPLE_HEAD)
    for gap in gaps:
        if gap.strength == 1 and gap.is_significant:
            base = CLASSICS[gap.environment].base
            table.add_row(gap.environment, base, number_text(gap.gap, 1), interval(gap))
    return table

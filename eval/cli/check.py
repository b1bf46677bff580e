"""`dosuite check`."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from .options import CORES, Workers, console, print_plain, print_table


def check(
    file: Annotated[
        Path | None, typer.Argument(help="A file that `dosuite submission` wrote.")
    ] = None,
    secret: Annotated[
        str, typer.Option(help="A seed that draws worlds, in which policies are scored, too.")
    ] = "",
    commit: Annotated[
        str, typer.Option(help="A secret seed: print the hash to publish before it, and stop.")
    ] = "",
    workers: Workers = CORES,
) -> None:
    """Check a submission.

    Logs are collected again from their seeds, and policies are scored again; nothing that the
    author wrote is run. Prints one verdict on each run.
    """
    if commit:
        from ..leaderboard.held_out import commitment

        print_plain(commitment(commit))
        return
    if file is None:
        raise typer.BadParameter("name the file of a submission")

    from ..submissions.check import OK, WRONG
    from ..submissions.check import check as checked

    verdicts = checked(file, workers)
    for verdict in verdicts:
        print_plain(str(verdict))
    counts = Counter(verdict.status for verdict in verdicts)
    print_plain(", ".join(f"{number} {status}" for status, number in counts.items()))
    if secret:
        accepted = frozenset(verdict.key for verdict in verdicts if verdict.status == OK)
        _print_held_out(file, secret, accepted)
    if counts[WRONG]:
        console.print(f"{file} is not what it says.", style="bold red", soft_wrap=True)
        raise typer.Exit(1)


def _print_held_out(file: Path, secret: str, accepted: frozenset[str]) -> None:
    """Print the scores of the policies that are accepted in the worlds that a seed draws."""
    from ..leaderboard.held_out import held_out_table, summaries

    scores = held_out_table(file, secret, accepted)
    if scores.empty:
        print_plain("no policy in the file is of a world that declares held-out ranges")
        return
    table = Table("environment", "agent", "J", "regret", "excess", "confusing", title="held out")
    for line in summaries(scores):
        table.add_row(*map(Text, line))
    print_table(table)
    print_plain(
        "Worlds that the seed draws; regret is 0 for the best policy there and 1 for the worst, "
        "excess is the regret beyond that of the causal policy of the deployment, and confusing "
        "counts the worlds in which some policy is better than the confused one."
    )

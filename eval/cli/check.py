"""`dosuite check`."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from .options import CORES, Workers, console, print_plain


def check(
    file: Annotated[Path, typer.Argument(help="A file that `dosuite submission` wrote.")],
    workers: Workers = CORES,
) -> None:
    """Check a submission.

    Logs are collected again from their seeds, and policies are scored again; nothing that the
    author wrote is run. Prints one verdict on each run.
    """
    from ..submissions.check import WRONG
    from ..submissions.check import check as checked

    verdicts = checked(file, workers)
    for verdict in verdicts:
        print_plain(str(verdict))
    counts = Counter(verdict.status for verdict in verdicts)
    print_plain(", ".join(f"{number} {status}" for status, number in counts.items()))
    if counts[WRONG]:
        console.print(f"{file} is not what it says.", style="bold red", soft_wrap=True)
        raise typer.Exit(1)

"""What the commands share: the terminal, options, and the exit code."""

import os
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
from rich.console import Console

console = Console(width=max(110, Console().width))

Out = Annotated[Path, typer.Option(help="The folder of the results.")]
Workers = Annotated[int, typer.Option(min=1, help="Worker processes.")]
CORES = os.cpu_count() or 1


def fail_if_any(rows: pd.DataFrame) -> None:
    """Exit with code 1 if a run failed."""
    failed = rows[rows["status"] != "ok"]
    if len(failed):
        console.print(f"{len(failed)} runs failed; the report says why.", style="bold red")
        raise typer.Exit(1)

"""What the commands share: the terminal, options, and the exit code."""

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

if TYPE_CHECKING:
    import pandas as pd

console = Console(width=max(110, Console().width))

Environment = Annotated[
    str,
    typer.Argument(
        help="An id with settings, IceCreamShorts-v0:confounding=0.5, or my_world.py:MyWorld."
    ),
]
Variant = Annotated[str, typer.Option(help="twin or control.")]
Out = Annotated[Path, typer.Option(help="The folder of the results.")]
Workers = Annotated[int, typer.Option(min=1, help="Worker processes.")]
CORES = os.cpu_count() or 1
Trust = Annotated[
    bool,
    typer.Option(
        "--trust",
        help="Open files that run code: .py files, zips of Stable-Baselines3 and their .pkl, which "
        "are unpickled, and TorchScript. They can do all that you can; know who wrote them.",
    ),
]


def print_plain(text: str) -> None:
    """Print a line as it is: not wrapped, without colours for numbers and paths."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def fail_if_any(rows: "pd.DataFrame") -> None:
    """Exit with code 1 if a run failed."""
    failed = rows[rows["status"] != "ok"]
    if len(failed):
        console.print(f"{len(failed)} runs failed; the report says why.", style="bold red")
        raise typer.Exit(1)


def number_text(value: float, digits: int) -> str:
    """A number for a table; "-" for NaN."""
    return "-" if math.isnan(value) else f"{value:.{digits}f}"

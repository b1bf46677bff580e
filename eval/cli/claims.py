"""The commands that hold predictions against measurements."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from ..claims import matrix as predicted
from ..claims.verdicts import sections
from ..reports.page import Section, print_sections, write_sections
from ..runs.suite import execute
from .options import CORES, Out, Workers, console, fail_if_any

Seeds = Annotated[int, typer.Option(min=1, help="Seeds of each cell.")]
Rows = Annotated[
    int,
    typer.Option(
        min=1, help="Recorded steps of a log, at most; the tables say where they are fewer."
    ),
]
Steps = Annotated[
    int, typer.Option(min=1, help="Steps of practice; in worlds of one step a tenth of them.")
]


def matrix(
    only: Annotated[
        list[str] | None,
        typer.Option(
            help="Rows with this in their name, or a class: Kidney, Lat; may be repeated."
        ),
    ] = None,
    agent: Annotated[
        list[str] | None,
        typer.Option(help="Run this agent too, predicted as NaiveRL is; may be repeated."),
    ] = None,
    seeds: Seeds = 20,
    rows: Rows = 1_000_000,
    steps: Steps = 200_000,
    out: Out = Path("matrix"),
    workers: Workers = CORES,
) -> None:
    """Run the prediction matrix:

    which class of agents succeeds in which world, as predicted and as measured.
    """
    cells = predicted.cells(only or (), agent or (), seeds, rows, steps)
    found = execute(predicted.in_order(cells), out, workers)
    told = sections(cells, found)
    print_sections(told[:-1], console)  # how each row was run is long, and stands on the page
    _publish(told, found, "matrix", out)


def predictions(
    only: Annotated[
        list[int] | None, typer.Option(min=1, max=8, help="Only this one; may be repeated.")
    ] = None,
    seeds: Seeds = 20,
    rows: Rows = 1_000_000,
    steps: Steps = 200_000,
    out: Out = Path("matrix"),
    workers: Workers = CORES,
) -> None:
    """Test the eight predictions across families.

    They share their runs with the matrix in the same folder.
    """
    from ..claims import predictions as stated

    lab = stated.Lab(seeds, rows, steps, out, workers)
    found = []
    for number in only or range(1, 9):
        found.append(stated.told(number, stated.PREDICTIONS[number - 1](lab)))
        print_sections(found[-1:], console)
    none = pd.DataFrame(columns=["environment", "world", "status"])
    _publish(found, execute(lab.runs, out, workers) if lab.runs else none, "predictions", out)


def _publish(found: Sequence[Section], rows: pd.DataFrame, name: str, out: Path) -> None:
    console.print(
        f"\npage: {write_sections(found, rows, name, out)}   rows: {out / 'results.parquet'}",
        highlight=False,
        soft_wrap=True,
    )
    fail_if_any(rows)

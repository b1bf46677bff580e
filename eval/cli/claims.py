"""`dosuite matrix` and `dosuite predictions`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import (
    CORES,
    MOST_SEEDS,
    MOST_STEPS,
    Engine,
    Kept,
    Out,
    Shard,
    Trust,
    Workers,
    console,
    fail_if_any,
    print_plain,
    rows_of_runs,
)

if TYPE_CHECKING:
    import pandas as pd

    from ..reports.page import Section

MOST = 8  # predictions

Seeds = Annotated[int, typer.Option(min=1, max=MOST_SEEDS, help="Seeds of each cell.")]
Rows = Annotated[
    int,
    typer.Option(
        min=1,
        max=MOST_STEPS,
        help="Recorded steps of a log, at most; the tables say where they are fewer.",
    ),
]
Steps = Annotated[
    int,
    typer.Option(
        min=1, max=MOST_STEPS, help="Steps of practice; in worlds of one step a tenth of them."
    ),
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
        typer.Option(
            help="Run this agent too, judged by the predictions of NaiveRL; may be repeated."
        ),
    ] = None,
    seeds: Seeds = 20,
    rows: Rows = 1_000_000,
    steps: Steps = 200_000,
    out: Out = Path("matrix"),
    workers: Workers = CORES,
    engine: Engine = "",
    shard: Shard = "",
    trust: Trust = False,
    kept: Kept = False,
) -> None:
    """Run the prediction matrix.

    It says which class of agents succeeds in which world, as predicted and as measured.
    """
    from dosuite.envs.trust import set_trust

    from ..claims.kept import about, kept_rows
    from ..claims.matrix import in_order, matrix_cells
    from ..claims.verdicts import matrix_sections, measured_cells
    from ..reports.labels import own_names
    from ..reports.page import print_sections

    set_trust(trust)
    cells = matrix_cells(only or (), agent or (), seeds, rows, steps)
    if kept:
        measured = kept_rows("matrix")
        wanted = {(cell.row.name, cell.column) for cell in cells}
        pairs = zip(measured["row"], measured["class"], strict=True)
        measured = measured[[pair in wanted for pair in pairs]]
        if measured.empty:
            raise typer.BadParameter("nothing of these cells is measured in the package")
        print_sections(matrix_sections(cells, measured, {}), console)
        print_plain(f"\n{about(measured)}")
        return
    results = rows_of_runs(in_order(cells), out, workers, shard, engine)
    sections = matrix_sections(cells, measured_cells(cells, results), own_names(results))
    print_sections(sections, console)
    _publish(sections, results, "matrix", out)


def predictions(
    only: Annotated[
        list[int] | None, typer.Option(min=1, max=MOST, help="Only this one; may be repeated.")
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
    import pandas as pd

    from ..claims.laboratory import Lab
    from ..claims.predictions import PREDICTIONS
    from ..reports.page import print_sections
    from ..runs.suite import execute

    lab = Lab(seeds, rows, steps, out, workers)
    sections = []
    for number in only or range(1, MOST + 1):
        prediction = PREDICTIONS[number - 1]
        section = prediction.section(prediction.test(lab))
        sections.append(section)
        print_sections([section], console)
    if lab.runs:
        results = execute(lab.runs, out, workers)
    else:
        results = pd.DataFrame(columns=["environment", "world", "status"])
    _publish(sections, results, "predictions", out)


def _publish(sections: Sequence["Section"], results: "pd.DataFrame", name: str, out: Path) -> None:
    """Write the page `name`.html to a folder, and say where it is."""
    from ..reports.page import write_sections

    page = write_sections(sections, results, name, out)
    print_plain(f"\npage: {page}   rows: {out / 'results.parquet'}")
    fail_if_any(results)

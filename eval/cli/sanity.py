"""The command that looks where nothing is confounded."""

from pathlib import Path
from typing import Annotated

import typer

from ..claims import classic_control as classic
from ..claims import sanity as controls
from ..reports.page import print_sections, write_sections
from ..runs.suite import execute
from .options import CORES, Out, Workers, console


def sanity(
    only: Annotated[
        list[str] | None, typer.Option(help="Families with this in their name; may be repeated.")
    ] = None,
    agent: Annotated[
        list[str] | None, typer.Option(help="Only this agent in the controls; may be repeated.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Seeds of each pair.")] = 5,
    rows: Annotated[int, typer.Option(min=1, help="Recorded steps of a log.")] = 100_000,
    steps: Annotated[int, typer.Option(min=1, help="Steps of practice.")] = 50_000,
    out: Out = Path("sanity"),
    workers: Workers = CORES,
) -> None:
    """Check agents where nothing is confounded:

    the controls of all families, and logs of classic control; all of it takes hours.
    """
    found = execute(controls.runs(only or (), agent or (), seeds, rows, steps), out, workers)
    told = controls.sections(found)
    if not only and not agent:
        told.append(controls.classic_section(classic.results(classic.TARGETS, seeds)))
    print_sections([section for section in told if section.title != "Every control"], console)
    page = write_sections(told, found, "sanity", out)
    console.print(
        f"\npage: {page}   rows: {out / 'results.parquet'}", highlight=False, soft_wrap=True
    )

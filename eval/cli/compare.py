"""`dosuite compare`."""

from pathlib import Path
from typing import Annotated

import typer

from .options import console, folder, print_plain


def compare(
    folders: Annotated[
        list[Path], typer.Argument(help="Folders of results; the first is the baseline.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(help="Write comparison.html and .md to this folder, too.", callback=folder),
    ] = None,
) -> None:
    """Compare the results of two folders or more.

    Runs are paired by their seeds; the settings, versions and machines that differ are named.
    """
    import pandas as pd

    from ..reports.comparison import comparison
    from ..reports.page import print_sections, write_sections
    from .run import results_in

    names = [str(one) for one in folders]
    if len(set(names)) < 2 or len(set(names)) < len(names):
        raise typer.BadParameter("name two folders or more, each once")
    rows = {name: results_in(place) for name, place in zip(names, folders, strict=True)}
    sections = comparison(rows, dict(zip(names, folders, strict=True)))
    print_sections(sections, console)
    if out is not None:
        joined = pd.concat(rows.values(), ignore_index=True)
        print_plain(f"\npage: {write_sections(sections, joined, 'comparison', out)}")

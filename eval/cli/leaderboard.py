"""`dosuite leaderboard`."""

from pathlib import Path
from typing import Annotated

import typer

from .options import CORES, Workers, file_named, print_plain


def leaderboard(
    folder: Annotated[Path, typer.Argument(help="A folder of files of `dosuite submission`.")],
    out: Annotated[
        Path,
        typer.Option(
            help="The .html file to write; its numbers are written beside it as .json.",
            callback=file_named(".html"),
        ),
    ] = Path("leaderboard.html"),
    check: Annotated[
        bool, typer.Option(help="Check every submission; takes as long as `dosuite check`.")
    ] = True,
    reference: Annotated[
        bool, typer.Option(help="Show the agents of this package beside the submissions.")
    ] = True,
    workers: Workers = CORES,
) -> None:
    """Rank submissions by track and family of worlds.

    Their policies are scored again with the present code, without running any of the authors'.
    """
    from ..leaderboard.entries import read_entries, reference_entry
    from ..leaderboard.page import board_of, write_board

    entries = read_entries(folder, workers, check)
    if reference:
        entries.append(reference_entry())
    numbers = write_board(board_of(entries), out)
    print_plain(f"page: {out}   numbers: {numbers}")

"""The command `dosuite`: its subcommands, and how errors end it.

Exit codes: 0 if all went well, 1 if a run failed, 2 if the request was wrong.
"""

from typing import Annotated

import typer

from .bench import bench
from .check import check
from .checked_command import CheckedCommand, OneLineErrors
from .cite import cite
from .claims import matrix, predictions
from .compare import compare
from .curves import curves
from .data import data
from .export import export
from .floors import floors
from .leaderboard import leaderboard
from .list_catalogue import list_catalogue
from .run import gather, report, run
from .sanity import sanity
from .show import show
from .site import site
from .study import study
from .submission import submission
from .tune import tune


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"dosuite {version('dosuite')}")
        raise typer.Exit


app = typer.Typer(
    cls=OneLineErrors,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def about(
    debug: Annotated[
        bool, typer.Option("--debug", help="Print the traceback of an error, not only one line.")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and stop.", callback=_print_version)
    ] = False,
) -> None:
    """Has a reinforcement learner learned causes, or only correlations?"""


app.command("list", cls=CheckedCommand)(list_catalogue)
COMMANDS = (
    show,
    data,
    run,
    report,
    gather,
    compare,
    export,
    floors,
    cite,
    submission,
    check,
    leaderboard,
    matrix,
    predictions,
    sanity,
    tune,
    curves,
    study,
    site,
    bench,
)
for command in COMMANDS:
    app.command(cls=CheckedCommand)(command)


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()

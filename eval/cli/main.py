"""The command `dosuite`: its subcommands, and how errors end it.

Exit codes: 0 if all went well, 1 if a run failed, 2 if the request was wrong.
"""

import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from .bench import bench
from .claims import matrix, predictions
from .data import data
from .list_catalogue import list_catalogue
from .run import report, run
from .sanity import sanity
from .show import show


class OneLineErrors(TyperGroup):
    """Commands whose expected errors print one line and exit with code 2.

    With `--debug` these errors are raised, and so print their traceback. Errors that are not
    expected always do.
    """

    def invoke(self, ctx: Any) -> Any:
        """Call the command."""
        try:
            return super().invoke(ctx)
        except (ValueError, OSError) as error:
            message = _message(error)
            if ctx.params["debug"] or not message:
                raise
        print(f"dosuite: {' '.join(message.split())}", file=sys.stderr)
        raise typer.Exit(2)


def _message(error: ValueError | OSError) -> str:
    """What the user should read about an error; "" if it is not an expected one."""
    if isinstance(error, OSError):
        return f"{error.filename or 'a file'}: {error.strerror or error}"

    from dosuite.causal import InputError

    return str(error) if isinstance(error, InputError) else ""


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
) -> None:
    """Has a reinforcement learner learned causes, or only correlations?"""


app.command("list")(list_catalogue)
app.command()(show)
app.command()(data)
app.command()(run)
app.command()(report)
app.command()(matrix)
app.command()(predictions)
app.command()(sanity)
app.command()(bench)


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()

"""The classes of the commands, which refuse a bad request in one line before anything runs."""

import math
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

ClickError: Any = typer.BadParameter.__mro__[2]  # of the click that this version of typer uses
CONTROL = re.compile("[\x00-\x1f\x7f\x85\u2028\u2029]")  # line breaks and control characters

OF_RUNS = ("engine", "seeds", "rows", "steps")  # what says how, and how much, is run
OF_A_LOG = ("episodes", "regime", "share", "seed", "variant")  # what says which log is collected


def _kept(*others: str) -> dict[tuple[str, str], str]:
    """That --kept, which runs nothing, contradicts what says how or how much to run."""
    reason = "the results in the package are there already"
    return {("kept", other): reason for other in ("out", "workers", "shard", *others)}


# By command: pairs of parameters that contradict each other, and the reason.
CONTRADICTIONS: Mapping[str, Mapping[tuple[str, str], str]] = {
    "run": {
        ("environments", "suite"): "the environments are named, and a suite would name others",
        ("log", "suite"): "a log is of one environment; name it instead of a suite",
        ("log", "controls"): "a log is of one world, and not of its control",
        ("log", "offline_budget"): "every row of the log is learned from",
        ("log", "online_budget"): "nobody practises with a log",
    },
    "data": {
        ("listed", "every"): "one lists the logs and the other writes them",
        **{
            (first, second): "the named logs are what they are"
            for first in ("listed", "every")
            for second in (
                "episodes",
                "regime",
                "share",
                "seed",
                "variant",
                "out",
                "minari",
                "table",
            )
        },
    },
    "study": {
        ("small", "full"): "one is a sketch, the other for a cluster",
        **_kept("small", "full"),
        ("name", "findings"): "the findings are those of all studies",
    },
    "sanity": _kept(*OF_RUNS, "observation"),
    "matrix": _kept(*OF_RUNS, "agent"),
    "tune": _kept(*OF_RUNS, "trials", "only"),
    "check": {
        ("file", "commit"): "the hash of a seed is published before there is anything to check",
        ("secret", "commit"): "a seed is either committed to or used",
    },
}


class CheckedCommand(TyperCommand):
    """A command that refuses empty texts, line breaks in names, numbers that are not finite, and
    options that contradict each other.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the options and arguments, and check them."""
        if self.name == "run":
            from .experiment import expanded

            args = expanded(args, self.params)
        rest: list[str] = super().parse_args(ctx, args)
        given = [param for param in self.params if _is_given(ctx, param.name)]
        for param in given:
            value = ctx.params[param.name]
            for one in value if isinstance(value, list | tuple) else [value]:
                _check_value(one, ctx, param)
        names = {param.name for param in given}
        for pair, reason in CONTRADICTIONS.get(str(self.name), {}).items():
            if names.issuperset(pair):
                first, second = (_spelled(self, name) for name in pair)
                raise typer.BadParameter(f"{first} contradicts {second}: {reason}", ctx=ctx)
        return rest


class OneLineErrors(TyperGroup):
    """Commands whose expected errors print one line and exit with code 2.

    With `--debug`, before or after the command, these errors are raised, and so print their
    traceback. Errors that are not expected always do.
    """

    def make_context(
        self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any
    ) -> Any:
        """Read what stands before the command, and `--debug` wherever it stands."""
        if "--debug" in args:
            args = ["--debug", *(arg for arg in args if arg != "--debug")]
        with _in_one_line(False):
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: Any) -> Any:
        """Call the command."""
        with _in_one_line(ctx.params["debug"]):
            return super().invoke(ctx)


@contextmanager
def _in_one_line(debug: bool) -> Iterator[None]:
    """Print an expected error in one line and exit with code 2, unless `debug`."""
    try:
        yield
        return
    except (ValueError, OSError, MemoryError, ClickError) as error:
        message = _message(error)
        if debug or not message:
            raise
    print(message, file=sys.stderr)
    raise typer.Exit(2)


def _message(error: Any) -> str:
    """What the user should read about an error; "" if it is not an expected one."""
    if isinstance(error, BrokenPipeError) or type(error).__name__ == "NoArgsIsHelpError":
        return ""
    if isinstance(error, ClickError):
        ctx = getattr(error, "ctx", None)
        command = ctx.command_path if ctx else "dosuite"
        return f"{command}: {_joined(error.format_message())}"
    if isinstance(error, OSError):
        file = error.filename or "a file"
        return f"dosuite: {_joined(f'{file}: {error.strerror or error}')}"

    if isinstance(error, MemoryError):
        return f"dosuite: there is not enough memory. {_joined(error)}"

    from dosuite.causal import InputError

    return f"dosuite: {_joined(error)}" if isinstance(error, InputError) else ""


def _joined(text: object) -> str:
    return " ".join(str(text).split())


def _is_given(ctx: Any, name: str) -> bool:
    """Whether a parameter is written on the command line, and is not its default."""
    source = ctx.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _check_value(value: Any, ctx: Any, param: Any) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise typer.BadParameter(f"{value} is not a finite number", ctx=ctx, param=param)
    if isinstance(value, bool | int | float):
        return
    text = str(value)
    if not text.strip() or getattr(value, "parts", None) == ():
        raise typer.BadParameter("it is empty; name something, or leave it out", ctx, param)
    if CONTROL.search(text):
        raise typer.BadParameter(f"{text!r} has a line break or a control character", ctx, param)


def _spelled(command: TyperCommand, name: str) -> str:
    """A parameter as it is written: --suite, or ENVIRONMENTS."""
    param = next(param for param in command.params if param.name == name)
    return str(param.opts[0]) if param.param_type_name == "option" else name.upper()

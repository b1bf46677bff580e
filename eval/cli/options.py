"""What the commands share: the terminal, options, and the exit code."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

if TYPE_CHECKING:
    import pandas as pd

    from ..runs.run import Run

WIDE = Console(width=10_000)
console = Console(width=max(110, Console().width))

Environment = Annotated[
    str,
    typer.Argument(
        help="An id with settings, IceCreamShorts-v0:confounding=0.5, or my_world.py:MyWorld."
    ),
]
Variant = Annotated[str, typer.Option(help="twin, hedge or control.")]
MOST_SEEDS = 10_000
MOST_STEPS = 10**9  # of a log or of practice
CORES = os.cpu_count() or 1
Trust = Annotated[
    bool,
    typer.Option(
        "--trust",
        help="Open files that run code: .py files, zips of Stable-Baselines3 and their .pkl, which "
        "are unpickled, and TorchScript. They can do all that you can; know who wrote them.",
    ),
]

Kept = Annotated[
    bool, typer.Option("--kept", help="Show the results in the package; nothing is run.")
]


def folder(path: Path | None) -> Path | None:
    """The path, unless no folder can be made or written to there."""
    if path is None:
        return None
    if path.exists() and not path.is_dir():
        raise typer.BadParameter(f"{path} is a file, and must be a folder")
    _check_writable(path)
    return path


def file_named(*suffixes: str) -> Callable[[Path | None], Path | None]:
    """The check that a path can be written to, and has one of the suffixes of its format."""

    def check(path: Path | None) -> Path | None:
        if path is None:
            return None
        if path.suffix not in suffixes:
            formats = " or ".join(f"*{suffix}" for suffix in suffixes)
            raise typer.BadParameter(f"the file is a {formats}, and not {str(path)!r}")
        if path.is_dir():
            raise typer.BadParameter(f"{path} is a folder, and must be a file")
        _check_writable(path.parent)
        return path

    return check


def _check_writable(path: Path) -> None:
    """Raise BadParameter if a folder cannot be made, or nothing can be written to it."""
    try:
        nearest = next(one for one in (path, *path.absolute().parents) if one.exists())
        is_folder = nearest.is_dir()
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"{str(path)!r} is no path: {error}") from error
    if not is_folder:
        raise typer.BadParameter(f"{nearest} is a file, and {path} needs a folder there")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise typer.BadParameter(f"the folder {nearest} cannot be written to")


Out = Annotated[Path, typer.Option(help="The folder of the results.", callback=folder)]
Workers = Annotated[int, typer.Option(min=1, max=1024, help="Worker processes.")]


def _engine(name: str) -> str:
    if name:
        from ..runs.engines import check_engine

        check_engine(name)
    return name


def _shard(text: str) -> str:
    if text:
        from ..runs.shards import parsed_shard

        parsed_shard(text)
    return text


Engine = Annotated[
    str,
    typer.Option(
        help="dask or ray: its workers do the runs, on the cluster that DASK_SCHEDULER_ADDRESS or "
        "RAY_ADDRESS names, else on this machine.",
        callback=_engine,
    ),
]
Shard = Annotated[
    str,
    typer.Option(
        help="Do only this part of the runs, 1/8 to 8/8; `gather` joins them.", callback=_shard
    ),
]


def rows_of_runs(
    runs: Sequence["Run"],
    out: Path,
    workers: int,
    shard: str,
    engine: str,
    settings: Mapping[str, object] | None = None,
    policies: bool = False,
) -> "pd.DataFrame":
    """Do the runs of a command, and return their rows; after those of a shard, end the command."""
    from ..runs.requests import Request
    from ..runs.suite import execute

    request = Request(settings or {}, shard)
    rows = execute(runs, out, workers, policies=policies, request=request, engine=engine)
    if shard:
        print_plain(f"shard {shard}: {rows['run'].nunique()} of {len(set(runs))} runs in {out}")
        fail_if_any(rows)
        raise typer.Exit
    return rows


def table_of(frame: "pd.DataFrame") -> Table:
    """A frame of texts as a table for the terminal."""
    from rich import box

    table = Table(*frame.columns, box=box.SIMPLE_HEAD)
    for row in frame.itertuples(index=False):
        table.add_row(*row)
    return table


def print_plain(text: str) -> None:
    """Print a line as it is: not wrapped, without colours for numbers and paths."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def print_table(table: Table) -> None:
    """Print a table; to a file or a pipe as wide as it is, so that no cell is cut or wrapped."""
    if console.is_terminal:
        console.print(table)
        return
    width = Measurement.get(WIDE, WIDE.options, table).maximum
    Console(width=max(width, console.width)).print(table)


def fail_if_any(rows: "pd.DataFrame") -> None:
    """Exit with code 1 if a run failed."""
    failed = rows[rows["status"] != "ok"]
    if len(failed):
        console.print(f"{len(failed)} runs failed; the report says why.", style="bold red")
        raise typer.Exit(1)

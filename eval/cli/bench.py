"""`dosuite bench`."""

from typing import Annotated

import typer
from rich.console import Console

from .options import console, print_plain


def bench(
    only: Annotated[
        str, typer.Option(help="Time only what has this text in its title: JAX, Minari, horizon.")
    ] = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print records instead of tables.")
    ] = False,
) -> None:
    """Time steps, exact values, logs and training against other libraries.

    Everything runs on one core of this machine, in turns with its peer; it takes 10 minutes.
    """
    from ..bench import tables
    from ..bench.comparisons import run_benchmark
    from ..runs.machine import machine

    with Console(stderr=True).status("") as status:
        measurements, growths = run_benchmark(only, status.update)
    if as_json:
        print(tables.as_json(measurements, growths))
        return
    facts = [f"{name} {fact}" for name, fact in machine().items()]
    console.print(", ".join(facts), highlight=False)
    if measurements:
        console.print(tables.ratio_table(measurements))
    if growths:
        console.print(tables.growth_table(growths))
    for measurement in measurements:
        if measurement.missing:
            print_plain(f"{measurement.version} is missing: {measurement.missing}")

"""`dosuite study`."""

from pathlib import Path
from typing import Annotated

import typer

from .options import CORES, Shard, Workers, fail_if_any, folder, print_plain


def study(
    name: Annotated[str, typer.Argument(help="A study; without one, all are listed.")] = "",
    small: Annotated[bool, typer.Option("--small", help="A sketch, in minutes.")] = False,
    full: Annotated[bool, typer.Option("--full", help="All of it, for a cluster.")] = False,
    kept: Annotated[
        bool, typer.Option("--kept", help="Show the results in the package; nothing is run.")
    ] = False,
    findings: Annotated[
        bool, typer.Option("--findings", help="Print the leading findings in Markdown.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(help="The folder of the results; else study-NAME-SIZE.", callback=folder),
    ] = None,
    workers: Workers = CORES,
    shard: Shard = "",
) -> None:
    """Do a study: a question, with a hypothesis and a criterion that are written before its runs.

    Writes study.md, study.png and study.parquet. A study that was stopped goes on. The package has
    results of studies, too, and the list says what their verdicts are.
    """
    from ..studies.kept import kept_result
    from ..studies.study import Size, perform, perform_shard, study_named

    if not name:
        _print_findings() if findings else _list_studies()
        return
    if kept:
        results = kept_result(name)
        print_plain(f"{results.promise}\n{results.judged.text}\n\n{results.made()}")
        return
    chosen = study_named(name)
    size = Size.SMALL if small else Size.FULL if full else Size.DEFAULT
    place = out or Path(f"study-{name}-{size}")
    print_plain(chosen.promise(size))
    if shard:
        rows = perform_shard(chosen, size, place, workers, shard)
        print_plain(f"shard {shard}: {chosen.amount(rows, size, shard)} in {place}")
        fail_if_any(rows)
        return
    result = perform(chosen, size, place, workers)
    print_plain(result.text)
    print_plain(f"\nfigure: {place / 'study.png'}   text: {place / 'study.md'}")
    fail_if_any(result.rows)


def _list_studies() -> None:
    """Print the question of each study, and the verdict of its results in the package."""
    from ..studies.kept import kept_results
    from ..studies.study import studies

    kept = kept_results()
    for name, each in studies().items():
        said = f" [{kept[name].summary()}]" if name in kept else ""
        print_plain(f"{name}: {each.question}{said}")


def _print_findings() -> None:
    """Print the leading findings from the results in the package, as the README has them."""
    from ..studies.kept import kept_results
    from ..studies.leading import leading_findings

    found = leading_findings(kept_results())
    print_plain("\n".join(map(str, found)) or "The package has no results of studies.")

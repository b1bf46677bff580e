"""`dosuite sanity`."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

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
    print_plain,
    rows_of_runs,
)


def sanity(
    only: Annotated[
        list[str] | None, typer.Option(help="Families with this in their name; may be repeated.")
    ] = None,
    agent: Annotated[
        list[str] | None, typer.Option(help="Only this agent in the controls; may be repeated.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, max=MOST_SEEDS, help="Seeds of each pair.")] = 5,
    rows: Annotated[
        int, typer.Option(min=1, max=MOST_STEPS, help="Recorded steps of a log.")
    ] = 100_000,
    steps: Annotated[int, typer.Option(min=1, max=MOST_STEPS, help="Steps of practice.")] = 50_000,
    observation: Annotated[
        str, typer.Option(help='How contexts are shown: "digits", "noise:level=0.5".')
    ] = "",
    out: Out = Path("sanity"),
    workers: Workers = CORES,
    engine: Engine = "",
    shard: Shard = "",
    trust: Trust = False,
    kept: Kept = False,
) -> None:
    """Check agents where nothing is confounded.

    They learn in the controls of all families, and from logs of classic control; all of it takes
    hours.
    """
    from dosuite.envs.trust import set_trust

    from ..claims.classic_control import TARGETS, target_scores
    from ..claims.kept import about, kept_rows, with_best_trials
    from ..claims.sanity import classic_section, control_runs, control_scores, control_sections
    from ..reports.labels import own_names
    from ..reports.page import print_sections, write_sections

    set_trust(trust)
    if kept:
        scores = with_best_trials(kept_rows("sanity", agent, only))
        *short, every = control_sections(scores, {})
        print_sections([*short, replace(every, on_terminal=bool(agent or only))], console)
        print_plain(f"\n{about(scores)}")
        return
    runs = control_runs(only or (), agent or (), seeds, rows, steps, observation)
    results = rows_of_runs(runs, out, workers, shard, engine)
    sections = control_sections(control_scores(results), own_names(results))
    if not (only or agent or observation):
        sections.append(classic_section(target_scores(TARGETS, seeds)))
    print_sections(sections, console)
    page = write_sections(sections, results, "sanity", out)
    print_plain(f"\npage: {page}   rows: {out / 'results.parquet'}")

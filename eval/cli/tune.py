"""`dosuite tune`."""

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


def tune(
    agent: Annotated[
        list[str] | None,
        typer.Option(help="An agent to tune, without settings; may be repeated."),
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="Families with this in their name; may be repeated.")
    ] = None,
    trials: Annotated[
        int, typer.Option(min=1, max=1000, help="Trials of each agent, the defaults included.")
    ] = 12,
    seeds: Annotated[int, typer.Option(min=1, max=MOST_SEEDS, help="Seeds of each trial.")] = 2,
    rows: Annotated[
        int, typer.Option(min=1, max=MOST_STEPS, help="Recorded steps of a log.")
    ] = 100_000,
    steps: Annotated[int, typer.Option(min=1, max=MOST_STEPS, help="Steps of practice.")] = 50_000,
    out: Out = Path("tuning"),
    workers: Workers = CORES,
    engine: Engine = "",
    shard: Shard = "",
    trust: Trust = False,
    kept: Kept = False,
) -> None:
    """Tune agents on controls only, with equally many trials each, and keep every trial."""
    from dosuite.envs.files import alone_in, replacing
    from dosuite.envs.trust import set_trust

    from ..claims.kept import about, kept_rows
    from ..claims.tuning import budget_sentence, trial_scores, tuning_runs, tuning_section
    from ..reports.labels import own_names
    from ..reports.page import print_sections, write_sections

    if kept:
        scores = kept_rows("tune", agent)
        section = tuning_section(scores, {})
        section.sentences.extend([budget_sentence(scores), about(scores)])
        print_sections([section], console)
        return
    if not agent:
        raise typer.BadParameter("name an agent to tune with --agent, or show --kept")
    set_trust(trust)
    runs = tuning_runs(only or (), agent, trials, seeds, rows, steps)
    results = rows_of_runs(runs, out, workers, shard, engine)
    scores = trial_scores(results)
    with alone_in(out), replacing(out / "trials.parquet") as temporary:
        scores.to_parquet(temporary)
    sections = [tuning_section(scores, own_names(results))]
    print_sections(sections, console)
    page = write_sections(sections, results, "tuning", out)
    print_plain(f"\npage: {page}   trials: {out / 'trials.parquet'}")

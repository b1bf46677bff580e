"""`dosuite curves`."""

from pathlib import Path
from typing import Annotated

import typer

from .options import (
    CORES,
    MOST_SEEDS,
    MOST_STEPS,
    Engine,
    Out,
    Shard,
    Workers,
    print_plain,
    rows_of_runs,
)


def curves(
    only: Annotated[
        list[str] | None, typer.Option(help="Worlds with this in their name; may be repeated.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, max=MOST_SEEDS, help="Seeds of each point.")] = 5,
    steps: Annotated[
        int, typer.Option(min=16, max=MOST_STEPS, help="Steps of the longest practice.")
    ] = 20_000,
    out: Out = Path("curves"),
    workers: Workers = CORES,
    engine: Engine = "",
    shard: Shard = "",
) -> None:
    """Draw learning curves of dqn-lanes and ppo-lanes beside those of Stable-Baselines3.

    They practise on the controls of eight worlds. Writes curves.png, .svg and .pdf, curves.parquet
    and the rows.
    """
    from dosuite.envs.files import alone_in, replacing

    from ..claims.lane_curves import curve_figure, curve_runs, curve_scores
    from ..reports.figure_files import figure_files
    from ..reports.page import save

    rows = rows_of_runs(curve_runs(only or (), seeds, steps), out, workers, shard, engine)
    scores = curve_scores(rows)
    with alone_in(out):
        with replacing(out / "curves.parquet") as temporary:
            scores.to_parquet(temporary)
        save(figure_files(curve_figure(rows), "curves", dpi=120), out)
    print_plain(scores.round(3).to_string(index=False))
    print_plain(f"\n{scores['within'].sum()} of {len(scores)} points are within the seeds' noise")
    print_plain(f"figure: {out / 'curves.png'}   scores: {out / 'curves.parquet'}")

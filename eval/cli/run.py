"""`dosuite run` and `dosuite report`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import (
    CORES,
    MOST_SEEDS,
    MOST_STEPS,
    Engine,
    Out,
    Shard,
    Trust,
    Workers,
    console,
    fail_if_any,
    print_plain,
    rows_of_runs,
)

if TYPE_CHECKING:
    import pandas as pd

Reference = Annotated[
    bool,
    typer.Option(
        help="Show what the package keeps: its agents that are not run here, in grey, and the "
        "results of its studies."
    ),
]


def run(
    environments: Annotated[
        list[str] | None,
        typer.Argument(help="Ids with settings, or files; without any, the main job's."),
    ] = None,
    agent: Annotated[
        list[str] | None,
        typer.Option(
            help="naive, dqn:updates=500@observe, my_agent.py:MyAgent, or a policy: model.zip, "
            "policy.pt, policy.onnx, my_policy.py:choose; may be repeated."
        ),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, max=MOST_SEEDS, help="Seeds of each run.")] = 5,
    offline_budget: Annotated[
        int, typer.Option(min=1, max=MOST_STEPS, help="Recorded steps of a log.")
    ] = 10_000,
    online_budget: Annotated[
        int, typer.Option(min=1, max=MOST_STEPS, help="Steps of practice.")
    ] = 20_000,
    log_rows: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=MOST_STEPS,
            help="Recorded steps of the log that an agent has before its practice; without, as "
            "many as it practises.",
        ),
    ] = None,
    log: Annotated[
        str, typer.Option(help="A log file to learn from, instead of collecting one.")
    ] = "",
    suite: Annotated[
        str,
        typer.Option(
            help="main: four worlds; families: one of each family; full: every world and member."
        ),
    ] = "main",
    controls: Annotated[
        bool, typer.Option("--controls", help="Run the unconfounded controls too.")
    ] = False,
    device: Annotated[
        str,
        typer.Option(
            help="Where networks learn: cuda, or another device of torch; without, on the CPU."
        ),
    ] = "",
    out: Out = Path("results"),
    policies: Annotated[
        bool, typer.Option(help="Keep the learned policies, in the folder policies of the results.")
    ] = True,
    reference: Reference = True,
    workers: Workers = CORES,
    engine: Engine = "",
    shard: Shard = "",
    log_to: Annotated[
        str,
        typer.Option(
            help="tensorboard or wandb: write the learning curves of agents with points, as in "
            "dqn:points=7, to the folder of that name in the results."
        ),
    ] = "",
    trust: Trust = False,
) -> None:
    """Train and score agents, and report.

    Runs that have a result in the folder are not repeated, and the report shows those of earlier
    commands, too. A file experiment.toml, named like an environment, can say all that the options
    say. Environments and agents on the command line are added to those of the file; every other
    option on the command line replaces the file's.
    """
    from dosuite.envs.files import alone_in
    from dosuite.envs.trust import set_trust

    from ..runs.suite import AGENTS, grid, suite_environments

    if log and len(environments or ()) != 1:
        raise typer.BadParameter("with --log, name the one environment that the log is of")
    set_trust(trust)
    runs = grid(
        environments or suite_environments(suite),
        agent or AGENTS,
        seeds,
        offline_budget,
        online_budget,
        log,
        controls,
        device,
        log_rows,
    )
    if log_to:
        from ..reports.trackers import check_tracker

        check_tracker(log_to, runs)
    settings: dict[str, object] = {
        "environments": environments or suite_environments(suite),
        "agent": list(agent or AGENTS),
        "seeds": seeds,
        **({"log": log} if log else {"offline-budget": offline_budget}),
        **({} if log else {"online-budget": online_budget, "controls": controls}),
        **({} if log_rows is None else {"log-rows": log_rows}),
        **({"device": device} if device else {}),
        **({"log-to": log_to} if log_to else {}),
        "policies": policies,
        "reference": reference,
    }
    rows = rows_of_runs(runs, out, workers, shard, engine, settings, policies)
    with alone_in(out):
        _report(rows, out, reference)
        if log_to:
            _log_curves(out, log_to)
    fail_if_any(rows)


def _log_curves(out: Path, tracker: str) -> None:
    """Write the learning curves of all runs in the folder."""
    from ..reports.learning_curves import curves
    from ..reports.trackers import log_curves

    place = log_curves(curves(results_in(out)), out, tracker)
    print_plain(f"learning curves: {place}")


def gather(
    folders: Annotated[
        list[Path], typer.Argument(help="Folders of results, such as those of the shards.")
    ],
    out: Out = Path("results"),
    reference: Reference = True,
) -> None:
    """Join the results of several folders, and report.

    Refuses folders of different code, runs that are in two of them, and missing runs. Of the shards
    of a study there is no report: the study, done again in the joined folder, judges.
    """
    from ..runs.gathering import gather as gathered
    from ..studies.gathering import gather_study, is_of_study, judging_command

    if any(map(is_of_study, folders)):
        rows = gather_study(folders, out)
        print_plain(f"joined in {out}; to judge: {judging_command(out)}")
    else:
        rows = gathered(folders, out)
        _report(rows, out, reference)
    fail_if_any(rows)


def report(out: Out = Path("results"), reference: Reference = True) -> None:
    """Print the tables and write the report of the results in a folder."""
    from dosuite.envs.files import alone_in

    # A `dosuite run` that ends in the meantime writes its newer report afterwards.
    with alone_in(out):
        _report(results_in(out), out, reference)


def results_in(out: Path) -> "pd.DataFrame":
    """The rows of the results in a folder. Raises InputError if there are none."""
    from dosuite.causal import InputError

    from ..reports.report import results_fault
    from ..runs.scored_rows import read_rows

    path = out / "results.parquet"
    if path.exists() and not path.is_file():
        raise InputError(f"{path} is not a table of results: it is a folder")
    try:
        rows = read_rows(path)
    except FileNotFoundError as error:
        raise InputError(f"there is no file {path}; `dosuite run --out {out}` makes it") from error
    except Exception as error:  # the reader of damaged bytes raises errors of any type
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"{path} is not a table of results: {reason}") from error
    if fault := results_fault(rows):
        raise InputError(
            f"{path} is not a table of results: {fault}; make it with `dosuite run --out {out}`"
        )
    return rows


def _report(rows: "pd.DataFrame", out: Path, reference: bool) -> None:
    """Print the tables of these rows, and write the report of all rows in the folder."""
    from ..reports.reference_rows import reference_rows
    from ..reports.report import print_tables, write_report
    from ..studies.evidence import evidence

    print_tables(rows, console)
    every = results_in(out)
    write_report(every, out, reference_rows() if reference else None, evidence(out, reference))
    shown, total = rows["run"].nunique(), every["run"].nunique()
    others = "" if shown == total else f" of all {total} runs in the folder"
    print_plain(f"report{others}: {out / 'report.html'}   rows: {out / 'results.parquet'}")

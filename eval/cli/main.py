"""The command line: dosuite list | show | data | run | report | matrix | predictions | sanity | bench.

Exit codes: 0 if all went well, 1 if a run failed, 2 if the request was wrong.
"""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from inspect import getdoc
from pathlib import Path
from typing import Annotated, NoReturn

import numpy as np
import pandas as pd
import typer
from matplotlib.image import imsave
from rich import box
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from dosuite.agents import agent_classes
from dosuite.causal import InputError, NotDiscreteError, TooLargeError, World, certificate
from dosuite.causal.exact import chain, do_process, log_process
from dosuite.causal.graphs import as_text
from dosuite.envs import all_observations, collect, make_model, world_classes
from dosuite.envs.logs.minari import check_new, to_minari
from dosuite.envs.pictures.graph_drawing import draw_graph
from dosuite.envs.registry import opaque_worlds, world_text
from dosuite.envs.settings import unparse

from ..reports import report as reporting
from ..reports.certificate_text import lines, origin
from ..reports.filmstrip import film
from ..runs.reference_values import REFERENCES, references
from ..runs.suite import AGENTS, execute, grid, suite_environments
from .claims import matrix, predictions
from .options import CORES, Out, Workers, console, fail_if_any
from .sanity import sanity

MOST_CONTEXTS = 12  # whose values are shown
NOT_SHOWN = ("j_worst", "promised")  # reference values that `show` leaves out of its table

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Environment = Annotated[
    str,
    typer.Argument(
        help="An id with settings, IceCreamShorts-v0:confounding=0.5, or my_world.py:MyWorld."
    ),
]
Shift = Annotated[str, typer.Option(help="A shifted world of the environment.")]
Variant = Annotated[str, typer.Option(help="twin or control.")]
Seed = Annotated[int, typer.Option(min=0, help="Equal seeds give equal numbers.")]


def main() -> None:
    """Run the command line; bad input gets one line and exit code 2."""
    try:
        app()
    except InputError as error:
        _stop(str(error))
    except OSError as error:
        _stop(f"{error.filename or 'a file'}: {error.strerror or error}")


def _stop(message: str) -> NoReturn:
    print(f"dosuite: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(2)


@app.callback()
def about() -> None:
    """Has a reinforcement learner learned causes, or only correlations?"""


@app.command("list")
def list_() -> None:
    """List the environments:

    what confuses in them, what that costs and what helps; and the agents.
    """
    about = Table(
        Column("environment", no_wrap=True),
        "steps",
        "what confounds",
        "way out",
        "members",
        box=box.SIMPLE_HEAD,
    )
    costs = Table(Column("environment", no_wrap=True), box=box.SIMPLE_HEAD)
    for name in ("promised", "confused", "causal", "with intent"):
        costs.add_column(name, justify="right", no_wrap=True)
    for name, cls in world_classes().items():
        model = cls()
        members = " ".join(unparse("", dict(knobs)) for knobs in cls.members().values() if knobs)
        about.add_row(name, str(model.horizon), origin(model), _claim(model, "Way out"), members)
        values = references(model, model.deployed())
        costs.add_row(
            name,
            *(
                _number(values[key], 3)
                for key in ("promised", "j_confused", "j_causal", "j_intent")
            ),
        )
    console.print(about)
    console.print(
        "What confounds is hidden unless it is in the log. A member is written after the name: "
        "GreedyCasino-v0:casino=Rigged.\n"
    )
    console.print(costs)
    console.print(
        "Promised is what the confused policy believes that it will earn; the others are earned; "
        "- is not known.\n"
    )
    console.print(
        "No models, but environments of Gymnasium whose values are estimated: "
        f"{', '.join(opaque_worlds())}.\n",
        highlight=False,
    )
    agents = Table(
        Column("agent", no_wrap=True), "learns in", "needs", "what it is", box=box.SIMPLE_HEAD
    )
    for name, agent in agent_classes().items():
        agents.add_row(
            name,
            ", ".join(agent.learns),
            ", ".join(sorted(agent.needs)),
            (getdoc(agent) or "").partition("\n")[0],
        )
    console.print(agents)


@app.command()
def show(
    environment: Environment,
    shift: Shift = "",
    variant: Variant = "",
    picture: Annotated[
        Path | None, typer.Option(help="Write the graph to this PNG or SVG file.")
    ] = None,
    steps: Annotated[
        Path | None,
        typer.Option(help="Write steps of the confused and the causal policy to this PNG file."),
    ] = None,
) -> None:
    """Show a world:

    its graph, seeing against doing, what policies earn in it and its shifts, and what its log can
    tell.
    """
    if picture is not None and picture.suffix not in (".png", ".svg"):
        raise InputError(f"a picture is a .png or an .svg, and not {picture}")
    if steps is not None and steps.suffix != ".png":
        raise InputError(f"the picture of the steps is a .png, and not {steps}")
    model = make_model(environment, variant=variant)
    world = model.shifted(shift) if shift else model
    base = type(make_model(environment))
    if variant and type(model) is base:
        console.print(f"The {variant} of {environment}.", highlight=False)
    else:
        console.print(getdoc(type(model)) or environment, markup=False, highlight=False)
    console.print(f"\n{as_text(world.graph)}\n", markup=False, highlight=False)
    _show_values(model, world, shift)
    _show_certificate(world)
    if picture is not None:
        graph = draw_graph(world.graph)
        _save(picture, lambda to: graph.savefig(to, dpi=200))
        console.print(f"The graph is in {picture}.", highlight=False)
    if steps is not None:
        pictures = film(model, world)
        _save(steps, lambda to: imsave(to, pictures))
        console.print(
            f"Steps of the confused and the causal policy are in {steps}.", highlight=False
        )


def _show_values(model: World, world: World, shift: str) -> None:
    try:
        console.print(_seeing_and_doing(world))
    except (NotDiscreteError, TooLargeError) as error:
        if not model.values_in(world):
            console.print(f"There are no exact values: {error}.", highlight=False)
            return
    shown = [each for each in REFERENCES.values() if each.column not in NOT_SHOWN]
    table = Table("world", *(each.name for each in shown), box=box.SIMPLE_HEAD)
    for name in [shift] if shift else ["", *([] if model.edits else model.shifts())]:
        values = references(model, model.shifted(name) if name else model)
        table.add_row(
            name or ("as in the log" if model.deployment else "deployment"),
            *(_number(values[each.column], 4) for each in shown),
        )
    console.print(table)
    if not np.isnan(promised := references(model, model)["promised"]):
        console.print(
            f"The confused policy believes that it will earn {promised:.4f}.", highlight=False
        )


def _show_certificate(world: World) -> None:
    grid = Table.grid(Column(no_wrap=True), Column(), padding=(0, 2, 0, 0))
    for about, fact in lines(world, certificate(world)):
        grid.add_row(about, Text(fact))
    console.print("\nWhat an endless log tells whoever has the graph:", highlight=False)
    console.print(grid, highlight=False)


@app.command()
def data(
    environment: Environment,
    episodes: Annotated[int, typer.Option(help="Episodes to record.")] = 10_000,
    regime: Annotated[
        str,
        typer.Option(
            help="Who acts: observe (the behaviour policy), intervene (at random) or mixed."
        ),
    ] = "observe",
    share: Annotated[
        float | None,
        typer.Option(help="Of a mixed log, the share of episodes that are interventions."),
    ] = None,
    seed: Seed = 0,
    variant: Variant = "",
    out: Annotated[
        Path | None, typer.Option(help="The file to write; its latents go beside it.")
    ] = None,
    minari: Annotated[
        str, typer.Option(help="Export it as this Minari data set, namespace/name-vN, too.")
    ] = "",
) -> None:
    """Write a log of a world, which may be larger than memory."""
    if minari:
        check_new(minari)
    model = make_model(environment, variant=variant)
    origin = {"world": world_text(make_model(environment)), "variant": variant}
    name = "-".join(
        filter(
            None,
            [
                environment.replace(":", "-").replace("=", "-").replace("/", "-"),
                variant,
                regime,
                str(seed),
            ],
        )
    )
    path = out or Path("logs") / f"{name}.arrow"
    with console.status(f"Writing {path}"):
        log = collect(model, episodes, seed, regime, share, origin, path)
    console.print(
        f"{path}: {len(log):,} rows of {log.episodes:,} episodes, hash {log.content_hash}",
        highlight=False,
        soft_wrap=True,
    )
    if minari:
        to_minari(log, minari)
        console.print(f"{minari}: written for Minari", highlight=False)


@app.command()
def run(
    environments: Annotated[
        list[str] | None,
        typer.Argument(help="Ids with settings, or files; without any, the main job's."),
    ] = None,
    agent: Annotated[
        list[str] | None,
        typer.Option(help="naive, dqn:updates=500@observe, my_agent.py:MyAgent; may be repeated."),
    ] = None,
    seeds: Annotated[int, typer.Option(help="Seeds of each run.")] = 5,
    offline_budget: Annotated[int, typer.Option(help="Recorded steps of a log.")] = 10_000,
    online_budget: Annotated[int, typer.Option(help="Steps of practice.")] = 20_000,
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
    workers: Workers = CORES,
) -> None:
    """Train and score agents, and report.

    Runs that have a result in the folder are not done again.
    """
    runs = grid(
        environments or suite_environments(suite),
        agent or AGENTS,
        seeds,
        offline_budget,
        online_budget,
        log,
        controls,
        device,
    )
    rows = execute(runs, out, workers)
    _report(rows, out)
    fail_if_any(rows)


@app.command()
def report(out: Out = Path("results")) -> None:
    """Print the tables and write the report of the results in a folder."""
    path = out / "results.parquet"
    try:
        rows = pd.read_parquet(path)
    except FileNotFoundError:
        raise InputError(f"there is no file {path}; `dosuite run --out {out}` makes it") from None
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path} is not a table of results: {str(error).splitlines()[0]}"
        ) from None
    if missing := reporting.missing_columns(rows):
        raise InputError(
            f"{path} is not a table of results: it lacks {', '.join(missing)}; make it with "
            f"`dosuite run --out {out}`"
        )
    _report(rows, out)


@app.command()
def bench(
    only: Annotated[
        str, typer.Option(help="Time only what has this text in its row: JAX, Minari, horizon.")
    ] = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print records instead of tables.")
    ] = False,
) -> None:
    """Time steps, exact values, logs and training on one core of this machine, in turns with their
    peers (10 minutes).
    """
    from ..bench import timing as timing
    from ..bench.rows import timed

    with Console(stderr=True).status("") as status:
        records, growths = timed(only, status.update)
    if as_json:
        lists = {
            "ratios": [asdict(record) for record in records],
            "growth": [asdict(growth) for growth in growths],
        }
        print(json.dumps({"machine": timing.machine(), **lists}, indent=1))
        return
    console.print(
        ", ".join(f"{name} {fact}" for name, fact in timing.machine().items()), highlight=False
    )
    for table, rows in (
        (timing.ratio_table(records), records),
        (timing.growth_table(growths), growths),
    ):
        if rows:
            console.print(table)
    for record in records:
        if record.missing:
            console.print(
                f"{record.version} is missing: {record.missing}", markup=False, highlight=False
            )


app.command()(matrix)
app.command()(predictions)
app.command()(sanity)


def _report(rows: pd.DataFrame, out: Path) -> None:
    reporting.print_tables(rows, console)
    reporting.write_report(rows, out)
    console.print(
        f"report: {out / 'report.html'}   rows: {out / 'results.parquet'}",
        highlight=False,
        soft_wrap=True,
    )


def _save(path: Path, write: Callable[[Path], None]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{os.getpid()}{path.name}")
    write(temporary)
    os.replace(temporary, path)


def _claim(model: World, key: str) -> str:
    lines = [line.strip() for line in (getdoc(type(model)) or "").splitlines()]
    return next(
        (line.removeprefix(f"{key}:").strip(" .") for line in lines if line.startswith(f"{key}:")),
        "",
    )


def _number(value: float, digits: int) -> str:
    return "-" if np.isnan(value) else f"{value:.{digits}f}"


def _seeing_and_doing(model: World) -> Table:
    """E[reward | action, context] in the log and under intervention, and the behaviour policy."""
    seen, done, shape = log_process(model), do_process(model), chain(model).shape
    seeing, doing = f"E({model.reward} | {model.action})", f"E({model.reward} | do({model.action}))"
    table = Table(
        "context", model.action, "P(action | context)", seeing, doing, box=box.SIMPLE_HEAD
    )
    observations = all_observations(model)
    share = seen.visits / np.maximum(seen.visits.sum(1, keepdims=True), 1e-300)
    for c in range(min(shape[0], MOST_CONTEXTS)):
        for a in range(shape[1]):
            reward = f"{seen.reward[c, a]:.4f}" if seen.visits[c, a] > 0 else "never seen"
            effect = f"{done.reward[c, a]:.4f}" if done.visits[c, a] > 0 else "never reached"
            table.add_row(str(observations[c]), str(a), f"{share[c, a]:.3f}", reward, effect)
    if shape[0] > MOST_CONTEXTS:
        table.add_row("...", f"{shape[0] - MOST_CONTEXTS} more contexts")
    return table


if __name__ == "__main__":
    main()

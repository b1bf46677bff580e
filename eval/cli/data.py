"""`dosuite data`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import Trust, Variant, console, file_named, folder, print_plain

if TYPE_CHECKING:
    from dosuite.envs import Log

Seed = Annotated[int, typer.Option(min=0, max=2**63 - 1, help="Equal seeds give equal logs.")]


def data(
    environment: Annotated[
        str,
        typer.Argument(
            help="A named log, IceCreamShorts-observe-1e5-v0; or an id with settings, "
            "IceCreamShorts-v0:confounding=0.5, or my_world.py:MyWorld; with --list or --all, a "
            "part of the names of logs."
        ),
    ] = "",
    episodes: Annotated[int, typer.Option(min=1, max=10**12, help="Episodes to record.")] = 10_000,
    regime: Annotated[
        str,
        typer.Option(
            help="Who acts: observe (the behaviour policy), intervene (at random) or mixed."
        ),
    ] = "observe",
    share: Annotated[
        float | None,
        typer.Option(
            min=0, max=1, help="Of a mixed log, the share of episodes that are interventions."
        ),
    ] = None,
    seed: Seed = 0,
    variant: Variant = "",
    out: Annotated[
        Path | None,
        typer.Option(
            help="The .arrow file to write; its latents go to a second file.",
            callback=file_named(".arrow"),
        ),
    ] = None,
    minari: Annotated[
        str, typer.Option(help="Export it as this Minari data set, namespace/name-vN, too.")
    ] = "",
    table: Annotated[
        Path | None,
        typer.Option(
            help="Export it as this .csv or .parquet file, too.",
            callback=file_named(".csv", ".parquet"),
        ),
    ] = None,
    listed: Annotated[
        bool, typer.Option("--list", help="List the named logs: rows and content hash.")
    ] = False,
    every: Annotated[
        Path | None,
        typer.Option(
            "--all",
            help="Write the named logs to this folder: Arrow files, or with --croissant Parquet.",
            callback=folder,
        ),
    ] = None,
    croissant: Annotated[
        bool,
        typer.Option("--croissant", help="With --all: describe them in Croissant, too."),
    ] = False,
    trust: Trust = False,
) -> None:
    """Write a log of a world, which may be larger than memory, or a named log."""
    from dosuite.envs.logs.named import dataset, named_logs
    from dosuite.envs.trust import set_trust

    if listed or every:
        _named(environment, every, croissant)
        return
    if croissant:
        raise typer.BadParameter("--croissant describes a set of logs; name its folder with --all")
    if not environment:
        raise typer.BadParameter("name a log or a world; --list shows the named logs")
    set_trust(trust)
    if minari:
        from dosuite.envs.logs.minari import check_new

        check_new(minari)
    if environment in named_logs():
        path = out or Path("logs") / f"{environment}.arrow"
        with console.status(f"Writing {path}"):
            log = dataset(environment, path)
    else:
        path = out or Path("logs") / _file_name(environment, variant, regime, seed)
        with console.status(f"Writing {path}"):
            log = _collected(environment, variant, episodes, seed, regime, share, path)
    rows = f"{len(log):,} rows of {log.episodes:,} episodes"
    print_plain(f"{path}: {rows}, hash {log.content_hash}")
    if table:
        from dosuite.envs.logs.exports import to_table

        print_plain(f"{to_table(log, table)}: written as a table")
    if minari:
        from dosuite.envs.logs.minari import to_minari

        to_minari(log, minari)
        print_plain(f"{minari}: written for Minari")


def _collected(
    environment: str,
    variant: str,
    episodes: int,
    seed: int,
    regime: str,
    share: float | None,
    path: Path,
) -> "Log":
    from dosuite.envs import collect, make_model
    from dosuite.envs.registry import recorded_origin

    model = make_model(environment, variant=variant)
    origin = {**recorded_origin(make_model(environment)), "variant": variant}
    return collect(model, episodes, seed, regime, share, origin, path)


def _named(part: str, target: Path | None, croissant: bool) -> None:
    """List the named logs with a text in their names, or write them to a folder."""
    from dosuite.causal import InputError
    from dosuite.envs.logs.named import dataset, named_logs

    listed = {name: about for name, about in named_logs().items() if part in name}
    if not listed:
        raise InputError(f"no named log has {part!r} in its name; `dosuite data --list` shows all")
    if target and croissant:
        from ..cards.datasheet import write_set

        for path in write_set(listed, target):
            print_plain(str(path))
        return
    for name, about in listed.items():
        if target is None:
            print_plain(f"{name:48} {about.rows:>9,} {about.hash[:16]}")
        else:
            log = dataset(name, target / f"{name}.arrow")
            print_plain(f"{target / name}.arrow: {len(log):,} rows, hash {log.content_hash}")


def _file_name(environment: str, variant: str, regime: str, seed: int) -> str:
    """The default name of a log file, such as IceCreamShorts-v0-observe-0.arrow."""
    world = environment
    for character in ":=/":
        world = world.replace(character, "-")
    parts = [world, variant, regime, str(seed)]
    return "-".join(part for part in parts if part) + ".arrow"

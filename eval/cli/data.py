"""`dosuite data`."""

from pathlib import Path
from typing import Annotated

import typer

from .options import Environment, Trust, Variant, console, file_named, print_plain

Seed = Annotated[int, typer.Option(min=0, max=2**63 - 1, help="Equal seeds give equal logs.")]


def data(
    environment: Environment,
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
    trust: Trust = False,
) -> None:
    """Write a log of a world, which may be larger than memory."""
    from dosuite.envs import collect, make_model
    from dosuite.envs.registry import recorded_origin
    from dosuite.envs.trust import set_trust

    set_trust(trust)
    if minari:
        from dosuite.envs.logs.minari import check_new

        check_new(minari)
    model = make_model(environment, variant=variant)
    origin = {**recorded_origin(make_model(environment)), "variant": variant}
    path = out or Path("logs") / _file_name(environment, variant, regime, seed)
    with console.status(f"Writing {path}"):
        log = collect(model, episodes, seed, regime, share, origin, path)
    rows = f"{len(log):,} rows of {log.episodes:,} episodes"
    print_plain(f"{path}: {rows}, hash {log.content_hash}")
    if minari:
        from dosuite.envs.logs.minari import to_minari

        to_minari(log, minari)
        print_plain(f"{minari}: written for Minari")


def _file_name(environment: str, variant: str, regime: str, seed: int) -> str:
    """The default name of a log file, such as IceCreamShorts-v0-observe-0.arrow."""
    world = environment
    for character in ":=/":
        world = world.replace(character, "-")
    parts = [world, variant, regime, str(seed)]
    return "-".join(part for part in parts if part) + ".arrow"

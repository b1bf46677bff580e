"""`dosuite show`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import Environment, Trust, Variant, console, file_named, print_plain

if TYPE_CHECKING:
    from dosuite.causal import World


def show(
    environment: Environment,
    shift: Annotated[str, typer.Option(help="A shifted world of the environment.")] = "",
    variant: Variant = "",
    picture: Annotated[
        Path | None,
        typer.Option(
            help="Write the graph to this PNG or SVG file.", callback=file_named(".png", ".svg")
        ),
    ] = None,
    steps: Annotated[
        Path | None,
        typer.Option(
            help="Write steps of the confused and the causal policy to this PNG file.",
            callback=file_named(".png"),
        ),
    ] = None,
    trust: Trust = False,
) -> None:
    """Show a world.

    Its graph, seeing against doing, what policies earn in it and in its shifts, and what its log
    can tell. Of a confounded environment of Gymnasium: what confounding costs a learner.
    """
    from dosuite.causal.graphs import as_text
    from dosuite.envs import CLASSICS, make_model
    from dosuite.envs.trust import set_trust

    from ..reports.world_text import title
    from .classic_tables import show_classic
    from .kept_shows import kept_show
    from .world_tables import print_certificate, print_values

    if picture is not None and picture == steps:
        raise typer.BadParameter(f"--picture contradicts --steps: both write {picture}")
    set_trust(trust)
    if environment in CLASSICS:
        if shift or variant or picture or steps:
            raise typer.BadParameter(f"{environment} has no model: leave the other options out")
        show_classic(environment)
        return
    model = make_model(environment, variant=variant)
    world = make_model(environment, variant=variant, shift=shift)
    print_plain(title(environment, variant, model))
    console.print(f"\n{as_text(world.graph)}\n", markup=False, highlight=False)
    kept = "" if shift or variant else kept_show(environment, model)
    if kept:
        print_plain(kept)
    else:
        print_values(model, world, shift)
        print_certificate(world)
    if picture is not None:
        _draw_graph(world, picture)
    if steps is not None:
        _draw_steps(model, world, steps)


def _draw_graph(world: "World", path: Path) -> None:
    from dosuite.envs.files import replacing
    from dosuite.envs.pictures.graph_drawing import draw_graph

    figure = draw_graph(world.graph)
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=200)
    console.print(f"The graph is in {path}.", highlight=False)


def _draw_steps(model: "World", world: "World", path: Path) -> None:
    from matplotlib.image import imsave

    from dosuite.envs.files import replacing

    from ..reports.filmstrip import film

    pixels = film(model, world)
    with replacing(path) as temporary:
        imsave(temporary, pixels)
    console.print(f"Steps of the confused and the causal policy are in {path}.", highlight=False)

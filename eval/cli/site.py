"""`dosuite site`."""

from pathlib import Path
from typing import Annotated

import typer

from .options import console, folder


def site(
    out: Annotated[Path, typer.Option(help="The folder of the site.", callback=folder)] = Path(
        "site"
    ),
    only: Annotated[
        str,
        typer.Option(help="Build only pages with this in their name, as IceCream, ppo or api."),
    ] = "",
) -> None:
    """Build a site of static pages: the findings, the worlds, the agents and the scores.

    It needs no network, neither to be built nor to be read, and opens from its folder.
    """
    from ..site.build import build
    from ..site.plan import plan

    with console.status("") as status:
        path = build(plan(only), out, status.update)
    console.print(f"The site is in {path}.", highlight=False)

"""`dosuite cite`."""

from typing import Annotated

import typer

from .options import print_plain


def cite(
    worlds: Annotated[
        list[str] | None, typer.Argument(help="Ids of worlds; without any, those of every world.")
    ] = None,
) -> None:
    """Print BibTeX of this package and of the sources of worlds."""
    from dosuite.envs import world_classes

    from ..cards.citations import bibtex

    print_plain(bibtex(worlds or world_classes()))

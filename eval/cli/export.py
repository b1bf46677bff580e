"""`dosuite export`."""

from pathlib import Path
from typing import Annotated

import typer

from .options import file_named, print_plain


def export(
    folder: Annotated[Path, typer.Argument(help="A folder of results.")],
    paper: Annotated[
        Path,
        typer.Option(
            help="Write LaTeX to this file, and BibTeX to the .bib beside it.",
            callback=file_named(".tex"),
        ),
    ],
) -> None:
    """Write what a paper needs of a folder of results.

    The tables in LaTeX, with hardware, versions, seeds and budgets in one paragraph and the
    definitions of the scores, and BibTeX of this package and of the sources of the worlds.
    """
    from dosuite.envs.files import replacing_all

    from ..cards.paper import paper as texts_of
    from .run import results_in

    texts = texts_of(results_in(folder), folder, paper)
    with replacing_all(*texts) as temporaries:
        for path, text in texts.items():
            temporaries[path].write_text(text, encoding="utf-8")
    print_plain(f"paper: {' and '.join(map(str, texts))}")

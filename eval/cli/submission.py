"""`dosuite submission`."""

import tomllib
from pathlib import Path
from typing import Annotated

import typer

from .options import Trust, file_named, print_plain


def submission(
    results: Annotated[Path, typer.Argument(help="The folder of the results of `dosuite run`.")],
    out: Annotated[
        Path, typer.Option(help="The .zip file to write.", callback=file_named(".zip"))
    ] = Path("submission.zip"),
    name: Annotated[str, typer.Option(help="The name of the entry.")] = "",
    authors: Annotated[str, typer.Option(help="Who made it.")] = "",
    cite: Annotated[str, typer.Option(help="What to cite: a DOI or a reference.")] = "",
    hardware: Annotated[str, typer.Option(help="What it ran on.")] = "",
    about: Annotated[
        Path | None,
        typer.Option(help="A TOML file with these four texts; options come first."),
    ] = None,
    trust: Trust = False,
) -> None:
    """Pack results and policies into one file that anyone can check."""
    from dosuite.envs.trust import set_trust

    from ..submissions.submission import submit
    from .run import results_in

    set_trust(trust)
    given = {"name": name, "authors": authors, "cite": cite, "hardware": hardware}
    texts = _about(about) | {key: text for key, text in given.items() if text}
    manifest = submit(results_in(results), results, out, texts)
    learned = [entry for entry in manifest.runs.values() if entry.regime != "exact"]
    kept = sum(bool(entry.policy) for entry in learned)
    print_plain(f"{kept} of {len(learned)} policies and {len(manifest.runs)} runs are in {out}")


def _about(path: Path | None) -> dict[str, str]:
    """The texts of a TOML file. Raises InputError if it has other entries than those of ABOUT."""
    from dosuite.causal import InputError

    from ..submissions.manifest import ABOUT

    if path is None:
        return {}
    try:
        texts = tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path} is not TOML: {error}") from error
    for key, text in texts.items():
        if key not in ABOUT or not isinstance(text, str):
            raise InputError(f"{path} has an entry {key!r}; it can have texts {', '.join(ABOUT)}")
    return texts

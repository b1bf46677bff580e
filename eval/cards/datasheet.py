"""The datasheet of named logs, in the sections of Gebru et al. (2021), made from the models."""

import json
from collections.abc import Iterable, Iterator, Sequence
from inspect import getdoc
from pathlib import Path

from dosuite.causal import World
from dosuite.envs import dataset, world_id
from dosuite.envs.files import replacing
from dosuite.envs.logs.exports import to_table

from .citations import bibtex, source_of
from .croissant import (
    COLLECTION,
    IMPACT,
    LIMITS,
    PERSONAL,
    PURPOSE,
    UPKEEP,
    USE,
    LogFile,
    bias,
    croissant,
)


def write_set(names: Iterable[str], folder: Path) -> Iterator[Path]:
    """Write named logs as Parquet files, and then croissant.json and DATASHEET.md beside them.

    Yields the path of each file once it is written.
    """
    files = []
    for name in names:
        log = dataset(name)
        path = to_table(log, folder / f"{name}.parquet")
        files.append(LogFile.of(name, log, path))
        yield path
    texts = {
        "croissant.json": json.dumps(croissant(files), indent=1) + "\n",
        "DATASHEET.md": datasheet(files),
    }
    for name, text in texts.items():
        with replacing(folder / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
        yield folder / name


def datasheet(files: Sequence[LogFile]) -> str:
    """The datasheet in Markdown."""
    worlds = list(dict.fromkeys(file.world for file in files))
    rows = [f"- `{file.name}`: {file.rows:,} rows, {file.episodes:,} episodes" for file in files]
    sections = {
        "Motivation": [PURPOSE],
        "Composition": ["Each row is one step. The files:", "\n".join(rows), PERSONAL],
        "What is hidden, and what it does to a learner": [bias(cls) for cls in worlds],
        "Collection process": [COLLECTION, *map(_story, worlds)],
        "Preprocessing": ["None."],
        "Uses": [USE, LIMITS, IMPACT],
        "Distribution and maintenance": [UPKEEP],
        "Sources": [f"```bibtex\n{bibtex(map(world_id, worlds))}\n```"],
    }
    parts = ["# Datasheet of the logs of dosuite"]
    for title, paragraphs in sections.items():
        parts += [f"## {title}", *paragraphs]
    return "\n\n".join(parts) + "\n"


def _story(cls: type[World]) -> str:
    """The first sentence of a world's docstring, and its source."""
    first = " ".join((getdoc(cls) or "").partition("\n\n")[0].split())
    return f"{cls.__name__}: {first} {source_of(cls)}"

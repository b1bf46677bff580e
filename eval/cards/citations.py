"""Whom to cite: BibTeX of the package, and of the sources that the worlds' docstrings name."""

import re
from collections.abc import Iterable
from functools import cache
from importlib.metadata import version
from inspect import getdoc
from pathlib import Path
from typing import Any, NamedTuple

from dosuite.causal import World
from dosuite.envs.registry import class_named, world_class

FILE = Path(__file__).with_name("sources.bib")
SUITE = """@software{{dosuite,
  author = {{{{The dosuite maintainers}}}},
  title = {{dosuite: has a reinforcement learner learned causes or only correlations?}},
  version = {{{version}}}, year = {{2026}}}}"""
_AS_ANOTHER = re.compile(r"Source: as (\w+)")


class Entry(NamedTuple):
    """An entry of the file of sources."""

    key: str
    cited: tuple[str, ...]  # how docstrings name it
    text: str  # BibTeX


@cache
def entries() -> tuple[Entry, ...]:
    """The entries of `sources.bib`, whose field `cited` says how docstrings name them."""
    found = []
    for text in re.split(r"(?m)^(?=@)", FILE.read_text(encoding="utf-8"))[1:]:
        field = re.search(r", cited = \{([^}]*)\}", text)
        assert field is not None, text
        key = text.partition("{")[2].partition(",")[0]
        bare = text.replace(field[0], "", 1).strip()
        found.append(Entry(key, tuple(field[1].split("; ")), bare))
    return tuple(found)


def source_of(cls: type[World]) -> str:
    """The source that a world's docstring names, and that of the world it refers to: one line."""
    text = " ".join((getdoc(cls) or "").partition("Source:")[2].split())
    text = f"Source: {text}"
    other: type[Any] | None = None
    if named := _AS_ANOTHER.match(text):
        other = class_named(named[1])
    return text if other is None else f"{text} {source_of(other)}"


def entries_of(cls: type[World]) -> list[Entry]:
    """The sources of a world."""
    text = source_of(cls)
    return [entry for entry in entries() if any(name in text for name in entry.cited)]


def bibtex(worlds: Iterable[str]) -> str:
    """BibTeX of the package and of the sources of the worlds, each once.

    Raises InputError if a world does not exist.
    """
    found: dict[str, str] = {}
    for world in worlds:
        cls = world_class(world.partition(":")[0])
        found |= {entry.key: entry.text for entry in entries_of(cls)}
    texts = [found[key] for key in sorted(found)]
    return "\n\n".join([SUITE.format(version=version("dosuite")), *texts])

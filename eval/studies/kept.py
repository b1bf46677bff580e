"""The results of studies: those in the package, and those in the folder of a study.

`python -m dosuite.eval.studies.keep` puts results into the package: a table with its verdicts and
how it was made, and its figure. Nothing is computed when they are read.
"""

import json
import re
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from pyarrow import parquet

from dosuite.causal import InputError

from .study import Judgement, Size, Study, judge, study_named
from .verdicts import Finding, Word

PLACE = Path(str(resources.files("dosuite.eval.studies"))) / "results"
ABOUT = b"dosuite study"  # the key, in the metadata of a file, of verdicts and how it was made
TABLE, CRITERION, PICTURE = "study.parquet", "criterion.txt", "study.png"  # in a study's folder


class Results(NamedTuple):
    """The table of a study with its verdicts, and what was written before it was made."""

    study: Study
    size: Size
    promise: str  # as it was before the runs
    table: pd.DataFrame
    judged: Judgement
    picture: Path
    about: Mapping[str, Any]  # of results in the package: who made them, with what, and when

    @property
    def is_stale(self) -> bool:
        """Whether the study's texts, criterion or code have changed since the runs."""
        return self.promise != self.study.promise(self.size)

    def summary(self) -> str:
        """The verdict and the size in a few words, or that the results are stale."""
        return "stale" if self.is_stale else f"{self.judged.verdict.word}, {self.size} size"

    def made(self) -> str:
        """A sentence on who made results in the package, with what, and when."""
        about = self.about
        seeds = f" with {about['seeds']} seeds" if about["seeds"] else ""
        more = ", and that of processes that were killed" if about["killed"] else ""
        return (
            f"Made on {about['last'][:10]}{seeds} on {about['machine']['cpu']} in "
            f"{about['cpu_seconds']:,.0f} CPU seconds{more}; dosuite "
            f"{about['versions']['dosuite']}, code {about['code']}."
        )


def kept_results() -> dict[str, Results]:
    """The results in the package by name of the study, in alphabetical order."""
    return {path.stem: read_kept(path) for path in sorted(PLACE.glob("*.parquet"))}


def kept_result(name: str) -> Results:
    """The results of a study in the package. Raises InputError if there are none, or stale ones."""
    study_named(name)
    path = PLACE / f"{name}.parquet"
    if not path.exists():
        names = ", ".join(kept_results()) or "no study"
        raise InputError(f"the package has no results of {name}, but of {names}")
    found = read_kept(path)
    if found.is_stale:
        raise InputError(stale_line(found.study))
    return found


def read_kept(path: Path) -> Results:
    """The results in a file of the package."""
    about = json.loads(parquet.read_schema(path).metadata[ABOUT])
    study, size = study_named(path.stem), Size(about["size"])
    findings, *texts = about["judged"]
    known = tuple(Finding(case, Word(word), reason) for case, word, reason in findings)
    table, picture = pd.read_parquet(path), path.with_suffix(".png")
    judged = Judgement(known, *texts)
    return Results(study, size, about["promise"], table, judged, picture, about)


def results_in(folder: Path) -> Results:
    """The results in the folder of a study. Raises InputError if there are none, or stale ones.

    They have nothing in `about`; see `stints`.
    """
    for name in (CRITERION, TABLE, PICTURE):
        if not (folder / name).is_file():
            raise InputError(
                f"{folder} has no {name}: it is not the folder of a study that is done"
            )
    study, size = study_in(folder)
    table = pd.read_parquet(folder / TABLE)
    judged = judge(study, table)
    return Results(study, size, study.promise(size), table, judged, folder / PICTURE, {})


def study_in(folder: Path) -> tuple[Study, Size]:
    """The study and the size of a folder, as its `criterion.txt` says.

    Raises InputError if that is damaged, or of a study that has changed since.
    """
    promise = (folder / CRITERION).read_text(encoding="utf-8")
    head = re.match(rf"(\S+) \(({'|'.join(Size)})\)\n", promise)
    if head is None:
        raise InputError(f"{folder / CRITERION} is not what a study writes before its runs")
    study, size = study_named(head[1]), Size(head[2])
    if promise != study.promise(size):
        raise InputError(f"{folder}: {stale_line(study)}")
    return study, size


def stale_line(study: Study) -> str:
    """What to do about results of a study that has changed."""
    return (
        f"the results of {study.name} are stale: {study.file.name} has changed since they were "
        f"made; do `dosuite study {study.name}` again"
    )

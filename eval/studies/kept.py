"""The results of studies: those in the package, and those in the folder of a study.

`python -m dosuite.eval.studies.keep` puts results into the package.
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

from .study import Size, Study, judgement, study_named
from .verdicts import Finding, overall

PLACE = Path(str(resources.files("dosuite.eval.studies"))) / "results"
ABOUT = b"dosuite study"  # the key, in the metadata of a file, of how its table was made
TABLE, CRITERION = "study.parquet", "criterion.txt"  # in the folder of a study


class Results(NamedTuple):
    """The table of a study, with what was written before it was made."""

    study: Study
    size: Size
    promise: str  # as it was before the runs
    table: pd.DataFrame
    about: Mapping[str, Any]  # of results in the package: who made them, with what, and when

    @property
    def is_stale(self) -> bool:
        """Whether the study's texts, criterion or code have changed since the runs."""
        return self.promise != self.study.promise(self.size)

    @property
    def verdict(self) -> Finding:
        """The verdict over all cases."""
        return overall(self.study.findings(self.table))

    def summary(self) -> str:
        """The verdict and the size in a few words, or that the results are stale."""
        return "stale" if self.is_stale else f"{self.verdict.word}, {self.size} size"

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

    def text(self) -> str:
        """What was written before the runs, the verdicts, and the paragraph."""
        return f"{self.promise}\n{judgement(self.study, self.table)}"


def kept_results() -> dict[str, Results]:
    """The results in the package by name of the study, in alphabetical order."""
    return {path.stem: read_kept(path) for path in sorted(PLACE.glob("*.parquet"))}


def read_kept(path: Path) -> Results:
    """The results in a file of the package."""
    about = json.loads(parquet.read_schema(path).metadata[ABOUT])
    study, size = study_named(path.stem), Size(about["size"])
    return Results(study, size, about["promise"], pd.read_parquet(path), about)


def kept_result(name: str) -> Results:
    """The results of a study in the package. Raises InputError if there are none, or stale ones."""
    study_named(name)
    path = PLACE / f"{name}.parquet"
    if not path.exists():
        names = ", ".join(kept_results()) or "no study"
        raise InputError(f"the package has no results of {name}, but of {names}")
    found = read_kept(path)
    if found.is_stale:
        raise InputError(stale_line(found))
    return found


def stale_line(results: Results) -> str:
    """What to do about results whose study has changed."""
    study = results.study
    return (
        f"the results of {study.name} are stale: {study.file.name} has changed since they were "
        f"made; do `dosuite study {study.name}` again"
    )


def results_in(folder: Path) -> Results:
    """The results in the folder of a study. Raises InputError if there are none.

    They have nothing in `about`; see `stints`.
    """
    for name in (CRITERION, TABLE):
        if not (folder / name).is_file():
            raise InputError(
                f"{folder} has no {name}: it is not the folder of a study that is done"
            )
    promise = (folder / CRITERION).read_text(encoding="utf-8")
    head = re.match(rf"(\S+) \(({'|'.join(Size)})\)\n", promise)
    if head is None:
        raise InputError(f"{folder / CRITERION} is not what a study writes before its runs")
    table = pd.read_parquet(folder / TABLE)
    return Results(study_named(head[1]), Size(head[2]), promise, table, {})

"""What every study is, and how one is done: written down, run, judged and drawn."""

import inspect
import re
import sys
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from hashlib import blake2b
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import NamedTuple

import pandas as pd
from matplotlib.figure import Figure

from dosuite.causal import InputError
from dosuite.causal.errors import did_you_mean
from dosuite.envs.files import alone_in, replacing

from ..reports.figure_files import figure_files
from ..reports.page import save
from ..runs.requests import Request
from ..runs.run import Run
from ..runs.suite import execute
from .judging_code import judging_code
from .made import recorded
from .verdicts import Finding, Word, counted, overall


class Size(StrEnum):
    """How much of a study is run: a sketch, the study, or all that a cluster can do."""

    SMALL = "small"
    DEFAULT = "default"
    FULL = "full"


@dataclass(frozen=True)
class Study(ABC):
    """A question, and the hypothesis and criterion that are written before the runs.

    A subclass gives the texts as defaults, and thresholds as constants of its file.
    """

    name: str
    question: str
    hypothesis: str
    criterion: str  # in words; `findings` is the same as code
    budget: Mapping[Size, str]

    @abstractmethod
    def runs(self, size: Size) -> list[Run]:
        """The runs of a size."""

    def results(
        self, size: Size, folder: Path, workers: int, quiet: bool, shard: str = ""
    ) -> pd.DataFrame:
        """The rows of all work of a size, or of a shard of it; what has no result in the folder yet
        is done first.
        """
        request = Request(shard=shard)
        return execute(self.runs(size), folder, workers, quiet, policies=True, request=request)

    def amount(self, rows: pd.DataFrame, size: Size, shard: str) -> str:
        """How much of the work of a size is in a shard, whose rows are given: "12 of 96 runs"."""
        return f"{rows['run'].nunique()} of {len(set(self.runs(size)))} runs"

    @abstractmethod
    def table(self, rows: pd.DataFrame, folder: Path) -> pd.DataFrame:
        """What is measured, from the rows of the runs and the policies kept in the folder."""

    @abstractmethod
    def findings(self, table: pd.DataFrame) -> list[Finding]:
        """The criterion as code: a verdict on every case in a table."""

    @abstractmethod
    def figure(self, table: pd.DataFrame) -> Figure:
        """The picture of a table."""

    @abstractmethod
    def paragraph(self, table: pd.DataFrame) -> str:
        """What the numbers of a table say, in words: a line for each case."""

    def headline(self, table: pd.DataFrame) -> str:
        """The main result of a table in one short sentence; unless overridden, the first one of
        the paragraph.
        """
        return first_sentence(self.paragraph(table))

    @property
    def file(self) -> Path:
        """The file of the study."""
        return Path(inspect.getfile(type(self)))

    def promise(self, size: Size) -> str:
        """What is written before the run, with a hash of the code that measures and judges."""
        code = judging_code(self.file.read_text(encoding="utf-8"))
        mark = blake2b(code.encode(), digest_size=6).hexdigest()
        return (
            f"{self.name} ({size})\n\nQuestion: {self.question}\nHypothesis: {self.hypothesis}\n"
            f"Criterion: {self.criterion}\nBudget: {self.budget[size]}\n"
            f"Hash of the code of the criterion: {mark}\n"
        )


class Judgement(NamedTuple):
    """What a study says of a table: a verdict on every case, and what the numbers are."""

    findings: tuple[Finding, ...]
    headline: str
    paragraph: str

    @property
    def verdict(self) -> Finding:
        """The verdict over all cases."""
        return overall(self.findings)

    @property
    def text(self) -> str:
        """The verdicts, one on a line, and the paragraph."""
        return "\n".join([*map(str, self.findings), str(self.verdict), "", self.paragraph])

    @property
    def tally(self) -> str:
        """The verdict over all cases, and how many cases have each verdict."""
        total = counted(len(self.findings), "case")
        counts = Counter(each.word for each in self.findings)
        if len(counts) > 1:
            cases = ", ".join(f"{word} in {counts[word]}" for word in Word if counts[word])
            total = f"{total}: {cases}"
        return f"{self.verdict.word} ({total})"


class Result(NamedTuple):
    """What a study found, and the rows that it is from."""

    rows: pd.DataFrame
    text: str  # verdicts and the paragraph


@cache
def studies() -> Mapping[str, Study]:
    """All studies by name, in alphabetical order; each is the `STUDY` of a file of this folder."""
    package = __name__.rpartition(".")[0]
    names = [module.name for module in iter_modules(sys.modules[package].__path__)]
    modules = [import_module(f"{package}.{name}") for name in names]
    found = [module.STUDY for module in modules if hasattr(module, "STUDY")]
    return {study.name: study for study in sorted(found, key=lambda study: study.name)}


def study_named(name: str) -> Study:
    """The study of this name. Raises InputError if there is none."""
    if name not in studies():
        raise InputError(f"{name!r} is not a study; {did_you_mean(name, studies())}")
    return studies()[name]


def write_down(study: Study, size: Size, folder: Path) -> str:
    """Write the question and the criterion to `criterion.txt` before anything runs; return them.

    Raises InputError if the folder has another: what is judged must not change after results.
    """
    folder.mkdir(parents=True, exist_ok=True)
    text, file = study.promise(size), folder / "criterion.txt"
    if not file.exists():
        with replacing(file) as temporary:
            temporary.write_text(text, encoding="utf-8")
    elif file.read_text(encoding="utf-8") != text:
        raise InputError(
            f"{folder} was begun with another study, size or criterion, as {file} says; name "
            "another folder"
        )
    return text


def perform(study: Study, size: Size, folder: Path, workers: int, quiet: bool = False) -> Result:
    """Do the runs of a study that are not done yet, judge them, and write what they say.

    `study.md`, `study.parquet` and the figure (PNG, SVG, PDF) are written beside the results of the
    runs, and `made.json`, which says who made them.
    """
    promise = write_down(study, size, folder)
    with recorded(folder):
        rows = study.results(size, folder, workers, quiet)
        table = study.table(rows[rows["status"] == "ok"], folder)
    judged = judge(study, table)
    with alone_in(folder):
        save({"study.md": f"{promise}\n{judged.text}\n".encode()}, folder)
        save(figure_files(study.figure(table), "study", dpi=120), folder)
        with replacing(folder / "study.parquet") as temporary:
            table.to_parquet(temporary)
    return Result(rows, judged.text)


def perform_shard(
    study: Study, size: Size, folder: Path, workers: int, shard: str, quiet: bool = False
) -> pd.DataFrame:
    """Do what is not done yet of a shard of a study, and return its rows; nothing is judged.

    `criterion.txt` and `made.json` are written as `perform` writes them.
    """
    write_down(study, size, folder)
    with recorded(folder):
        return study.results(size, folder, workers, quiet, shard)


def judge(study: Study, table: pd.DataFrame) -> Judgement:
    """What a study says of a table."""
    return Judgement(tuple(study.findings(table)), study.headline(table), study.paragraph(table))


def first_sentence(text: str) -> str:
    """A text up to the first full stop, question or exclamation mark before a space or the end."""
    return re.split(r"(?<=[.?!])\s", text, maxsplit=1)[0]

"""The section of the report on studies: the question, the leading findings, and the evidence."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pandas as pd

from dosuite.causal import InputError

from ..reports.page import Section, Table
from ..reports.report import Illustrated
from .kept import TABLE, Results, kept_results, results_in, stale_line
from .leading import Leading, leading_findings
from .verdicts import Word

TITLE = "Does scale cure causal confusion?"
QUESTION = (
    "A learner is causally confused if it takes what goes together with reward in its data for "
    "what brings reward. Kirk and Krueger (2022) argue that training on a fixed log leaves a "
    "learner confused however much data and computation it has, and that interventions, or labels "
    "that say which actions were chosen at random, cure it. The studies below test this."
)
RULES = (
    "Each study wrote its hypothesis, its criterion and its budget down before its runs, and the "
    "verdicts follow from the criterion alone: supports, against, or no verdict where the seeds "
    "leave it open or where the learner does not solve the control, a world without confounding."
)
HERE = "The results are those of the studies in this folder."
KEPT = "The results are those that the package keeps; dosuite study NAME does a study again."
TINTS = {Word.SUPPORTS: 0.6, Word.AGAINST: -0.6}  # blue and orange


def evidence(folder: Path, kept: bool = True) -> Illustrated | None:
    """The section on the studies in a folder of results, or in a folder inside it.

    If there are none and `kept`, it is on the results in the package. None without results.
    """
    found, faults = _in_folder(folder)
    if found or faults:
        return _section(found, faults, is_here=True)
    return kept_evidence() if kept else None


def kept_evidence() -> Illustrated | None:
    """The section on the results in the package; None without any."""
    every = kept_results().values()
    found = {each.study.name: each for each in every if not each.is_stale}
    faults = [stale_line(each.study) for each in every if each.is_stale]
    return _section(found, faults, is_here=False) if found or faults else None


def _section(found: Mapping[str, Results], faults: list[str], is_here: bool) -> Illustrated:
    leading = leading_findings(found)
    leads = [each.results.study.name for each in leading]
    order = [*leads, *(name for name in found if name not in leads)]
    section = Section(
        TITLE,
        [QUESTION, RULES, HERE if is_here else KEPT, *(f"Left out: {fault}." for fault in faults)],
        [],
        on_terminal=False,
        points=[(each.topic, each.answer + _command(each, is_here)) for each in leading],
        # in a page on other runs the findings are enough, until one is asked for
        parts=[_part(found[name], not is_here or name not in leads) for name in order],
    )
    pictures = {_figure_of(each): each.picture.read_bytes() for each in found.values()}
    return Illustrated(section, pictures)


def _in_folder(folder: Path) -> tuple[dict[str, Results], list[str]]:
    """The results of studies in a folder and those inside it, by name; and what is wrong with
    others."""
    found: dict[str, Results] = {}
    faults = []
    for place in _with_tables([folder, *sorted(folder.iterdir())]):
        try:
            results = results_in(place)
        except InputError as error:
            faults.append(str(error))
        else:
            found[results.study.name] = results
    return found, faults


def _with_tables(folders: Iterable[Path]) -> Iterator[Path]:
    return (folder for folder in folders if (folder / TABLE).is_file())


def _command(leading: Leading, is_here: bool) -> str:
    """The command that shows the results of a finding, if they are in the package."""
    return "" if is_here else f" ({leading.command})"


def _part(results: Results, folded: bool) -> Section:
    """One study: what it asked, what it found, and the verdict on each case."""
    study, judged = results.study, results.judged
    rows = [tuple(map(str, each)) for each in (*judged.findings, judged.verdict)]
    frame = pd.DataFrame(rows, columns=["case", "verdict", "reason"])
    sentences = [
        f"Hypothesis: {study.hypothesis}",
        f"Criterion: {study.criterion}",
        f"Budget of the {results.size} size: {study.budget[results.size]}.",
        *f"Result: {judged.paragraph}".splitlines(),
        *([results.made()] if results.about else []),
    ]
    return Section(
        f"{study.question} Verdict: {judged.tally}",
        sentences,
        [Table(_figure_of(results), frame, _tints(frame), "The verdict on each case")],
        figure=_figure_of(results),
        folded=folded,
    )


def _figure_of(results: Results) -> str:
    return f"study-{results.study.name}"


def _tints(frame: pd.DataFrame) -> pd.DataFrame:
    """Scores for the cells of the verdicts, which colour them."""
    scores = frame.copy()
    scores[["case", "reason"]] = float("nan")
    scores["verdict"] = [TINTS.get(Word(word), float("nan")) for word in frame["verdict"]]
    return scores

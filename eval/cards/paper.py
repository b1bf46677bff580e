"""What a paper needs of a folder of results: tables in LaTeX, the set-up, and BibTeX."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from dosuite.causal import InputError
from dosuite.envs.regimes import Budget, Regime
from dosuite.envs.registry import world_classes

from ..reports.labels import named
from ..reports.latex import escaped, tabular
from ..reports.page import Section, Table
from ..reports.report import definitions, report_sections
from ..reports.tables import summary
from ..runs.requests import Record, records
from ..scores import metrics
from .citations import bibtex, entries_of

LEFT_OUT = ("notes", "budgets")  # tables that say what went wrong, and what the set-up says
FACTS = ("cpu", "cores", "system", "python", "numpy", "dosuite")  # of a machine, in this order
HEADER = (
    "% Results in {folder}, written by `dosuite export`. The preamble needs\n"
    "% \\usepackage{{booktabs}}, and \\usepackage[T1]{{fontenc}} with pdflatex. Sources: {bib}.\n"
)


def paper(rows: pd.DataFrame, folder: Path, path: Path) -> dict[Path, str]:
    """The texts of `path`, in LaTeX, and of the file of BibTeX beside it, for rows of a folder.

    The LaTeX has a paragraph on the set-up, every table, and the definitions of all scores. Raises
    InputError if no run of the rows has succeeded.
    """
    if metrics.deployment(rows).empty:
        raise InputError(f"no run in {folder} has succeeded, so there is nothing to export")
    rows = named(rows)
    bib = path.with_suffix(".bib")
    sections = report_sections(rows, summary(rows))
    blocks = [
        HEADER.format(folder=folder.name, bib=bib.name),
        _paragraph("Set-up", [*_set_up(rows), *_where(records(folder))], _cited(rows)),
        *(block for section in sections for block in _floats(section)),
        _paragraph("Definitions", definitions()),
    ]
    return {path: "\n".join(blocks), bib: bibtex(_worlds(rows)) + "\n"}


def _worlds(rows: pd.DataFrame) -> list[str]:
    """The worlds of the catalogue in the rows, without those of a user's files."""
    return sorted(set(rows["environment"]) & set(world_classes()))


def _cited(rows: pd.DataFrame) -> str:
    """A sentence with the sources of the package and of the worlds."""
    sources = {entry.key for name in _worlds(rows) for entry in entries_of(world_classes()[name])}
    worlds = f", with worlds after \\cite{{{','.join(sorted(sources))}}}" if sources else ""
    return f"The benchmark is dosuite \\cite{{dosuite}}{worlds}."


def _set_up(rows: pd.DataFrame) -> Iterator[str]:
    """Sentences: how much was run, with which seeds and budgets."""
    runs = metrics.deployment(rows)
    learned = runs[~runs["regime"].isin([Regime.EXACT, Regime.GIVEN])]
    worlds = (runs["environment"] + " " + runs["member"]).nunique()
    yield (
        f"There are {_count(len(learned), 'run')} of {_count(learned['agent'].nunique(), 'agent')} "
        f"that learn, in {_count(worlds, 'world')} and variants of them."
    )
    if len(learned):
        seeds = learned["seed"]
        yield f"Seeds: {seeds.nunique()}, from {seeds.min()} to {seeds.max()}."
    for budget in (Budget.RECORDED, Budget.PRACTICE):
        regimes = [regime.value for regime in Regime if regime.budget is budget]
        sizes = sorted(learned.loc[learned["regime"].isin(regimes), "budget"].unique())
        if sizes:
            yield f"Budget: {', '.join(f'{size:,}' for size in sizes)} {budget.value}."
    if failed := int((rows.loc[rows["world"] == "", "status"] != "ok").sum()):
        yield f"Left out: {_count(failed, 'run')} that failed."


def _where(found: Sequence[Record]) -> Iterator[str]:
    """Sentences: the machines, the versions and the dates of the commands."""
    for machine in dict.fromkeys(_machine(record) for record in found):
        yield f"Hardware and versions: {machine}."
    if found:
        first, last = min(record.begun for record in found), max(record.last for record in found)
        yield f"Dates: {first[:10]} to {last[:10]}."


def _machine(record: Record) -> str:
    facts = [f"{name} {record.machine[name]}" for name in FACTS if name in record.machine]
    return ", ".join([*facts, f"code {record.code}"])


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _paragraph(title: str, sentences: Sequence[str], cited: str = "") -> str:
    lines = [f"\\paragraph{{{title}.}}", *([cited] if cited else []), *map(escaped, sentences)]
    return "\n".join(lines) + "\n"


def _floats(section: Section) -> Iterator[str]:
    """The tables of a section, each with a caption and a label."""
    question = section.title.partition(". ")[2] or section.title
    for table in section.tables:
        if table.name in LEFT_OUT or table.frame.empty:
            continue
        lines = [
            r"\begin{table}",
            r"\centering\footnotesize",
            rf"\caption{{{escaped(table.caption or f'{question} ({table.name})')}. "
            r"Brackets: 95\,\% intervals over seeds. Bold: the best that learns.}",
            rf"\label{{tab:dosuite-{table.name}}}",
            "\\\\[1ex]\n".join(tabular(part) for part in _columns(table)).rstrip(),
            r"\end{table}",
        ]
        yield "\n".join(lines) + "\n"


def _columns(table: Table) -> Iterator[Table]:
    """The table; if it has many columns, in parts that stand below one another."""
    if not table.fold:
        yield table
        return
    for part in table.parts():
        better = {name: sign for name, sign in table.better.items() if name in part}
        yield replace(table, frame=part, shade=None, better=better)

"""The report of result rows: tables, figures and one page. Nothing is run here."""

import base64
import io
from pathlib import Path

import matplotlib
import pandas as pd
from matplotlib.figure import Figure
from rich.console import Console

from ..runs.beliefs import belief_columns
from ..runs.reference_values import REFERENCES
from ..runs.suite import ORDER
from ..scores import metrics
from . import figures, tables
from .page import Section, markdown, page, print_sections, save
from .tables import summary

FIGURES = {
    "causal_score": figures.score_panels,
    "shift_regret": figures.regret_heatmaps,
    "belief": figures.belief_panels,
}

TWINS = (
    "Twins are two worlds with the same log and different best policies. The score is the mean of "
    "CS_chance over both: 0 for uniform chance, 1 for the causal optimum on both, and more only "
    "for an agent that is shown the intent or sees what is hidden. An agent that follows the "
    f"log, or inverts it, is right once; a pair is won by scoring above {tables.WIN} on each."
)
EARNED = (
    "In the figure, large marks are interquartile means over seeds, small ones are seeds, bars are "
    "95 % bootstrap intervals, and lines are reference policies and the mean return of the log. An "
    "agent that learns correlations is on the confused line on the left and on the causal one in "
    "the middle. On the right is the mean of both worlds: the floor is the most that one policy "
    "earns there, so that no learner with the log alone can pass it, whatever its size and its "
    "data; only labels, a graph or own actions lead beyond."
)
SHIFTED = (
    "Policies are frozen and the world changes. Regret is 0 for the best policy of the class in "
    "that world and 1 for the worst."
)
BELIEVED = (
    "Believed is the agent's own estimate of what its policy earns. Agents without such an "
    "estimate are left out."
)
CALIBRATED = (
    "kappa is 0 for an agent that predicts what acting does, and 1 for one that reproduces the log."
)
IQM = (
    "Scores are interquartile means (IQM) over seeds: the mean without the lowest and the highest "
    "quarter. [low, high] is the 95 % percentile bootstrap interval; seeds are resampled within "
    "their environment."
)


def missing_columns(rows: pd.DataFrame) -> list[str]:
    """The columns that a report needs and the rows do not have."""
    needed = [*ORDER, *REFERENCES, *belief_columns(), "value", "status", "needs"]
    return [name for name in needed if name not in rows]


def print_tables(rows: pd.DataFrame, console: Console) -> None:
    """Print the answers to the first three questions, and what failed if anything did."""
    sections = report_sections(rows, summary(rows))
    print_sections([section for section in sections if section.on_terminal], console)


def write_report(rows: pd.DataFrame, folder: Path) -> Path:
    """Write report.html, figures/*.png, tables/*.md and *.tex, and tables/summary.csv; return the
    path of the page.

    Everything is rendered before the first file is written.
    """
    save(_render(rows), folder)
    return folder / "report.html"


def report_sections(rows: pd.DataFrame, scores: pd.DataFrame) -> list[Section]:
    """The report in its order; `scores` is the summary of the rows."""
    here = metrics.largest_budget(scores[scores["variant"] == ""])
    return [
        _twins(rows),
        _earned(rows, here),
        _shifted(rows, here),
        _believed(here),
        _calibrated(here),
        _failed(rows),
        _defined(rows, scores),
    ]


def _twins(rows: pd.DataFrame) -> Section:
    sentences = [TWINS, *tables.winners(rows)]
    return Section("1. Who is right about both twins?", sentences, [tables.headline(rows)])


def _earned(rows: pd.DataFrame, here: pd.DataFrame) -> Section:
    scores = tables.score_table("scores", here, metrics.headings("scores"))
    return Section(
        "2. What does each policy earn?",
        [EARNED],
        [scores, *tables.controls(rows)],
        figure="causal_score",
    )


def _shifted(rows: pd.DataFrame, here: pd.DataFrame) -> Section:
    return Section(
        "3. And when the world shifts?",
        [SHIFTED, tables.confused_wins(rows)],
        [tables.score_table("shifts", here, metrics.headings("shifts"))],
        figure="shift_regret",
    )


def _believed(here: pd.DataFrame) -> Section:
    # what is earned stands beside what is believed
    headings = {"believed": "believed", "earned": "value"} | metrics.headings("belief")
    table = tables.score_table("belief", tables.having(here, "believed"), headings)
    return Section(
        "4. What does it believe it earns?",
        [BELIEVED],
        [table],
        figure="belief",
        on_terminal=False,
    )


def _calibrated(here: pd.DataFrame) -> Section:
    headings = metrics.headings("calibration")
    table = tables.score_table("calibration", tables.having(here, "ice"), headings)
    return Section("5. Does it predict what acting does?", [CALIBRATED], [table], on_terminal=False)


def _failed(rows: pd.DataFrame) -> Section:
    any_failed = bool((rows["status"] != "ok").any())
    return Section(
        "6. What failed, and what agents said", [], [tables.notes(rows)], on_terminal=any_failed
    )


def _defined(rows: pd.DataFrame, scores: pd.DataFrame) -> Section:
    return Section(
        "7. How each number is defined",
        definitions(),
        [tables.budgets(rows), *tables.scale(scores)],
        on_terminal=False,
    )


def definitions() -> list[str]:
    """A sentence for each metric and each reference value."""
    sentences = [each.definition for each in metrics.all_metrics() if each.definition]
    references = [f"{_symbol(each.column)} is {each.definition}." for each in REFERENCES.values()]
    return [*sentences[:1], *references, *sentences[1:], IQM]


def _symbol(column: str) -> str:
    """A column as the definitions write it: j_causal -> J_causal."""
    return column[:1].upper() + column[1:]


def _render(rows: pd.DataFrame) -> dict[str, bytes]:
    """All files of the report by name."""
    scores = summary(rows)
    sections = report_sections(rows, scores)
    drawn = {name: draw(rows) for name, draw in FIGURES.items()}
    files = {f"figures/{name}.png": _image(figure, "png") for name, figure in drawn.items()}
    for section in sections:
        for table in section.tables:
            tex = table.frame.to_latex(index=False, escape=True)
            files[f"tables/{table.name}.md"] = markdown(table).encode() + b"\n"
            files[f"tables/{table.name}.tex"] = tex.encode()
    files["tables/summary.csv"] = scores.to_csv(index=False).encode()
    inline = {
        name: base64.b64encode(_image(figure, "svg")).decode() for name, figure in drawn.items()
    }
    files["report.html"] = page(sections, inline, rows).encode()
    return files


def _image(figure: Figure, kind: str) -> bytes:
    """A figure as a file, the same bytes each time."""
    buffer = io.BytesIO()
    metadata = {"Date": None} if kind == "svg" else None
    with matplotlib.rc_context({"svg.hashsalt": "dosuite"}):
        figure.savefig(buffer, format=kind, dpi=200, metadata=metadata)
    return buffer.getvalue()

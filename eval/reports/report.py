"""The report of result rows: tables, figures and one page. Nothing is run here."""

import base64
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from rich.console import Console

from dosuite.envs.regimes import Regime
from dosuite.envs.registry import VARIANTS

from ..runs.beliefs import belief_columns
from ..runs.pairs import PAIR_COLUMNS
from ..runs.reference_values import REFERENCES
from ..runs.suite import ORDER
from ..scores import metrics
from ..scores.scale import DEFINITIONS as SCALE
from . import figures, tables
from .figure_files import figure_files
from .labels import named
from .latex import tabular
from .learning_curves import NAME as CURVES
from .learning_curves import curves, curves_figure, curves_section
from .page import Section, Table, csv, markdown, page, print_sections, save
from .path_tables import DEFINITIONS as PATHS
from .path_tables import paths_section
from .provenance import made_section
from .scale_tables import scale_tables
from .tables import summary

SCORES = "causal_score"  # the figure that shows agents that were run beforehand, too
FIGURES: dict[str, Callable[[pd.DataFrame], Figure]] = {
    SCORES: figures.score_panels,
    "shift_regret": figures.regret_heatmaps,
    "belief": figures.belief_panels,
}

TWINS = (
    "Twins are two worlds with the same log and different best policies. The score CS_pair places "
    "the mean return over both between that of the confused policy (0), which does what the log "
    "suggests in both, and that of the causal policy of each world (1). It is below 0 for a policy "
    "that earns less than the confused one, as acting at random may, and above 1 only for an agent "
    "that is shown the intent or sees what is hidden. The column mean is over the families of "
    "worlds, which weigh the same; [low, high] are 95 % intervals over seeds, and the best number "
    "of a column is bold. A pair is won by a return that is, in each of the two worlds, more than "
    f"{tables.WIN:.0%} of the way from uniform chance to the causal policy."
)
EARNED = (
    "In the figure, large marks are interquartile means over seeds, small ones are seeds, bars are "
    "95 % bootstrap intervals, and lines are reference policies and the mean return of the log. An "
    "agent that learns correlations is on the confused line on the left and on the causal one in "
    "the middle. On the right is the mean of both worlds: the floor is the most that one policy "
    "earns there, so that no learner with the log alone can pass it, whatever its size and its "
    "data; only labels, a graph or own actions lead beyond. A line of grey marks, if there is one, "
    "is of agents of dosuite that are not run here: one mark each, in the shape of its regime, "
    "after 10,000 recorded steps or 20,000 steps of practice."
)
REFERRED = (
    "Agents named (exact) are reference policies, computed from the model. The log is the mean "
    "return of the policy that recorded it, which may act on hidden causes; behaviour (exact) is "
    "that policy with what is hidden averaged out, P(action | what an agent sees), acting anew. "
    "They differ where it did act on hidden causes."
)
SHIFTED = (
    "Policies are frozen and the world changes. Regret is 0 for the best policy of the class in "
    "that world and 1 for the worst. An agent that is shown the intent is compared with policies "
    "that are not, so its regret can be below 0 or above 1."
)
BELIEVED = (
    "Believed is the agent's own estimate of what its policy earns. Agents without such an "
    "estimate are left out."
)
CALIBRATED = (
    "kappa is 0 for an agent that predicts what acting does, and 1 for one that reproduces the log."
)
GOALS = "Goal misgeneralisation: two goals agree in training, and differ where policies are valued"
IQM = (
    "Scores are interquartile means (IQM) over seeds: the mean without the lowest and the highest "
    "quarter. [low, high] is the 95 % percentile bootstrap interval; seeds are resampled within "
    "their environment."
)


TEXTS = ("environment", "member", "variant", "regime", "agent", "world", "status", "note", "needs")


def results_fault(rows: pd.DataFrame) -> str:
    """Why rows are not results that can be reported; "" if they are."""
    numbers = [
        "budget",
        "log_rows",
        "seed",
        "value",
        "std_error",
        "test_value",
        *REFERENCES,
        *PAIR_COLUMNS,
    ]
    numbers += belief_columns()
    later = metrics.later_columns()
    there = {*rows.columns, *later}
    missing = [name for name in dict.fromkeys([*ORDER, *TEXTS, *numbers]) if name not in there]
    numbers = [name for name in dict.fromkeys([*numbers, *later]) if name in rows]
    if missing:
        return f"it lacks {', '.join(missing)}"
    if rows.columns.duplicated().any():
        return "it has a column twice"
    if rows.empty:
        return "it has no rows"
    for name in [*TEXTS, *({"agent_name"} & {*rows.columns})]:
        if not _are_texts(rows[name]):
            return f"the column {name} must hold texts"
    for name in numbers:
        if rows[name].dtype.kind not in "iuf" or np.isinf(rows[name].astype(float)).any():
            return f"the column {name} must hold finite numbers"
    for name in ("budget", "log_rows", "seed"):
        if rows[name].isna().any() or (rows[name] % 1 != 0).any() or (rows[name] < 0).any():
            return f"the column {name} must hold whole numbers of at least 0"
    allowed = {
        "regime": [regime.value for regime in Regime],
        "status": ["ok", "failed"],
        "variant": list(VARIANTS),
    }
    for name, values in allowed.items():
        unknown = rows.loc[~rows[name].isin(values), name]
        if len(unknown):
            return f"the column {name} has {unknown.iloc[0]!r}, which is none of {values}"
    if not (rows["world"] == "").any():
        return "it has no row of a deployment, whose world is the empty text"
    return ""


def _are_texts(column: "pd.Series[Any]") -> bool:
    if isinstance(column.dtype, pd.StringDtype):  # a look at each value of 500,000 takes seconds
        return not column.isna().any()
    return all(isinstance(value, str) for value in column)


def print_tables(rows: pd.DataFrame, console: Console) -> None:
    """Print the answers to the first three questions, and what failed if anything did."""
    rows = named(rows)
    sections = report_sections(rows, summary(rows))
    print_sections(sections, console)


class Illustrated(NamedTuple):
    """A section with its figures, PNG by name."""

    section: Section
    figures: Mapping[str, bytes]


def write_report(
    rows: pd.DataFrame,
    folder: Path,
    beforehand: pd.DataFrame | None = None,
    first: Illustrated | None = None,
) -> Path:
    """Write report.html, figures/*.png, *.svg and *.pdf, tables/*.md and *.tex, and
    tables/summary.csv; return the path of the page.

    Rows that were made `beforehand` are drawn in grey. A `first` section stands above those of the
    rows. Everything is rendered before the first file is written.
    """
    rows = named(rows)
    learned = curves_section(curves(rows))
    last = [learned, paths_section(rows, folder), made_section(folder)]
    save(_render(rows, beforehand, [each for each in last if each], first), folder)
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
    sentences = [TWINS, REFERRED, *tables.winners(rows)]
    return Section("1. Who is right about both twins?", sentences, _filled(tables.headline(rows)))


def _earned(rows: pd.DataFrame, here: pd.DataFrame) -> Section:
    scores = tables.score_table("scores", here, metrics.headings("scores"))
    return Section(
        "2. What does each policy earn?",
        [EARNED],
        [
            scores,
            *tables.controls(rows),
            *tables.where_defined("goals", here, GOALS),
            *tables.blame(here),
            *scale_tables(rows),
        ],
        figure="causal_score",
    )


def _shifted(rows: pd.DataFrame, here: pd.DataFrame) -> Section:
    return Section(
        "3. And when the world shifts?",
        [SHIFTED, tables.confused_wins(rows)],
        _filled(tables.score_table("shifts", here, metrics.headings("shifts"))),
        figure="shift_regret",
    )


def _believed(here: pd.DataFrame) -> Section:
    # what is earned stands beside what is believed
    headings = {"believed": "believed", "earned": "value"} | metrics.headings("belief")
    table = tables.score_table("belief", tables.having(here, "believed"), headings)
    return Section(
        "4. What does it believe it earns?",
        [BELIEVED],
        _filled(table),
        figure="belief",
        on_terminal=False,
    )


def _calibrated(here: pd.DataFrame) -> Section:
    headings = metrics.headings("calibration")
    table = tables.score_table("calibration", tables.having(here, "ice"), headings)
    return Section(
        "5. Does it predict what acting does?", [CALIBRATED], _filled(table), on_terminal=False
    )


def _filled(table: Table) -> list[Table]:
    """The table, if it has rows and more in them than names."""
    names = {"environment", "agent"}
    return [table] if len(table.frame) and not names.issuperset(table.frame) else []


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
    return [*sentences[:1], *references, *sentences[1:], *SCALE, *PATHS, IQM]


def _symbol(column: str) -> str:
    """A column as the definitions write it: j_causal -> J_causal."""
    return column[:1].upper() + column[1:]


def _render(
    rows: pd.DataFrame,
    beforehand: pd.DataFrame | None,
    last: list[Section],
    first: Illustrated | None,
) -> dict[str, bytes]:
    """All files of the report by name."""
    scores = summary(rows)
    pictures = dict(first.figures) if first else {}
    above = [first.section] if first else []
    sections = [*above, *report_sections(rows, scores), *last]
    with matplotlib.rc_context({"text.parse_math": False}):  # names may have dollar signs
        drawn = {name: draw(rows) for name, draw in FIGURES.items() if name != SCORES}
        drawn[SCORES] = figures.score_panels(rows, beforehand)
        if len(learned := curves(rows)):
            drawn[CURVES] = curves_figure(learned)
    files = {f"figures/{name}.png": picture for name, picture in pictures.items()}
    for name, figure in drawn.items():
        files |= figure_files(figure, f"figures/{name}")
    for section in sections:
        for table in [*section.tables, *(one for part in section.parts for one in part.tables)]:
            files[f"tables/{table.name}.md"] = markdown(table).encode() + b"\n"
            files[f"tables/{table.name}.tex"] = tabular(table).encode()
    files["tables/summary.csv"] = csv(scores).encode()
    if len(learned):
        files[f"tables/{CURVES}.csv"] = csv(learned).encode()
    inline = {name: data_url(files[f"figures/{name}.svg"], "svg+xml") for name in drawn}
    inline |= {name: data_url(picture, "png") for name, picture in pictures.items()}
    files["report.html"] = page(sections, inline, rows).encode()
    return files


def data_url(image: bytes, kind: str) -> str:
    """An image as the address of itself, of the type image/`kind`."""
    return f"data:image/{kind};base64,{base64.b64encode(image).decode()}"

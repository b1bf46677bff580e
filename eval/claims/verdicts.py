"""The prediction matrix, predicted against measured:

scores with intervals, verdicts, and tables.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from .. import metrics
from ..reports.page import Section, Table
from ..runs.failure import without_file
from ..runs.reference_values import REFERENCES
from ..runs.run import OFFLINE
from .matrix import Cell, Row

FAILS, SUCCEEDS = 0.1, 0.9  # CS_chance: 0 predicts less than the one, 1 more than the other
MARKS = {"disagrees": "!", "undecided": "?"}
VERDICTS = {
    "agrees": "agree",
    "disagrees": "disagree",
    "undecided": "are undecided",
    "undefined": "are undefined",
}
ACTING = (
    "Online",
    "RDC",
    "Pool",
    "Fuse",
)  # classes that need interventions; the others learn from what was seen

SCORED = (
    "Each cell holds the prediction, 1 for success, 0 for failure and p in between, and what was "
    "measured: CS_chance, which is 0 for "
    "chance and 1 for the best policy, as the interquartile mean over seeds with its 95 % "
    "bootstrap interval. "
    f"0 says that it is below {FAILS}, 1 above {SUCCEEDS}; ! marks an interval that disagrees, ? "
    "one that crosses the threshold. "
    "p is not judged, and - does not apply."
)


def measured(cells: Sequence[Cell], rows: pd.DataFrame) -> pd.DataFrame:
    """A row for each cell that was run: its row and class, CS_chance as `iqm`, `low` and `high`
    over the seeds, and the verdict.

    `rows` are those of the runs. A score is NaN where CS_chance is undefined, or where a run
    failed."""
    runs = rows[rows["world"] == ""].set_index("run")
    return pd.DataFrame(
        [_measured(cell, runs.loc[[run.key for run in cell.runs]]) for cell in cells if cell.runs]
    )


def _measured(cell: Cell, runs: pd.DataFrame) -> dict[str, object]:
    scores = metrics.chance_score(
        runs.assign(j_uniform=runs[cell.row.zero], j_causal=runs[cell.row.one])
    ).to_numpy(float)
    failed = runs.loc[runs["status"] != "ok", "note"]
    whole = np.full(len(scores), np.nan) if len(failed) else scores
    iqm, low, high = metrics.interval(whole)
    said = (failed if len(failed) else runs["note"]).map(without_file)
    run = cell.runs[0]
    return {
        "row": cell.row.name,
        "class": cell.column,
        "predicted": cell.predicted,
        "agent": f"{run.agent} ({run.regime})",
        "budget": run.budget,
        "iqm": iqm,
        "low": low,
        "high": high,
        "exact": bool(runs["exact"].all()),
        "verdict": verdict(cell.predicted, low, high),
        "note": "; ".join(dict.fromkeys(said)) if said.nunique() < 3 else said.mode()[0],
    }


def verdict(predicted: str, low: float, high: float) -> str:
    """Whether an interval of CS_chance agrees with a prediction, disagrees, or leaves it undecided;

    "" if neither 0 nor 1 is predicted.
    """
    if predicted not in "01":
        return ""
    if np.isnan(low):
        return "undefined"
    as_said = high < FAILS if predicted == "0" else low > SUCCEEDS
    otherwise = low >= FAILS if predicted == "0" else high <= SUCCEEDS
    return "agrees" if as_said else "disagrees" if otherwise else "undecided"


def sections(cells: Sequence[Cell], rows: pd.DataFrame) -> list[Section]:
    """The matrix, what disagrees in it, and how each row was run;

    `rows` are those of the runs of the cells.
    """
    found = measured(cells, rows)
    counts = [f"{(found['verdict'] == name).sum()} {words}" for name, words in VERDICTS.items()]
    idle = sum(not cell.runs and cell.predicted in "01" for cell in cells)
    told = f"Of the predictions of 0 and 1 {', '.join(counts)}, and {idle} have no agent."
    texts = {(row["row"], row["class"]): _text(row) for row in found.to_dict("records")}
    halves = [
        [one for one in dict.fromkeys(cell.column for cell in cells) if (one in ACTING) == acting]
        for acting in (False, True)
    ]
    tables = [
        _wide(name, cells, texts, half)
        for name, half in zip(("from-logs", "acting"), halves, strict=True)
        if half
    ]
    return [
        Section("The prediction matrix", [SCORED, told], tables),
        Section(
            "What does not agree", [], [_listed(found[found["verdict"].isin(list(VERDICTS)[1:])])]
        ),
        Section("How each row was run", [], [_settings(cells)]),
    ]


def _text(cell: Mapping[Any, Any]) -> str:
    mark = MARKS.get(cell["verdict"], "")
    measured = (
        "undefined"
        if np.isnan(cell["iqm"])
        else f"{cell['iqm']:z.2f} [{cell['low']:z.2f}, {cell['high']:z.2f}]"
    )
    return f"{cell['predicted']}{mark} {measured}"


def _wide(
    name: str, cells: Sequence[Cell], texts: Mapping[tuple[str, str], str], columns: Sequence[str]
) -> Table:
    """One row a world and one column a class."""
    found: dict[str, dict[str, str]] = {}
    for cell in cells:
        idle = cell.predicted if cell.predicted == "-" else f"{cell.predicted} no agent"
        found.setdefault(cell.row.name, {})[cell.column] = texts.get(
            (cell.row.name, cell.column), idle
        )
    frame = (
        pd.DataFrame.from_dict(found, orient="index")
        .reindex(columns=list(columns))
        .fillna("")
        .rename_axis("world")
        .reset_index()
    )
    return Table(name, frame, frame.map(_shade))


def _shade(text: str) -> float:
    """Orange for what disagrees, and blue for what agrees."""
    predicted, _, score = text.partition(" ")
    if predicted.endswith("!"):
        return -1.0
    return 0.5 if predicted in ("0", "1") and score[:1] in "-0123456789" else np.nan


def _listed(found: pd.DataFrame) -> Table:
    said = found["note"].rename("the agent said")
    text = pd.Series(
        [_text(row) for row in found.to_dict("records")], found.index, str, "predicted, measured"
    )
    frame = pd.concat([found[["row", "class", "agent", "verdict"]], text, said], axis=1)
    return Table("disagreements", frame.rename(columns={"row": "world"}).astype(str))


def _settings(cells: Sequence[Cell]) -> Table:
    rows = {cell.row.name: cell.row for cell in cells}
    return Table(
        "settings",
        pd.DataFrame(
            [_setting(row, [cell for cell in cells if cell.row is row]) for row in rows.values()]
        ),
    )


def _setting(row: Row, cells: Sequence[Cell]) -> dict[str, str]:
    budgets = {
        offline: sorted(
            {c.runs[0].budget for c in cells if c.runs and (c.runs[0].regime in OFFLINE) == offline}
        )
        for offline in (True, False)
    }
    agents = {
        cell.column: cell.runs[0].agent for cell in cells if cell.runs and cell.column in row.agents
    }
    return {
        "world": row.name,
        "environment": row.world,
        "steps of the log": " ".join(map("{:,}".format, budgets[True])),
        "of practice": " ".join(map("{:,}".format, budgets[False])),
        "0 is": REFERENCES[row.zero].phrase,
        "1 is": REFERENCES[row.one].phrase,
        "own agents": ", ".join(f"{column} {agent}" for column, agent in agents.items()),
        "note": row.note,
    }

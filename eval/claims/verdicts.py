"""Verdicts from intervals, and the prediction matrix held against measurements in tables."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from ..reports.page import Section, Table
from ..runs.failure import without_file
from ..runs.reference_values import REFERENCES
from ..runs.run import OFFLINE
from ..scores import metrics
from .matrix import CLASSES, NO_ANSWER, Cell, MatrixRow

FAILS = 0.1  # a prediction of 0 says that CS_chance is below
SUCCEEDS = 0.9  # a prediction of 1 says that it is above
AGREES = "agrees"
DISAGREES = "disagrees"
UNDECIDED = "undecided"
UNDEFINED = "undefined"
COUNTED = {
    AGREES: "agree",
    DISAGREES: "disagree",
    UNDECIDED: "are undecided",
    UNDEFINED: "are undefined",
}  # verdict -> verb
MARKS = {DISAGREES: "!", UNDECIDED: "?"}
USUAL = {one.name for one in CLASSES}
ACTING = ("Online", "RDC", "Pool", "Fuse")  # classes that learn from interventions

EXPLANATION = (
    "Each cell holds the prediction, 1 for success, 0 for failure and p in between, and what was "
    "measured: CS_chance, which is 0 for chance and 1 for the best policy, as the interquartile "
    "mean over seeds with its 95 % bootstrap interval. "
    f"0 says that it is below {FAILS}, 1 above {SUCCEEDS}; ! marks an interval that disagrees, ? "
    "one that crosses the threshold. p is not judged, and - does not apply."
)


def measured_cells(cells: Sequence[Cell], rows: pd.DataFrame) -> pd.DataFrame:
    """A row for each cell that was run: CS_chance as `iqm`, `low` and `high`, and the verdict.

    `rows` are the results of the runs. The interval is over the seeds. A score is NaN where it is
    undefined, or where a run failed.
    """
    deployed = rows[rows["world"] == ""].set_index("run")
    records = []
    for cell in cells:
        if cell.runs:
            records.append(_measured(cell, deployed.loc[[run.key for run in cell.runs]]))
    return pd.DataFrame(records)


def _measured(cell: Cell, rows: pd.DataFrame) -> dict[str, object]:
    failures = rows.loc[rows["status"] != "ok", "note"]
    iqm, low, high = _interval(cell, rows)
    first = cell.runs[0]
    return {
        "row": cell.row.name,
        "class": cell.column,
        "predicted": cell.predicted,
        "agent": first.agent,
        "regime": first.regime,
        "budget": first.budget,
        "iqm": iqm,
        "low": low,
        "high": high,
        "exact": bool(rows["exact"].all()),
        "verdict": agreement(cell.predicted, low, high),
        "note": summary(failures if len(failures) else rows["note"]),
    }


def _interval(cell: Cell, rows: pd.DataFrame) -> metrics.Interval:
    """CS_chance on the scale of the cell's row; NaN if a run failed."""
    scaled = rows.assign(j_uniform=rows[cell.row.zero], j_causal=rows[cell.row.one])
    scores = metrics.chance_score(scaled).to_numpy(float)
    if (rows["status"] != "ok").any():
        scores = np.full(len(scores), np.nan)
    return metrics.interval(scores)


def summary(notes: "pd.Series[str]") -> str:
    """The parts of one or two different notes, else the most frequent note; no traceback files."""
    notes = notes.map(without_file)
    if notes.nunique() < 3:
        parts = [part for note in notes for part in note.split("; ")]
        return "; ".join(filter(None, dict.fromkeys(parts)))
    return str(notes.mode()[0])


def agreement(predicted: str, low: float, high: float) -> str:
    """The verdict on a prediction from an interval of CS_chance; "" if it is neither 0 nor 1."""
    if predicted not in "01":
        return ""
    if predicted == "0":
        return verdict(low, high, most=FAILS)
    return verdict(low, high, least=SUCCEEDS)


def verdict(low: float, high: float, least: float = -np.inf, most: float = np.inf) -> str:
    """The verdict on the claim that a number is between `least` and `most`, both excluded.

    [low, high] is the interval of the number; an exact number is both. The claim agrees if the
    whole interval is between, disagrees if none of it is, and is undecided otherwise. It is
    undefined if the interval is NaN.
    """
    if np.isnan(low) or np.isnan(high):
        return UNDEFINED
    if least < low and high < most:
        return AGREES
    return DISAGREES if high <= least or low >= most else UNDECIDED


def joint_verdict(verdicts: Iterable[str]) -> str:
    """The verdict on a claim with several parts: the worst of theirs."""
    parts = set(verdicts)
    return next((name for name in (DISAGREES, UNDEFINED, UNDECIDED) if name in parts), AGREES)


def matrix_sections(
    cells: Sequence[Cell], measured: pd.DataFrame, names: Mapping[str, str]
) -> list[Section]:
    """The matrix, what does not agree with it, and how each row was run.

    `measured` are the scores of the cells, from `measured_cells`, and `names` those of the user's
    agents (see `own_names`), which are shown unless a class has that name.
    """
    names = {text: name for text, name in names.items() if name not in USUAL}
    cells = [replace(cell, column=names.get(cell.column, cell.column)) for cell in cells]
    measured = measured.replace({"agent": names, "class": names})
    others = measured[measured["verdict"].isin([DISAGREES, UNDECIDED, UNDEFINED])]
    return [
        Section(
            "The prediction matrix", [EXPLANATION, _counts(cells, measured)], _wide(cells, measured)
        ),
        Section("What does not agree", [], [_listed(others)]),
        Section("How each row was run", [], [_settings(cells)], on_terminal=False),
    ]


def _counts(cells: Sequence[Cell], measured: pd.DataFrame) -> str:
    counts = [f"{(measured['verdict'] == name).sum()} {verb}" for name, verb in COUNTED.items()]
    asked = [cell for cell in cells if cell.predicted in "01"]
    idle = sum(not cell.runs for cell in asked)
    rest = len(asked) - idle - int(measured["verdict"].isin(COUNTED).sum())
    if rest:
        counts.append(f"{rest} are not measured")
    return f"Of the predictions of 0 and 1 {', '.join(counts)}, and {idle} have no agent."


def _wide(cells: Sequence[Cell], measured: pd.DataFrame) -> list[Table]:
    """The matrix in two tables: the classes that learn from logs, and those that act."""
    texts = {(row["row"], row["class"]): _text(row) for row in measured.to_dict("records")}
    columns = list(dict.fromkeys(cell.column for cell in cells))
    from_logs = [column for column in columns if column not in ACTING]
    acting = [column for column in columns if column in ACTING]
    tables = []
    for name, part in (("from-logs", from_logs), ("acting", acting)):
        if part:
            tables.append(_wide_table(name, cells, texts, part))
    return tables


def _wide_table(
    name: str, cells: Sequence[Cell], texts: Mapping[tuple[str, str], str], columns: Sequence[str]
) -> Table:
    """A row for each world, and a column for each of the classes `columns`."""
    worlds: dict[str, dict[str, str]] = {}
    for cell in cells:
        predicted = cell.predicted
        lacks = "not measured" if cell.runs else "no agent"
        idle = predicted if predicted == NO_ANSWER else f"{predicted} {lacks}"
        row = worlds.setdefault(cell.row.name, {})
        row[cell.column] = texts.get((cell.row.name, cell.column), idle)
    frame = pd.DataFrame.from_dict(worlds, orient="index").reindex(columns=list(columns))
    frame = frame.fillna("").rename_axis("world").reset_index()
    return Table(name, frame, frame.map(_shade))


def _text(record: Mapping[Any, Any]) -> str:
    """The prediction, a mark if it does not agree, and the score with its interval."""
    mark = MARKS.get(record["verdict"], "")
    score = UNDEFINED
    if not np.isnan(record["iqm"]):
        score = f"{record['iqm']:z.2f} [{record['low']:z.2f}, {record['high']:z.2f}]"
    return f"{record['predicted']}{mark} {score}"


def _shade(text: str) -> float:
    """-1 for a cell that disagrees, 0.5 for other measured cells of 0 and 1, else NaN."""
    predicted, _, score = text.partition(" ")
    if predicted.endswith("!"):
        return -1.0
    is_score = score[:1] in "-0123456789"
    return 0.5 if predicted in ("0", "1") and is_score else np.nan


def _listed(measured: pd.DataFrame) -> Table:
    """A row for each cell, with what the agent said."""
    texts = [_text(record) for record in measured.to_dict("records")]
    frame = measured[["row", "class", "agent", "verdict"]].rename(columns={"row": "world"})
    frame = frame.assign(
        agent=measured["agent"] + " (" + measured["regime"] + ")",
        **{
            "predicted, measured": pd.Series(texts, measured.index, str),
            "the agent said": measured["note"],
        },
    )
    return Table("disagreements", frame.astype(str))


def _settings(cells: Sequence[Cell]) -> Table:
    """A row for each world."""
    rows: dict[str, list[Cell]] = {}
    for cell in cells:
        rows.setdefault(cell.row.name, []).append(cell)
    frame = pd.DataFrame([_setting(part[0].row, part) for part in rows.values()])
    return Table("settings", frame)


def _setting(row: MatrixRow, cells: Sequence[Cell]) -> dict[str, str]:
    """The budgets, the scale and the special agents of a world."""
    firsts = {cell.column: cell.runs[0] for cell in cells if cell.runs}
    recorded = {run.budget for run in firsts.values() if run.regime in OFFLINE}
    practised = {run.budget for run in firsts.values() if run.regime not in OFFLINE}
    special = [f"{name} {run.agent}" for name, run in firsts.items() if name in row.agents]
    return {
        "world": row.name,
        "environment": row.world,
        "steps of the log": _numbers(recorded),
        "of practice": _numbers(practised),
        "0 is": REFERENCES[row.zero].phrase,
        "1 is": REFERENCES[row.one].phrase,
        "own agents": ", ".join(special),
        "note": row.note,
    }


def _numbers(budgets: set[int]) -> str:
    return " ".join(f"{budget:,}" for budget in sorted(budgets))

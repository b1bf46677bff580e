"""Results that cannot be reported are refused in one line, and names in them stay text."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from refusals import refused

from dosuite.eval import Run, score
from dosuite.eval.cli import run as command
from dosuite.eval.reports import report, tables
from dosuite.eval.reports.page import Table, csv, markdown

ICE = "IceCreamShorts-v0"
WRONG: dict[str, Callable[[int], list[Any]]] = {
    "texts": lambda n: ["x"] * n,
    "numbers": lambda n: [7.5] * n,
    "negative": lambda n: [-3] * n,
    "infinite": lambda n: [np.inf] * n,
    "missing": lambda n: [None] * n,
    "truths": lambda n: [True] * n,
    "bytes": lambda n: [b"\xff"] * n,
    "lists": lambda n: [[1, 2]] * n,
    "dates": lambda n: list(pd.date_range("2020-01-01", periods=n)),
}


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    runs = [
        Run(ICE, agent, "exact", 1, 0, v)
        for v in ("", "twin")
        for agent in ("causal", "bc")
        if agent == "causal"
    ]
    runs += [Run(ICE, "naive", "observe", 100, seed, v) for v in ("", "twin") for seed in (0, 1)]
    return pd.DataFrame([row for run in runs for row in run.rows()])


def written(rows: pd.DataFrame, folder: Path) -> Path:
    rows.to_parquet(folder / "results.parquet", index=False)
    return folder


def test_a_column_of_a_wrong_type_is_refused(rows: pd.DataFrame) -> None:
    accepted = set()
    for name in rows.columns:
        for kind, make in WRONG.items():
            if not report.results_fault(rows.assign(**{name: make(len(rows))})):
                accepted.add((name, kind))
    unused = {"run", "exact"}
    of_numbers = {"numbers", "negative"}
    of_texts = {"environment", "member", "agent", "agent_name", "note", "needs"}
    for name, kind in accepted:
        assert name in unused or (kind == "texts" and name in of_texts) or kind in of_numbers
    assert len(rows.columns) * len(WRONG) - len(accepted) > 100


def test_missing_columns_and_rows_are_named(rows: pd.DataFrame, tmp_path: Path) -> None:
    for name in ("value", "note", "std_error", "seed", "world"):
        assert f"it lacks {name}" in report.results_fault(rows.drop(columns=name))
    assert "it has no rows" in refused(lambda: command.results_in(written(rows[:0], tmp_path)))
    shifted = rows[rows["world"] != ""]
    assert "deployment" in refused(lambda: command.results_in(written(shifted, tmp_path)))


def test_every_part_of_the_results_is_reported(rows: pd.DataFrame) -> None:
    parts = [rows[rows["variant"] == "twin"], rows[rows["world"] == ""], rows[:1], rows[-1:]]
    parts.append(rows.assign(status="failed", value=np.nan)[:2])
    for part in parts:
        if not report.results_fault(part):
            report.report_sections(part, tables.summary(part))


def test_a_folder_is_no_table_of_results(tmp_path: Path) -> None:
    (tmp_path / "results.parquet").mkdir()
    assert "it is a folder" in refused(lambda: command.results_in(tmp_path))
    file = tmp_path / "file"
    file.write_text("")
    assert "there is no file" in refused(lambda: command.results_in(file))


@pytest.mark.parametrize(
    "table",
    [
        [],
        [[]],
        [[0.5, 0.5], [1.0]],
        [[1j, 0]],
        [[0.5, 0.5]] * 5,
        [["a", "b"]],
        [[np.nan, 1.0]],
        [[None, 1.0]],
        pd.DataFrame({"a": [0.5], "b": ["x"]}),
        np.zeros((0, 2)),
        0.5,
        np.array(1.0),
    ],
)
def test_a_table_of_another_shape_is_refused(table: Any) -> None:
    assert "a table of a policy" in refused(lambda: score(ICE, table)) or np.isscalar(table)


NAMES = (
    "=1+1.py",
    "<script>alert(1)</script>",
    "a|b",
    "$x_1$",
    "$x_$",
    "two\nlines",
    "@SUM(1)",
    "[x](javascript:1)",
    "\\input{x}",
    "50%&#",
    "\x1b[31mred",
)


@pytest.fixture(scope="module")
def report_of_names(rows: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    named = [rows[rows["agent"] == "naive"].assign(agent=name, note=name) for name in NAMES]
    folder = tmp_path_factory.mktemp("named")
    report.write_report(pd.concat([rows, *named], ignore_index=True), folder)
    return folder


def test_the_page_has_no_tag_of_a_users(report_of_names: Path) -> None:
    page = (report_of_names / "report.html").read_text()
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_the_csv_has_no_formula(report_of_names: Path) -> None:
    scores = pd.read_csv(report_of_names / "tables" / "summary.csv")
    texts = scores.select_dtypes(exclude="number").fillna("").to_numpy().ravel()
    assert not [text for text in texts if str(text).startswith(("=", "+", "-", "@"))]
    assert "'=1+1.py" in set(scores["agent"])


def test_each_row_of_markdown_is_one_line_with_its_cells(report_of_names: Path) -> None:
    for path in report_of_names.glob("tables/*.md"):
        lines = path.read_text().splitlines()
        bars = {line.replace("\\\\", "").replace("\\|", "").count("|") for line in lines if line}
        assert len(bars) <= 1, path
        assert "<script" not in path.read_text()
        assert "](" not in path.read_text()


def test_latex_has_no_command_of_a_users(report_of_names: Path) -> None:
    for path in report_of_names.glob("tables/*.tex"):
        text = path.read_text()
        assert "\\input{" not in text
        assert "$x_1$" not in text
        assert "\x1b" not in text


def test_cells_are_escaped_and_numbers_kept() -> None:
    frame = pd.DataFrame({"a": ["=1", "-2", "x|y"], "b": [1.5, -2.0, 3.0]})
    assert csv(frame).splitlines() == ["a,b", "'=1,1.5", "'-2,-2.0", "x|y,3.0"]
    assert "x\\|y" in markdown(Table("t", frame))

"""What a log cannot hold is refused with its column and row, wherever it comes from."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from recorded import RELAY, log_of
from refusals import refused

from dosuite.causal import Array, Columns
from dosuite.envs import Log, collect
from dosuite.envs.logs import checks

MANY = log_of(RELAY)


@pytest.mark.parametrize("name", ["log.csv", "log.PARQUET", "log.npz", ""])
def test_a_file_of_another_format_is_not_written(name: str, tmp_path: Path) -> None:
    path = tmp_path / name if name else Path()
    assert "is an Arrow file" in refused(lambda: log_of(RELAY).save(path))
    assert "is an Arrow file" in refused(lambda: log_of(RELAY, path=path))
    assert not list(tmp_path.iterdir())


def changed(log: Log, name: str, row: int, value: Any) -> Columns:
    """The columns of the log, with another value in one cell."""
    column = np.array(log[name], dtype=np.result_type(log[name], type(value)))
    column[row] = value
    return {**log.columns, name: column}


CELLS: dict[str, tuple[str, Any]] = {
    "reward nan": ("reward", np.nan),
    "reward inf": ("reward", np.inf),
    "action nan": ("action", np.nan),
    "action half": ("action", 0.5),
    "action beyond": ("action", 99),
    "action below": ("action", -1),
    "observation nan": ("observation", np.nan),
    "observation beyond": ("observation", 99),
    "next observation beyond": ("next_observation", 99),
    "step inf": ("step", np.inf),
    "step beyond": ("step", 99),
    "step below": ("step", -1),
}


@pytest.mark.parametrize(("name", "value"), CELLS.values(), ids=CELLS.keys())
@pytest.mark.parametrize("row", [0, 7, 150])
def test_a_wrong_cell_is_refused_with_its_column_and_row(name: str, value: Any, row: int) -> None:
    line = refused(lambda: replace(MANY, columns=changed(MANY, name, row, value)))
    assert f"the column {name} of the log" in line
    assert f"in row {row}" in line


def test_rows_are_counted_from_the_start_of_the_log_when_it_is_read_in_pieces(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(checks, "ROWS", 16)
    line = refused(lambda: replace(MANY, columns=changed(MANY, "reward", 101, np.nan)))
    assert "has nan in row 101" in line


def test_missing_columns_short_columns_and_columns_of_objects_are_refused() -> None:
    def without(name: str) -> Columns:
        return {other: column for other, column in MANY.columns.items() if other != name}

    assert "needs the column truncated" in refused(
        lambda: replace(MANY, columns=without("truncated"))
    )
    short = {**MANY.columns, "action": MANY["action"][:-1]}
    assert "the column action of the log has" in refused(lambda: replace(MANY, columns=short))
    objects = {**MANY.columns, "reward": MANY["reward"].astype(object)}
    assert "must hold numbers" in refused(lambda: replace(MANY, columns=objects))


def spoilt(name: str, value: Any) -> Log:
    """A log with a column that was changed in place after it was made."""
    log = replace(MANY, columns={name: column.copy() for name, column in MANY.columns.items()})
    log.columns[name][3] = value
    return log


def test_a_column_that_is_changed_in_place_is_refused_when_it_is_saved_or_viewed(
    tmp_path: Path,
) -> None:
    requests: list[Callable[[Log], object]] = [lambda log: log.save(tmp_path / "a"), Log.view]
    for request in requests:
        log = spoilt("reward", np.nan)
        assert "reward of the log has nan in row 3" in refused(lambda: request(log))  # noqa: B023
    assert not list(tmp_path.iterdir())


def test_a_file_with_a_wrong_cell_and_the_right_hash_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as unchecked:
        unchecked.setattr(Log, "check", lambda log: None)
        path = spoilt("reward", np.nan).save(tmp_path / "log.arrow")
    assert "reward of the log has nan in row 3" in refused(lambda: Log.load(path))
    lazy = Log.load(path, check=False)
    assert "reward of the log has nan in row 3" in refused(lazy.view)


def test_nan_is_allowed_where_it_says_that_something_is_not_known() -> None:
    unknown: Array = np.full(len(MANY), np.nan)
    log = replace(MANY, columns={**MANY.columns, "propensity": unknown})
    assert np.isnan(log.view(labels=True)["propensity"]).all()


@pytest.mark.parametrize("number", [1.5, 2.0, None, "2", True], ids=repr)
def test_counts_and_seeds_that_are_not_integers_are_refused(number: Any) -> None:
    assert "whole number" in refused(lambda: collect(RELAY, number, 0))
    assert "whole number" in refused(lambda: collect(RELAY, 2, number))
    assert "whole number" in refused(lambda: MANY.view(number))


def test_counts_and_seeds_may_be_integers_of_numpy(tmp_path: Path) -> None:
    log = collect(RELAY, np.int64(3), np.uint8(2), path=tmp_path / "log.arrow")  # type: ignore[arg-type]
    assert log.content_hash == collect(RELAY, 3, 2).content_hash
    assert Log.load(tmp_path / "log.arrow").origin["episodes"] == 3


@pytest.mark.parametrize("discount", [np.nan, 0.0, 1.5, -1.0, True])
def test_a_log_needs_a_discount(discount: float) -> None:
    assert "discount" in refused(lambda: replace(MANY, discount=discount))


@pytest.mark.parametrize("horizon", [0, -1, 1.5, True])
def test_a_log_needs_a_horizon(horizon: Any) -> None:
    assert "horizon" in refused(lambda: replace(MANY, horizon=horizon))

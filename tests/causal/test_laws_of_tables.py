"""What counts as probabilities and what as counts, by one rule for formulas and for bounds."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from refusals import refused

from dosuite.causal import Factor, ResponseTypes, identify

SEEING: Any = identify("x -> y", "y", "x")
NAMES = ("x", "y")
READERS: list[Callable[[Any], object]] = [
    SEEING.evaluate,
    lambda law: ResponseTypes.of("x -> y", law),
]
EVEN = np.full((2, 2), 0.25)


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(
    "table",
    [
        EVEN,
        EVEN + np.array([[1e-10, 0], [0, 0]]),
        [[1, 2], [3, 4]],
        [[30.0, 10.0], [0.0, 60.0]],
        np.ones((2, 2)),
        [[1, 0], [0, 0]],
        [[1, 1], [0, 1]],
    ],
)
def test_a_law_is_taken(read: Callable[[object], object], table: object) -> None:
    if np.asarray(table)[1].sum():
        read(Factor(NAMES, np.asarray(table)))
    else:
        ResponseTypes.of("x -> y", Factor(NAMES, np.asarray(table)))


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(
    ("table", "line"),
    [
        ([[1, 0], [0, 1]], "to 1 for each value of x, so that it may hold counts or conditional"),
        ([[1, 1], [0, 0]], "to 1 for each value of y"),
        (EVEN * 1.0000001, "sums to 1.0000001, and is not of counts, as 0.25 at x=0, y=0"),
        (EVEN.astype(np.float32) * np.float32(1.00001), "sums to 1.00001"),
        ([[0.5, 0.5], [0.5, 0.5]], "sums to 2, and is not of counts"),
        (np.zeros((2, 2)), "has no weight"),
        ([[-1.0, 2.0], [0.0, 0.0]], "has -1 at x=0, y=0, which is negative"),
        ([[np.nan, 2.0], [0.0, 0.0]], "has nan at x=0, y=0, which is not finite"),
        ([["a", "b"], ["c", "d"]], "must hold numbers"),
        ([[1, 2], [3]], "must hold numbers"),
        ([[None, 1], [1, 1]], "must hold numbers"),
    ],
)
def test_no_law_is_refused(read: Callable[[object], object], table: Any, line: str) -> None:
    assert line in refused(lambda: read(Factor(NAMES, table)))


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(
    ("columns", "line"),
    [
        ({"x": [0, 1], "y": [0, np.nan]}, "nan in row 1; drop such rows"),
        ({"x": [0, 1], "y": [0, None]}, "missing in row 1"),
        ({"x": [0, 1], "y": [0]}, "columns of 1, 2 rows"),
        ({"x": [], "y": []}, "has no rows"),
    ],
)
def test_samples_are_read_in_one_way(
    read: Callable[[object], object], columns: dict[str, list[object]], line: str
) -> None:
    assert line in refused(lambda: read(columns))


def test_counts_and_their_samples_are_one_law() -> None:
    counts = np.array([[1, 2], [3, 4]])
    cells = np.repeat(np.argwhere(counts), counts.ravel(), axis=0)
    frame = pd.DataFrame(cells, columns=list(NAMES))
    tables = [ResponseTypes.of("x -> y", law).joint for law in (frame, Factor(NAMES, counts))]
    assert all(table is not None and (table.table == counts / 10).all() for table in tables)

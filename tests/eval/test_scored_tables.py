"""A table that is no policy of the world is refused in one line."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from refusals import refused

from dosuite.eval import score

ICE, RIVER = "IceCreamShorts-v0", "ConfoundedRiver-v0"


@pytest.mark.parametrize(
    ("table", "line"),
    [
        ([[0.5, 0.5], [1.0]], "ragged rows"),
        ([], "has the shape (0,)"),
        (np.full((5, 2), 0.5 + 0j), "other things than numbers"),
        ([["a", "b"]] * 5, "other things than numbers"),
        (np.full((6, 2), 0.5), "has the shape (6, 2)"),
        (np.full((5, 3), 1 / 3), "has the shape (5, 3)"),
        (np.full(5, 0.5), "has the shape (5,)"),
        ([[0.5, 0.5]] * 4 + [[np.nan, 0.5]], "row 4 is [nan, 0.5]"),
        ([[0.5, 0.6]] * 5, "row 0 is [0.5, 0.6]"),
        ([[1.5, -0.5]] * 5, "row 0 is [1.5, -0.5]"),
    ],
)
def test_a_table_that_is_no_policy_is_refused(table: Any, line: str) -> None:
    assert line in refused(lambda: score(RIVER, table))


def test_a_table_in_a_box_is_refused() -> None:
    refused(lambda: score("AirlinePricing-v0", np.full((5, 2), 0.5)))


def test_lists_and_frames_are_tables() -> None:
    expected = score(ICE, np.array([[1.0, 0.0]]))
    for table in ([[1, 0]], ((1, 0),), pd.DataFrame({"a": [1], "b": [0]})):
        given: Any = table
        pd.testing.assert_frame_equal(score(ICE, given), expected)

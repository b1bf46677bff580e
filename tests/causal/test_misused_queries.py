"""What is no name, no value or no table is refused in one line by every function that takes one."""

import numpy as np
import pytest
from support.refusals import refused

from dosuite.causal import Factor, identify
from dosuite.causal.identification import wald

LAW = Factor(("x", "y"), np.full((2, 2), 0.25))
TEXT = "x -> y"


@pytest.mark.parametrize(
    "value", [None, np.nan, np.inf, [1], np.arange(2), (1, 0), {"a": 1}, object(), 1j]
)
def test_a_value_is_a_finite_number_or_a_text(value: object) -> None:
    line = "x is held at one value"
    assert line in refused(lambda: identify(TEXT, "y", {"x": value}))  # type: ignore[dict-item]
    answer = identify(TEXT, "y", "x")
    assert line in refused(lambda: answer.evaluate(LAW, at={"x": value}))
    four = Factor(("x", "y", "z", "w"), np.full((2, 2, 2, 2), 1 / 16))
    given = {"w": value}
    assert "w is held at" in refused(lambda: wald(four, "z", "x", "y", given))  # type: ignore[arg-type]

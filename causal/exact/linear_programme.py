"""Linear programmes."""

from typing import Any

import numpy as np

from ..arrays import Floats


def least(goal: Floats, **constraints: Any) -> Floats | None:
    """The x with the least goal @ x, or None if the constraints cannot be met.

    The constraints are those of scipy's `linprog`; without `bounds` x is not negative.
    """
    from scipy.optimize import linprog  # which takes as long to load as all of dosuite.causal

    x = linprog(goal, **constraints).x
    return None if x is None else np.asarray(x)

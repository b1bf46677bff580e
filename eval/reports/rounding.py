"""The one rule by which tables, figures and reports round."""

import math
from decimal import ROUND_HALF_UP, Decimal

LARGE = 1e12  # beyond which a float has no such decimals
EXACT = 12  # decimals of an exact value that are free of errors of rounding


def number_text(value: float, digits: int) -> str:
    """A number for a table; "-" for NaN, and no minus before 0.

    Halves are rounded away from 0, as on paper: 0.9025, which is computed as 0.90249..., is 0.903.
    """
    if not math.isfinite(value):
        return "-" if math.isnan(value) else str(value)
    if abs(value) >= LARGE:
        return f"{value:.{digits}f}"
    exact = Decimal(repr(round(float(value), EXACT) + 0.0))
    return f"{exact.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP):zf}"

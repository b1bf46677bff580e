"""Everything that `dosuite bench` times."""

from collections.abc import Callable

from dosuite.causal import InputError

from .agents import TRAINING_COMPARISONS
from .exact import INFERENCE_COMPARISONS, INFERENCE_CURVES
from .libraries import LIBRARY_COMPARISONS, LIBRARY_CURVES
from .stepping import STEPPING_COMPARISONS, STEPPING_CURVES
from .timing import Growth, Measurement, grow, measure, one_core

COMPARISONS = (
    *STEPPING_COMPARISONS,
    *LIBRARY_COMPARISONS,
    *INFERENCE_COMPARISONS,
    *TRAINING_COMPARISONS,
)
CURVES = (*STEPPING_CURVES, *LIBRARY_CURVES, *INFERENCE_CURVES)


def run_benchmark(
    only: str = "", announce: Callable[[str], object] = str
) -> tuple[list[Measurement], list[Growth]]:
    """Time the comparisons and the curves that have the text `only` in their titles.

    `announce` is called with each title before it is timed. Raises InputError if there are none.
    """
    comparisons = [comparison for comparison in COMPARISONS if only in comparison.title]
    curves = [curve for curve in CURVES if only in curve.title]
    if not comparisons and not curves:
        raise InputError(
            f"nothing in the benchmark has the text {only!r}; try JAX, Minari or horizon"
        )
    measurements, growths = [], []
    with one_core():
        for comparison in comparisons:
            announce(comparison.title)
            measurements.append(measure(comparison))
        for curve in curves:
            announce(curve.title)
            growths.append(grow(curve))
    return measurements, growths

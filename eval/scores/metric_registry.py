"""The registry of metrics, which the report, its definitions and the columns of results read.

To add a metric, decorate one function with `metric`: its column in the summary, its place in the
tables, its digits and its line among the definitions follow, and for a metric of action values its
column in the results.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from dosuite.causal import Array, InputError
from dosuite.causal.errors import did_you_mean

# of the report, in its order; "" is a metric without a table
SECTIONS = (
    "scores",
    "headline",
    "controls",
    "goals",
    "identifiability",
    "shifts",
    "belief",
    "calibration",
    "",
)
RETURN = "return"  # the unit of a metric that is measured as the return is; "" is a share
NATS = "nats"  # the unit of a log-likelihood ratio

Function = TypeVar("Function", bound=Callable[..., Any])


class Over(StrEnum):
    """What a metric is computed from, and so what its function gets."""

    RECORDED = "recorded"  # nothing: the column is written as a run is scored
    ACTIONS = "actions"  # the `ActionValues` of a policy as its run is scored -> a number
    EPISODES = "episodes"  # the `Episodes` of a policy in a world with two goals -> a number
    REGRETS = "regrets"  # the `PossibleRegret` of a policy in a world of one step -> a number
    RUNS = "runs"  # the deployment row of every run -> a Series on its index
    TWINS = "twins"  # pairs of runs on twins: `chance_score`, `twin_score` -> a Series on its index
    SHIFTS = "shifts"  # `regret` and `excess` under shifts, grouped by run -> a Series by run


@dataclass(frozen=True)
class Metric:
    """One number of the report."""

    name: str  # its column
    label: str  # its heading in tables
    definition: str  # a sentence of the report's definitions; "" if another metric's says it
    over: Over
    section: str  # the table of the report that shows it; "" for none
    unit: str  # RETURN or NATS, or "" for a share
    digits: int  # decimals that are printed
    compute: Callable[[Any], Any]
    formula: str = ""  # the definition in LaTeX; "" for none


METRICS: dict[str, Metric] = {}  # by name
LATE = ("confusion_gap",)  # columns of action values that rows of earlier versions lack


def metric(
    name: str,
    label: str,
    definition: str,
    over: Over,
    section: str = "",
    unit: str = "",
    digits: int = 2,
    formula: str = "",
) -> Callable[[Function], Function]:
    """Register a function as a metric. Raises InputError if the report has no such section."""
    if section not in SECTIONS:
        raise InputError(
            f"the report has no section {section!r} for {name}; {did_you_mean(section, SECTIONS)}"
        )

    def register(compute: Function) -> Function:
        METRICS[name] = Metric(
            name, label, definition, over, section, unit, digits, compute, formula
        )
        return compute

    return register


def recorded_metric(
    name: str,
    label: str,
    definition: str,
    section: str = "",
    unit: str = "",
    digits: int = 2,
    formula: str = "",
) -> None:
    """Register a column that is written as a run is scored, and is reported as it is."""
    register = metric(name, label, definition, Over.RECORDED, section, unit, digits, formula)
    register(lambda rows: rows[name])


def all_metrics() -> list[Metric]:
    """Every metric, in the order of the report."""
    return sorted(METRICS.values(), key=lambda each: SECTIONS.index(each.section))


def metrics_over(over: Over) -> list[Metric]:
    """The metrics that are computed from the same thing, in the order of the report."""
    return [each for each in all_metrics() if each.over is over]


def headings(section: str) -> dict[str, str]:
    """The metrics of a table of the report: their headings, and their names."""
    return {each.label: each.name for each in all_metrics() if each.section == section}


def later_columns() -> list[str]:
    """The columns of results that rows of earlier versions lack, and that read as NaN there."""
    late = (Over.EPISODES, Over.REGRETS)
    return [each.name for each in all_metrics() if each.over in late or each.name in LATE]


@dataclass(frozen=True)
class ActionValues:
    """Three views of E[Y | action, context], (contexts, actions), Y the reward and what follows it,
    and the probability of each context, (contexts,)."""

    believed: Array  # by the policy
    doing: Array  # under intervention
    seeing: Array  # in the log
    weights: Array

"""The page of the metrics, with formulas as MathML, which browsers set by themselves."""

from typing import NamedTuple

from markupsafe import Markup

from ..reports.report import IQM
from ..runs.reference_values import REFERENCES
from ..scores.metric_registry import NATS, RETURN, Metric, Over, all_metrics
from .extra import from_extra
from .pages import Page, rendered

OVER = {
    Over.RECORDED: "written as a run is scored",
    Over.ACTIONS: "computed from what the policy believes of its actions",
    Over.EPISODES: "computed from episodes, in worlds with two goals",
    Over.REGRETS: "computed from all worlds with the graph and the law of the log",
    Over.RUNS: "computed from each run",
    Over.TWINS: "computed from runs on a world and its twin",
    Over.SHIFTS: "computed from the shifts of each run",
}
UNITS = {RETURN: "in units of the return", NATS: "in nats", "": "without a unit"}


class _Shown(NamedTuple):
    """A metric as the page has it."""

    metric: Metric
    formula: Markup
    facts: str


def metrics_page() -> Page:
    """The definition of every metric and every reference value.

    Raises InputError if the library that writes MathML is missing.
    """
    shown = [_Shown(each, mathml(each.formula), _facts(each)) for each in all_metrics()]
    references = {
        mathml(_symbol(each.column), block=False): f"{each.definition}."
        for each in REFERENCES.values()
    }
    body = rendered("metrics.html", shown=shown, references=references, iqm=IQM)
    return Page("metrics.html", "Metrics", "How each number is defined.", body)


def mathml(latex: str, block: bool = True) -> Markup:
    """A formula in LaTeX as MathML; "" stays "". Raises InputError if the library is missing."""
    convert = from_extra("latex2mathml.converter").convert
    return Markup(convert(latex, display="block" if block else "inline") if latex else "")


def _symbol(column: str) -> str:
    """A reference value in LaTeX: j_causal -> J with the index causal."""
    letter, _, index = column.partition("_")
    return rf"{letter.upper()}_\text{{{index}}}" if index else rf"\text{{{column}}}"


def _facts(metric: Metric) -> str:
    return f"Column {metric.name}; {UNITS[metric.unit]}; {OVER[metric.over]}."

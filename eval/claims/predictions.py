"""The eight predictions across families.

Their evidence is exact where models give it, and measured where learners do.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from ..reports.page import Section, Table
from .agent_predictions import adjustment, hidden_causes, intent, pessimism
from .data_predictions import data_size, labels
from .imitation_predictions import experts, imitation
from .laboratory import Evidence, Lab
from .verdicts import AGREES, DISAGREES, UNDECIDED, UNDEFINED

# the verdict on a claim as an answer to whether it holds
HOLDS = {AGREES: "yes", DISAGREES: "no", UNDECIDED: "undecided", UNDEFINED: "undefined"}
OTHERWISE = {
    DISAGREES: "contradicted",
    UNDECIDED: "undecided, since the interval crosses the bound",
    UNDEFINED: "without a number",
}


@dataclass(frozen=True)
class Prediction:
    """A prediction, and the function that tests it."""

    number: int
    statement: str
    test: Callable[[Lab], list[Evidence]]

    def section(self, evidence: Sequence[Evidence]) -> Section:
        """The prediction, whether it holds, and its evidence."""
        records = [
            {"claim": one.claim, "numbers": one.numbers, "holds": HOLDS[one.verdict]}
            for one in evidence
        ]
        table = Table(f"prediction-{self.number}", pd.DataFrame(records))
        return Section(f"{self.number}. {self.statement}", [summary(evidence)], [table])


def summary(evidence: Sequence[Evidence]) -> str:
    """In how many claims a prediction holds, and what is to be said of the others."""
    holding = sum(one.holds for one in evidence)
    if holding == len(evidence):
        return "It holds."
    counts = Counter(one.verdict for one in evidence if not one.holds)
    others = [f"{counts[name]} {OTHERWISE[name]}" for name in OTHERWISE if counts[name]]
    return f"It holds in {holding} of {len(evidence)} claims; {', '.join(others)}."


PREDICTIONS = (
    Prediction(
        1,
        "More data does not help a confused learner: its error of contrasts stays, and that of a "
        "causal learner falls as 1 / sqrt(N).",
        data_size,
    ),
    Prediction(
        2,
        "With labels a few interventions suffice however large the log is; without labels, the "
        "number needed grows with the log.",
        labels,
    ),
    Prediction(
        3,
        "To find the hidden cause, or to be given it, is not enough: it may leave no overlap, and "
        "it may be an effect.",
        hidden_causes,
    ),
    Prediction(
        4,
        "Pessimism is not causality: it is right where the worst case happens to favour the right "
        "action.",
        pessimism,
    ),
    Prediction(
        5,
        "Adjustment is not causality: adjusting for everything in the log fails where some of it "
        "must be left out, or where it is not enough.",
        adjustment,
    ),
    Prediction(
        6,
        "Acting is not the ceiling: an agent that sees its own intent earns more.",
        intent,
    ),
    Prediction(7, "The clone that fits the log better drives worse.", imitation),
    Prediction(
        8,
        "The better the expert in the log, the worse an agent that takes its own actions for the "
        "expert's.",
        experts,
    ),
)

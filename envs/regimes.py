"""The regimes: what an agent learns from, what its budget counts, and how figures show it."""

from enum import StrEnum

from dosuite.causal import InputError
from dosuite.causal.errors import did_you_mean


class Budget(StrEnum):
    """What the budget of a run counts."""

    RECORDED = "recorded steps of a log"
    PRACTICE = "steps of practice"
    NONE = "nothing"  # nothing is learned and no seed matters: such a run is done once


class Regime(StrEnum):
    """What an agent learns from. A member equals its plain text: `Regime.OBSERVE == "observe"`.

    Adding a regime is one line here, its source in `agents/sources.py`, and a branch in
    `Run._source` that hands the source to the agent.
    """

    label: str  # behind the agent's name: "dqn (offline)"
    legend: str  # in the legend of a figure; "" leaves the regime out of it
    colour: str  # of Okabe and Ito, safe for the colour-blind
    marker: str  # of matplotlib
    budget: Budget
    share: float | None  # of the episodes of a log, those the experimenter acts in; None: no log

    OBSERVE = (
        "observe", "offline", "offline, from the log", "#0072B2", "o", Budget.RECORDED, 0.0
    )  # fmt: skip
    MIXED = (
        "mixed", "mixed", "log and practice mixed", "#CC79A7", "^", Budget.RECORDED, 0.5
    )  # fmt: skip
    INTERVENE = (
        "intervene", "online", "online, acting", "#E69F00", "s", Budget.PRACTICE, 1.0
    )  # fmt: skip
    COUNTERFACTUAL = (
        "counterfactual", "intent", "online, shown the intent", "#009E73", "D", Budget.PRACTICE
    )  # fmt: skip
    GIVEN = ("given", "given", "user policy, not trained", "#56B4E9", "v", Budget.NONE)
    EXACT = ("exact", "exact", "", "#555555", "", Budget.NONE)

    def __new__(
        cls,
        value: str,
        label: str = "",  # defaults: `Regime(text)` looks a member up by its value alone
        legend: str = "",
        colour: str = "",
        marker: str = "",
        budget: Budget = Budget.NONE,
        share: float | None = None,
    ) -> "Regime":
        member = str.__new__(cls, value)
        member._value_ = value
        member.label, member.legend = label, legend
        member.colour, member.marker = colour, marker
        member.budget, member.share = budget, share
        return member

    @classmethod
    def _missing_(cls, value: object) -> "Regime":
        names = [regime.value for regime in cls]
        raise InputError(f"there is no regime {value!r}; {did_you_mean(str(value), names)}")


OFFLINE = tuple(regime for regime in Regime if regime.budget is Budget.RECORDED)
ONLINE = tuple(regime for regime in Regime if regime.budget is Budget.PRACTICE)

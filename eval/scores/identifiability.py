"""Metrics of what an agent can be blamed for that had a log and the graph: the largest regret that
its policy can have in a world with this graph and this log."""

from typing import NamedTuple

import numpy as np

from .metric_registry import RETURN, Over, metric

NEGLIGIBLE = 1e-6  # a difference of regrets below this is the tolerance of a linear programme


class PossibleRegret(NamedTuple):
    """The largest regret over all worlds with one graph and one observational law, in units of the
    return, each at least 0."""

    policy: float  # of the policy that is scored
    least: float  # of the policy for which it is least
    confused: float  # of the confused policy


@metric(
    "possible_regret",
    "rho",
    "Rho is the largest regret that the policy can have in a world with this graph and this "
    "observational law, by exact bounds (Manski 1990; Balke and Pearl 1997); rho* is the least "
    "that a policy can have, and rho_conf that of the confused policy.",
    Over.REGRETS,
    "identifiability",
    RETURN,
    digits=3,
    formula=r"\rho(\pi) = \max_{M} \left( \max_{\pi'} J_M(\pi') - J_M(\pi) \right)",
)
def _of_policy(regret: PossibleRegret) -> float:
    return regret.policy


@metric("least_regret", "rho*", "", Over.REGRETS, "identifiability", RETURN, digits=3)
def _least(regret: PossibleRegret) -> float:
    return regret.least


@metric("confused_regret", "rho_conf", "", Over.REGRETS, "identifiability", RETURN, digits=3)
def _of_confused(regret: PossibleRegret) -> float:
    return regret.confused


@metric(
    "ias",
    "IAS",
    "IAS, the identifiability-aware score, is 1 - max(0, rho - rho*) / (rho_conf - rho*): 1 is the "
    "most that a log and a graph allow, 0 the confused policy. Where the effect is identified it "
    "is CS. Where rho_conf is rho*, no agent that has only the log can be blamed for confusion, "
    "and the table says offline-optimal confusion.",
    Over.REGRETS,
    "identifiability",
    formula=r"\text{IAS} = 1 - \frac{\max(0, \rho(\pi) - \rho^*)}{\rho_\text{conf} - \rho^*}",
)
def identifiability_aware_score(regret: PossibleRegret) -> float:
    """1 - max(0, rho(pi) - rho*) / (rho_conf - rho*), at most 1; NaN if rho_conf is rho*."""
    gap = regret.confused - regret.least
    if gap <= NEGLIGIBLE:
        return np.nan
    return 1.0 - max(0.0, regret.policy - regret.least) / gap

"""Whether an effect can be computed from the log, by what formula, and its estimate from data."""

from .data_fusion import Source, fuse, recover, reweighted
from .estimand import Estimand
from .estimators import (
    Estimate,
    aipw,
    ipw,
    outcome_bridge,
    plug_in,
    proximal,
    proximal_means,
    two_stage_least_squares,
)
from .evaluation import empirical
from .id_algorithm import Hedge, identify
from .witnesses import TabularModel, witness

__all__ = [
    "Estimand",
    "Estimate",
    "Hedge",
    "Source",
    "TabularModel",
    "aipw",
    "empirical",
    "fuse",
    "identify",
    "ipw",
    "outcome_bridge",
    "plug_in",
    "proximal",
    "proximal_means",
    "recover",
    "reweighted",
    "two_stage_least_squares",
    "witness",
]

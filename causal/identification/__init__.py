"""Identification of effects from graphs, and their values and estimates from data."""

from .action_effect import ActionEffect, Answer, answer, back_door_set
from .data_fusion import Source, fuse, recover, reweighted
from .estimand import Estimand
from .estimators import Estimate, aipw, ipw, plug_in
from .id_algorithm import Hedge, identify
from .instruments import ConditionalInstrument, instruments, two_stage_least_squares, wald
from .laws import empirical
from .proxies import outcome_bridge, proximal, proximal_means
from .witnesses import TabularModel, witness

__all__ = [
    "ActionEffect",
    "Answer",
    "ConditionalInstrument",
    "Estimand",
    "Estimate",
    "Hedge",
    "Source",
    "TabularModel",
    "aipw",
    "answer",
    "back_door_set",
    "empirical",
    "fuse",
    "identify",
    "instruments",
    "ipw",
    "outcome_bridge",
    "plug_in",
    "proximal",
    "proximal_means",
    "recover",
    "reweighted",
    "two_stage_least_squares",
    "wald",
    "witness",
]

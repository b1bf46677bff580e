"""Exact answers about discrete and linear-Gaussian models. Nothing is sampled."""

from .belief_planning import plan_for_all, plan_with_memory
from .confounding import confounders, mutual_information, overlap, total_variation
from .counterfactuals import (
    Effects,
    counterfactual,
    counterfactual_mean,
    counterfactual_process,
    effect_on_treated,
    natural_effects,
)
from .decision_process import Process, greedy
from .linear_gaussian import Gaussian, LinearGaussian, linear_gaussian
from .markov_chain import chain
from .policies import (
    associational_policy,
    associational_value,
    behaviour_policy,
    best_policy,
    do_process,
    is_steady,
    log_process,
    uniform_policy,
    value,
    values,
    worst_policy,
)
from .policy_search import best_for_all
from .queries import distribution, effect, expectation
from .reachable import ReachableStates, reachable_states
from .step_table import StepTable, step_table
from .twin_network import Worlds

__all__ = [
    "Effects",
    "Gaussian",
    "LinearGaussian",
    "Process",
    "ReachableStates",
    "StepTable",
    "Worlds",
    "associational_policy",
    "associational_value",
    "behaviour_policy",
    "best_for_all",
    "best_policy",
    "chain",
    "confounders",
    "counterfactual",
    "counterfactual_mean",
    "counterfactual_process",
    "distribution",
    "do_process",
    "effect",
    "effect_on_treated",
    "expectation",
    "greedy",
    "is_steady",
    "linear_gaussian",
    "log_process",
    "mutual_information",
    "natural_effects",
    "overlap",
    "plan_for_all",
    "plan_with_memory",
    "reachable_states",
    "step_table",
    "total_variation",
    "uniform_policy",
    "value",
    "values",
    "worst_policy",
]

"""Structural causal models and exact answers about them."""

from . import noise
from .distributions import Array, Bernoulli, Categorical, Distribution, Exactly, Normal
from .engine import StepTable, step_table
from .errors import InputError, NotDiscreteError, TooLargeError, did_you_mean
from .exact import (
    behaviour_policy,
    causal_policy,
    chain,
    confused_policy,
    do_process,
    is_steady,
    log_process,
    promised_value,
    uniform_policy,
    value,
    values,
    worst_policy,
)
from .graph import LAG, as_text, back_door_set, is_markov, unroll, with_role
from .planning import Process, greedy
from .questions import distribution, effect, expectation
from .scm import INTENT, SCM, Columns, Mechanism, action, context, latent, logged, reward, selection, shift, terminal
from .tables import tables
from .variants import lookup, policy_lookup, unconfounded

__all__ = [
    "INTENT",
    "LAG",
    "SCM",
    "Array",
    "Bernoulli",
    "Categorical",
    "Columns",
    "Distribution",
    "Exactly",
    "InputError",
    "Mechanism",
    "Normal",
    "NotDiscreteError",
    "Process",
    "StepTable",
    "TooLargeError",
    "action",
    "as_text",
    "back_door_set",
    "behaviour_policy",
    "causal_policy",
    "chain",
    "confused_policy",
    "context",
    "did_you_mean",
    "distribution",
    "do_process",
    "effect",
    "expectation",
    "greedy",
    "is_markov",
    "is_steady",
    "latent",
    "log_process",
    "logged",
    "lookup",
    "noise",
    "policy_lookup",
    "promised_value",
    "reward",
    "selection",
    "shift",
    "step_table",
    "tables",
    "terminal",
    "unconfounded",
    "uniform_policy",
    "unroll",
    "value",
    "values",
    "with_role",
    "worst_policy",
]

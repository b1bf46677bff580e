"""Structural causal models and exact answers about them."""

from . import noise
from .adjustment import adjustment_sets, is_adjustment_set
from .admg import ADMG, latent_projection, parse_graph
from .bounds import Bounds, balke_pearl, bounds, contrast, manski
from .causation import necessity, necessity_and_sufficiency, sufficiency
from .ceilings import Ceiling, Payoffs, interval_values
from .certificate import Certificate, Confounding, Promise, certificate
from .confounding import mutual_information, overlap, total_variation
from .counterfactual import Effects, Worlds, counterfactual, counterfactual_mean, counterfactual_process, effect_on_treated, natural_effects
from .distributions import Array, Bernoulli, Categorical, Distribution, Exactly, Normal, Uniform
from .elimination import Factor
from .engine import StepTable, step_table
from .errors import InputError, NotDiscreteError, TooLargeError, did_you_mean
from .estimand import Estimand
from .estimate import Estimate, aipw, ipw, outcome_bridge, plug_in, proximal, proximal_means, two_stage_least_squares
from .evaluation import empirical
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
from .fusion import Source, fuse, recover, reweighted
from .graph import LAG, as_text, back_door_set, is_markov, unroll, with_role
from .identify import Hedge, identify
from .linear import Gaussian, LinearGaussian, linear_gaussian
from .planning import Process, greedy
from .questions import distribution, effect, expectation
from .response_types import ResponseTypes, response_types
from .scm import INTENT, SCM, Columns, Mechanism, action, context, latent, logged, reward, selection, shift, terminal
from .tables import tables
from .units import Mixture, Quantity, Units
from .variants import lookup, policy_lookup, unconfounded
from .witness import TabularModel, witness

__all__ = [
    "ADMG",
    "INTENT",
    "LAG",
    "SCM",
    "Array",
    "Bernoulli",
    "Bounds",
    "Categorical",
    "Ceiling",
    "Certificate",
    "Columns",
    "Confounding",
    "Distribution",
    "Effects",
    "Estimand",
    "Estimate",
    "Exactly",
    "Factor",
    "Gaussian",
    "Hedge",
    "InputError",
    "LinearGaussian",
    "Mechanism",
    "Mixture",
    "Normal",
    "NotDiscreteError",
    "Payoffs",
    "Process",
    "Promise",
    "Quantity",
    "ResponseTypes",
    "Source",
    "StepTable",
    "TabularModel",
    "TooLargeError",
    "Uniform",
    "Units",
    "Worlds",
    "action",
    "adjustment_sets",
    "aipw",
    "as_text",
    "back_door_set",
    "balke_pearl",
    "behaviour_policy",
    "bounds",
    "causal_policy",
    "certificate",
    "chain",
    "confused_policy",
    "context",
    "contrast",
    "counterfactual",
    "counterfactual_mean",
    "counterfactual_process",
    "did_you_mean",
    "distribution",
    "do_process",
    "effect",
    "effect_on_treated",
    "empirical",
    "expectation",
    "fuse",
    "greedy",
    "identify",
    "interval_values",
    "ipw",
    "is_adjustment_set",
    "is_markov",
    "is_steady",
    "latent",
    "latent_projection",
    "linear_gaussian",
    "log_process",
    "logged",
    "lookup",
    "manski",
    "mutual_information",
    "natural_effects",
    "necessity",
    "necessity_and_sufficiency",
    "noise",
    "outcome_bridge",
    "overlap",
    "parse_graph",
    "plug_in",
    "policy_lookup",
    "promised_value",
    "proximal",
    "proximal_means",
    "recover",
    "response_types",
    "reward",
    "reweighted",
    "selection",
    "shift",
    "step_table",
    "sufficiency",
    "tables",
    "terminal",
    "total_variation",
    "two_stage_least_squares",
    "unconfounded",
    "uniform_policy",
    "unroll",
    "value",
    "values",
    "with_role",
    "witness",
    "worst_policy",
]

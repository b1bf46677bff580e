"""What a model is:

variables, mechanisms, distributions, noise and conditional probability tables.
"""

from . import noise
from .distributions import Bernoulli, Categorical, Distribution, Exactly, Normal, Uniform
from .elimination import Factor, check_size, conditional
from .lookups import lookup, policy_lookup
from .noise import Units
from .scm import SCM
from .structure import (
    INTENT,
    Columns,
    Mechanism,
    Structure,
    action,
    context,
    latent,
    logged,
    reward,
    selection,
    shift,
    terminal,
)

__all__ = [
    "INTENT",
    "SCM",
    "Bernoulli",
    "Categorical",
    "Columns",
    "Distribution",
    "Exactly",
    "Factor",
    "Mechanism",
    "Normal",
    "Structure",
    "Uniform",
    "Units",
    "action",
    "check_size",
    "conditional",
    "context",
    "latent",
    "logged",
    "lookup",
    "noise",
    "policy_lookup",
    "reward",
    "selection",
    "shift",
    "terminal",
]

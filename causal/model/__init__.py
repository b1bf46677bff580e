"""Structural causal models: variables, mechanisms, distributions, noise and probability tables."""

from . import noise
from .distributions import Bernoulli, Categorical, Distribution, Exactly, Normal, Uniform
from .elimination import Factor, check_size, conditional
from .lookups import lookup, policy_lookup
from .mechanisms import Mechanism
from .noise import UnitIds
from .roles import action, context, latent, logged, reward, selection, shift, terminal
from .scm import SCM
from .structure import INTENT, Columns, Structure

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
    "UnitIds",
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

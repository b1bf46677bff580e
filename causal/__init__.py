"""Structural causal models and exact answers about them."""

from . import noise
from .distributions import Array, Bernoulli, Categorical, Distribution, Exactly, Normal
from .errors import InputError, NotDiscreteError, TooLargeError, did_you_mean
from .exact import (
    behaviour_policy,
    causal_policy,
    confused_policy,
    distribution,
    do_process,
    expectation,
    log_process,

    lookup,
    policy_lookup,
    unconfounded,
    promised_value,
    tables,
    uniform_policy,
    value,
    worst_policy,
)
from .graph import LAG, as_text, back_door_set, is_markov, unroll, with_role
from .planning import Process, greedy
from .scm import INTENT, SCM, Columns, Mechanism, action, context, latent, logged, reward, selection, shift, terminal

__all__ = [name for name in dir() if not name.startswith("_")]

"""Causal graphs: drawing, d-separation, latent projection and adjustment sets."""

from .adjustment import adjustment_sets, is_adjustment_set
from .admg import ADMG
from .conversion import AnyGraph, as_admg, as_dag, latent_projection, parse_graph
from .names import as_names
from .step_graph import LAG, as_text, is_markov, unroll, with_role

__all__ = [
    "ADMG",
    "LAG",
    "AnyGraph",
    "adjustment_sets",
    "as_admg",
    "as_dag",
    "as_names",
    "as_text",
    "is_adjustment_set",
    "is_markov",
    "latent_projection",
    "parse_graph",
    "unroll",
    "with_role",
]

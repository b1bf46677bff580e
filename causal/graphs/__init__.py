"""Causal graphs:

drawing, d-separation, acyclic directed mixed graphs (ADMGs) and adjustment sets.
"""

from .adjustment import adjustment_sets, is_adjustment_set
from .admg import ADMG, latent_projection, parse_graph
from .step_graph import LAG, as_text, back_door_set, is_markov, unroll, with_role

__all__ = [
    "ADMG",
    "LAG",
    "adjustment_sets",
    "as_text",
    "back_door_set",
    "is_adjustment_set",
    "is_markov",
    "latent_projection",
    "parse_graph",
    "unroll",
    "with_role",
]

"""How contexts are shown to agents: as they are, or as rich observations such as images."""

from .view import (
    Plain,
    View,
    context_mean,
    every_observation,
    observation_space,
    shown_contexts,
    view_of,
    with_bank,
)

__all__ = [
    "Plain",
    "View",
    "context_mean",
    "every_observation",
    "observation_space",
    "shown_contexts",
    "view_of",
    "with_bank",
]

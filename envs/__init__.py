"""The catalogue of worlds, and the way in for reinforcement learning.

Importing it registers every world with Gymnasium.
"""

from .gym.causal_env import CausalEnv, CausalVectorEnv
from .logs.collect import collect
from .logs.log import Data, Log, load_latents
from .registry import make_model, members, register_all, world_class, world_classes, world_id
from .spaces import Space, all_observations, as_integer, cells, choices, observation_space

register_all()

__all__ = [
    "CausalEnv",
    "CausalVectorEnv",
    "Data",
    "Log",
    "Space",
    "all_observations",
    "as_integer",
    "cells",
    "choices",
    "collect",
    "load_latents",
    "make_model",
    "members",
    "observation_space",
    "register_all",
    "world_class",
    "world_classes",
    "world_id",
]

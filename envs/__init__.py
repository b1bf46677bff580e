"""The catalogue of worlds, and the way in for reinforcement learning. Importing it registers every world with Gymnasium."""

from .causal_env import CausalEnv, CausalVectorEnv
from .collect import collect
from .log import Data, Log, load_latents
from .registry import make_model, members, register_all, world_class, world_id, worlds
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
    "world_id",
    "worlds",
]

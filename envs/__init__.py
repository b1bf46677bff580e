"""The catalogue of worlds, as models and as Gymnasium environments, and their logs.

Importing this package registers every world with Gymnasium. Every world's class is an attribute:
`from dosuite.envs import IceCreamShorts`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from dosuite.causal import InputError, __version__
from dosuite.causal.errors import did_you_mean

from .gym.causal_env import CausalEnv
from .gym.vector_env import CausalVectorEnv
from .logs.collect import collect
from .logs.expert import expert_log
from .logs.latents import load_latents
from .logs.log import Data, Log
from .logs.named import dataset, named_logs
from .observations import (
    context_mean,
    every_observation,
    observation_space,
    shown_contexts,
    with_bank,
)
from .opaque_world import OpaqueWorld
from .populations.population import Population, split
from .registry import (
    class_named,
    make_model,
    members,
    names_opaque,
    opaque_world,
    opaque_worlds,
    register_all,
    world_class,
    world_classes,
    world_id,
    world_text,
)
from .rollouts import PolicyValue, estimated_value
from .settings import parse, unparse
from .spaces import (
    Space,
    action_space,
    all_observations,
    as_integer,
    as_numbers,
    cells,
    choices,
    positions,
)
from .wrappers.behaviours import Behaviour
from .wrappers.classics import CLASSICS, make_classic, register_classics
from .wrappers.confounded import Bonus, Confounded, Wind
from .wrappers.confounded_logs import confounded_log, experiment_log
from .wrappers.copycat import CopycatWrapper, ScatteredStart, copycat_log
from .wrappers.drivers import Driver

if TYPE_CHECKING:
    from .gym.sb3 import BatchedVecEnv as BatchedVecEnv
    from .logs.exports import to_d3rlpy as to_d3rlpy
    from .logs.exports import to_pandas as to_pandas
    from .logs.exports import to_table as to_table
    from .logs.exports import to_torch as to_torch
    from .logs.exports import to_torchrl as to_torchrl
    from .logs.minari import from_minari as from_minari
    from .logs.minari import to_minari as to_minari
    from .pictures.graph_drawing import draw_graph as draw_graph

register_all()
register_classics()

# Names that are imported at their first use, since they need Stable-Baselines3, Minari and
# matplotlib. They are not in `__all__`, or `from dosuite.envs import *` would load those.
_LATE = {
    "BatchedVecEnv": "gym.sb3",
    "draw_graph": "pictures.graph_drawing",
    "from_minari": "logs.minari",
    "to_minari": "logs.minari",
    "to_d3rlpy": "logs.exports",
    "to_pandas": "logs.exports",
    "to_table": "logs.exports",
    "to_torch": "logs.exports",
    "to_torchrl": "logs.exports",
}

__all__ = [
    "CLASSICS",
    "Behaviour",
    "Bonus",
    "CausalEnv",
    "CausalVectorEnv",
    "Confounded",
    "CopycatWrapper",
    "Data",
    "Driver",
    "Log",
    "OpaqueWorld",
    "PolicyValue",
    "Population",
    "ScatteredStart",
    "Space",
    "Wind",
    "__version__",
    "action_space",
    "all_observations",
    "as_integer",
    "as_numbers",
    "cells",
    "choices",
    "collect",
    "confounded_log",
    "context_mean",
    "copycat_log",
    "dataset",
    "estimated_value",
    "every_observation",
    "experiment_log",
    "expert_log",
    "load_latents",
    "make_classic",
    "make_model",
    "members",
    "named_logs",
    "names_opaque",
    "observation_space",
    "opaque_world",
    "opaque_worlds",
    "parse",
    "positions",
    "register_all",
    "shown_contexts",
    "split",
    "unparse",
    "with_bank",
    "world_class",
    "world_classes",
    "world_id",
    "world_text",
]


def __getattr__(name: str) -> Any:
    """A class of the catalogue, or one of the names that are imported late."""
    if name in _LATE:
        return getattr(import_module(f"{__name__}.{_LATE[name]}"), name)
    if name.startswith("_"):
        raise AttributeError(f"{__name__} has no attribute {name!r}")
    try:
        cls = class_named(name)
    except InputError as error:
        raise AttributeError(f"{__name__}: {error}") from error
    if cls is None:
        raise AttributeError(f"{__name__} has no {name!r}; {did_you_mean(name, __dir__())}")
    return cls


def __dir__() -> list[str]:
    worlds = [cls.__name__ for cls in (*world_classes().values(), *opaque_worlds().values())]
    return sorted({*__all__, *_LATE, *worlds})

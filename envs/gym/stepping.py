"""The choice of a simulator: by table if the model has one, otherwise by variable."""

from functools import lru_cache
from typing import Any

import numpy as np
from gymnasium.spaces import Box

from dosuite.causal import SCM
from dosuite.causal.model import noise

from ..spaces import action_space
from .by_table import ByTable, OneByTable, compiled
from .by_variable import ByVariable, OneByVariable
from .unit_batch import Batch


def batch(model: SCM, count: int, paired: bool = False) -> Batch:
    """A batch of `count` units.

    It steps by variable, with noise shared across worlds, if the units are to be `paired` or if the
    model has no table.
    """
    table = None if paired else compiled(model)
    return ByVariable(model, count) if table is None else ByTable(count, table)


def one(model: SCM, paired: bool = False) -> "OneByTable | OneByVariable":
    """A single unit, which does what each unit of a `batch` does."""
    table = None if paired else compiled(model)
    return OneByVariable(model) if table is None else OneByTable(table)


@lru_cache(maxsize=64)
def logged_types(model: SCM) -> "dict[str, np.dtype[Any]]":
    """The type of each logged variable, as a simulated step draws it."""
    logged = model.names("logged")
    if not logged:
        return {}
    space = action_space(model)
    action = space.low[0] if isinstance(space, Box) else 0
    kind = float if isinstance(space, Box) else np.int64
    values = model.step(noise.units(0, 0), 0, None, {model.action: np.array([action], dtype=kind)})
    return {name: np.asarray(values[name]).dtype for name in logged}

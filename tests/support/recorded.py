"""Logs of every model, for the files that state laws of logs."""

from dataclasses import replace
from typing import Any

import numpy as np
from countable import each
from places import THROWAWAY_FILE

from dosuite.causal import World
from dosuite.envs import Log, collect, make_model, members

SEED = 918_273_645
THROWAWAY = {
    name: make_model(f"{THROWAWAY_FILE}:{name}") for name in ("Relay", "Survivors", "Gauge")
}
MODELS: dict[str, World] = {**dict(members()), **THROWAWAY}
ICE, RELAY = MODELS["IceCreamShorts-v0"], MODELS["Relay"]

every_model = each(MODELS)


def log_of(model: World, episodes: int = 200, seed: int = SEED, **how: Any) -> Log:
    return collect(replace(model, horizon=min(model.horizon, 8)), episodes, seed, **how)


def same(one: Log, other: Log) -> bool:
    """Whether two logs have the same columns, bit by bit, and are about the same task."""
    columns = all(
        np.array_equal(column, other.columns[name], equal_nan=True)
        for name, column in one.columns.items()
    )
    return (
        columns
        and one.columns.keys() == other.columns.keys()
        and one.content_hash == other.content_hash
    )

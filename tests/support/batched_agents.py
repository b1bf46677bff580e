"""What the tests of batched agents share."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from learning import few
from places import THROWAWAY_FILE

from dosuite.agents import agent_classes, make_agent
from dosuite.causal import World
from dosuite.envs import Data, collect, make_model

RELAY, GAUGE = (make_model(f"{THROWAWAY_FILE}:{name}") for name in ("Relay", "Gauge"))


ICE, THERMO, AIRLINE = (
    make_model(name)
    for name in ("IceCreamShorts-v0", "IceCreamShorts-Thermo-v0", "AirlinePricing-v0")
)


DIGITS = make_model("IceCreamShorts-Thermo-v0:observation=digits")


NAMES = [
    name
    for name, kind in agent_classes().items()
    if kind.trains_seeds_together() and "graph" not in kind.needs and "observe" in kind.learns
]


SEEDS = 3


COUNTING = [name for name in NAMES if agent_classes()[name].counts_actions]


every_agent = pytest.mark.parametrize("name", NAMES)


def quick(name: str, **settings: Any) -> Any:
    """With a batch of so few rows that cells of Relay enter as rows, and of Thermo once."""
    return make_agent(name, **{**few(name), "batch": 5, "hidden": 8, **settings})


def data_of(model: World, seed: int, rows: int = 200) -> Data:
    return collect(model, -(-rows // model.horizon), seed).view(np.random.default_rng(seed))


def rngs(seeds: Sequence[int]) -> list[np.random.Generator]:
    return [np.random.default_rng(seed) for seed in seeds]

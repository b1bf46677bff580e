"""What the tests of causal agents share."""

from functools import cache
from typing import Any

import numpy as np
from learning import data_of

from dosuite.agents import Policy, make_agent
from dosuite.causal import (
    Array,
    World,
)
from dosuite.envs import Data, all_observations, collect, make_model

ROWS = 100_000  # of a log that stands for an endless one


SEEN = 0.015  # by which an estimate from it may be wrong


ICE = make_model("IceCreamShorts-v0")


NAPKIN = make_model("NapkinClinic-v0")


MBIAS = make_model("MBiasClinic-v0")


KIDNEY = make_model("SimpsonClinic-v0")


GREEDY = make_model("GreedyCasino-v0")


logs = cache(data_of)


def learned(name: str, model: World, regime: str = "observe", **settings: Any) -> Policy:
    agent = make_agent(name, **settings)
    return agent.learn(logs(model, ROWS, agent.needs, regime), np.random.default_rng(0))


def believed(policy: Policy, model: World) -> Array:
    values = policy.action_values(all_observations(model))
    assert values is not None
    return values


# Fusion.


def mixed(model: World, share: float, rows: int) -> Data:
    return collect(model, rows, 5, "mixed", share).view(np.random.default_rng(0), labels=True)

"""Scoring a policy of your own in a world and all its shifts."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from stable_baselines3.common.base_class import BaseAlgorithm

from dosuite.agents import Policy, TabularPolicy
from dosuite.agents.user_policy import as_policy
from dosuite.causal import Array, World
from dosuite.envs import all_observations, make_model

from ..scores import metrics
from .scored_rows import scored, spaces_of

COLUMNS = [
    "world",
    "value",
    "std_error",
    "j_confused",
    "j_causal",
    "j_best",
    "j_uniform",
    "causal_score",
    "chance_score",
    "regret",
]


def score(
    world: str | World,
    policy: Policy | Array | Callable[[Array], Array] | BaseAlgorithm | str | Path,
) -> pd.DataFrame:
    """Score a policy: one row for the deployment (world "") and one for each shift.

    The policy is a table of probabilities (contexts, actions), a `Policy`, a function from
    observations (n, ...) to actions (n,), which are numbers in a Box, an algorithm of
    Stable-Baselines3, or the path of a saved policy: `model.zip`, `policy.pt` or
    `my_policy.py:choose`. In a model that observes the intent, the policy sees it too. Raises
    InputError if the policy does not fit the world.
    """
    shown = make_model(world) if isinstance(world, str) else world
    rows = pd.DataFrame(scored(shown.without_intent(), shown, _as_policy(shown, policy)))
    rows["causal_score"] = metrics.causal_score(rows)
    rows["chance_score"] = metrics.chance_score(rows)
    rows["regret"] = metrics.regret(rows)
    return rows[COLUMNS]


def _as_policy(model: World, policy: Any) -> Policy:
    if isinstance(policy, np.ndarray | list):
        return TabularPolicy(np.asarray(policy, dtype=float), all_observations(model))
    return as_policy(policy, spaces_of(model))

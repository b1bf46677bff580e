"""Scoring a policy of your own in a world and all its shifts."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from stable_baselines3.common.base_class import BaseAlgorithm

from dosuite.agents import Policy, Spaces, TabularPolicy
from dosuite.agents.normalisation import UNKNOWN_NOTE
from dosuite.agents.user_policy import as_policy
from dosuite.causal import SCM, Array, InputError, NotDiscreteError, World
from dosuite.causal.errors import checked_type
from dosuite.envs import (
    OpaqueWorld,
    all_observations,
    choices,
    every_observation,
    make_model,
    names_opaque,
    opaque_world,
)
from dosuite.envs.trust import trusting

from ..scores import metrics
from .opaque import opaque_rows
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
    world: str | World | OpaqueWorld,
    policy: Policy | Array | Callable[[Any], Any] | BaseAlgorithm | str | Path,
    *,
    trust: bool = False,
) -> pd.DataFrame:
    """Score a policy: one row for the deployment (world "") and one for each shift.

    The policy is a table of probabilities (contexts, actions), a `Policy`, a function from
    observations (n, ...) to actions (n,), which are numbers in a Box, an algorithm of
    Stable-Baselines3, or the path of a saved policy: `model.zip`, `policy.pt`, `policy.onnx` or
    `my_policy.py:choose`. Files that run code when they are opened, of a policy or of a world,
    need `trust`. A function may also take one observation, and may be random: its value
    is then estimated by rollouts. In an opaque world, such as KeysChests-v0, the columns are those
    of `opaque_rows`. In a model that observes the intent, the policy sees it too.
    Raises InputError if the policy does not fit the world.
    """
    checked_type(world, (str, SCM, OpaqueWorld), "a policy is scored in an id or a model")
    with trusting(trust):
        return _scored(world, policy)


def _scored(world: str | World | OpaqueWorld, policy: Any) -> pd.DataFrame:
    if isinstance(world, OpaqueWorld) or (isinstance(world, str) and names_opaque(world)):
        played = opaque_world(world)
        spaces = Spaces(played.observation_space, played.action_space)
        return opaque_rows(played, _fitting(policy, spaces))
    shown = make_model(world) if isinstance(world, str) else world
    rows = pd.DataFrame(scored(shown.without_intent(), shown, _as_policy(shown, policy)))
    rows["causal_score"] = metrics.causal_score(rows)
    rows["chance_score"] = metrics.chance_score(rows)
    rows["regret"] = metrics.regret(rows)
    return rows[COLUMNS]


def _as_policy(model: World, policy: Any) -> Policy:
    if isinstance(policy, np.ndarray | list | tuple | pd.DataFrame):
        return _tabular(model, policy)
    return _fitting(policy, spaces_of(model))


def _fitting(policy: Any, spaces: Spaces) -> Policy:
    """What a user brings as a policy for these spaces, with a warning if its scales are unknown."""
    taken = as_policy(policy, spaces)
    if taken.note == UNKNOWN_NOTE:
        warnings.warn(taken.note, stacklevel=5)
    return taken


def _tabular(model: World, rows: Any) -> Policy:
    """A table of probabilities as a policy. Raises InputError if it is none for this model."""
    spaces = spaces_of(model)
    shape = len(all_observations(model)), choices(spaces.actions)
    wanted = f"a table of a policy has {shape[0]} rows of {shape[1]} probabilities here"
    try:
        given = np.asarray(rows)
        table = None if given.dtype.kind in "cSUmM" else given.astype(np.float64)
    except (TypeError, ValueError):  # ragged, or no numbers
        table = None
    if table is None:
        raise InputError(f"{wanted}, and this one has other things than numbers, or ragged rows")
    if table.shape != shape:
        raise InputError(f"{wanted}, and this one has the shape {table.shape}")
    is_law = (table >= 0).all(axis=1) & (abs(table.sum(axis=1) - 1) <= 1e-6)
    if not is_law.all():
        row = int(np.flatnonzero(~is_law)[0])
        raise InputError(
            f"{wanted}, each row with the sum 1, and row {row} is {table[row].tolist()}"
        )
    try:
        return TabularPolicy(table, every_observation(model))
    except NotDiscreteError as error:
        raise InputError(
            "a table of probabilities cannot be played on observations that cannot be counted; "
            "score it in the world without the observation, where its value is the same"
        ) from error

"""Policies that a user brings:

as a saved policy, as a model of Stable-Baselines3, or as a function in a file.
"""

import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from gymnasium.spaces import Box
from sb3_contrib import ARS, QRDQN, TQC, CrossQ, MaskablePPO, RecurrentPPO
from stable_baselines3 import DQN, PPO, SAC, TD3
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.save_util import load_from_zip_file

from dosuite.causal import Array, InputError
from dosuite.envs import Space, choices
from dosuite.envs.gym.sb3 import UNIT
from dosuite.envs.plugins import named_in_file
from dosuite.envs.spaces import as_numbers

from .agent import Agent, ContinuousPolicy, Policy
from .online.base import policy_of
from .saving import load_policy

ALGORITHMS = (
    RecurrentPPO,
    MaskablePPO,
    QRDQN,
    TQC,
    CrossQ,
    DQN,
    SAC,
    TD3,
    PPO,
    ARS,
)  # A2C and TRPO act as PPO does, DDPG as TD3


@dataclass(frozen=True)
class Spaces:
    """All that a policy that is brought is told of a world."""

    observations: Space
    actions: Space


@dataclass(frozen=True)
class Brought(Agent):
    """A policy of the user's, from the file `model.zip`, `policy.pt` or `my_policy.py:name`: it
    learns nothing.

    A zip can hold code, as a Python file does: bring them from whom you trust. Raises InputError if
    the file is not there, or keeps no policy."""

    learns: ClassVar[tuple[str, ...]] = ("given",)
    acts_in_a_box: ClassVar[bool] = True

    where: str

    def __post_init__(self) -> None:
        if not self.file.is_file():
            raise InputError(f"there is no file {self.file}")
        self._read()

    @property
    def file(self) -> Path:
        """The file."""
        return Path(re.sub(r"(\.py):\w+$", r"\1", self.where))

    def learn(self, source: Spaces, rng: np.random.Generator) -> Policy:
        """The policy as it is. Raises InputError if it does not fit the spaces."""
        return fitted(self._read(), source)

    def _read(self) -> Any:
        return _read(self.where, self.file.stat().st_mtime_ns)


def fitted(policy: Any, spaces: Spaces) -> Policy:
    """A policy for some spaces: a `Policy`, an algorithm of Stable-Baselines3, a path to one of
    them, or a function.

    The function is one from observations (n, ...) to actions (n,). Raises InputError if it is none
    of these, or does not fit."""
    if isinstance(policy, str | Path):
        return Brought(str(policy)).learn(spaces, np.random.default_rng(0))
    if isinstance(policy, BaseAlgorithm):
        return policy_of(_fitting(policy, spaces), spaces.actions)
    if isinstance(policy, Policy):
        if isinstance(policy, ContinuousPolicy) != isinstance(spaces.actions, Box):
            raise InputError(f"the policy does not fit: the actions here are {spaces.actions}")
        return policy
    if not callable(policy):
        raise InputError(
            "a policy is a Policy, a model of Stable-Baselines3 or a function, and got "
            f"{type(policy).__name__}"
        )
    return (
        NumberPolicy(policy, spaces.actions)
        if isinstance(spaces.actions, Box)
        else ActionPolicy(policy, choices(spaces.actions))
    )


def _fitting(algorithm: BaseAlgorithm, spaces: Spaces) -> BaseAlgorithm:
    pairs = (
        ("observations", algorithm.observation_space, spaces.observations),
        ("actions", algorithm.action_space, spaces.actions),
    )
    for what, learned, here in pairs:
        if learned != here and not (
            isinstance(here, Box) and what == "actions" and learned == UNIT
        ):
            raise InputError(
                f"the model does not fit: its {what} are {learned}, and those here {here}"
            )
    return algorithm


@lru_cache(maxsize=8)
def _read(where: str, changed: int) -> Any:
    if where.endswith(".zip"):
        return _read_zip(where)
    return load_policy(where) if where.endswith(".pt") else named_in_file(where)


def _read_zip(path: str) -> Any:
    """The algorithm in a zip, in the first class whose policies are of the kind that is in it:

    it is only to act.
    """
    try:
        with warnings.catch_warnings(action="ignore"):
            data, _, _ = load_from_zip_file(path, device="cpu")
            kept = (data or {})["policy_class"]
            kind: Any = next(
                kind for kind in ALGORITHMS if issubclass(kept, tuple(kind.policy_aliases.values()))
            )
            return kind.load(path, device="cpu")
    except Exception:  # a file of another kind can raise anything
        raise InputError(
            f"{path} is not a model of Stable-Baselines3 that can be read here; write it with "
            "model.save"
        ) from None


class ActionPolicy(Policy):
    """A function from observations to actions."""

    def __init__(self, choose: Callable[[Array], Array], actions: int):
        self.choose, self.actions = choose, actions

    def probabilities(self, observations: Array) -> Array:
        """1 for the action that the function chooses.

        Raises InputError if it does not choose one for each observation.
        """
        chosen = np.asarray(self.choose(observations))
        if (
            chosen.shape != (len(observations),)
            or not np.isin(chosen, np.arange(self.actions)).all()
        ):
            raise InputError(
                f"a policy gives {len(observations)} actions from 0 to {self.actions - 1} here, "
                f"and gave {chosen!r}"
            )
        return np.eye(self.actions)[chosen.astype(np.int64)]


class NumberPolicy(ContinuousPolicy):
    """A function from observations to actions that are numbers."""

    def __init__(self, choose: Callable[[Array], Array], actions: Box):
        self.choose, self.actions = choose, actions

    def act(self, observations: Array, rng: np.random.Generator) -> Array:
        """What the function chooses.

        Raises InputError if that is not a number of the space for each observation.
        """
        chosen = as_numbers(self.actions, self.choose(observations), (len(observations),))
        if chosen is None:
            raise InputError(
                f"a policy gives {len(observations)} actions in {self.actions} here, and gave "
                "others"
            )
        return chosen

"""Checks of settings that several agents share. Each raises InputError with the setting's name."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium.spaces import Box

from dosuite.causal import InputError
from dosuite.envs import Data, Space, choices

from .agent import Agent

# The greatest counts of settings for which memory is asked at once. A layer of 16,384 units has
# 1 GiB of weights.
MOST = {"hidden": 2**14, "heads": 2**10, "context": 2**14, "quantiles": 2**14}
MOST |= {"components": 2**14, "classes": 2**14, "directions": 2**14, "envs": 2**16}
MOST |= {"rollout": 2**20, "batch": 2**20}


def at_least_one(agent: Agent, *names: str) -> None:
    """Check settings that are counts: whole numbers of at least 1 and at most MOST, no bools."""
    for name in names:
        value = getattr(agent, name)
        is_whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
        _check(agent, name, is_whole, "a whole number")
        _check(agent, name, value >= 1, "at least 1")
        if name in MOST:
            at_most(agent, MOST[name], name)


def at_most(agent: Agent, most: int, *names: str) -> None:
    """Check settings that must not be above a limit."""
    for name in names:
        _check(agent, name, getattr(agent, name) <= most, f"at most {most}")


def positive(agent: Agent, *names: str) -> None:
    """Check settings that must be above 0 and finite."""
    for name in names:
        _check(agent, name, getattr(agent, name) > 0, "positive")
        _check(agent, name, getattr(agent, name) < math.inf, "finite")


def not_negative(agent: Agent, *names: str) -> None:
    """Check settings that must be at least 0 and finite."""
    for name in names:
        _check(agent, name, getattr(agent, name) >= 0, "at least 0")
        _check(agent, name, getattr(agent, name) < math.inf, "finite")


def one_of(agent: Agent, name: str, words: Sequence[str]) -> None:
    """Check a setting that is one of some words."""
    _check(agent, name, getattr(agent, name) in words, " or ".join(words))


def check_tau(agent: Any) -> None:
    """Check `tau`, the fraction by which a target network moves towards its network per step."""
    _check(agent, "tau", 0 < agent.tau <= 1, "above 0 and at most 1")


def check_discount(agent: Any) -> None:
    """Check the discount of an agent."""
    _check(agent, "discount", 0 <= agent.discount <= 1, "in [0, 1]")


def check_actions(agent: Agent, space: Space) -> None:
    """Raise InputError if the agent cannot take the actions of a space."""
    if not agent.acts_in_a_box:
        choices(space)  # raises InputError if the space is not finite
    elif isinstance(space, Box) and space.shape != (1,) and not agent.takes_numbers:
        raise InputError(
            f"{agent.name} takes actions of one number, and these are {space}; td3-bc and bc take "
            "several"
        )
    elif not agent.counts_actions and not isinstance(space, Box):
        raise InputError(f"{agent.name} needs actions that are numbers, and these are {space}")


def check_labels(agent: Agent, data: Data) -> None:
    """Raise InputError if a log does not say in which rows an experimenter acted."""
    if "regime" not in data.columns:
        raise InputError(
            f"{agent.name} needs the labels of a log, and got a log without them; a view with "
            "labels is log.view(labels=True)"
        )


def _check(agent: Agent, name: str, holds: bool, condition: str) -> None:
    if not holds:
        value = getattr(agent, name)
        raise InputError(f"{agent.name}: {name} must be {condition}, and is {value}")

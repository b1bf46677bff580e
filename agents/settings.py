"""Checks of the settings that several agents have."""

from typing import Any

from gymnasium.spaces import Box

from dosuite.causal import InputError
from dosuite.envs import Space, choices

from .agent import Agent


def at_least_one(agent: Agent, *settings: str) -> None:
    """Raise InputError if a setting that counts something is less than 1."""
    for name in settings:
        if getattr(agent, name) < 1:
            raise InputError(
                f"{agent.name}: {name} must be at least 1, and is {getattr(agent, name)}"
            )


def check_tau(agent: Any) -> None:
    """Raise InputError if `tau`, the share of the way that a copy of a network goes at each step,
    is out of range.
    """
    if not 0 < agent.tau <= 1:
        raise InputError(f"{agent.name}: tau must be above 0 and at most 1, and is {agent.tau}")


def check_actions(agent: Agent, space: Space) -> None:
    """Raise InputError if an agent cannot take the actions of a space."""
    if not agent.acts_in_a_box:
        choices(space)  # or it refuses
    elif not agent.counts_actions and not isinstance(space, Box):
        raise InputError(f"{agent.name} needs actions that are numbers, and these are {space}")


def check_discount(agent: Any) -> None:
    """Raise InputError if the discount of an agent is out of range."""
    if not 0 <= agent.discount <= 1:
        raise InputError(f"{agent.name}: discount must be in [0, 1], and is {agent.discount}")

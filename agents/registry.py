"""Every agent by its name.

A file in this folder is all it takes to add one; a user's file is named by its path.
"""

from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from importlib import import_module
from typing import Any

from dosuite.causal import InputError
from dosuite.causal.errors import did_you_mean
from dosuite.envs.plugins import class_in_file, classes_in_package, names_file
from dosuite.envs.settings import parse, typed

from .agent import Agent
from .user_policy import Brought, is_brought


@cache
def agent_classes() -> dict[str, type[Agent]]:
    """The classes of all agents by name."""
    package = import_module("dosuite.agents")
    return {cls.name: cls for cls in classes_in_package(package, Agent) if hasattr(cls, "name")}


def make_agent(text: str, **settings: Any) -> Agent:
    """The agent `name:setting=value,...` or `path/to/file.py:Class:setting=value`, or the policy
    that is brought as it is.

    Raises InputError if there is no such agent or setting.
    """
    name, written = parse(text)
    if is_brought(name):
        if written or settings:
            raise InputError(f"{name} is a policy, and has no settings")
        return Brought(name)
    if names_file(name):
        cls = class_in_file(name, Agent)
        _check(cls)
    elif name in agent_classes():
        cls = agent_classes()[name]
    else:
        raise InputError(f"there is no agent {name!r}; {did_you_mean(name, agent_classes())}")
    return cls(**typed(cls, {**written, **settings}))


def _check(cls: type[Agent]) -> None:
    """Raise InputError, naming what to change, if a user's class is not an agent."""
    if not is_dataclass(cls):
        raise InputError(
            f"{cls.__name__} must be a dataclass: decorate it with @dataclass(frozen=True)"
        )
    if abstract := sorted(getattr(cls, "__abstractmethods__", ())):
        raise InputError(f"{cls.__name__} must define {', '.join(abstract)}")
    if needy := [
        field.name
        for field in fields(cls)
        if field.default is MISSING and field.default_factory is MISSING
    ]:
        raise InputError(f"{cls.__name__}: give the setting {needy[0]} a default")
    learns = getattr(cls, "learns", None)
    if (
        not isinstance(learns, tuple)
        or not learns
        or not all(isinstance(regime, str) for regime in learns)
    ):
        raise InputError(
            f"{cls.__name__}.learns must be a tuple of regimes, such as ('observe',), and is "
            f"{learns!r}"
        )
    if not isinstance(cls.needs, frozenset | set):
        raise InputError(
            f"{cls.__name__}.needs must be a set, such as frozenset({{'graph'}}), and is "
            f"{cls.needs!r}"
        )

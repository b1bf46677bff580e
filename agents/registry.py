"""The registry of agents: every agent of this package by name, and a user's by its file.

A new module in this package is registered by being there. Looking up one agent imports the module
of that agent only.
"""

from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from importlib import import_module
from typing import Any

from dosuite.causal import InputError
from dosuite.causal.errors import did_you_mean
from dosuite.envs.plugins import class_in_file, named_in_file, names_file
from dosuite.envs.settings import parse, typed
from dosuite.envs.trust import trusting

from .agent import Agent
from .summaries import AgentSummary, agent_sources, agent_summaries

__all__ = [
    "AgentSummary",
    "agent_class",
    "agent_classes",
    "agent_summaries",
    "make_agent",
    "names_policy",
]


@cache
def agent_class(name: str) -> type[Agent]:
    """The class of the agent with this name. Raises InputError if there is none."""
    sources = agent_sources()
    if name not in sources:
        raise InputError(f"there is no agent {name!r}; {did_you_mean(name, sources)}")
    module = import_module(f".{sources[name].module}", __package__)
    cls: type[Agent] = getattr(module, sources[name].class_name)
    return cls


@cache
def agent_classes() -> dict[str, type[Agent]]:
    """The classes of all agents by name, in the order of their modules. Imports all of them."""
    return {name: agent_class(name) for name in agent_sources()}


def make_agent(text: str, *, trust: bool = False, **settings: Any) -> Agent:
    """Make an agent from `name:setting=value,...` or `path/to/file.py:Class:setting=value`.

    A text that names a user's policy (see `names_policy`) gives the agent that returns it. Files
    that run code when they are opened need `trust`. Raises InputError if there is no such agent or
    setting.
    """
    with trusting(trust):
        return _made(text, settings)


def _made(text: str, settings: dict[str, Any]) -> Agent:
    name, written = parse(text)
    if names_policy(name):
        if written or settings:
            raise InputError(f"{name} is a policy, and has no settings")
        from .user_policy import UserPolicyAgent  # loads Stable-Baselines3

        return UserPolicyAgent(name)
    if names_file(name):
        cls = class_in_file(name, Agent)
        _check(cls)
    else:
        cls = agent_class(name)
    return cls(**typed(cls, {**written, **settings}))


def names_policy(where: str) -> bool:
    """Whether a text names a user's policy: `file.py:name` of a non-class, or a file of another
    kind: a .zip, a .pt or an .onnx.
    """
    if names_file(where):
        value = named_in_file(where)
        return value is not None and not isinstance(value, type)
    return where.endswith((".zip", ".pt", ".onnx"))


def _check(cls: type[Agent]) -> None:
    """Raise InputError, naming what to change, if a user's class is not an agent."""
    name = cls.__name__
    if not is_dataclass(cls):
        raise InputError(f"{name} must be a dataclass: decorate it with @dataclass(frozen=True)")
    abstract = sorted(getattr(cls, "__abstractmethods__", ()))
    if cls.learn is Agent.learn and cls.learn_from is Agent.learn_from:
        abstract.append("learn_from")
    if abstract:
        raise InputError(f"{name} must define {', '.join(abstract)}")
    own = getattr(cls, "name", name)
    if not isinstance(own, str) or not own.strip() or not own.isprintable():
        raise InputError(f"{name}.name must be a text of one line, and is {own!r}")
    for setting in fields(cls):
        if setting.default is MISSING and setting.default_factory is MISSING:
            raise InputError(f"{name}: give the setting {setting.name} a default")
    learns = getattr(cls, "learns", None)
    is_tuple = isinstance(learns, tuple) and bool(learns)
    if not is_tuple or not all(isinstance(regime, str) for regime in learns):
        raise InputError(
            f"{name}.learns must be a tuple of regimes, such as ('observe',), and is {learns!r}"
        )
    if not isinstance(cls.needs, frozenset | set):
        raise InputError(
            f"{name}.needs must be a set, such as frozenset({{'graph'}}), and is {cls.needs!r}"
        )

"""Every agent by its name. A file in this folder is all it takes to add one; a user's file is named by its path."""

from functools import cache
from typing import Any

from confoundry import agents
from confoundry.causal import InputError, did_you_mean
from confoundry.envs.discovery import class_in_file, classes_in_package, parse, typed

from .agent import Agent


@cache
def agent_classes() -> dict[str, type[Agent]]:
    """The classes of all agents by name."""
    return {cls.name: cls for cls in classes_in_package(agents, Agent) if hasattr(cls, "name")}


def make_agent(text: str, **settings: Any) -> Agent:
    """The agent `name:setting=value,...` or `path/to/file.py:Class:setting=value`.

    Raises InputError if there is no such agent or setting.
    """
    name, written = parse(text)
    if ".py" in name:
        cls = class_in_file(name, Agent)
    elif name in agent_classes():
        cls = agent_classes()[name]
    else:
        raise InputError(f"there is no agent {name!r}; {did_you_mean(name, agent_classes())}")
    return cls(**typed(cls, {**written, **settings}))

"""Agents: what they learn from, how they learn, and the policies they return.

Every agent class can be imported from here by its class name (`from dosuite.agents import IQL`).
Its module, and with it torch or Stable-Baselines3, is loaded on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .agent import Agent, OfflineAgent, OnlineAgent, ReferenceAgent
from .policy import ContinuousPolicy, MemoryPolicy, Player, Policy, TabularPolicy
from .registry import agent_class, agent_classes, agent_summaries, make_agent
from .sources import Exact, Practice, Spaces
from .summaries import agent_sources

if TYPE_CHECKING:
    from .networks.network_policy import NetworkPolicy
    from .saving import load_policy, save_policy

__all__ = [
    "Agent",
    "ContinuousPolicy",
    "Exact",
    "MemoryPolicy",
    "NetworkPolicy",
    "OfflineAgent",
    "OnlineAgent",
    "Player",
    "Policy",
    "Practice",
    "ReferenceAgent",
    "Spaces",
    "TabularPolicy",
    "agent_class",
    "agent_classes",
    "agent_summaries",
    "load_policy",
    "make_agent",
    "save_policy",
]

# what needs torch, by the module that defines it
_LAZY = {
    "NetworkPolicy": "networks.network_policy",
    "load_policy": "saving",
    "save_policy": "saving",
}


def __getattr__(name: str) -> Any:
    """Load an agent class, or a name that needs torch, on first use (PEP 562)."""
    modules = _LAZY | {source.class_name: source.module for source in agent_sources().values()}
    if name not in modules:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{modules[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    classes = (source.class_name for source in agent_sources().values())
    return sorted({*globals(), *_LAZY, *classes})

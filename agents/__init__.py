"""Who learns: agents, what they learn from, and what they have learned."""

from .agent import Agent, ContinuousPolicy, Exact, MemoryPolicy, Policy, Practice, TabularPolicy
from .networks.network_policy import NetworkPolicy
from .registry import agent_classes, make_agent
from .saving import load_policy, save_policy

__all__ = [
    "Agent",
    "ContinuousPolicy",
    "Exact",
    "MemoryPolicy",
    "NetworkPolicy",
    "Policy",
    "Practice",
    "TabularPolicy",
    "agent_classes",
    "load_policy",
    "make_agent",
    "save_policy",
]

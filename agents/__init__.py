"""Who learns: agents, what they learn from, and what they have learned."""

from .agent import Agent, ContinuousPolicy, Exact, Policy, Practice, TabularPolicy
from .network_policy import NetworkPolicy
from .registry import agent_classes, make_agent

__all__ = ["Agent", "ContinuousPolicy", "Exact", "NetworkPolicy", "Policy", "Practice", "TabularPolicy", "agent_classes", "make_agent"]

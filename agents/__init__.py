"""Who learns: agents, what they learn from, and what they have learned."""

from .agent import Agent, ContinuousPolicy, Exact, Policy, Practice, TabularPolicy
from .registry import agent_classes, make_agent

__all__ = ["Agent", "ContinuousPolicy", "Exact", "Policy", "Practice", "TabularPolicy", "agent_classes", "make_agent"]

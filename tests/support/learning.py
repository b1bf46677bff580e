"""What agents learn from in tests, and what they have learned."""

from dataclasses import fields
from typing import Any

import numpy as np

from dosuite.agents import Exact, Policy, Practice, agent_classes, make_agent
from dosuite.causal import Array, World, value
from dosuite.causal.exact import worst_policy
from dosuite.envs import CausalVectorEnv, Data, all_observations, collect

OFFLINE, ONLINE = ("observe", "mixed"), ("intervene", "counterfactual")
FEW = {
    "updates": 7,
    "steps": 4,
    "iterations": 2,
}  # settings with which an agent learns in a moment, if not well


def few(name: str) -> dict[str, Any]:
    """The settings with which an agent learns in a moment; none if it has no such settings."""
    return {
        field.name: FEW[field.name]
        for field in fields(agent_classes()[name])  # type: ignore[arg-type]
        if field.name in FEW
    }


def data_of(
    model: World,
    rows: int,
    needs: frozenset[str] = frozenset(),
    regime: str = "observe",
    seed: int = 3,
) -> Data:
    """A log of about so many rows, as it is handed to an agent with these needs."""
    log = collect(model, -(-rows // model.horizon), seed, regime)
    return log.view(
        np.random.default_rng(seed),
        "labels" in needs,
        model.graph.copy() if "graph" in needs else None,
    )


def source_of(model: World, needs: frozenset[str], regime: str, rows: int = 600) -> Any:
    """What an agent learns from in a regime."""
    if regime == "exact":
        return Exact(model)
    if regime in OFFLINE:
        return data_of(model, rows, needs, regime)

    def practise(count: int) -> CausalVectorEnv:
        env = CausalVectorEnv(model.with_intent() if regime == "counterfactual" else model, count)
        env.reset(seed=1)
        return env

    return Practice(
        practise, rows, model.discount, data_of(model, rows) if "log" in needs else None
    )


def learn(
    name: str,
    model: World,
    regime: str = "observe",
    rows: int = 20_000,
    seed: int = 0,
    **settings: Any,
) -> Policy:
    agent = make_agent(name, **settings)
    return agent.learn(source_of(model, agent.needs, regime, rows), np.random.default_rng(seed))


def table(policy: Policy, model: World) -> Array:
    """The probabilities of a policy in every context of a discrete model, (C, A)."""
    return policy.probabilities(all_observations(model))


def regret(model: World, policy: Policy) -> float:
    """The loss against the best policy, where the worst one loses 1."""
    best, worst = value(model, model.causal_policy()), value(model, worst_policy(model))
    return (best - value(model, table(policy, model))) / (best - worst)

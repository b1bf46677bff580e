"""Minimax regret over all worlds that are consistent with the graph and the log."""

from dataclasses import dataclass, replace
from math import prod
from typing import Any, ClassVar

import networkx as nx
import numpy as np

from dosuite.causal import ADMG, Array, Factor, InputError, ResponseTypes
from dosuite.causal.exact.linear_programme import least
from dosuite.causal.identification.action_effect import ActionEffect
from dosuite.causal.model.elimination import conditional, eliminate
from dosuite.causal.partial_identification import Payoffs, UnitQuantity, manski
from dosuite.causal.world.intervals import MOST_ENTRIES
from dosuite.envs import Data

from ..policy import Policy, TabularPolicy
from ..settings import at_least_one
from .counting import ValuedPolicy, abstain
from .graph_agent import GraphAgent
from .identify import identified_effect, law_of

REPORTED = 1e-6  # a larger distance of the table from the log's is mentioned in the note


@dataclass(frozen=True)
class MinimaxRegret(GraphAgent):
    """Plays the mixed policy of the least maximal regret over the payoffs that are possible.

    If the effect is identified, that is the best action. The payoffs range over all laws of
    response types that give the log's table. Frequencies violate the independences of the graph by
    chance, so the table is the product of each variable's frequencies given the variables that
    screen it off. They can violate its inequalities too; then the nearest table in L1 that
    satisfies them is used. With more than `types` response types the payoffs range over Manski's
    bounds instead, which are not sharp. The agent needs horizon 1 and a log without selection;
    otherwise it plays uniformly.

    Source: Balke and Pearl (1997), Bounds on treatment effects from studies with imperfect
    compliance; Manski (1990); minimax regret of treatments, Manski (2007), Identification for
    prediction and decision.
    """

    name: ClassVar[str] = "minimax-regret"
    at_several_steps: ClassVar[str] = "regret is bounded in one step only"

    types: int = 2**18  # joint response types, times contexts and actions; above, Manski's bounds

    def __post_init__(self) -> None:
        at_least_one(self, "types")

    def _one_step(self, data: Data, graph: "nx.DiGraph[str]", rng: np.random.Generator) -> Policy:
        question = ActionEffect.of_graph(graph, 1)
        if "selection" in question.graph.roles.values():
            return abstain(data, "selected rows bound nothing")
        effect = identified_effect(data, graph, question.z)
        if effect is not None and not np.isnan(effect.means).any():
            return ValuedPolicy(effect.means, data.observation_space, effect.method)
        law, values = law_of(data, question)
        by_types = self._by_types(question, law, values)
        policy, note = by_types or _by_manski(question, law, values)
        return TabularPolicy(policy, data.observation_space, note=note)

    def _by_types(
        self, question: ActionEffect, law: Factor, values: Array
    ) -> tuple[Array, str] | None:
        """The policy over sharp bounds, and a note.

        None if there are too many response types, or the bounds are no linear programme.
        """
        graph = question.graph
        sizes = dict(zip(law.names, law.table.shape, strict=True))
        contexts = prod(sizes[name] for name in question.z)
        actions = sizes[question.x]
        if contexts * actions * _count_types(graph, sizes) > self.types:
            return None
        supports = {name: np.arange(size) for name, size in sizes.items()}
        supports[question.y[0]] = values
        try:
            table = projected(graph, law)
            named = Factor(graph.nodes, table / table.sum())
            types = ResponseTypes.of(graph, named, supports)
            payoffs = Payoffs.of(types, _quantities(question, sizes))
        except InputError:
            # too many types of some variables, or a quantity that multiplies unknown laws
            return None
        if actions ** (2 * contexts) * payoffs.matrix.size > MOST_ENTRIES:
            return None
        payoffs, distance = nearest(payoffs)
        note = "bounds from response types"
        if distance > REPORTED:
            note += f", of a table {distance:.2g} away from the log's"
        return payoffs.minimax_regret().policy, note


def _count_types(graph: ADMG, sizes: dict[str, int]) -> int:
    """The number of joint response types: the product of size ** (joint size of the parents)."""
    total = 1
    for name in graph.nodes:
        parents = [cause for cause, effect in graph.directed if effect == name]
        total *= sizes[name] ** prod(sizes[parent] for parent in parents)
    return total


def _quantities(question: ActionEffect, sizes: dict[str, int]) -> list[list[UnitQuantity]]:
    """The payoff of each action in each context: (C, A)."""
    rows = []
    actions = range(sizes[question.x])
    context_sizes = [sizes[name] for name in question.z]
    for values in np.ndindex(*context_sizes):
        context = dict(zip(question.z, values, strict=True))
        rows.append([_payoff(question, context, action) for action in actions])
    return rows


def _payoff(question: ActionEffect, context: dict[str, int], action: int) -> UnitQuantity:
    """The reward of a unit under an action if it is in a context, else 0."""

    def payoff(do: Any) -> Any:
        reward = do(**{question.x: float(action)})[question.y[0]]
        return prod((do()[name] == value for name, value in context.items()), start=reward)

    return payoff


def projected(graph: ADMG, law: Factor) -> Array:
    """The table of the graph's variables that satisfies the independences of the graph.

    It is the product of the law of each variable given its Markov pillow, the earlier variables
    that screen it off from the others. The axes are in the order of the graph's nodes.
    """
    total = Factor(law.names, law.table / law.table.sum())
    factors = []
    for name in graph.nodes:
        pillow = graph.pillow(name)
        scope = (*(other for other in graph.nodes if other in pillow), name)
        factors.append(Factor(scope, conditional(eliminate([total], scope), unseen=0.0)))
    return eliminate(factors, graph.nodes)


def nearest(payoffs: Payoffs) -> tuple[Payoffs, float]:
    """The payoffs with the nearest feasible table in L1, and its distance.

    A table v is feasible if v = M p for a law p over response types. The programme minimises
    sum(u + w) subject to M p + u - w = v and p, u, w >= 0.
    """
    rows, unknowns = payoffs.matrix.shape
    cost = np.append(np.zeros(unknowns), np.ones(2 * rows))
    constraints = np.hstack([payoffs.matrix, np.eye(rows), -np.eye(rows)])
    solution = least(cost, A_eq=constraints, b_eq=payoffs.vector)
    if solution is None:  # it is feasible for any v, so the solver has failed
        raise InputError(
            "the linear programme of the nearest table was not solved; use more rows, or "
            "Manski's bounds with types=1"
        )
    vector = payoffs.matrix @ solution[:unknowns]
    return replace(payoffs, vector=vector), float(cost @ solution)


def _by_manski(question: ActionEffect, law: Factor, values: Array) -> tuple[Array, str]:
    """The policy over Manski's bounds in each context; uniform in contexts without rows."""
    table = eliminate([law], (*question.z, question.x, question.y[0]))
    table = table.reshape(-1, *table.shape[-2:])
    policy = np.full(table.shape[:2], 1.0 / table.shape[1])
    for context in np.flatnonzero(table.sum((1, 2))):
        bounds = manski(table[context], values)
        policy[context] = Payoffs.box(*bounds.T).minimax_regret().policy[0]
    return policy, "Manski's bounds"

"""Partial identification:

the policy that can regret the least, over all worlds that the graph and the log leave open.
"""

from dataclasses import dataclass, replace
from math import prod
from typing import ClassVar

import numpy as np

from dosuite.causal import ADMG, Array, Factor, InputError, ResponseTypes
from dosuite.causal.identification import ActionEffect
from dosuite.causal.model.elimination import conditional, eliminate
from dosuite.causal.partial_identification import Payoffs, Quantity, manski
from dosuite.causal.partial_identification.sharp_bounds import least
from dosuite.causal.world.intervals import MOST_ENTRIES
from dosuite.envs import Data

from ..agent import Agent, Policy, TabularPolicy
from .counting import ValuedPolicy, abstain, counted, graph_of
from .identify import identified_effect, law_of

NOISE = 1e-6  # by which a table may miss what the graph implies, unsaid


@dataclass(frozen=True)
class MinimaxRegret(Agent):
    """Plays the mixture with the least greatest regret over the bounds on its payoffs, from
    response types; the best where they are points.

    The log's frequencies break the independences of the graph by chance: each variable gets its
    frequencies given what screens it off, and their product is the table. Frequencies can also
    break its inequalities; then the table is replaced by the nearest that obeys them, nearest by
    the sum of absolute differences. Where there are more than `types` response types the bounds are
    those of Manski, which are outer. It needs one step and a log without selection, and else plays
    uniformly.

    Source: Balke and Pearl (1997); Manski (1990); minimax regret of treatments, Manski (2007),
    Identification for Prediction and Decision."""

    name: ClassVar[str] = "minimax-regret"
    learns: ClassVar[tuple[str, ...]] = ("observe",)
    needs: ClassVar[frozenset[str]] = frozenset({"graph"})

    types: int = 2**18  # joint response types, times contexts and actions; above, Manski's bounds

    def __post_init__(self) -> None:
        if self.types < 1:
            raise InputError(f"minimax-regret: types must be at least 1, and is {self.types}")

    def learn(self, source: Data, rng: np.random.Generator) -> Policy:
        """Bound, and take the least regret.

        Raises InputError if the observations or the log cannot be counted.
        """
        counted(source, self.name)
        graph = graph_of(source, self.name)
        if source.horizon > 1:
            return abstain(source, "regret is bounded in one step only")
        asked = ActionEffect.of_graph(graph, 1)
        if "selection" in asked.graph.roles.values():
            return abstain(source, "selected rows bound nothing")
        effect = identified_effect(source, graph, asked.z)
        if effect is not None and not np.isnan(effect.means).any():
            return ValuedPolicy(effect.means, source.observation_space, effect.method)
        law, values = law_of(source, asked)
        policy, note = self._by_types(asked, law, values) or _by_manski(asked, law, values)
        return TabularPolicy(policy, source.observation_space, note=note)

    def _by_types(
        self, asked: ActionEffect, law: Factor, values: Array
    ) -> tuple[Array, str] | None:
        """The policy over sharp bounds, and a note;

        None if there are too many types, or no linear programme.
        """
        sizes = dict(zip(law.names, law.table.shape, strict=True))
        contexts, actions = prod(sizes[name] for name in asked.z), sizes[asked.x]
        if contexts * actions * _types(asked.graph, sizes) > self.types:
            return None
        supports = {name: np.arange(size) for name, size in sizes.items()} | {asked.y[0]: values}
        try:
            types = ResponseTypes.of(asked.graph, projected(asked.graph, law), supports)
            payoffs = Payoffs.of(
                types,
                [[_payoff(asked, at, a) for a in range(actions)] for at in _contexts(asked, sizes)],
            )
        except (
            InputError
        ):  # too many types of some variables, or a quantity that multiplies unknown laws
            return None
        if actions ** (2 * contexts) * payoffs.matrix.size > MOST_ENTRIES:
            return None
        payoffs, gap = nearest(payoffs)
        note = "bounds from response types"
        return payoffs.minimax_regret().policy, note + (
            f", of a table {gap:.2g} away from the log's" if gap > NOISE else ""
        )


def _types(graph: ADMG, sizes: dict[str, int]) -> int:
    """The joint response types of all variables."""
    parents = {
        name: [cause for cause, effect in graph.directed if effect == name] for name in graph.nodes
    }
    return prod(
        sizes[name] ** prod(sizes[parent] for parent in parents[name]) for name in graph.nodes
    )


def _contexts(asked: ActionEffect, sizes: dict[str, int]) -> list[dict[str, int]]:
    return [
        dict(zip(asked.z, at, strict=True)) for at in np.ndindex(*(sizes[name] for name in asked.z))
    ]


def _payoff(asked: ActionEffect, at: dict[str, int], action: int) -> Quantity:
    """What a unit earns with an action in a context, and nothing in another."""
    return lambda do: prod(
        (do()[name] == what for name, what in at.items()),
        start=do(**{asked.x: float(action)})[asked.y[0]],
    )


def projected(graph: ADMG, law: Factor) -> Array:
    """The table of the graph's variables, in their order, in which each depends on what screens it
    off as in `law`, and on no more.
    """
    total = Factor(law.names, law.table / law.table.sum())
    scopes = {
        name: (*(other for other in graph.nodes if other in graph.pillow(name)), name)
        for name in graph.nodes
    }
    return eliminate(
        [
            Factor(scope, conditional(eliminate([total], scope), unseen=0.0))
            for scope in scopes.values()
        ],
        graph.nodes,
    )


def nearest(payoffs: Payoffs) -> tuple[Payoffs, float]:
    """The payoffs with the nearest table that some law over response types has, and the sum of
    absolute differences to it.
    """
    rows, unknowns = payoffs.matrix.shape
    price = np.append(np.zeros(unknowns), np.ones(2 * rows))
    found = least(
        price, A_eq=np.hstack([payoffs.matrix, np.eye(rows), -np.eye(rows)]), b_eq=payoffs.vector
    )
    if found is None:  # any table will do, at a price
        raise InputError(
            "the linear programme of the nearest table was not solved; use more rows, or "
            "Manski's bounds with types=1"
        )
    return replace(payoffs, vector=payoffs.matrix @ found[:unknowns]), float(price @ found)


def _by_manski(asked: ActionEffect, law: Factor, values: Array) -> tuple[Array, str]:
    """The policy over Manski's bounds in each context;

    uniform in those that the log never shows.
    """
    table = eliminate([law], (*asked.z, asked.x, asked.y[0]))
    table = table.reshape(-1, *table.shape[-2:])
    policy = np.full(table.shape[:2], 1.0 / table.shape[1])
    for context in np.flatnonzero(table.sum((1, 2))):
        policy[context] = Payoffs.box(*manski(table[context], values).T).minimax_regret().policy[0]
    return policy, "Manski's bounds"

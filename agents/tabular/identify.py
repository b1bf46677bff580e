"""Identification:

the graph says by what formula the log tells the effect, and the formula is evaluated on the log.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import combinations
from typing import ClassVar, NamedTuple

import networkx as nx
import numpy as np
from gymnasium import spaces

from dosuite.causal import Array, Estimand, Factor, InputError
from dosuite.causal.identification import ActionEffect
from dosuite.causal.model.elimination import eliminate
from dosuite.envs import Data

from ..agent import Agent, Policy
from .back_door import BackDoor
from .counting import ValuedPolicy, abstain, counted, graph_of, table_of


@dataclass(frozen=True)
class Identify(Agent):
    """Evaluates the formula of the complete algorithm, where the graph has one; uniform where it
    has a hedge.

    Where the effect is not identified given all contexts, the agent ignores as few of them as makes
    it so. If the log has no rows where the formula needs them, an action is not taken. In worlds of
    several steps it adjusts as back-door does, and other formulas are not evaluated.

    Source: Shpitser and Pearl (2006); in selected logs Bareinboim, Tian and Pearl (2014).
    """

    name: ClassVar[str] = "identify"
    learns: ClassVar[tuple[str, ...]] = ("observe",)
    needs: ClassVar[frozenset[str]] = frozenset({"graph"})

    def learn(self, source: Data, rng: np.random.Generator) -> Policy:
        """Identify, and take the best action.

        Raises InputError if the observations or the log cannot be counted.
        """
        counted(source, self.name)
        graph = graph_of(source, self.name)
        if source.horizon > 1:
            return BackDoor().learn(replace(source, graph=graph), rng)
        contexts = ActionEffect.of_graph(graph, 1).z
        for seen in (
            some for size in range(len(contexts), -1, -1) for some in combinations(contexts, size)
        ):
            if (effect := identified_effect(source, graph, seen)) is None:
                continue
            if np.isnan(effect.means).all():
                return abstain(source, f"{effect.method}, and the log lacks rows that it needs")
            ignored = [name for name in contexts if name not in seen]
            note = effect.method + (f", ignoring {', '.join(ignored)}" if ignored else "")
            return ValuedPolicy(
                np.where(np.isnan(effect.means), -np.inf, effect.means),
                source.observation_space,
                note,
            )
        return abstain(source, "the effect is not identified")


class Effect(NamedTuple):
    """E[reward | do(action), contexts], (C, A), nan where the log lacks rows;

    and the name of the formula.
    """

    means: Array
    method: str


def identified_effect(data: Data, graph: "nx.DiGraph[str]", seen: Sequence[str]) -> Effect | None:
    """The effect of an action in one step given some of the contexts, in every context;

    None if it is not identified.
    """
    asked = ActionEffect.of_graph(graph, 1)
    estimands = replace(asked, z=tuple(seen)).answer().estimands
    if not estimands:
        return None
    law, values = law_of(data, asked)
    names = (*seen, asked.x)
    for estimand in estimands:
        found = _means(estimand, law, values, names)
        if not np.isnan(found).all():
            break
    sizes = dict(zip(law.names, law.table.shape, strict=True))
    axes = [slice(None) if name in seen else None for name in asked.z]
    whole = np.broadcast_to(found[*axes], [sizes[name] for name in (*asked.z, asked.x)])
    return Effect(whole.reshape(-1, sizes[asked.x]), f"identified by the {estimand.method} formula")


def law_of(data: Data, asked: ActionEffect) -> tuple[Factor, Array]:
    """How often all that the log has of one step occurs together, with the names of the graph, and
    the values of the reward.
    """
    columns = {
        name: _column(asked, name)
        for name in asked.graph.nodes
        if asked.graph.roles[name] in ("logged", "reward", "terminal")
    }
    table, values = table_of(data, list(columns.values()))
    space = data.observation_space
    sizes = (
        space.nvec.tolist()
        if isinstance(space, spaces.MultiDiscrete)
        else [table.shape[0]] * len(asked.z)
    )
    law = Factor((*asked.z, asked.x, *columns), table.reshape(*sizes, *table.shape[1:]))
    return law, values[list(columns).index(asked.y[0])]


def _column(asked: ActionEffect, name: str) -> str:
    role = asked.graph.roles[name]
    return {"reward": "reward", "terminal": "terminated"}.get(role, name)


def _means(estimand: Estimand, law: Factor, values: Array, names: Sequence[str]) -> Array:
    """E[reward | do(action), contexts], with the axes `names`:

    nan where the law has an empty cell that the formula needs.
    """

    def evaluated(at: dict[str, int]) -> Array:
        answer = estimand.evaluate(law, at)
        return eliminate(
            [answer, Factor(estimand.y[:1], values)], [name for name in names if name not in at]
        )

    try:
        return evaluated({})
    except InputError:
        pass
    found = np.full([law.table.shape[law.names.index(name)] for name in names], np.nan)
    for position in np.ndindex(found.shape):
        with suppress(InputError):
            found[position] = evaluated(dict(zip(names, position, strict=True)))
    return found

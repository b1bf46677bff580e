"""Identification: the formula that the graph gives for the effect, evaluated on the log."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import combinations
from typing import ClassVar, NamedTuple

import networkx as nx
import numpy as np
from gymnasium import spaces

from dosuite.causal import Array, Estimand, Factor, InputError
from dosuite.causal.identification.action_effect import ActionEffect
from dosuite.causal.model.elimination import eliminate
from dosuite.envs import Data

from ..policy import Policy
from .back_door import BackDoor
from .counting import ValuedPolicy, abstain, table_of
from .graph_agent import GraphAgent


@dataclass(frozen=True)
class Identify(GraphAgent):
    """Evaluates the formula of the complete identification algorithm; uniform if there is a hedge.

    If the effect given all contexts is not identified, the agent ignores as few contexts as
    necessary. An action for which the log lacks rows that the formula needs is not taken. At
    horizons above 1 it adjusts as `back-door` does; other formulas are not evaluated there.

    Source: Shpitser and Pearl (2006), Identification of conditional interventional distributions;
    in selected logs Bareinboim, Tian and Pearl (2014).
    """

    name: ClassVar[str] = "identify"

    def _several_steps(
        self, data: Data, graph: "nx.DiGraph[str]", rng: np.random.Generator
    ) -> Policy:
        return BackDoor().learn_from(replace(data, graph=graph), rng)

    def _one_step(self, data: Data, graph: "nx.DiGraph[str]", rng: np.random.Generator) -> Policy:
        contexts = ActionEffect.of_graph(graph, 1).z
        for kept in _largest_first(contexts):
            effect = identified_effect(data, graph, kept)
            if effect is None:
                continue
            missing = np.isnan(effect.means)
            if missing.all():
                return abstain(data, f"{effect.method}, and the log lacks rows that it needs")
            note = effect.method
            ignored = [name for name in contexts if name not in kept]
            if ignored:
                note += f", ignoring {', '.join(ignored)}"
            means = np.where(missing, -np.inf, effect.means)
            return ValuedPolicy(means, data.observation_space, note)
        return abstain(data, "the effect is not identified")


def _largest_first(names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """All subsets of some names, from all of them to none."""
    for size in range(len(names), -1, -1):
        yield from combinations(names, size)


class Effect(NamedTuple):
    """E[reward | do(action), contexts], (C, A), NaN where the log lacks rows; and its formula."""

    means: Array
    method: str  # the name of the formula, for the note


def identified_effect(
    data: Data, graph: "nx.DiGraph[str]", contexts: Sequence[str]
) -> Effect | None:
    """The effect of the action at horizon 1 given some of the contexts; None if not identified."""
    question = ActionEffect.of_graph(graph, 1)
    estimands = replace(question, z=tuple(contexts)).answer().estimands
    if not estimands:
        return None
    law, values = law_of(data, question)
    # the first formula that the log has rows for
    for estimand in estimands:
        means = _means(estimand, law, values, (*contexts, question.x))
        if not np.isnan(means).all():
            break
    # repeat the means along the contexts that are ignored
    sizes = dict(zip(law.names, law.table.shape, strict=True))
    axes = [slice(None) if name in contexts else None for name in question.z]
    shape = [sizes[name] for name in (*question.z, question.x)]
    in_all_contexts = np.broadcast_to(means[*axes], shape)
    by_action = in_all_contexts.reshape(-1, sizes[question.x])
    return Effect(by_action, f"identified by the {estimand.method} formula")


def law_of(data: Data, question: ActionEffect) -> tuple[Factor, Array]:
    """Joint counts of the logged variables of one step, by their names in the graph, and the values
    of the reward.
    """
    roles = question.graph.roles
    recorded = [
        name for name in question.graph.nodes if roles[name] in ("logged", "reward", "terminal")
    ]
    table, values = table_of(data, [_column(roles[name], name) for name in recorded])
    # one axis for each context
    space = data.observation_space
    if isinstance(space, spaces.MultiDiscrete):
        sizes = space.nvec.tolist()
    else:
        sizes = [table.shape[0]] * len(question.z)
    table = table.reshape(*sizes, *table.shape[1:])
    law = Factor((*question.z, question.x, *recorded), table)
    return law, values[recorded.index(question.y[0])]


def _column(role: str, name: str) -> str:
    """The column of a log that has a variable of the graph."""
    return {"reward": "reward", "terminal": "terminated"}.get(role, name)


def _means(estimand: Estimand, law: Factor, values: Array, names: Sequence[str]) -> Array:
    """E[reward | do(action), contexts], with the axes `names`; NaN where the law is empty.

    A formula divides by probabilities of the law, so that it raises InputError at empty cells.
    """

    def evaluated(at: dict[str, int]) -> Array:
        answer = estimand.evaluate(law, at)
        free = [name for name in names if name not in at]
        return eliminate([answer, Factor(estimand.y[:1], values)], free)

    # all cells at once, or if some are empty, cell by cell
    try:
        return evaluated({})
    except InputError:
        pass
    sizes = dict(zip(law.names, law.table.shape, strict=True))
    means = np.full([sizes[name] for name in names], np.nan)
    for position in np.ndindex(means.shape):
        with suppress(InputError):
            means[position] = evaluated(dict(zip(names, position, strict=True)))
    return means

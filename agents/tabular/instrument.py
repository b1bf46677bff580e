"""Instruments: what moves the action, and the reward by nothing else, tells a linear effect."""

from dataclasses import dataclass
from typing import ClassVar

import networkx as nx
import numpy as np

from dosuite.causal import Array, InputError
from dosuite.causal.graphs import with_role
from dosuite.causal.identification import two_stage_least_squares
from dosuite.envs import Data, as_integer

from ..agent import Agent, Policy
from .counting import ValuedPolicy, abstain, counted, counts, graph_of

RESAMPLES = 2  # the fewest; the standard error is not used


@dataclass(frozen=True)
class Instrument(Agent):
    """Two-stage least squares in each context with the first instrument of the graph; uniform where
    there is none.

    An instrument is a logged variable that the action does not cause, that depends on the action
    given the contexts, and that does not depend on the reward once the arrows out of the action are
    removed. Each value of action and instrument but the first has a column of its own, so that a
    binary action gets the ratio of Wald (1940). It is the effect only if it is the same for all
    units; else it is that on the units that the instrument moves.

    Source: Angrist and Pischke (2009), section 4.1.
    """

    name: ClassVar[str] = "iv"
    learns: ClassVar[tuple[str, ...]] = ("observe",)
    needs: ClassVar[frozenset[str]] = frozenset({"graph"})

    def learn(self, source: Data, rng: np.random.Generator) -> Policy:
        """Regress, and take the best action.

        Raises InputError if the observations cannot be counted.
        """
        counted(source, self.name)
        graph = graph_of(source, self.name)
        if source.horizon > 1:
            return abstain(source, "instruments are used in one step only")
        if not (found := instruments(graph)):
            return abstain(source, "no instrument")
        values = np.zeros(counts(source).sum(2).shape)
        context = as_integer(source.observation_space, source["observation"])
        weak = 0
        for c in np.unique(context):
            rows = context == c
            try:
                values[c] = _means(
                    source["action"][rows],
                    source["reward"][rows],
                    source[found[0]][rows],
                    values.shape[1],
                    rng,
                )
            except InputError:
                weak += 1
        note = f"instrument {found[0]}" + (
            f", which does not tell the actions apart in {weak} contexts" if weak else ""
        )
        return ValuedPolicy(values, source.observation_space, note)


def instruments(graph: "nx.DiGraph[str]") -> tuple[str, ...]:
    """The logged variables of the graph of one step that are instruments for the effect of the
    action on the reward.
    """
    (act,), (paid,) = with_role(graph, "action"), with_role(graph, "reward")
    given = {*with_role(graph, "context", "selection")}
    idle = graph.copy()
    idle.remove_edges_from(list(graph.out_edges(act)))
    return tuple(
        name
        for name in with_role(graph, "logged")
        if name not in nx.descendants(graph, act)
        and not nx.is_d_separator(graph, {name}, {act}, given)
        and nx.is_d_separator(idle, {name}, {paid}, given)
    )


def _means(
    action: Array, reward: Array, instrument: Array, actions: int, rng: np.random.Generator
) -> Array:
    """E[reward | do(action)] for each action:

    (A,). Raises InputError if the instrument does not tell all of them apart.
    """
    taken = {f"action {a}": (action == a).astype(float) for a in range(1, actions)}
    drawn = {
        f"instrument {value}": (instrument == value).astype(float)
        for value in np.unique(instrument)[1:]
    }
    log = {**taken, **drawn, "reward": reward.astype(float)}
    effects = two_stage_least_squares(
        log, list(taken), "reward", list(drawn), rng, resamples=RESAMPLES
    ).value
    base = reward.mean() - sum(
        effect * column.mean() for effect, column in zip(effects, taken.values(), strict=True)
    )
    return np.asarray(base + np.append(0.0, effects))

"""Proximal causal learning: two proxies of a hidden cause stand in for it."""

from dataclasses import dataclass
from itertools import permutations
from typing import ClassVar, NamedTuple

import networkx as nx
import numpy as np

from dosuite.causal import InputError
from dosuite.causal.graphs import with_role
from dosuite.causal.identification import proximal_means
from dosuite.envs import Data

from ..agent import Agent, Policy
from .counting import ValuedPolicy, abstain, counted, graph_of, table_of


@dataclass(frozen=True)
class Proximal(Agent):
    """The outcome bridge in each context, with the first two logged proxies of a latent that the
    graph has; else uniform.

    Given the contexts, the latent must close the back door of the action, screen the outcome's
    proxy off from action and treatment's proxy, and with the action the treatment's proxy off from
    the reward. That the proxies have at least as many values as the latent, and tell them apart,
    the graph does not say: it is taken for granted.

    Source: Miao, Geng and Tchetgen Tchetgen (2018), proposition 1.
    """

    name: ClassVar[str] = "proximal"
    learns: ClassVar[tuple[str, ...]] = ("observe",)
    needs: ClassVar[frozenset[str]] = frozenset({"graph"})

    def learn(self, source: Data, rng: np.random.Generator) -> Policy:
        """Solve for the bridge, and take the best action.

        Raises InputError if the observations or proxies cannot be counted.
        """
        counted(source, self.name)
        graph = graph_of(source, self.name)
        if source.horizon > 1:
            return abstain(source, "proxies are used in one step only")
        if (found := proxies(graph)) is None:
            return abstain(source, "no two proxies of a latent")
        table, (*_, rewards) = table_of(source, [found.treatment, found.outcome, "reward"])
        values = np.zeros(table.shape[:2])
        unsolved = 0
        for context in np.flatnonzero(table.sum((1, 2, 3, 4))):
            try:
                values[context] = proximal_means(table[context], rewards)
            except InputError:
                unsolved += 1
        note = f"{found.treatment} and {found.outcome} are proxies of {found.latent}"
        return ValuedPolicy(
            values,
            source.observation_space,
            note + (f"; no bridge in {unsolved} contexts" if unsolved else ""),
        )


class Proxies(NamedTuple):
    """A proxy of the treatment, one of the outcome, and the latent that they stand in for."""

    treatment: str
    outcome: str
    latent: str


def proxies(graph: "nx.DiGraph[str]") -> Proxies | None:
    """The first two logged variables of the graph of one step that are proxies of a latent;

    None if there are none.
    """
    (act,), (paid,) = with_role(graph, "action"), with_role(graph, "reward")
    given = {*with_role(graph, "context", "selection")}
    idle = graph.copy()
    idle.remove_edges_from(list(graph.out_edges(act)))
    for latent in with_role(graph, "latent"):
        closed = given | {latent}
        if latent in nx.descendants(graph, act) or not nx.is_d_separator(
            idle, {act}, {paid}, closed
        ):
            continue
        for z, w in permutations(with_role(graph, "logged"), 2):
            stands_in = not nx.is_d_separator(
                graph, {w}, {latent}, given
            ) and not nx.is_d_separator(graph, {z}, {latent}, given)
            if (
                stands_in
                and nx.is_d_separator(graph, {w}, {act, z}, closed)
                and nx.is_d_separator(graph, {z}, {paid}, closed | {act})
            ):
                return Proxies(z, w, latent)
    return None

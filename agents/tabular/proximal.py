"""Proximal causal learning: two proxies of a latent cause take its place."""

from dataclasses import dataclass
from itertools import permutations
from typing import ClassVar, NamedTuple

import networkx as nx
import numpy as np

from dosuite.causal import Array
from dosuite.causal.graphs import with_role
from dosuite.causal.identification import proximal_means
from dosuite.envs import Data

from ..policy import Policy
from .counting import ValuedPolicy, abstain, table_of
from .graph_agent import GraphAgent, context_by_context


@dataclass(frozen=True)
class Proximal(GraphAgent):
    """Solves for the outcome bridge in each context, with two logged proxies; else uniform.

    It takes the first two logged proxies Z (of the treatment) and W (of the outcome) of a latent U
    in the graph, such that given the contexts U closes the back door of the action A, W is
    independent of (A, Z) given U, and Z of the reward Y given (U, A). It solves
    E[Y | a, z] = sum_w h(w, a) P(w | a, z) for the bridge h; then E[Y | do(a)] is
    sum_w h(w, a) P(w). It is assumed that the proxies have at least as many values as U and
    separate them, which the graph does not say.

    Source: Miao, Geng and Tchetgen Tchetgen (2018), Identifying causal effects with proxy variables
    of an unmeasured confounder, proposition 1.
    """

    name: ClassVar[str] = "proximal"
    at_several_steps: ClassVar[str] = "proxies are used in one step only"

    def _one_step(self, data: Data, graph: "nx.DiGraph[str]", rng: np.random.Generator) -> Policy:
        pair = proxies(graph)
        if pair is None:
            return abstain(data, "no two proxies of a latent")
        table, (*_, rewards) = table_of(data, [pair.treatment, pair.outcome, "reward"])

        def means(context: int) -> Array:
            return proximal_means(table[context], rewards)

        logged = np.flatnonzero(table.sum((1, 2, 3, 4)))
        values, unsolved = context_by_context(means, logged, table.shape[:2])
        note = f"{pair.treatment} and {pair.outcome} are proxies of {pair.latent}"
        if unsolved:
            note += f"; no bridge in {unsolved} contexts"
        return ValuedPolicy(values, data.observation_space, note)


class Proxies(NamedTuple):
    """A proxy of the treatment, one of the outcome, and the latent that they are proxies of."""

    treatment: str
    outcome: str
    latent: str


def proxies(graph: "nx.DiGraph[str]") -> Proxies | None:
    """The first two logged proxies of a latent in a one-step graph; None if there are none."""
    (action,), (reward,) = with_role(graph, "action"), with_role(graph, "reward")
    given = {*with_role(graph, "context", "selection")}
    without_effects = graph.copy()
    without_effects.remove_edges_from(list(graph.out_edges(action)))
    for latent in with_role(graph, "latent"):
        # with the contexts, the latent must close the back door of the action
        closed = given | {latent}
        is_effect = latent in nx.descendants(graph, action)
        if is_effect or not nx.is_d_separator(without_effects, {action}, {reward}, closed):
            continue
        for z, w in permutations(with_role(graph, "logged"), 2):
            depend_on_latent = not (
                nx.is_d_separator(graph, {w}, {latent}, given)
                or nx.is_d_separator(graph, {z}, {latent}, given)
            )
            if (
                depend_on_latent
                and nx.is_d_separator(graph, {w}, {action, z}, closed)
                and nx.is_d_separator(graph, {z}, {reward}, closed | {action})
            ):
                return Proxies(z, w, latent)
    return None

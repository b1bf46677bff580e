"""What tabular agents that use the causal graph share."""

from abc import abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar

import networkx as nx
import numpy as np

from dosuite.causal import Array, InputError
from dosuite.envs import Data

from ..agent import OfflineAgent
from ..policy import Policy
from .counting import abstain, check_countable, graph_of


@dataclass(frozen=True)
class GraphAgent(OfflineAgent):
    """Base class: estimates a formula of the causal graph from counts, for horizon 1.

    `at_several_steps` is the reason why it plays uniformly at horizons above 1.
    """

    learns: ClassVar[tuple[str, ...]] = ("observe",)
    needs: ClassVar[frozenset[str]] = frozenset({"graph"})
    at_several_steps: ClassVar[str] = "the graph is used in one step only"

    def learn_from(self, source: Data, rng: np.random.Generator) -> Policy:
        """Learn from a log with its graph.

        Raises InputError if there is no graph, or if observations or columns cannot be counted.
        """
        check_countable(source, self.name)
        graph = graph_of(source, self.name)
        if source.horizon > 1:
            return self._several_steps(source, graph, rng)
        return self._one_step(source, graph, rng)

    @abstractmethod
    def _one_step(self, data: Data, graph: "nx.DiGraph[str]", rng: np.random.Generator) -> Policy:
        """Learn at horizon 1."""

    def _several_steps(
        self, data: Data, graph: "nx.DiGraph[str]", rng: np.random.Generator
    ) -> Policy:
        """Learn at horizons above 1."""
        return abstain(data, self.at_several_steps)


def context_by_context(
    means: Callable[[int], Array], contexts: Iterable[int], shape: tuple[int, ...]
) -> tuple[Array, int]:
    """The means of all actions in each context, (C, A), and the number of contexts that failed.

    A context fails if `means(context)`, which gives (A,), raises InputError. There, and in
    contexts that are not listed, the means are 0.
    """
    values, failed = np.zeros(shape), 0
    for context in contexts:
        try:
            values[context] = means(context)
        except InputError:
            failed += 1
    return values, failed

"""Counting:

the decision process that a log shows, where observations are few. It goes piece by piece, for a log
need not fit in memory.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import networkx as nx
import numpy as np
from scipy import sparse

from dosuite.causal import Array, InputError
from dosuite.causal.exact import Process, greedy
from dosuite.causal.model.elimination import check_size
from dosuite.envs import Data, Space, as_integer, cells, choices

from ..agent import TabularPolicy

MOST_DENSE = 2**20  # entries of a table of transitions; larger ones are sparse
MOST_CELLS = 10_000  # observations that are counted; above, a network learns


class Strata:
    """The values that some columns take together in a log, as one integer each, ascending;

    0 if there are no columns.
    """

    def __init__(self, data: Data, names: Sequence[str] = ()):
        self._levels: list[tuple[str, Array, Array]] = []
        self.count = 1
        for name in names:
            values = _distinct(part[name] for part in data.chunks())
            pairs = _distinct(_pair(self.of(part), values, part[name]) for part in data.chunks())
            self._levels.append((name, values, pairs))
            self.count = len(pairs)

    def of(self, part: Data) -> Array:
        """The stratum of each row: (n,), from 0 to count - 1."""
        stratum = np.zeros(len(part), dtype=np.int64)
        for name, values, pairs in self._levels:
            stratum = np.searchsorted(pairs, _pair(stratum, values, part[name]))
        return stratum

    @property
    def values(self) -> tuple[Array, ...]:
        """The values of each column, ascending."""
        return tuple(values for _, values, _ in self._levels)

    @property
    def places(self) -> Array:
        """The position of each stratum's values among those of each column: (count, columns)."""
        found, stratum = [], np.arange(self.count)
        for _, values, pairs in reversed(self._levels):
            stratum, place = np.divmod(pairs[stratum], len(values))
            found.append(place)
        return np.stack(found[::-1], axis=1) if found else np.zeros((1, 0), dtype=np.int64)


class ValuedPolicy(TabularPolicy):
    """A policy that knows what its actions are worth, (C, A), and no process;

    it takes the best. What is unknown is worth -inf.
    """

    def __init__(self, values: Array, over: Space, note: str = ""):
        super().__init__(greedy(values), over, note=note)
        self.values = self._values = values


def _pair(stratum: Array, values: Array, column: Array) -> Array:
    return stratum * len(values) + np.searchsorted(values, column)


def _distinct(columns: Iterable[Array]) -> Array:
    found = np.array([], dtype=np.int8)
    for column in columns:
        found = np.unique(np.concatenate([found, np.unique(column)]))
    return found


def is_tabular(data: Data) -> bool:
    """Whether the observations are few enough to count."""
    count = cells(data.observation_space)
    return count is not None and count <= MOST_CELLS


def size_of(space: Space, name: str) -> int:
    """How many observations a space has.

    Raises InputError if the agent `name` cannot count them.
    """
    count = cells(space)
    if count is None or count > MOST_CELLS:
        raise InputError(
            f"{name} counts: it needs a discrete observation space of at most {MOST_CELLS} "
            "observations"
        )
    return count


def counted(data: Data, name: str) -> None:
    """Raise InputError if the agent `name` cannot count the observations."""
    size_of(data.observation_space, name)


def graph_of(data: Data, name: str) -> "nx.DiGraph[str]":
    """The graph that the agent `name` was handed, in which what the log lacks is latent.

    Raises InputError if there is none.
    """
    if data.graph is None:
        raise InputError(f"{name} needs the graph, and got a log without one")
    graph = data.graph.copy()
    for node, about in graph.nodes.items():
        if about["role"] == "logged" and node not in data.logged:
            about["role"] = "latent"
    return graph


def abstain(data: Data, why: str) -> TabularPolicy:
    """The uniform policy, and a note that says why."""
    contexts, actions, _ = _shape(data, Strata(data))
    return TabularPolicy(
        np.full((contexts, actions), 1.0 / actions),
        data.observation_space,
        note=f"{why}: plays uniformly",
    )


def table_of(data: Data, names: Sequence[str]) -> tuple[Array, tuple[Array, ...]]:
    """How often contexts, actions and the values of some columns occur together, (C, A, *values),
    and the values of each column.

    Raises TooLargeError if the table would be too large.
    """
    strata = Strata(data, names)
    sizes = (*_shape(data, Strata(data))[:2], *(len(values) for values in strata.values))
    check_size(sizes, f"counting {', '.join(names)}")
    table = np.zeros(sizes)
    table[(slice(None), slice(None), *strata.places.T)] = counts(data, strata)
    return table, strata.values


def counts(data: Data, strata: Strata | None = None) -> Array:
    """How often each action was taken in each context and stratum:

    (C, A, strata); all rows are one stratum if none are given.
    """
    strata = strata or Strata(data)
    count = np.zeros(_shape(data, strata), dtype=np.int64)
    for part in data.chunks():
        np.add.at(count.reshape(-1), _cell(part, strata), 1)
    return count


def process_of(data: Data, strata: Strata | None = None) -> Process:
    """The process that the log shows; with strata, the one after adjusting for them: P(stratum | context) is kept.

    Sums over strata E[. | context, action, stratum] P(stratum | context), the back-door formula (Pearl, Causality, 2009,
    theorem 3.3.2). Strata without data of an action are left out.
    """
    strata = strata or Strata(data)
    count = counts(data, strata)
    reward, following, start = _sums(data, strata)
    share = count.sum(1) / np.maximum(
        count.sum((1, 2))[:, None], 1
    )  # P(stratum | context), (C, strata)
    weight = np.where(count > 0, share[:, None, :], 0.0)
    covered = weight.sum(2, keepdims=True)
    weight = weight / np.where(covered > 0, covered, 1.0) / np.maximum(count, 1)
    return Process(
        reward=(weight * reward).sum(2),
        transition=_weighted(following, weight),
        visits=count.sum(2).astype(float),
        start=start / start.sum(),
        horizon=data.horizon,
        discount=data.discount,
    )


def _weighted(following: sparse.csr_array, weight: Array) -> Any:
    """Weighted sums over strata of how often each context came next:

    (C, A, C), or sparse (C * A, C) if that is large.
    """
    contexts, actions, strata = weight.shape
    pair = np.arange(weight.size) // strata
    summed = (
        sparse.csr_array(
            (weight.ravel(), (pair, np.arange(weight.size))), (contexts * actions, weight.size)
        )
        @ following
    )
    return (
        summed.toarray().reshape(contexts, actions, contexts)
        if contexts**2 * actions <= MOST_DENSE
        else summed
    )


def _sums(data: Data, strata: Strata) -> tuple[Array, sparse.csr_array, Array]:
    """The sum of rewards (C, A, strata), how often each context came next (C * A * strata, C), and
    how often one began (C,).
    """
    contexts, _, _ = shape = _shape(data, strata)
    reward, start = np.zeros(shape), np.zeros(contexts, dtype=np.int64)
    following = sparse.csr_array((reward.size, contexts))
    for part in data.chunks():
        cell, going_on = _cell(part, strata), ~part["terminated"]
        c, c_next = (
            as_integer(data.observation_space, part[name])
            for name in ("observation", "next_observation")
        )
        np.add.at(reward.reshape(-1), cell, part["reward"])
        following = following + sparse.csr_array(
            (np.ones(going_on.sum()), (cell[going_on], c_next[going_on])), following.shape
        )
        np.add.at(start, c[part["step"] == 0], 1)
    return reward, following, start


def uncovered(data: Data, strata: Strata) -> Array:
    """The share of each context's rows whose stratum has no data with the action: (C, A)."""
    count = counts(data, strata)
    missing = np.where(count == 0, count.sum(1, keepdims=True), 0).sum(2)
    return np.asarray(missing / np.maximum(count.sum((1, 2))[:, None], 1))


def _shape(data: Data, strata: Strata) -> tuple[int, int, int]:
    return cells(data.observation_space) or 0, choices(data.action_space), strata.count


def _cell(part: Data, strata: Strata) -> Array:
    """Context, action and stratum of each row as one integer."""
    return np.ravel_multi_index(
        (as_integer(part.observation_space, part["observation"]), part["action"], strata.of(part)),
        _shape(part, strata),
    )

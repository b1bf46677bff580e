"""Counts and relative frequencies of a log with few observations, as a decision process.

Everything is read chunk by chunk, since a log need not fit in memory.
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

from ..policy import TabularPolicy

MOST_DENSE = 2**20  # entries of a table of transitions; larger tables are sparse
MOST_CELLS = 10_000  # observations that are counted; above, a network learns


class Strata:
    """The joint values of some columns of a log, numbered in ascending order.

    Without columns there is one stratum, 0.
    """

    def __init__(self, data: Data, names: Sequence[str] = ()):
        # for each column: its name, its values, and the logged pairs of the stratum so far and the
        # position of the value, coded as one integer; the rank of a pair is the next stratum
        self._levels: list[tuple[str, Array, Array]] = []
        self.count = 1
        for name in names:
            values = _distinct(part[name] for part in data.chunks())
            logged = (_pair(self.of(part), values, part[name]) for part in data.chunks())
            pairs = _distinct(logged)
            self._levels.append((name, values, pairs))
            self.count = len(pairs)

    def of(self, part: Data) -> Array:
        """The stratum of each row, 0 to count - 1: (n,)."""
        stratum = np.zeros(len(part), dtype=np.int64)
        for name, values, pairs in self._levels:
            stratum = np.searchsorted(pairs, _pair(stratum, values, part[name]))
        return stratum

    @property
    def values(self) -> tuple[Array, ...]:
        """The distinct values of each column, ascending."""
        return tuple(values for _, values, _ in self._levels)

    @property
    def positions(self) -> Array:
        """Each stratum's value of each column, as a position: (count, columns)."""
        if not self._levels:
            return np.zeros((1, 0), dtype=np.int64)
        positions, stratum = [], np.arange(self.count)
        for _, values, pairs in reversed(self._levels):
            stratum, position = np.divmod(pairs[stratum], len(values))
            positions.append(position)
        return np.stack(positions[::-1], axis=1)


class ValuedPolicy(TabularPolicy):
    """A greedy policy with a table of action values, (C, A), and no process.

    The value of an unknown action is -inf.
    """

    def __init__(self, values: Array, over: Space, note: str = ""):
        super().__init__(greedy(values), over, note=note)
        self.values = self._values = values


def _pair(stratum: Array, values: Array, column: Array) -> Array:
    return stratum * len(values) + np.searchsorted(values, column)


def _distinct(columns: Iterable[Array]) -> Array:
    """The distinct values of a column that comes in chunks, ascending."""
    values = np.array([], dtype=np.int8)
    for column in columns:
        values = np.unique(np.concatenate([values, np.unique(column)]))
    return values


def is_tabular(data: Data) -> bool:
    """Whether the observations are few enough to count."""
    count = cells(data.observation_space)
    return count is not None and count <= MOST_CELLS


def size_of(space: Space, name: str) -> int:
    """The number of observations of a space.

    Raises InputError if there are too many to count for the agent `name`.
    """
    count = cells(space)
    if count is None or count > MOST_CELLS:
        raise InputError(
            f"{name} counts: it needs a discrete observation space of at most {MOST_CELLS} "
            "observations"
        )
    return count


def check_countable(data: Data, name: str) -> None:
    """Raise InputError if there are too many observations to count for the agent `name`."""
    size_of(data.observation_space, name)


def graph_of(data: Data, name: str) -> "nx.DiGraph[str]":
    """The graph of a log, in which logged variables that the log lacks are latent.

    Raises InputError if the log came without a graph, which the agent `name` needs.
    """
    if data.graph is None:
        raise InputError(f"{name} needs the graph, and got a log without one")
    graph = data.graph.copy()
    for node, attributes in graph.nodes.items():
        if attributes["role"] == "logged" and node not in data.logged:
            attributes["role"] = "latent"
    return graph


def abstain(data: Data, why: str) -> TabularPolicy:
    """The uniform policy, with the reason in its note."""
    contexts, actions, _ = _shape(data, Strata(data))
    table = np.full((contexts, actions), 1.0 / actions)
    return TabularPolicy(table, data.observation_space, note=f"{why}: plays uniformly")


def table_of(data: Data, names: Sequence[str]) -> tuple[Array, tuple[Array, ...]]:
    """Joint counts of contexts, actions and some columns, and the values of each column.

    The counts are (C, A, *numbers of values). Raises TooLargeError if this table is too large.
    """
    strata = Strata(data, names)
    contexts, actions, _ = _shape(data, strata)
    sizes = (contexts, actions, *(len(values) for values in strata.values))
    check_size(sizes, f"counting {', '.join(names)}")
    table = np.zeros(sizes)
    everywhere = slice(None)
    table[everywhere, everywhere, *strata.positions.T] = counts(data, strata)
    return table, strata.values


def counts(data: Data, strata: Strata | None = None) -> Array:
    """The number of rows of each context, action and stratum: (C, A, strata).

    Without strata all rows are one stratum.
    """
    strata = strata or Strata(data)
    count = np.zeros(_shape(data, strata), dtype=np.int64)
    for part in data.chunks():
        np.add.at(count.reshape(-1), _cell(part, strata), 1)
    return count


def process_of(data: Data, strata: Strata | None = None) -> Process:
    """The decision process of relative frequencies in a log; with strata, adjusted for them.

    With strata s, rewards and transitions are sum_s E[. | c, a, s] P(s | c), the back-door formula
    (Pearl, Causality, 2009, theorem 3.3.2). Strata without rows of an action are left out of its
    sum, and the weights of the others are normalised.
    """
    strata = strata or Strata(data)
    count = counts(data, strata)
    reward, following, start = _sums(data, strata)
    # P(s | c), (C, strata)
    rows_of_context = count.sum((1, 2))[:, None]
    share = count.sum(1) / np.maximum(rows_of_context, 1)
    # the weight of a row in a stratum: P(s | c) over the strata with data, divided by its rows
    weight = np.where(count > 0, share[:, None, :], 0.0)
    covered = weight.sum(2, keepdims=True)
    normaliser = np.where(covered > 0, covered, 1.0)
    weight = weight / normaliser / np.maximum(count, 1)
    return Process(
        reward=(weight * reward).sum(2),
        transition=_weighted(following, weight),
        visits=count.sum(2).astype(float),
        start=start / start.sum(),
        horizon=data.horizon,
        discount=data.discount,
    )


def _weighted(following: sparse.csr_array, weight: Array) -> Any:
    """Sums over strata of the counts of next contexts, weighted: (C, A, C).

    If that is large, it is a sparse matrix (C * A, C).
    """
    contexts, actions, strata = weight.shape
    # a sparse matrix (C * A, C * A * strata) that sums the strata of each pair
    column = np.arange(weight.size)
    pair = column // strata
    weights = sparse.csr_array((weight.ravel(), (pair, column)), (contexts * actions, weight.size))
    summed = weights @ following
    if contexts**2 * actions > MOST_DENSE:
        return summed
    return summed.toarray().reshape(contexts, actions, contexts)


def _sums(data: Data, strata: Strata) -> tuple[Array, sparse.csr_array, Array]:
    """Sums of rewards (C, A, strata), counts of next contexts (C * A * strata, C), and counts of
    first contexts (C,).
    """
    contexts, _, _ = shape = _shape(data, strata)
    space = data.observation_space
    reward, start = np.zeros(shape), np.zeros(contexts, dtype=np.int64)
    following = sparse.csr_array((reward.size, contexts))
    for part in data.chunks():
        cell, going_on = _cell(part, strata), ~part["terminated"]
        context = as_integer(space, part["observation"])
        next_context = as_integer(space, part["next_observation"])
        np.add.at(reward.reshape(-1), cell, part["reward"])
        ones = np.ones(going_on.sum())
        entries = cell[going_on], next_context[going_on]
        following = following + sparse.csr_array((ones, entries), following.shape)
        np.add.at(start, context[part["step"] == 0], 1)
    return reward, following, start


def uncovered(data: Data, strata: Strata) -> Array:
    """The fraction of each context's rows whose stratum has no row with the action: (C, A)."""
    count = counts(data, strata)
    rows_of_stratum = count.sum(1, keepdims=True)
    missing = np.where(count == 0, rows_of_stratum, 0).sum(2)
    rows_of_context = count.sum((1, 2))[:, None]
    return np.asarray(missing / np.maximum(rows_of_context, 1))


def _shape(data: Data, strata: Strata) -> tuple[int, int, int]:
    return cells(data.observation_space) or 0, choices(data.action_space), strata.count


def _cell(part: Data, strata: Strata) -> Array:
    """Context, action and stratum of each row as one integer."""
    context = as_integer(part.observation_space, part["observation"])
    triple = context, part["action"], strata.of(part)
    return np.ravel_multi_index(triple, _shape(part, strata))

"""A large model as a Markov chain over its reachable states, with sparse transitions."""

import numpy as np

from ..arrays import Array, Floats, Integers
from ..model.scm import SCM
from ..model.structure import Columns
from .decision_process import Process
from .reachable import reachable_states

MOST_EDGES = 2**21  # transitions, or pairs of a state and an action


class SparseChain:
    """A Markov chain with the answers of `Chain`, for models with too many states for a table.

    An open-loop chain leaves the behaviour policy out, and policies are multiplied in. A closed one
    is the log, without burn-in. One-step models with @selection have no such chain, and need none.

    Raises TooLargeError if there are more than 2**21 transitions, and NotDiscreteError if a
    variable is continuous.
    """

    def __init__(self, model: SCM, open_loop: bool):
        from scipy import sparse  # slow to import

        self.model, self.open_loop = model, open_loop
        self.recorded = 1.0  # the share of episodes that the log keeps
        supports = {name: model.tables.support(name) for name in (*model.contexts, model.action)}
        self._sizes = tuple(len(supports[name]) for name in model.contexts)
        contexts, actions = int(np.prod(self._sizes)), len(supports[model.action])
        self.shape = contexts, actions, 1

        names = model.names("reward", "terminal")
        reachable = reachable_states(
            model, names, supports[model.action], MOST_EDGES, closed=not open_loop
        )
        edges, start = reachable.transitions, reachable.start
        largest = max(reachable.next_state.max(), reachable.start_state.max())
        self.rows = int(largest) + 1  # states

        # The context that each state shows, and the distribution of the first state.
        self._context = np.zeros(self.rows, np.int64)
        self._context[reachable.start_state] = self._cells(start.columns)
        self._context[reachable.next_state] = self._cells(edges.columns)
        self.start = np.bincount(reachable.start_state, start.weight, self.rows)

        # By pair of state and action: probability of the action, expected reward, next state.
        pairs = self.rows * actions
        taken = np.bincount(edges.origin, edges.weight, pairs)
        self._taken = taken.reshape(self.rows, actions)  # 1 in an open loop, else the propensity
        reward = edges.columns[model.reward]
        self._gain = np.bincount(edges.origin, edges.weight * reward, pairs)
        alive = _alive(model, edges.columns, edges.weight)
        place = edges.origin, reachable.next_state
        self._move = sparse.csr_array((alive, place), (pairs, self.rows))

    def _cells(self, columns: Columns) -> Integers:
        """The row-major number of the contexts in each row of columns: (n,)."""
        indices = []
        for name in self.model.contexts:
            indices.append(np.searchsorted(self.model.tables.support(name), columns[name]))
        if not indices:
            return np.zeros(1, np.int64)
        return np.ravel_multi_index(tuple(indices), self._sizes)

    def values(self, policies: Floats) -> Floats:
        """The expected discounted return of each of P policies: (P, C, A) to (P,).

        A closed chain takes ones.
        """
        return np.array([self._value(policy[self._context]) for policy in policies])

    def _value(self, policy: Floats) -> float:
        """Backward induction under a policy over states, (S, A)."""
        later = np.zeros(self.rows)
        for _ in range(self.model.horizon):
            values = self._gain + self.model.discount * (self._move @ later)
            later = (policy * values.reshape(policy.shape)).sum(1)
        return float(self.start @ later)

    def most_within(self, low: Floats, high: Floats) -> Floats:
        """The greatest return if each state and step may choose between `low` and `high`.

        Both are (B, C, A), for B boxes of policies that each contain a distribution in every
        context; the returns are (B,). No memoryless policy in a box has a greater return.
        """
        base, room = low[:, self._context], (high - low)[:, self._context]  # (B, S, A)
        spare = 1.0 - base.sum(-1, keepdims=True)
        later = np.zeros((self.rows, len(low)))
        for _ in range(self.model.horizon):
            values = self._gain[:, None] + self.model.discount * (self._move @ later)
            values = values.T.reshape(room.shape)
            # give what is spare to the actions in the order of their values
            order = np.argsort(-values, axis=-1)
            rooms = np.take_along_axis(room, order, -1)
            before = np.cumsum(rooms, -1) - rooms
            shares = np.clip(spare - before, 0.0, rooms)
            gains = base * values + shares * np.take_along_axis(values, order, -1)
            later = gains.sum(-1).T
        return np.asarray(self.start @ later)

    def process(self, policy: Floats) -> Process:
        """The decision process in the context that `policy` (C, A) records, pooled over steps."""
        from scipy import sparse  # slow to import

        contexts, actions, _ = self.shape
        acting = policy[self._context]  # (S, A)

        # Forwards: the expected number of recorded visits to each state.
        burn_in = 0 if self.open_loop else self.model.burn_in
        now, occupancy = self.start, np.zeros(self.rows)
        for step in range(burn_in + self.model.horizon):
            if step >= burn_in:
                occupancy += now
            now = (now[:, None] * acting).ravel() @ self._move
        weight = (occupancy[:, None] * acting).ravel()  # of each pair of state and action

        # Add up pairs whose states show the same context.
        cells = contexts * actions
        cell = (self._context[:, None] * actions + np.arange(actions)).ravel()
        visits = np.bincount(cell, weight * self._taken.ravel(), cells).astype(float)
        gain = np.bincount(cell, weight * self._gain, cells)
        edges = self._move.tocoo()
        amount = weight[edges.row] * edges.data
        place = cell[edges.row], self._context[edges.col]
        total = sparse.csr_array((amount, place), (cells, contexts))

        divide = np.where(visits > 0, visits, 1.0)
        shape = contexts, actions
        return Process(
            reward=(gain / divide).reshape(shape),
            transition=sparse.csr_array(sparse.diags_array(1.0 / divide) @ total),
            visits=visits.reshape(shape),
            start=np.bincount(self._context, self.start, contexts).astype(float),
            horizon=self.model.horizon,
            discount=self.model.discount,
        )


def _alive(model: SCM, columns: Columns, weight: Array) -> Array:
    """The probability of each transition with those that end the episode set to 0."""
    ends = [columns[name] == 1 for name in model.names("terminal")]
    return weight * (1.0 - np.any(ends, axis=0)) if ends else weight

"""A large model as a Markov chain of the rows that are reached:

what comes of each is a short list, and no table.
"""

import numpy as np

from ..arrays import Floats, Integers
from ..model.scm import SCM
from .decision_process import Process
from .reachable import walk

MOST_EDGES = 2**21  # things that can come of a step, rows and actions taken together


class SparseChain:
    """A model as a Markov chain, with the answers of `exact.Chain`; its states are the rows of a
    walk.

    An open-loop chain leaves the behaviour policy out: policies are multiplied in. A closed one is
    the log, without burn-in a faithful copy of the episodes of the environment. One-step models
    with @selection have no such chain, and need none.

    Raises TooLargeError if more than 2**21 things can come of a step, and NotDiscreteError if a
    variable is continuous."""

    def __init__(self, model: SCM, open_loop: bool):
        self.model, self.open_loop, self.recorded = model, open_loop, 1.0
        supports = {name: model.tables.support(name) for name in (*model.contexts, model.action)}
        self._sizes = tuple(len(supports[name]) for name in model.contexts)
        contexts, actions = int(np.prod(self._sizes)), len(supports[model.action])
        self.shape = contexts, actions, 1
        found = walk(
            model,
            model.names("reward", "terminal"),
            supports[model.action],
            MOST_EDGES,
            closed=not open_loop,
        )
        atoms, self.rows = found.steps, int(max(found.following.max(), found.start_row.max())) + 1
        self._context = np.zeros(self.rows, np.int64)
        self._context[found.start_row] = self._place(found.start.columns)
        self._context[found.following] = self._place(atoms.columns)
        self.start = np.bincount(found.start_row, found.start.weight, self.rows)
        ended = [atoms.columns[name] == 1 for name in model.names("terminal")]
        going_on = atoms.weight * (1.0 - np.any(ended, axis=0)) if ended else atoms.weight
        pair, pairs = atoms.origin, self.rows * actions
        self._seen = np.bincount(pair, atoms.weight, pairs).reshape(
            self.rows, actions
        )  # in a closed chain the propensity
        self._gain = np.bincount(pair, atoms.weight * atoms.columns[model.reward], pairs)
        from scipy import sparse  # slow to import

        self._move = sparse.csr_array((going_on, (pair, found.following)), (pairs, self.rows))

    def _place(self, columns: dict[str, Floats]) -> Integers:
        """The place of each row's context in row-major order."""
        supports = [self.model.tables.support(name) for name in self.model.contexts]
        places = tuple(
            np.searchsorted(values, columns[name])
            for name, values in zip(self.model.contexts, supports, strict=True)
        )
        return np.ravel_multi_index(places, self._sizes) if places else np.zeros(1, np.int64)

    def values(self, policies: Floats) -> Floats:
        """The expected discounted return of each of P policies:

        (P, C, A) to (P,). A closed chain takes ones.
        """
        return np.array([self._value(policy[self._context]) for policy in policies])

    def _value(self, policy: Floats) -> float:
        later = np.zeros(self.rows)
        for _ in range(self.model.horizon):
            later = (
                policy
                * (self._gain + self.model.discount * (self._move @ later)).reshape(policy.shape)
            ).sum(1)
        return float(self.start @ later)

    def process(self, policy: Floats) -> Process:
        """What is recorded after each action in each context, pooled over all steps, when `policy`
        (C, A) acts.
        """
        contexts, actions, _ = self.shape
        acting = policy[self._context]
        burn_in = 0 if self.open_loop else self.model.burn_in
        now, occupancy = self.start, np.zeros(self.rows)
        for step in range(burn_in + self.model.horizon):
            occupancy += now if step >= burn_in else 0.0
            now = (now[:, None] * acting).ravel() @ self._move
        weight = (occupancy[:, None] * acting).ravel()
        cell = (
            self._context[:, None] * actions + np.arange(actions)
        ).ravel()  # of each pair of row and action
        visits: Floats = np.bincount(cell, weight * self._seen.ravel(), contexts * actions).astype(
            float
        )
        gain = np.bincount(cell, weight * self._gain, contexts * actions)
        edges = self._move.tocoo()
        amount, place = weight[edges.row] * edges.data, (cell[edges.row], self._context[edges.col])
        divide: Floats = np.where(visits > 0, visits, 1.0)
        from scipy import sparse  # slow to import

        transition = sparse.csr_array(
            sparse.diags_array(1.0 / divide)
            @ sparse.csr_array((amount, place), (contexts * actions, contexts))
        )
        start: Floats = np.bincount(self._context, self.start, contexts).astype(float)
        shape = contexts, actions
        return Process(
            (gain / divide).reshape(shape),
            transition,
            visits.reshape(shape),
            start,
            self.model.horizon,
            self.model.discount,
        )

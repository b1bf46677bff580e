"""Mechanisms that are tables."""

from dataclasses import dataclass

import numpy as np

from ..arrays import Array, Floats
from ..errors import InputError
from ..graphs.step_graph import LAG
from .distributions import Categorical, Distribution, tidy
from .scm import SCM


@dataclass(frozen=True)
class Lookup:
    """A mechanism that is a table:

    the probabilities (rows, k) of k values, a row for each value of the causes, row-major.
    """

    causes: tuple[str, ...]
    supports: tuple[tuple[float, ...], ...]  # the values of each cause, ascending
    table: tuple[tuple[float, ...], ...]
    values: tuple[float, ...]  # ascending

    def __call__(self, *causes: Array) -> Distribution:
        """The law, given arrays of the causes' values.

        Raises InputError at a value that the table does not have.
        """
        table = np.asarray(self.table)
        if not causes:
            return Categorical(table[0], np.asarray(self.values))
        rows = []
        for name, values, cause in zip(self.causes, self.supports, causes, strict=True):
            rows.append(np.minimum(np.searchsorted(values, cause), len(values) - 1))
            if (np.asarray(values)[rows[-1]] != tidy(cause)).any():
                raise InputError(
                    f"the table has no row for a value of {name}; its values are {values}"
                )
        row = np.ravel_multi_index(tuple(rows), [len(values) for values in self.supports])
        return Categorical(table[row], np.asarray(self.values))


def lookup(model: SCM, name: str, causes: tuple[str, ...], table: Array) -> Lookup:
    """A table (rows, k) as a mechanism of the variable `name`: a row for each value of the causes,
    a column for each of its own.

    The causes may be one step earlier; rows are in row-major order.
    """
    supports = tuple(
        tuple(model.tables.support(cause.removesuffix(LAG)).tolist()) for cause in causes
    )
    return Lookup(
        causes,
        supports,
        tuple(map(tuple, np.asarray(table, float).tolist())),
        tuple(model.tables.support(name).tolist()),
    )


def policy_lookup(model: SCM, policy: Floats) -> Lookup:
    """A memoryless policy (C, A) as a mechanism of the action."""
    return lookup(model, model.action, model.contexts, policy)

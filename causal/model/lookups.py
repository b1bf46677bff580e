"""Mechanisms that are given as tables."""

import math
from dataclasses import dataclass

import numpy as np

from ..arrays import Array, Floats, numeric
from ..errors import InputError, did_you_mean
from ..graphs.names import as_names
from ..graphs.step_graph import LAG
from .distributions import Categorical, Distribution, tidy
from .scm import SCM


@dataclass(frozen=True)
class Lookup:
    """A mechanism that looks up the probabilities of a variable's k values in a table.

    The table has shape (rows, k); its rows are the values of the causes in row-major order."""

    causes: tuple[str, ...]
    supports: tuple[tuple[float, ...], ...]  # the values of each cause, ascending
    table: tuple[tuple[float, ...], ...]
    values: tuple[float, ...]  # of the variable, ascending

    def __call__(self, *causes: Array) -> Distribution:
        """The law, given arrays of the causes' values.

        Raises InputError at a value that the table does not have."""
        table, values = np.asarray(self.table), np.asarray(self.values)
        if not causes:
            return Categorical(table[0], values)
        indices = []
        for name, support, cause in zip(self.causes, self.supports, causes, strict=True):
            index = np.minimum(np.searchsorted(support, cause), len(support) - 1)
            if (np.asarray(support)[index] != tidy(cause)).any():
                raise InputError(
                    f"the table has no row for a value of {name}; its values are {support}"
                )
            indices.append(index)
        shape = [len(support) for support in self.supports]
        row = np.ravel_multi_index(tuple(indices), shape)
        return Categorical(table[row], values)


def lookup(model: SCM, name: str, causes: tuple[str, ...], table: Array) -> Lookup:
    """A table of probabilities as a mechanism of the variable `name`.

    `table` has shape (rows, k): the values of the causes in row-major order, and the k values of
    the variable, as in `model.tables.support`. Causes may be one step earlier (`x_tm1`)."""
    causes = as_names(causes)
    for known in (name, *causes):
        if known.removesuffix(LAG) not in model.variables:
            raise InputError(
                f"{known!r} is not a variable of {type(model).__name__}; "
                f"{did_you_mean(known, model.variables)}"
            )
    supports = []
    for cause in causes:
        support = model.tables.support(cause.removesuffix(LAG))
        supports.append(tuple(support.tolist()))
    values = tuple(model.tables.support(name).tolist())
    shape = (math.prod(len(support) for support in supports), len(values))
    entries = numeric(table, f"the table of {name}", axes=2)
    if entries.shape != shape:
        raise InputError(
            f"the table of {name} has a row for each value of its causes and a column for each of "
            f"its own, {shape}, and got {entries.shape}"
        )
    rows = tuple(tuple(row) for row in entries.tolist())
    return Lookup(causes, tuple(supports), rows, values)


def policy_lookup(model: SCM, policy: Floats) -> Lookup:
    """A memoryless policy, shape (contexts, actions), as a mechanism of the action."""
    return lookup(model, model.action, model.contexts, policy)

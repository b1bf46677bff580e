"""The laws from which the variables of a batch are sampled, by look-up where this is faster."""

from collections.abc import Sequence
from functools import cached_property
from math import prod

import numpy as np

from ..arrays import Array
from ..errors import NotDiscreteError
from ..graphs.step_graph import LAG
from .distributions import Distribution
from .mechanisms import Mechanism
from .supports import Supports

MOST_LOOKUPS = 2**15  # cells of a table that still fits the processor's cache
UNSIGNED = {size: np.dtype(f"u{size}") for size in (1, 2, 4, 8)}  # by bytes


def below(values: Array, size: int) -> bool:
    """Whether all values are integers from 0 to `size` - 1."""
    if values.dtype.kind not in "iub":
        return False
    # Read as unsigned, a negative integer is a large one: one comparison tests both ends.
    unsigned = values.view(UNSIGNED[values.itemsize])
    return bool(unsigned.max(initial=0) < size)


class SamplingLaws:
    """The law of each variable given the values of its causes in a batch."""

    def __init__(self, supports: Supports):
        self._supports = supports
        self._variables = supports.model.variables

    def law(
        self, name: str, first: bool, causes: Sequence[Array]
    ) -> tuple[Distribution, Array | None]:
        """The law of a variable and, for each unit, the row of the law's parameters that is its
        own; the rows are None if row i belongs to unit i.

        The law comes from `lookups` if these have the variable and the causes' values, and else
        from the mechanism. `first` says whether this is the first step."""
        law, sizes = self.lookups.get((name, first), (None, ()))
        if law is None or not all(map(below, causes, sizes)):
            variable = self._variables[name]
            mechanism = variable.first if first else variable.later
            return mechanism.law(*causes), None
        rows: Array | None = None
        for cause, size in zip(causes, sizes, strict=True):
            rows = cause.astype(np.int64, copy=False) if rows is None else rows * size + cause
        return law, rows

    @cached_property
    def lookups(self) -> dict[tuple[str, bool], tuple[Distribution, tuple[int, ...]]]:
        """By variable and whether it is the first step: its law on the grid of its causes, and the
        shape of the grid.

        It holds the variables whose causes count 0, 1, ... on a small grid: for these a look-up is
        faster than the mechanism."""
        lookups = {}
        for name, variable in self._variables.items():
            for first, mechanism in ((True, variable.first), (False, variable.later)):
                if not self._causes_are_counts(mechanism):
                    continue
                law = self._supports.law(name, mechanism)
                sizes = self._supports.sizes(mechanism)
                support = law.support()
                values = 1 if support is None else len(support)
                if prod(sizes) * values <= MOST_LOOKUPS:
                    lookups[name, first] = law, sizes
        return lookups

    def _causes_are_counts(self, mechanism: Mechanism) -> bool:
        try:
            supports = [self._supports.of(cause.removesuffix(LAG)) for cause in mechanism.causes]
        except NotDiscreteError:
            return False
        for values in supports:
            if values.dtype.kind != "i" or not np.array_equal(values, np.arange(len(values))):
                return False
        return True

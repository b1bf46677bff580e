"""The support of every variable of a discrete model: the values that it can take at some step."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache

import numpy as np

from ..arrays import Array
from ..errors import NotDiscreteError
from ..graphs.step_graph import LAG
from .distributions import Distribution, tidy
from .elimination import check_size
from .mechanisms import Mechanism
from .probes import call, check_repeatable
from .structure import Structure


class Supports:
    """The supports of a model's variables, and the laws of mechanisms on the grid of their causes.

    They are computed when they are first needed."""

    def __init__(self, model: Structure):
        self.model = model

    def of(self, name: str) -> Array:
        """The values that a variable can take at some step, ascending.

        Raises NotDiscreteError if the variable or one of its causes is continuous, and
        TooLargeError if it has more than 2**25 values."""
        supports = self._of_causes()
        return supports[name] if name in supports else self._values(name, supports)

    def law(self, name: str, mechanism: Mechanism) -> Distribution:
        """The law of a variable on the grid of all values of its causes, flattened in row-major
        order.

        Raises NotDiscreteError if a cause is continuous, and InputError if the mechanism does not
        return one law for each cell of the grid."""
        supports = self._of_causes() if mechanism.causes else {}
        return self._law(name, mechanism, supports)

    def check_repeatable(self, name: str, mechanism: Mechanism) -> None:
        """Call a mechanism again for some values of its causes.

        Raises as `law` does, and InputError if it gives another law."""
        where = f"{type(self.model).__name__}.{name}"
        causes = [cause.removesuffix(LAG) for cause in mechanism.causes]
        columns = _grid([self.of(cause) for cause in causes])
        check_repeatable(where, mechanism, columns, self.law(name, mechanism))

    @cached_property
    def unedited(self) -> "Supports":
        """The supports of the model without interventions and shifts."""
        return shared_supports(replace(self.model, edits=()))

    @property
    def are_finite(self) -> bool:
        """Whether no variable that causes something or is observed is continuous."""
        return not isinstance(self._closure, str)

    def sizes(self, mechanism: Mechanism) -> tuple[int, ...]:
        """The number of values of each cause: the shape of the grid."""
        return tuple(len(self.of(cause.removesuffix(LAG))) for cause in mechanism.causes)

    def _of_causes(self) -> Mapping[str, Array]:
        """The supports of all variables that cause something or are observed."""
        if isinstance(self._closure, str):
            raise NotDiscreteError(self._closure)
        return self._closure

    @cached_property
    def _closure(self) -> dict[str, Array] | str:
        """The supports of `_of_causes`; or, if there are none, the message that says why, because
        it is expensive to find out."""
        try:
            return self._closed_over_time()
        except NotDiscreteError as error:
            return str(error)

    def _closed_over_time(self) -> dict[str, Array]:
        """The supports of all variables that cause something or are observed, over all steps."""
        model = self.model
        observed = {*model.contexts, model.action}
        tabulated = set(observed)
        for variable in model.variables.values():
            for cause in variable.first.causes + variable.later.causes:
                tabulated.add(cause.removesuffix(LAG))

        # After an intervention or a shift, observations and actions have at least the values that
        # they have without edits, so that policies of the one model apply to the other.
        supports: dict[str, Array] = {}
        if model.edits:
            supports = {name: self.unedited.of(name) for name in observed}

        # Propagate the supports through one step after the other, until nothing changes. The last
        # round is for the observation that follows the last step.
        for _ in range(model.burn_in + model.horizon + 1):
            sizes = {name: len(values) for name, values in supports.items()}
            for name in model.order:
                if name in tabulated:
                    supports[name] = self._values(name, supports)
                if name in observed:
                    supports[name] = without_gaps(supports[name])
            if sizes == {name: len(values) for name, values in supports.items()}:
                break
        return supports

    def _values(self, name: str, supports: Mapping[str, Array]) -> Array:
        """The values of a variable, given the supports of its causes: those so far, and what its
        mechanisms add. A mechanism whose causes have no support yet adds nothing."""
        kind = type(self.model).__name__
        variable = self.model.variables[name]
        values = [supports[name]] if name in supports else []
        for mechanism in dict.fromkeys((variable.first, variable.later)):
            if not all(cause.removesuffix(LAG) in supports for cause in mechanism.causes):
                continue
            support = self._law(name, mechanism, supports).support()
            if support is None:
                raise NotDiscreteError(
                    f"{kind}.{name} is continuous, and exact answers need finitely many values"
                )
            values.append(support)
        union = np.unique(tidy(np.concatenate(values)))
        check_size([len(union)], f"the support of {kind}.{name}")
        return union

    def _law(self, name: str, mechanism: Mechanism, supports: Mapping[str, Array]) -> Distribution:
        where = f"{type(self.model).__name__}.{name}"
        columns = [supports[cause.removesuffix(LAG)] for cause in mechanism.causes]
        sizes = [len(column) for column in columns]
        check_size(sizes, where)
        return call(where, mechanism, _grid(columns))


@lru_cache(maxsize=512)
def shared_supports(model: Structure) -> Supports:
    """The supports of a model; equal models share them."""
    return Supports(model)


def without_gaps(values: Array) -> Array:
    """Counts from 0 to the largest, if the values are counts.

    What the log never contains can be done all the same, and be observed elsewhere."""
    if values.dtype.kind in "iub" and values[0] >= 0:
        return np.arange(values[-1] + 1)
    return values


def _grid(columns: Sequence[Array]) -> list[Array]:
    """All joint values of the causes in row-major order: one new array for each cause."""
    return [axis.ravel() for axis in np.meshgrid(*columns, indexing="ij")]

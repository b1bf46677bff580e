"""A discrete model as one table for each variable:

its law given its causes, at the first step and later.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache

import networkx as nx
import numpy as np

from ..arrays import Array
from ..errors import InputError, NotDiscreteError
from ..graphs.step_graph import LAG
from .distributions import Distribution, tidy
from .elimination import Factor, Steps, carry_out, check_size, plan
from .structure import Mechanism, Structure

Question = tuple[
    tuple[str, ...], bool, tuple[tuple[str, ...], ...], tuple[str, ...], str
]  # what `slice` is asked
MOST_LOOKUPS = 2**15  # cells of a law that is looked up, few enough for the cache
UNSIGNED = {size: np.dtype(f"u{size}") for size in (1, 2, 4, 8)}  # by bytes


def below(values: Array, size: int) -> bool:
    """Whether all values are whole numbers from 0 to `size` - 1."""
    if values.dtype.kind not in "iub":
        return False
    return bool(
        values.view(UNSIGNED[values.itemsize]).max(initial=0) < size
    )  # a negative number is a large one


class Tables:
    """The conditional probability tables of a model, built when they are asked for."""

    def __init__(self, model: Structure):
        self.model = model
        lags = {lag for variable in model.variables.values() for lag in variable.lags}
        self.carried = tuple(name for name in model.variables if name in lags)

    def check(self) -> None:
        """Raise InputError if a mechanism is not a law: the error names the variable."""
        for name, variable in self.model.variables.items():
            try:
                for mechanism in {variable.first, variable.later}:
                    self._law(name, mechanism)
                if variable.role in ("terminal", "selection") and not set(self.support(name)) <= {
                    0,
                    1,
                }:
                    raise InputError(
                        f"{type(self.model).__name__}.{name} must be 0 or 1, and takes "
                        f"{self.support(name).tolist()}"
                    )
            except NotDiscreteError:
                pass  # nothing to tabulate

    def support(self, name: str) -> Array:
        """The values that a variable can take, ascending.

        Raises NotDiscreteError if it or a cause of it is continuous.
        """
        return self._inner[name] if name in self._inner else self._values(name, self._inner)

    @property
    def _inner(self) -> dict[str, Array]:
        """The supports of the variables that cause something, closed under the passing of time.

        Raises NotDiscreteError.
        """
        if isinstance(self._supports, str):
            raise NotDiscreteError(self._supports)
        return self._supports

    @cached_property
    def _supports(self) -> dict[str, Array] | str:
        """The same, or why there are none: to find out takes its time."""
        try:
            return self._closed_supports()
        except NotDiscreteError as error:
            return str(error)

    def _closed_supports(self) -> dict[str, Array]:
        model = self.model
        causes = {
            c.removesuffix(LAG)
            for v in model.variables.values()
            for c in v.first.causes + v.later.causes
        }
        observed = {*model.contexts, model.action}
        unedited = (
            shared(replace(model, edits=())) if model.edits else None
        )  # a shift does not change the spaces
        supports: dict[str, Array] = (
            {name: unedited.support(name) for name in observed} if unedited else {}
        )
        for _ in range(
            model.burn_in + model.horizon + 1
        ):  # steps, and the observation after the last
            before = {name: len(values) for name, values in supports.items()}
            for name in model.order:
                if name in causes | observed:
                    supports[name] = self._values(name, supports)
                if (
                    name in observed
                    and supports[name].dtype.kind in "iub"
                    and supports[name][0] >= 0
                ):
                    supports[name] = np.arange(
                        supports[name][-1] + 1
                    )  # what the log never has can be done, and seen elsewhere
            if before == {name: len(values) for name, values in supports.items()}:
                break
        return supports

    def _values(self, name: str, supports: Mapping[str, Array]) -> Array:
        variable = self.model.variables[name]
        values = [supports[name]] if name in supports else []
        for mechanism in dict.fromkeys((variable.first, variable.later)):
            if all(cause.removesuffix(LAG) in supports for cause in mechanism.causes):
                support = self._law(name, mechanism, supports).support()
                if support is None:
                    raise NotDiscreteError(
                        f"{type(self.model).__name__}.{name} is continuous, and exact answers "
                        "need finitely many values"
                    )
                values.append(support)
        union = np.unique(tidy(np.concatenate(values)))
        check_size([len(union)], f"the support of {type(self.model).__name__}.{name}")
        return union

    def _law(
        self, name: str, mechanism: Mechanism, supports: Mapping[str, Array] | None = None
    ) -> Distribution:
        """The law on the grid of all values of the causes, flattened in row-major order."""
        columns = [(supports or self._inner)[cause.removesuffix(LAG)] for cause in mechanism.causes]
        where = f"{type(self.model).__name__}.{name}"
        check_size([len(column) for column in columns], where)
        grid = [axis.ravel() for axis in np.meshgrid(*columns, indexing="ij")]
        try:
            law = mechanism.law(*grid)
        except InputError as error:
            raise type(error)(f"{where}: {error}") from None
        if not isinstance(law, Distribution):
            raise InputError(
                f"{where} must return a distribution, such as Bernoulli(p) or Exactly(value), "
                f"and returned {law!r}"
            )
        rows, shape = int(np.prod([len(column) for column in columns])), law.batch_shape
        if shape not in ((), (1,), (rows,)):
            raise InputError(
                f"{where} must give one law for each of {rows} units, and gave laws of shape "
                f"{shape}"
            )
        return law

    def law(
        self, name: str, first: bool, causes: Sequence[Array]
    ) -> tuple[Distribution, Array | None]:
        """The law of a variable for each unit, given its causes; or a law for each row of a table,
        and the row of each unit.

        A table is what is looked up where there is one, and has the values; else the mechanism is
        asked."""
        variable = self.model.variables[name]
        law, sizes = self.lookups.get((name, first), (None, ()))
        if law is None or not all(map(below, causes, sizes)):
            return (variable.first if first else variable.later).law(*causes), None
        rows: Array | None = None
        for cause, size in zip(causes, sizes, strict=True):
            rows = cause.astype(np.int64, copy=False) if rows is None else rows * size + cause
        return law, rows

    @cached_property
    def lookups(self) -> dict[tuple[str, bool], tuple[Distribution, tuple[int, ...]]]:
        """The law of a variable, at the first step or later, on the grid of its causes, and the
        sizes of this grid.

        Only where every cause takes the values 0, 1, ... of a small grid: for these a look-up is
        quicker than the mechanism."""
        found = {}
        for name, variable in self.model.variables.items():
            for first, mechanism in ((True, variable.first), (False, variable.later)):
                if (sizes := self._sizes(mechanism)) is not None:
                    law = self._law(name, mechanism)
                    support = law.support()
                    if np.prod(sizes) * (1 if support is None else len(support)) <= MOST_LOOKUPS:
                        found[name, first] = law, sizes
        return found

    def _sizes(self, mechanism: Mechanism) -> tuple[int, ...] | None:
        try:
            supports = [self.support(cause.removesuffix(LAG)) for cause in mechanism.causes]
        except NotDiscreteError:
            return None
        counting = all(
            values.dtype.kind == "i" and np.array_equal(values, np.arange(len(values)))
            for values in supports
        )
        return tuple(len(values) for values in supports) if counting else None

    @cached_property
    def _factors(self) -> dict[tuple[str, bool, bool], Factor]:
        return {}

    def factor(self, name: str, first: bool, mean: bool = False) -> Factor:
        """P(name | causes) with axes (causes, name), or E[name | causes] with axes (causes), at the
        first step or later.
        """
        key = (name, first, mean)
        if key not in self._factors:
            variable = self.model.variables[name]
            mechanism = variable.first if first else variable.later
            law = self._law(name, mechanism)
            sizes = [len(self._inner[cause.removesuffix(LAG)]) for cause in mechanism.causes]
            cells = int(np.prod(sizes))
            if mean:
                self._factors[key] = Factor(
                    mechanism.causes, np.broadcast_to(law.mean(), (cells,)).reshape(sizes)
                )
            else:
                support = self.support(name)
                check_size([cells, len(support)], f"{type(self.model).__name__}.{name}")
                table = np.broadcast_to(law.probability(support), (cells, len(support)))
                self._factors[key] = Factor(
                    (*mechanism.causes, name), table.reshape(*sizes, len(support))
                )
        return self._factors[key]

    def slice(
        self,
        keep: tuple[str, ...],
        first: bool,
        extra: tuple[Factor, ...] = (),
        cut: tuple[str, ...] = (),
        mean: str = "",
    ) -> Array:
        """The sum over one step of the product of its tables and the `extra` ones: one axis for
        each of `keep`.

        Names one step earlier may be kept. The mechanisms of `cut` are left out: P(the rest | do(cut)). With `mean` the values
        of that variable are a factor too.
        """
        question = (keep, first, tuple([factor.names for factor in extra]), cut, mean)
        steps, own = self._plans.get(question) or self._plans.setdefault(
            question, self._plan(*question)
        )
        return carry_out(steps, [*own, *[factor.table for factor in extra]])

    @cached_property
    def _plans(self) -> dict[Question, tuple[Steps, list[Array]]]:
        return {}

    def _plan(
        self,
        keep: tuple[str, ...],
        first: bool,
        extra: tuple[tuple[str, ...], ...],
        cut: tuple[str, ...],
        mean: str,
    ) -> tuple[Steps, list[Array]]:
        """How to answer a question, and the tables that it takes beside the `extra` ones, of which
        the names tell enough.
        """
        graph = self.model.graph.copy()
        graph.remove_edges_from(list(graph.in_edges(cut)))

        def with_causes(names: Iterable[str]) -> set[str]:
            asked = {name for name in names if name in self.model.variables}
            return asked.union(*(nx.ancestors(graph, name) for name in asked))

        needed = with_causes((*keep, *(name for names in extra for name in names)))
        values = []
        if mean:
            values = [
                Factor((mean,), self.support(mean))
                if mean in (*needed, *cut)
                else self.factor(mean, first, mean=True)
            ]
            needed |= with_causes(values[0].names)
        own = [
            self.factor(name, first)
            for name in self.model.order
            if name in needed and name not in cut
        ] + values
        present = {name for names in (*(factor.names for factor in own), *extra) for name in names}
        own += [Factor((name,), np.ones(self._size(name))) for name in keep if name not in present]
        own += (
            [Factor((), np.ones(()))] if len(own) + len(extra) < 2 else []
        )  # a product, or the answer could be one of our tables
        given = [
            Factor(names, np.broadcast_to(0.0, [self._size(name) for name in names]))
            for names in extra
        ]
        return plan([*own, *given], keep), [factor.table for factor in own]

    def _size(self, name: str) -> int:
        return len(self.support(name.removesuffix(LAG)))

    def indicator(self, name: str, value: float) -> Factor:
        """The table that is 1 where `name` has the value, as evidence.

        Raises InputError if it never has it.
        """
        table = (self.support(name) == tidy(np.asarray(value))).astype(float)
        if not table.any():
            raise InputError(
                f"{name} is never {value:g}; its values are {self.support(name).tolist()}"
            )
        return Factor((name,), table)

    def message(self, step: int, held: tuple[str, ...] = ()) -> tuple[Factor, ...]:
        """The law of what the step carries over from the step before, among episodes that have not
        ended.

        It is under do(held), the same at every step: with axes for these too, and a table that
        keeps each of them as it is."""
        message: tuple[Factor, ...] = ()
        for earlier in range(step):
            message = self.passed_on(message, earlier == 0, held)
        return message

    def passed_on(
        self, message: tuple[Factor, ...], first: bool, held: tuple[str, ...] = ()
    ) -> tuple[Factor, ...]:
        """The law of what a step carries over to the next, for episodes that do not end, from the
        law of what was carried to it.
        """
        carried = tuple(dict.fromkeys((*self.carried, *held)))
        table = self.slice(carried, first, (*self.alive, *message), held)
        still = (Factor((name + LAG, name), np.eye(self._size(name))) for name in held)
        return (Factor(tuple(name + LAG for name in carried), table), *still)

    @cached_property
    def alive(self) -> tuple[Factor, ...]:
        """The evidence that the episode does not end after this step."""
        return tuple(
            Factor((name,), (self.support(name) == 0).astype(float))
            for name in self.model.names("terminal")
        )

    @cached_property
    def recorded(self) -> tuple[Factor, ...]:
        """The evidence that the log keeps the row."""
        return tuple(
            Factor((name,), (self.support(name) == 1).astype(float))
            for name in self.model.names("selection")
        )


@lru_cache(maxsize=512)
def shared(model: Structure) -> Tables:
    """The tables of a model that has not kept them yet."""
    return Tables(model)

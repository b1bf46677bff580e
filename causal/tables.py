"""A discrete model as one table for each variable: its law given its causes, at the first step and later."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cached_property, lru_cache

import networkx as nx
import numpy as np

from .distributions import Array, Distribution, tidy
from .elimination import Factor, check_size, eliminate
from .errors import InputError, NotDiscreteError
from .graph import LAG
from .scm import SCM, Mechanism


class Tables:
    """The conditional probability tables of a model, built when they are asked for."""

    def __init__(self, model: SCM):
        self.model = model
        lags = {lag for variable in model.variables.values() for lag in variable.lags}
        self.carried = tuple(name for name in model.variables if name in lags)

    def check(self) -> None:
        """Raise InputError if a mechanism is not a law: the error names the variable."""
        for name, variable in self.model.variables.items():
            try:
                for mechanism in {variable.first, variable.later}:
                    self._law(name, mechanism)
                if variable.role in ("terminal", "selection") and not set(self.support(name)) <= {0, 1}:
                    raise InputError(f"{type(self.model).__name__}.{name} must be 0 or 1, and takes {self.support(name).tolist()}")
            except NotDiscreteError:
                pass  # nothing to tabulate

    def support(self, name: str) -> Array:
        """The values that a variable can take, ascending. Raises NotDiscreteError if it or a cause of it is continuous."""
        return self._inner[name] if name in self._inner else self._values(name, self._inner)

    @cached_property
    def _inner(self) -> dict[str, Array]:
        """The supports of the variables that cause something, closed under the passing of time."""
        model = self.model
        causes = {c.removesuffix(LAG) for v in model.variables.values() for c in v.first.causes + v.later.causes}
        observed = {*model.contexts, model.action}
        unedited = tables(replace(model, edits=())) if model.edits else None  # a shift does not change the spaces
        supports: dict[str, Array] = {name: unedited.support(name) for name in observed} if unedited else {}
        for _ in range(model.burn_in + model.horizon + 1):  # steps, and the observation after the last
            before = {name: len(values) for name, values in supports.items()}
            for name in model.order:
                if name in causes | observed:
                    supports[name] = self._values(name, supports)
            if before == {name: len(values) for name, values in supports.items()}:
                break
        for name in observed:
            if supports[name].dtype.kind in "iub" and supports[name][0] >= 0:
                supports[name] = np.arange(supports[name][-1] + 1)
        return supports

    def _values(self, name: str, supports: Mapping[str, Array]) -> Array:
        variable = self.model.variables[name]
        values = [supports[name]] if name in supports else []
        for mechanism in dict.fromkeys((variable.first, variable.later)):
            if all(cause.removesuffix(LAG) in supports for cause in mechanism.causes):
                support = self._law(name, mechanism, supports).support()
                if support is None:
                    raise NotDiscreteError(f"{type(self.model).__name__}.{name} is continuous, and exact answers need finitely many values")
                values.append(support)
        union = np.unique(np.concatenate(values))
        check_size([len(union)], f"the support of {type(self.model).__name__}.{name}")
        return union

    def _law(self, name: str, mechanism: Mechanism, supports: Mapping[str, Array] | None = None) -> Distribution:
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
            raise InputError(f"{where} must return a distribution, such as Bernoulli(p) or Exactly(value), and returned {law!r}")
        rows, shape = int(np.prod([len(column) for column in columns])), law.mean().shape
        if shape not in ((), (1,), (rows,)):
            raise InputError(f"{where} must give one law for each of {rows} units, and gave laws of shape {shape}")
        return law

    @cached_property
    def _factors(self) -> dict[tuple[str, bool, bool], Factor]:
        return {}

    def factor(self, name: str, first: bool, mean: bool = False) -> Factor:
        """P(name | causes) with axes (causes, name), or E[name | causes] with axes (causes), at the first step or later."""
        key = (name, first, mean)
        if key not in self._factors:
            variable = self.model.variables[name]
            mechanism = variable.first if first else variable.later
            law = self._law(name, mechanism)
            sizes = [len(self._inner[cause.removesuffix(LAG)]) for cause in mechanism.causes]
            cells = int(np.prod(sizes))
            if mean:
                self._factors[key] = Factor(mechanism.causes, np.broadcast_to(law.mean(), (cells,)).reshape(sizes))
            else:
                support = self.support(name)
                check_size([cells, len(support)], f"{type(self.model).__name__}.{name}")
                table = np.broadcast_to(law.probability(support), (cells, len(support)))
                self._factors[key] = Factor((*mechanism.causes, name), table.reshape(*sizes, len(support)))
        return self._factors[key]

    def slice(self, keep: tuple[str, ...], first: bool, extra: tuple[Factor, ...] = (), open_loop: bool = False, mean: str = "") -> Array:
        """The sum over one step of the product of its tables and the `extra` ones: one axis for each of `keep`.

        Names one step earlier may be kept. With `open_loop` the behaviour policy is left out: P(the rest | do(action)). With
        `mean` the values of that variable are a factor too.
        """
        model = self.model
        graph = model.graph.copy()
        if open_loop:
            graph.remove_edges_from(list(graph.in_edges(model.action)))

        def with_causes(names: Iterable[str]) -> set[str]:
            asked = {name for name in names if name in model.variables}
            return asked.union(*(nx.ancestors(graph, name) for name in asked))

        needed = with_causes((*keep, *(name for factor in extra for name in factor.names)))
        if mean:
            values = Factor((mean,), self.support(mean)) if mean in needed else self.factor(mean, first, mean=True)
            extra, needed = (*extra, values), needed | with_causes(values.names)
        factors = [self.factor(name, first) for name in model.order if name in needed and not (open_loop and name == model.action)]
        present = {name for factor in (*factors, *extra) for name in factor.names}
        blank = [Factor((name,), np.ones(len(self.support(name.removesuffix(LAG))))) for name in keep if name not in present]
        return eliminate([*factors, *extra, *blank, Factor((), np.ones(()))], keep)

    def indicator(self, name: str, value: float) -> Factor:
        """The table that is 1 where `name` has the value, as evidence. Raises InputError if it never has it."""
        table = (self.support(name) == tidy(np.asarray(value))).astype(float)
        if not table.any():
            raise InputError(f"{name} is never {value:g}; its values are {self.support(name).tolist()}")
        return Factor((name,), table)

    def message(self, step: int) -> tuple[Factor, ...]:
        """The law of what the step carries over from the step before, among episodes that have not ended."""
        message: tuple[Factor, ...] = ()
        for earlier in range(step):
            message = self.passed_on(message, first=earlier == 0)
        return message

    def passed_on(self, message: tuple[Factor, ...], first: bool) -> tuple[Factor, ...]:
        """The law of what a step carries over to the next, for episodes that do not end, from the law of what was carried to it."""
        table = self.slice(self.carried, first, extra=(*self.alive, *message))
        return (Factor(tuple(name + LAG for name in self.carried), table),)

    @property
    def alive(self) -> tuple[Factor, ...]:
        """The evidence that the episode does not end after this step."""
        return tuple(Factor((name,), (self.support(name) == 0).astype(float)) for name in self.model.names("terminal"))

    @property
    def recorded(self) -> tuple[Factor, ...]:
        """The evidence that the log keeps the row."""
        return tuple(Factor((name,), (self.support(name) == 1).astype(float)) for name in self.model.names("selection"))


@lru_cache(maxsize=512)
def tables(model: SCM) -> Tables:
    """The tables of a model."""
    return Tables(model)

"""A discrete model as conditional probability tables, and sums of their products over one step."""

from functools import cached_property, lru_cache
from math import prod

import networkx as nx
import numpy as np

from ..arrays import Array
from ..errors import InputError
from ..graphs.step_graph import LAG
from .distributions import tidy
from .elimination import Factor, Steps, carry_out, check_size, plan
from .mechanisms import Mechanism
from .sampling_laws import SamplingLaws
from .structure import Structure
from .supports import shared_supports

Names = tuple[str, ...]
# What determines how `Tables.slice` computes its answer: keep, first, the names of each extra
# factor, cut and mean.
Request = tuple[Names, bool, tuple[Names, ...], Names, str]


class Tables:
    """The conditional probability tables of a discrete model, computed when first needed.

    A factor's axes are named after variables; `x_tm1` is the axis of x one step earlier. Methods
    raise NotDiscreteError if a variable that they need is continuous, and TooLargeError if a table
    would have more than 2**25 entries."""

    def __init__(self, model: Structure):
        self.model = model
        self.supports = shared_supports(model)
        self.sampling = SamplingLaws(self.supports)
        lags = {lag for variable in model.variables.values() for lag in variable.lags}
        self.carried = tuple(name for name in model.variables if name in lags)
        self._factors: dict[tuple[str, bool], Factor] = {}
        self._mean_factors: dict[tuple[str, bool], Factor] = {}
        self._plans: dict[Request, tuple[Steps, list[Array]]] = {}

    def support(self, name: str) -> Array:
        """The values that a variable can take at some step, ascending."""
        return self.supports.of(name)

    # Factors of one variable

    def factor(self, name: str, first: bool) -> Factor:
        """P(name | causes), at the first step or at later ones: axes (*causes, name)."""
        if (name, first) not in self._factors:
            mechanism = self._mechanism(name, first)
            law, sizes = self.supports.law(name, mechanism), self.supports.sizes(mechanism)
            shape = (*sizes, len(self.support(name)))
            check_size(shape, f"{type(self.model).__name__}.{name}")
            probability = law.probability(self.support(name))
            table = np.broadcast_to(probability, (prod(sizes), shape[-1])).reshape(shape)
            self._factors[name, first] = Factor((*mechanism.causes, name), table)
        return self._factors[name, first]

    def mean_factor(self, name: str, first: bool) -> Factor:
        """E[name | causes], at the first step or at later ones: axes (*causes,)."""
        if (name, first) not in self._mean_factors:
            mechanism = self._mechanism(name, first)
            law, sizes = self.supports.law(name, mechanism), self.supports.sizes(mechanism)
            table = np.broadcast_to(law.mean(), (prod(sizes),)).reshape(sizes)
            self._mean_factors[name, first] = Factor(mechanism.causes, table)
        return self._mean_factors[name, first]

    def indicator(self, name: str, value: float) -> Factor:
        """The factor of the evidence `name` = `value`: 1 at this value, else 0.

        Raises InputError if the variable never has the value."""
        table = self._is(name, value)
        if not table.any():
            raise InputError(
                f"{name} is never {value:g}; its values are {self.support(name).tolist()}"
            )
        return Factor((name,), table)

    @cached_property
    def alive(self) -> tuple[Factor, ...]:
        """The evidence that the episode does not end after this step."""
        names = self.model.names("terminal")
        return tuple(Factor((name,), self._is(name, 0.0)) for name in names)

    @cached_property
    def recorded(self) -> tuple[Factor, ...]:
        """The evidence that the log keeps the row."""
        names = self.model.names("selection")
        return tuple(Factor((name,), self._is(name, 1.0)) for name in names)

    def _mechanism(self, name: str, first: bool) -> Mechanism:
        variable = self.model.variables[name]
        return variable.first if first else variable.later

    def _is(self, name: str, value: float) -> Array:
        return np.asarray(self.support(name) == tidy(np.asarray(value)), dtype=float)

    def _size(self, name: str) -> int:
        return len(self.support(name.removesuffix(LAG)))

    # Products over one step

    def slice(
        self,
        keep: Names,
        first: bool,
        extra: tuple[Factor, ...] = (),
        cut: Names = (),
        mean: str = "",
    ) -> Array:
        """The product of the factors of one step and of `extra`, summed over all variables but
        `keep`: one axis for each of `keep`.

        With the message from the step before in `extra` this is P(keep, the episode reaches the
        step); factors of evidence add the evidence. Variables one step earlier may be kept. The
        factors of `cut` are left out, as under do(cut). With `mean` the value of that variable is a
        factor too, which gives E[mean; keep]."""
        request = (keep, first, tuple([factor.names for factor in extra]), cut, mean)
        if request not in self._plans:
            self._plans[request] = self._plan(*request)
        steps, own = self._plans[request]
        return carry_out(steps, [*own, *[factor.table for factor in extra]])

    def _plan(
        self, keep: Names, first: bool, extra: tuple[Names, ...], cut: Names, mean: str
    ) -> tuple[Steps, list[Array]]:
        """How to answer a request, and the tables that this takes besides the `extra` ones."""
        own = self._needed(keep, first, extra, cut, mean)

        # A kept variable that no factor has is an axis along which the answer is constant.
        present = {name for names in extra for name in names}
        for factor in own:
            present.update(factor.names)
        for name in keep:
            if name not in present:
                own.append(Factor((name,), np.ones(self._size(name))))

        # Multiply at least two tables, for a single one could be handed out itself.
        if len(own) + len(extra) < 2:
            own.append(Factor((), np.ones(())))

        # The plan depends on the extra factors' names and sizes, not on their numbers.
        blanks = []
        for names in extra:
            sizes = [self._size(name) for name in names]
            blanks.append(Factor(names, np.broadcast_to(0.0, sizes)))
        return plan([*own, *blanks], keep), [factor.table for factor in own]

    def _needed(
        self, keep: Names, first: bool, extra: tuple[Names, ...], cut: Names, mean: str
    ) -> list[Factor]:
        """The factors of the step that bear on the answer: those of what is kept, of what the extra
        factors name, and of all their causes. The others sum to 1."""
        graph = self.model.graph.copy()
        graph.remove_edges_from(list(graph.in_edges(cut)))
        needed = self._with_causes(graph, keep)
        for names in extra:
            needed |= self._with_causes(graph, names)

        # If the mean's own law is needed or cut, its values are a factor; else its expectation
        # given its causes is smaller.
        means = []
        if mean and (mean in needed or mean in cut):
            means.append(Factor((mean,), self.support(mean)))
        elif mean:
            means.append(self.mean_factor(mean, first))
        for factor in means:
            needed |= self._with_causes(graph, factor.names)

        wanted = [name for name in self.model.order if name in needed and name not in cut]
        return [self.factor(name, first) for name in wanted] + means

    def _with_causes(self, graph: "nx.DiGraph[str]", names: Names) -> set[str]:
        """The variables of the step among the names, and all their ancestors."""
        variables = {name for name in names if name in self.model.variables}
        return variables.union(*(nx.ancestors(graph, name) for name in variables))

    # Messages from step to step

    def message(self, step: int, held: Names = ()) -> tuple[Factor, ...]:
        """The joint law of the variables that step `step` takes over from the step before, and of
        the event that the episode reaches it; no factor if `step` is 0.

        Under do(held) at every step, the held variables are extra axes, carried by identity
        factors."""
        message: tuple[Factor, ...] = ()
        for earlier in range(step):
            message = self.passed_on(message, earlier == 0, held)
        return message

    def passed_on(
        self, message: tuple[Factor, ...], first: bool, held: Names = ()
    ) -> tuple[Factor, ...]:
        """The message to the next step, for episodes that do not end, from the message to this."""
        carried = tuple(dict.fromkeys((*self.carried, *held)))
        table = self.slice(carried, first, (*self.alive, *message), held)
        factors = [Factor(tuple(name + LAG for name in carried), table)]
        for name in held:
            factors.append(Factor((name + LAG, name), np.eye(self._size(name))))
        return tuple(factors)


@lru_cache(maxsize=512)
def shared(model: Structure) -> Tables:
    """The tables of a model; equal models share them."""
    return Tables(model)

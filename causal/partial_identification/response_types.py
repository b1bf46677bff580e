"""Response types: a discrete model with hidden confounding as a law over all that a unit could do.

A response type of a variable is a function from the values of its parents to its own. Variables
that share latents form a district, whose units have a type for each of them; every model with the
same graph is a law over these types, one for each district, and its table pins the law down to the
solutions of linear equations.

Source: Balke and Pearl (1997), section 3; the equations of a district are its c-factor (Tian and
Pearl, 2002, section 4)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations, product
from math import prod

import numpy as np

from ..arrays import Array, Floats
from ..errors import InputError, TooLargeError, did_you_mean
from ..exact.queries import distribution
from ..graphs.admg import ADMG, checked, observed_effects
from ..model.elimination import Factor, check_size, conditional, eliminate
from ..model.scm import SCM
from ..tolerances import PROBABILITY_MISFIT

MOST_TYPES = 2**16  # of a district


@dataclass(frozen=True, eq=False)
class ResponseTypes:
    """A table of observed variables and their graph: the parents of each, and which of them each
    latent reaches.

    The table has an axis for each variable, in the order of `parents`, and may be of counts.
    Variables take the values `supports`, ascending, or else 0 to k-1. Raises InputError if the
    parts do not fit or the table breaks an independence of the graph, and TooLargeError if a
    district has more than 2**16 types."""

    parents: Mapping[str, tuple[str, ...]]
    latents: Sequence[Sequence[str]]
    table: Array
    supports: Mapping[str, Array] = field(default_factory=dict)

    @staticmethod
    def of(
        graph: ADMG, table: Array, supports: Mapping[str, Array] | None = None
    ) -> "ResponseTypes":
        """The types of a graph, in the order of its nodes. Each bidirected edge is a latent of its
        own.

        The edges do not tell whether a latent is shared by three variables; where one is, name it
        in `latents` instead."""
        parents = {
            name: tuple(cause for cause in graph.nodes if (cause, name) in graph.directed)
            for name in graph.nodes
        }
        return ResponseTypes(parents, sorted(graph.bidirected), table, supports or {})

    def __post_init__(self) -> None:
        _check(self)
        object.__setattr__(self, "table", np.asarray(self.table, dtype=float) / np.sum(self.table))
        sizes = dict(zip(self.parents, np.shape(self.table), strict=True))
        object.__setattr__(
            self,
            "supports",
            {name: np.asarray(self.supports.get(name, np.arange(k))) for name, k in sizes.items()},
        )
        for name, values in self.supports.items():
            if values.shape != (sizes[name],) or (np.diff(values) <= 0).any():
                raise InputError(
                    f"{name} needs {sizes[name]} ascending values, and got {values.tolist()}"
                )
        for district in self.districts:
            district.check()
        self._check_independences()

    @cached_property
    def graph(self) -> ADMG:
        """The parents and the latents as a graph, in which a latent is a bidirected edge between
        any two that it reaches.
        """
        directed = {(cause, name) for name, causes in self.parents.items() for cause in causes}
        bidirected = {
            pair for latent in self.latents for pair in combinations(sorted(set(latent)), 2)
        }
        return checked(tuple(self.parents), directed, bidirected, {})

    @property
    def order(self) -> tuple[str, ...]:
        """The variables, causes first."""
        return self.graph.nodes

    @cached_property
    def districts(self) -> tuple["District", ...]:
        """The sets of variables that are connected by latents, each with its causes first."""
        return tuple(District(self, self._sorted(names)) for names in self.graph.districts)

    def _sorted(self, names: Collection[str]) -> tuple[str, ...]:
        return tuple(name for name in self.order if name in names)

    def size(self, *names: str) -> int:
        """The number of joint values of some variables."""
        return prod(len(self.supports[name]) for name in names)

    def row(self, name: str, at: Mapping[str, Array]) -> Array:
        """The row of a variable's responses for the positions of its parents."""
        row: Array = np.zeros((), dtype=np.int64)
        for parent in self.parents[name]:
            row = row * self.size(parent) + at[parent]
        return row

    def marginal(self, names: Sequence[str]) -> Floats:
        """P(names), one axis for each in their order."""
        return eliminate([Factor(tuple(self.parents), self.table)], tuple(names))

    def pillow(self, name: str) -> tuple[str, ...]:
        """What screens a variable off from all others before it, causes first."""
        return self._sorted(self.graph.pillow(name))

    def conditional(self, name: str, unseen: float) -> Factor:
        """P(name | pillow), and `unseen` where the table has never seen the pillow."""
        names = (*self.pillow(name), name)
        return Factor(names, conditional(self.marginal(names), unseen=unseen))

    def _check_independences(self) -> None:
        for position, name in enumerate(self.order):
            before, law = self.order[:position], self.conditional(name, unseen=0.0)
            seen = self.marginal((*before, name))
            gap = abs(eliminate([Factor(before, seen.sum(-1)), law], (*before, name)) - seen).max()
            if gap > PROBABILITY_MISFIT:
                free = ", ".join(other for other in before if other not in law.names)
                raise InputError(
                    f"the table breaks an independence of the graph by {gap:.2g}: given "
                    f"{', '.join(law.names[:-1]) or 'nothing'}, "
                    f"{name} depends on {free}; add a parent or a latent, or give a table that "
                    "fits the graph"
                )


@dataclass(frozen=True, eq=False)
class District:
    """Variables that share latents, causes first, and the law over their response types as far as
    the table tells.
    """

    model: ResponseTypes
    names: tuple[str, ...]

    @cached_property
    def one_latent(self) -> bool:
        """Whether a single latent reaches all of them.

        If not, a law over joint types says more than the latents can.
        """
        return len(self.names) == 1 or any(
            set(self.names) <= set(latent) for latent in self.model.latents
        )

    @cached_property
    def outside(self) -> tuple[str, ...]:
        """The parents that are not in the district."""
        parents = {parent for name in self.names for parent in self.model.parents[name]}
        return tuple(name for name in self.model.order if name in parents - set(self.names))

    @cached_property
    def counts(self) -> tuple[int, ...]:
        """How many response types each variable has:

        values to the power of the joint values of its parents.
        """
        return tuple(
            self.model.size(name) ** self.model.size(*self.model.parents[name])
            for name in self.names
        )

    def check(self) -> None:
        """Raise TooLargeError if there are more than 2**16 types, or too many equations for them."""
        if prod(self.counts) > MOST_TYPES:
            raise TooLargeError(
                f"{', '.join(self.names)} have {prod(self.counts):.3g} response types, and the "
                f"most is {MOST_TYPES}"
            )
        check_size(
            [self.model.size(*self.outside, *self.names), prod(self.counts)],
            f"the equations of {', '.join(self.names)}",
        )

    @cached_property
    def responses(self) -> Mapping[str, Array]:
        """What each type does:

        for each variable an array (types, joint values of its parents) of positions in its support.
        """
        numbers = np.unravel_index(np.arange(prod(self.counts)), self.counts)
        return {
            name: self._functions(name)[number]
            for name, number in zip(self.names, numbers, strict=True)
        }

    def _functions(self, name: str) -> Array:
        rows = self.model.size(*self.model.parents[name])
        digits = np.unravel_index(
            np.arange(self.model.size(name) ** rows), (self.model.size(name),) * rows
        )
        return np.stack(digits, axis=1)

    def outcomes(self, outside: Sequence[int]) -> Array:
        """What each type does where the parents outside are set to these positions:

        (types, variables) of positions.
        """
        at: dict[str, Array] = {
            name: np.full(prod(self.counts), what)
            for name, what in zip(self.outside, outside, strict=True)
        }
        for name in self.names:
            at[name] = self.responses[name][np.arange(prod(self.counts)), self.model.row(name, at)]
        return np.stack([at[name] for name in self.names], axis=1)

    @cached_property
    def equations(self) -> tuple[Floats, Floats, tuple[str, ...]]:
        """What the table says of the law q: matrix @ q = vector, and a text for each row.

        A row is the probability that the district's variables, or the first of them, take some
        values when the parents outside are set. Where the table has never seen what the next
        variable depends on, the rest of them is left open."""
        found: dict[tuple[int, ...], tuple[Floats, float, str]] = {}
        for outside in product(*(range(self.model.size(name)) for name in self.outside)):
            outcomes = self.outcomes(outside)
            for values in np.unique(outcomes, axis=0):
                at = dict(zip(self.outside + self.names, (*outside, *values.tolist()), strict=True))
                length, probability = self._known(at)
                matches = (outcomes[:, :length] == values[:length]).all(1).astype(float)
                found[*outside, *values[:length].tolist()] = (
                    matches,
                    probability,
                    self._text(at, length),
                )
        matrix, vector, texts = zip(*found.values(), strict=True)
        return np.array(matrix), np.array(vector), texts

    def _known(self, at: Mapping[str, int]) -> tuple[int, float]:
        """How many of the variables have a known joint law at these positions, and its probability."""
        probability = 1.0
        for length, law in enumerate(self._conditionals):
            conditional = law.table[tuple(at[name] for name in law.names)]
            if probability == 0 or np.isnan(conditional):
                return length, probability
            probability *= float(conditional)
        return len(self.names), probability

    @cached_property
    def _conditionals(self) -> list[Factor]:
        """P(name | pillow) for each name, nan where the table has never seen the pillow."""
        return [self.model.conditional(name, np.nan) for name in self.names]

    def _text(self, at: Mapping[str, int], length: int) -> str:
        def says(names: Sequence[str]) -> str:
            return ", ".join(f"{name}={self.model.supports[name][at[name]]}" for name in names)

        order = self.model.order
        seen = all(
            order.index(name) < order.index(self.names[0]) for name in self.outside
        )  # then to see them is to set them
        given = says(self.outside) if seen else f"do({says(self.outside)})"
        return (
            f"P({says(self.names[:length])} | {given})"
            if self.outside
            else f"P({says(self.names[:length])})"
        )


def response_types(model: SCM, *names: str) -> ResponseTypes:
    """The variables `names` of a one-step model, all that are not latent if none is given, with
    their graph and their table.

    All other variables are taken as latent. Raises InputError if the model is longer or its log is
    selected."""
    if model.horizon > 1 or model.names("selection"):
        raise InputError(
            f"{type(model).__name__} has more than one step or a selected log; response types "
            "need neither"
        )
    names = names or model.names("context", "action", "logged", "reward", "terminal")
    hidden = set(model.order).difference(names)
    effects = {name: observed_effects(model.graph, name, hidden) for name in model.order}
    reached = {tuple(sorted(effects[name])) for name in hidden}
    latents = [
        some
        for some in reached
        if len(some) > 1 and not any(set(some) < set(more) for more in reached)
    ]
    parents = {
        name: tuple(cause for cause in model.order if cause in names and name in effects[cause])
        for name in names
    }
    supports = {name: model.tables.support(name) for name in names}
    return ResponseTypes(parents, sorted(latents), distribution(model, *names), supports)


def _check(model: ResponseTypes) -> None:
    for name in (
        *(cause for causes in model.parents.values() for cause in causes),
        *(name for some in model.latents for name in some),
    ):
        if name not in model.parents:
            raise InputError(
                f"{name!r} has no entry in `parents`; {did_you_mean(name, model.parents)}"
            )
    table = np.asarray(model.table, dtype=float)
    if table.ndim != len(model.parents):
        raise InputError(
            f"the table needs an axis for each of {', '.join(model.parents)}, and has "
            f"{table.ndim} axes"
        )
    if not (np.isfinite(table).all() and (table >= 0).all() and table.sum() > 0):
        raise InputError(
            "the table needs counts or probabilities, and has an entry that is negative or not "
            "finite, or is all 0"
        )

"""Response types: a discrete model with hidden confounding as a law over deterministic functions.

A response type of a variable is a function from the values of its parents to its own value. The
variables that latents connect form a district; each unit has one joint type per district, and types
of different districts are independent. Every model with the graph is such a law, so that what can
be said about all of them is a programme over laws of types (`constraints`, `sharp_bounds`).

Source: Balke and Pearl (1997), section 3.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from math import prod
from typing import Any

import numpy as np

from ..arrays import Array
from ..errors import InputError, TooLargeError, did_you_mean, short
from ..exact.queries import check_names, distribution
from ..graphs.admg import ADMG, checked
from ..graphs.conversion import AnyGraph, as_admg, observed_effects
from ..graphs.names import Names, as_names, flat_names
from ..model.elimination import Factor, check_size, conditional, eliminate
from ..model.scm import SCM, check_model
from ..tolerances import PROBABILITY_MISFIT
from .named_tables import named_table, values_of

MOST_TYPES = 2**16  # of a district


class ResponseTypes:
    """The response types of a graph, and the tables that were measured of its variables.

    `parents` lists the parents of each variable, `latents` the variables that each latent reaches.
    `tables` is one named table P(all variables), or a list of named tables whose variables were
    measured apart, such as P(x, y) and P(x, z). A named table is a `Factor`, an xarray, a pandas
    frame of samples or a mapping of columns; it holds probabilities or counts, and its axes may
    have any order. Tables must agree on the variables that they share, to 1e-6: where they are
    estimates, take P(shared) from one of them. Variables have the ascending values `supports`, else
    those in samples or coordinates, else 0 to k-1.

    Raises InputError if the parts do not fit, a table has no names, tables contradict each other or
    break an independence of the graph, and TooLargeError if a district has more than 2**16 types.
    """

    def __init__(
        self,
        parents: Mapping[str, tuple[str, ...]],
        latents: Sequence[Sequence[str]],
        tables: Any,
        supports: Mapping[str, Array] | None = None,
    ):
        if not isinstance(parents, Mapping):
            raise InputError(
                "`parents` maps each variable to its causes, as in {'x': (), 'y': ('x',)}, and is "
                f"{short(parents)}; ResponseTypes.of takes a graph"
            )
        if isinstance(latents, str) or not isinstance(latents, Iterable):
            raise InputError(
                "`latents` lists the variables that each latent reaches, as in [('x', 'y')], and "
                f"is {short(latents)}"
            )
        if supports is not None and not isinstance(supports, Mapping):
            raise InputError(f"`supports` maps variables to values, and is {short(supports)}")
        self.parents = {name: as_names(causes) for name, causes in parents.items()}
        self.latents = [as_names(latent) for latent in latents]
        self._check_names()
        sources = tables if _is_list(tables) else [tables]
        values = {**values_of(sources, tuple(parents)), **(supports or {})}
        values = {name: _support(name, support, self.parents) for name, support in values.items()}
        self.margins = tuple(named_table(data, tuple(parents), values) for data in sources)
        if not _is_list(tables):
            self._check_complete(self.margins[0])
        self.supports = self._supports(values)
        for district in self.districts:
            district.check()
        self._check_agreement()
        if self.joint is not None:
            self._check_independences(self.joint)

    @classmethod
    def of(
        cls, graph: AnyGraph, tables: Any, supports: Mapping[str, Array] | None = None
    ) -> "ResponseTypes":
        """The response types of any graph, with a latent for each bidirected edge.

        The edges do not tell whether a latent is shared by three variables; where one is, list it
        in `latents` instead. See the class for `tables`, whose order of axes does not matter.
        """
        admg = as_admg(graph)
        parents = {
            name: tuple(cause for cause in admg.nodes if (cause, name) in admg.directed)
            for name in admg.nodes
        }
        return cls(parents, sorted(admg.bidirected), tables, supports)

    def _check_names(self) -> None:
        causes = [cause for causes in self.parents.values() for cause in causes]
        reached = [name for latent in self.latents for name in latent]
        for name in causes + reached:
            if name not in self.parents:
                raise InputError(
                    f"{name!r} has no entry in `parents`; {did_you_mean(name, self.parents)}"
                )
        self.graph  # noqa: B018  raises if it has a cycle

    def _check_complete(self, table: Factor) -> None:
        missing = [name for name in self.parents if name not in table.names]
        if missing:
            raise InputError(
                f"the table has no axis for {', '.join(missing)}; add it, or give a list of the "
                "tables that were measured apart"
            )

    def _supports(self, values: Mapping[str, Array]) -> dict[str, Array]:
        """The values of every variable, with 0 to k-1 where `values` has none."""
        sizes: dict[str, int] = {}
        for names, table in self.margins:
            for name, size in zip(names, table.shape, strict=True):
                if sizes.setdefault(name, size) != size:
                    raise InputError(
                        f"{name} has {sizes[name]} values in one table and {size} in another"
                    )
        supports = {}
        for name in self.parents:
            if name not in sizes and name not in values:
                raise InputError(
                    f"no table has the variable {name}; give its values in `supports`, or take the "
                    "graph without it"
                )
            support = values.get(name, np.arange(sizes.get(name, 0)))
            size = sizes.get(name, len(support))
            if support.shape != (size,) or (np.diff(support) <= 0).any():
                raise InputError(
                    f"{name} needs {size} ascending values, and got {support.tolist()}"
                )
            supports[name] = support
        return supports

    @cached_property
    def joint(self) -> Factor | None:
        """P(all variables), in the order of `parents`; None if no table has all of them."""
        for margin in self.margins:
            if len(margin.names) == len(self.parents):
                return margin
        return None

    @cached_property
    def graph(self) -> ADMG:
        """The graph, with a bidirected edge between any two variables that a latent reaches."""
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
        """The sets of variables that latents connect, each with its causes first."""
        return tuple(District(self, self._sorted(names)) for names in self.graph.districts)

    def _sorted(self, names: Collection[str]) -> tuple[str, ...]:
        return tuple(name for name in self.order if name in names)

    def size(self, *names: str) -> int:
        """The number of joint values of some variables."""
        return prod(len(self.supports[name]) for name in names)

    def row(self, name: str, at: Mapping[str, Array]) -> Array:
        """The row of a variable's responses, from the positions of its parents in `at`."""
        row: Array = np.zeros((), dtype=np.int64)
        for parent in self.parents[name]:
            row = row * self.size(parent) + at[parent]
        return row

    def conditional(self, joint: Factor, name: str, unseen: float) -> Factor:
        """P(name | pillow), and `unseen` where the pillow has probability zero.

        The pillow screens a variable off from all others before it (`ADMG.pillow`).
        """
        names = (*self._sorted(self.graph.pillow(name)), name)
        return Factor(names, conditional(eliminate([joint], names), unseen=unseen))

    def _check_agreement(self) -> None:
        """Raise InputError if two tables differ on the variables that they share."""
        for one, other in combinations(self.margins, 2):
            shared = tuple(name for name in one.names if name in other.names)
            ours, theirs = eliminate([one], shared), eliminate([other], shared)
            gap = abs(ours - theirs)
            if gap.max() <= PROBABILITY_MISFIT:
                continue
            cell = np.unravel_index(gap.argmax(), gap.shape)
            at = {name: int(position) for name, position in zip(shared, cell, strict=True)}
            raise InputError(
                f"the tables of ({', '.join(one.names)}) and ({', '.join(other.names)}) contradict "
                f"each other about {', '.join(shared)}: P({self.says(shared, at)}) is "
                f"{ours[cell]:.6g} in one and {theirs[cell]:.6g} in the other"
            )

    def says(self, names: Sequence[str], at: Mapping[str, int]) -> str:
        """The values of variables in words, such as `x=0, y=1`; `at` holds their positions."""
        return ", ".join(f"{name}={self.supports[name][at[name]]}" for name in names)

    def _check_independences(self, joint: Factor) -> None:
        for position, name in enumerate(self.order):
            # Tian and Pearl (2002), corollary 1: P(name | all before) = P(name | pillow).
            before, law = self.order[:position], self.conditional(joint, name, unseen=0.0)
            table = eliminate([joint], (*before, name))
            implied = eliminate([Factor(before, table.sum(-1)), law], (*before, name))
            gap = abs(implied - table).max()
            if gap > PROBABILITY_MISFIT:
                given = ", ".join(law.names[:-1]) or "nothing"
                others = ", ".join(other for other in before if other not in law.names)
                raise InputError(
                    f"the table breaks an independence of the graph by {gap:.2g}: given {given}, "
                    f"{name} depends on {others}; add a parent or a latent, or give a table that "
                    "fits the graph"
                )


def _support(name: str, support: Any, variables: Mapping[str, Any]) -> Array:
    if name not in variables:
        raise InputError(
            f"`supports` has {name!r}, which is not a variable; {did_you_mean(name, variables)}"
        )
    values: Array = np.asarray(support)
    if values.ndim != 1 or values.dtype.kind not in "biuf" or not np.isfinite(values).all():
        raise InputError(f"the values of {name} are a list of numbers, and are {short(support)}")
    return values


def _is_list(tables: Any) -> bool:
    """Whether these are tables that were measured apart; a `Factor` is a tuple too."""
    return isinstance(tables, list | tuple) and not isinstance(tables, Factor)


@dataclass(frozen=True, eq=False)
class District:
    """Variables that latents connect, causes first, and their joint response types."""

    model: ResponseTypes
    names: tuple[str, ...]

    @cached_property
    def one_latent(self) -> bool:
        """Whether a single latent reaches all of them.

        If not, some laws over the joint types are beyond what the latents can produce.
        """
        return len(self.names) == 1 or any(
            set(self.names) <= set(latent) for latent in self.model.latents
        )

    @cached_property
    def outside(self) -> tuple[str, ...]:
        """The parents that are not in the district, causes first."""
        parents = {parent for name in self.names for parent in self.model.parents[name]}
        return tuple(name for name in self.model.order if name in parents - set(self.names))

    @cached_property
    def counts(self) -> tuple[int, ...]:
        """The number of response types of each variable: values ** (joint values of parents)."""
        return tuple(
            self.model.size(name) ** self.model.size(*self.model.parents[name])
            for name in self.names
        )

    @property
    def size(self) -> int:
        """The number of joint response types."""
        return prod(self.counts)

    def check(self) -> None:
        """Raise TooLargeError if there are more than 2**16 types, or too many equations."""
        if self.size > MOST_TYPES:
            raise TooLargeError(
                f"{', '.join(self.names)} have {self.size:.3g} response types, and the most is "
                f"{MOST_TYPES}"
            )
        check_size(
            [self.model.size(*self.outside, *self.names), self.size],
            f"the equations of {', '.join(self.names)}",
        )

    @cached_property
    def responses(self) -> Mapping[str, Array]:
        """For each variable its value under each joint type: (types, joint values of its parents).

        Values are positions in the variable's support.
        """
        numbers = np.unravel_index(np.arange(self.size), self.counts)
        return {
            name: self._functions(name)[number]
            for name, number in zip(self.names, numbers, strict=True)
        }

    def _functions(self, name: str) -> Array:
        """All functions from the joint values of the parents: (functions, joint values)."""
        size, rows = self.model.size(name), self.model.size(*self.model.parents[name])
        digits = np.unravel_index(np.arange(size**rows), (size,) * rows)
        return np.stack(digits, axis=1)

    def outcomes(self, outside: Sequence[int]) -> Array:
        """The variables' values under each type if the parents outside are set: (types, variables).

        `outside` and the values are positions in the supports.
        """
        types = np.arange(self.size)
        at: dict[str, Array] = {
            name: np.full(self.size, position)
            for name, position in zip(self.outside, outside, strict=True)
        }
        for name in self.names:
            at[name] = self.responses[name][types, self.model.row(name, at)]
        return np.stack([at[name] for name in self.names], axis=1)


def response_types(model: SCM, *names: Names) -> ResponseTypes:
    """The response types of the variables `names` of a one-step model, with their joint table.

    Names come one by one or in a list; without names these are all variables that are not latent.
    All others are taken as latent. Raises InputError if a name is not a variable of the model, if
    it has more than one step or its log is selected.
    """
    check_model(model)
    if model.horizon > 1 or model.names("selection"):
        raise InputError(
            f"{type(model).__name__} has more than one step or a selected log; response types "
            "need neither"
        )
    chosen = flat_names(names)
    check_names(model, chosen)
    if len(set(chosen)) < len(chosen):
        raise InputError(f"name each variable once, and got {', '.join(chosen)}")
    chosen = chosen or model.names("context", "action", "logged", "reward", "terminal")
    hidden = set(model.order).difference(chosen)
    effects = {name: observed_effects(model.graph, name, hidden) for name in model.order}
    # A latent that reaches no more than another adds nothing to it (Evans 2016, section 4).
    reached = {tuple(sorted(effects[name])) for name in hidden}
    latents = [
        latent
        for latent in reached
        if len(latent) > 1 and not any(set(latent) < set(other) for other in reached)
    ]
    parents = {
        name: tuple(cause for cause in model.order if cause in chosen and name in effects[cause])
        for name in chosen
    }
    supports = {name: model.tables.support(name) for name in chosen}
    table = distribution(model, *chosen)
    return ResponseTypes(parents, sorted(latents), Factor(chosen, table / table.sum()), supports)

"""Sharp bounds on counterfactuals over all couplings of the noise between worlds.

A mechanism with any coupling is a law over response functions, which map each setting of the causes
to a value; its margins are P(v | causes). A counterfactual is multilinear in these laws, one for
each variable, and so are its extremes: with a single unknown law a linear programme finds them, and
with several they are at vertices of all polytopes but one.

Source: Balke and Pearl (1994); for several unknown laws Duarte et al. (2024).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, product
from math import comb, prod

import numpy as np

from ..arrays import Array, Floats
from ..errors import TooLargeError
from ..model.elimination import Factor, check_size, eliminate
from ..tolerances import ROUNDING
from .linear_programme import least

MOST_FUNCTIONS = 2**16  # response functions of settings that matter together
MOST_BASES = 10_000  # candidates for vertices of one polytope
MOST_PROGRAMMES = 1024  # combinations of vertices, with linear programmes for each

Cell = tuple[int, ...]  # positions along the axes of a variable's causes
# The names and values of a variable's causes, and its law and support given these.
Setting = tuple[tuple[tuple[str, float], ...], bytes, bytes]


@dataclass(frozen=True, eq=False)
class SharedNoise:
    """A variable in several worlds whose noise these share, with an unknown coupling.

    Each law has the causes as axes and then the variable in its world. `settings` tells for each
    law and each position of its causes the setting: in equal settings the variable has the same
    value in all worlds.
    """

    name: str
    laws: Sequence[Factor]
    settings: Sequence[Mapping[Cell, Setting]]
    rows: Mapping[Setting, Floats]  # P(value | setting)

    @cached_property
    def causes(self) -> tuple[str, ...]:
        """The axes of all causes in all worlds, each once."""
        return tuple(dict.fromkeys(name for law in self.laws for name in law.names[:-1]))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The axes of the joint law: the causes, and the variable in each world."""
        return (*self.causes, *(law.names[-1] for law in self.laws))

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """The lengths of these axes."""
        sizes: dict[str, int] = {}
        for law in self.laws:
            sizes.update(zip(law.names, law.table.shape, strict=True))
        return tuple(sizes[name] for name in self.names)

    def at(self, cell: Cell) -> list[Setting]:
        """The setting in each world, for positions of all causes."""
        place = dict(zip(self.causes, cell, strict=True))
        settings = []
        for law, setting_at in zip(self.laws, self.settings, strict=True):
            own = tuple(place[name] for name in law.names[:-1])
            settings.append(setting_at[own])
        return settings

    def cells(self) -> Iterator[Cell]:
        """The positions of all causes in all worlds."""
        return np.ndindex(self.shape[: len(self.causes)])


def extremes(
    known: Sequence[Factor], unknown: Sequence[SharedNoise], keep: Sequence[str]
) -> Floats:
    """The least and the greatest value, over all couplings, of a product of factors.

    It is the product of the `known` factors and the joint laws of the `unknown` noises, summed over
    all names but `keep`: an axis for each of `keep`, and a last one (low, high). Each entry is
    bounded by itself. Raises TooLargeError if there are too many response functions, or too many
    vertices where several couplings matter.
    """
    polytopes = [_Polytope(noise, _relevant(known, unknown, noise)) for noise in unknown]
    free = [polytope for polytope in polytopes if polytope.groups]
    settled = [polytope.joint(()) for polytope in polytopes if not polytope.groups]
    factors = [*known, *settled, Factor((), np.ones(()))]
    if not free:
        value = eliminate(factors, keep)
        return np.stack([value, value], axis=-1)
    # Enumerate the vertices of all polytopes but that with the most; it gets linear programmes.
    *others, last = sorted(free, key=lambda polytope: polytope.bases)
    vertices = [polytope.vertices() for polytope in others]
    _check_count(vertices, ", ".join(polytope.noise.name for polytope in free))
    ends = []
    for laws in product(*vertices):
        joints = [polytope.joint(law) for polytope, law in zip(others, laws, strict=True)]
        ends.append(last.extremes([*factors, *joints], keep))
    low, high = np.min(ends, axis=0)[..., 0], np.max(ends, axis=0)[..., 1]
    return np.stack([low, high], axis=-1)


def _check_count(vertices: Sequence[Sequence[object]], names: str) -> None:
    count = prod(map(len, vertices))
    if count > MOST_PROGRAMMES:
        raise TooLargeError(
            f"the couplings of {names} have {count:.3g} vertices, and the most is {MOST_PROGRAMMES}"
        )


def _relevant(
    known: Sequence[Factor], unknown: Sequence[SharedNoise], noise: SharedNoise
) -> Floats:
    """How often each cell of a noise's joint law can matter; 0 where it cannot."""
    patterns = [Factor(names, (table != 0).astype(float)) for names, table in known]
    others = [Factor(other.names, np.ones(other.shape)) for other in unknown if other is not noise]
    possible = [Factor(law.names, (law.table > 0).astype(float)) for law in noise.laws]
    return eliminate([*patterns, *others, *possible], noise.names)


@dataclass(frozen=True, eq=False)
class _Meeting:
    """Positions of the causes, and the settings that meet there in the worlds."""

    cells: list[Cell]
    settings: dict[Setting, None]


def _merged(meetings: Sequence[_Meeting]) -> list[_Meeting]:
    """The meetings, with those that share a setting merged."""
    groups: list[_Meeting] = []
    for meeting in meetings:
        merged = _Meeting(list(meeting.cells), dict(meeting.settings))
        apart = []
        for group in groups:
            if group.settings.keys().isdisjoint(meeting.settings):
                apart.append(group)
            else:
                merged.cells.extend(group.cells)
                merged.settings.update(group.settings)
        groups = [*apart, merged]
    return groups


@dataclass(frozen=True, eq=False)
class _Group:
    """Settings that matter together, and the laws of functions from these to a value."""

    settings: Sequence[Setting]
    cells: Sequence[Cell]  # positions of the causes at which they meet
    functions: Array  # (functions, settings) of positions in the support
    matrix: Floats  # matrix @ law = vector: the law has the margins P(value | setting)
    vector: Floats

    @property
    def bases(self) -> int:
        """The number of candidate vertices: choices of one function per equation."""
        return comb(len(self.functions), len(self.vector))

    def vertices(self, name: str) -> list[Floats]:
        """The laws that are not mixtures of others."""
        rank, size = self.matrix.shape
        if self.bases > MOST_BASES:
            raise TooLargeError(
                f"the couplings of {name} have {self.bases:.3g} candidates for vertices, and the "
                f"most is {MOST_BASES}; choose a coupling by name"
            )
        laws: dict[bytes, Floats] = {}
        # A vertex is a basic solution: as many functions with positive weight as equations.
        for basis in combinations(range(size), rank):
            square = self.matrix[:, basis]
            if np.linalg.matrix_rank(square) < rank:
                continue
            weights = np.linalg.solve(square, self.vector)
            if weights.min() >= -ROUNDING:
                law = np.zeros(size)
                law[list(basis)] = weights.clip(0.0)
                laws.setdefault((law.round(9) + 0.0).tobytes(), law)
        return list(laws.values())


class _Polytope:
    """All joint laws of a variable in several worlds, as laws over its response functions.

    Settings that never meet in a cell that matters can be coupled independently, so the response
    functions are laid out by groups of settings that meet.
    """

    def __init__(self, noise: SharedNoise, relevant: Floats):
        self.noise = noise
        self.base = np.zeros(noise.shape)  # the part of the joint law that is the same for all
        meetings: list[_Meeting] = []
        for cell in noise.cells():
            settings = self._random(cell)
            if len(settings) > 1 and relevant[cell].any():
                meetings.append(_Meeting([cell], dict.fromkeys(settings)))
            elif len(settings) <= 1:
                values = self._values(cell, settings, self._functions(settings))
                law = noise.rows[settings[0]] if settings else np.ones(1)
                np.add.at(self.base[cell], values, law[law > 0])
        self.groups = [self._group(meeting) for meeting in _merged(meetings)]

    def _random(self, cell: Cell) -> list[Setting]:
        """The settings at a cell, each once, in which the variable has more than one value."""
        settings = dict.fromkeys(self.noise.at(cell))
        return [s for s in settings if np.count_nonzero(self.noise.rows[s]) > 1]

    @property
    def bases(self) -> int:
        """The number of candidates for vertices."""
        return prod(group.bases for group in self.groups)

    def vertices(self) -> list[tuple[Floats, ...]]:
        """The vertices, as a law over the functions of each group."""
        name = self.noise.name
        vertices = [group.vertices(name) for group in self.groups]
        _check_count(vertices, name)
        return list(product(*vertices))

    def joint(self, laws: Sequence[Floats]) -> Factor:
        """The joint law in all worlds, given all causes, for a law over each group's functions."""
        table = self.base.copy()
        for group, law in zip(self.groups, laws, strict=True):
            for cell in group.cells:
                np.add.at(table[cell], self._values(cell, group.settings, group.functions), law)
        return Factor(self.noise.names, table)

    def extremes(self, known: Sequence[Factor], keep: Sequence[str]) -> Floats:
        """The least and the greatest sum over all joint laws, with all other factors known."""
        names = self.noise.names
        flat = eliminate(known, (*keep, *names))
        kept = flat.shape[: len(keep)]
        weights = flat.reshape(-1, *self.noise.shape)
        constant = np.tensordot(weights, self.base, axes=self.base.ndim)
        ends = np.stack([constant, constant], axis=-1)
        for group in self.groups:
            # The weight of a function is the sum over the cells of its values' weights there.
            goals = np.zeros((len(weights), len(group.functions)))
            for cell in group.cells:
                values = self._values(cell, group.settings, group.functions)
                cell_weights = np.moveaxis(weights, 0, -1)[cell]
                goals += cell_weights[values].T
            for row, goal in enumerate(goals):
                ends[row, 0] += _least(goal, group)
                ends[row, 1] -= _least(-goal, group)
        return np.asarray(ends.reshape(*kept, 2))

    def _group(self, meeting: _Meeting) -> _Group:
        settings = list(meeting.settings)
        functions = self._functions(settings)
        # P(value | setting) for all values but the last of each setting, and the sum of all.
        rows, numbers = [np.ones(len(functions))], [1.0]
        for column, setting in enumerate(settings):
            for value in np.flatnonzero(self.noise.rows[setting])[:-1]:
                rows.append((functions[:, column] == value).astype(float))
                numbers.append(float(self.noise.rows[setting][value]))
        check_size([len(rows), len(functions)], f"the couplings of {self.noise.name}")
        return _Group(settings, meeting.cells, functions, np.array(rows), np.array(numbers))

    def _functions(self, settings: Sequence[Setting]) -> Array:
        """All functions from the settings to possible values: (functions, settings)."""
        choices = [np.flatnonzero(self.noise.rows[setting]) for setting in settings]
        count = prod(map(len, choices))
        if count > MOST_FUNCTIONS:
            raise TooLargeError(
                f"the couplings of {self.noise.name} have {count:.3g} response functions, and the "
                f"most is {MOST_FUNCTIONS}"
            )
        return np.array(list(product(*choices)), dtype=int).reshape(count, len(settings))

    def _values(
        self, cell: Cell, settings: Sequence[Setting], functions: Array
    ) -> tuple[Array, ...]:
        """The variable in each world under each function, at these positions of its causes."""
        columns = dict(zip(settings, functions.T, strict=True))
        values = []
        for setting in self.noise.at(cell):
            only = self.noise.rows[setting].argmax()  # the value where there is no randomness
            values.append(columns.get(setting, np.full(len(functions), only)))
        return tuple(values)


def _least(goal: Floats, group: _Group) -> float:
    """The least expectation of a goal (functions,) over all laws with the group's margins."""
    law = least(goal, A_eq=group.matrix, b_eq=group.vector)
    assert law is not None  # independent values have the margins
    return float(goal @ law)

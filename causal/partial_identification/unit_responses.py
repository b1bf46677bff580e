"""The units of a model with hidden confounding:

one of each combination of response types, and what they do under interventions.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np

from ..arrays import Array, Floats
from ..errors import InputError, did_you_mean
from ..model.distributions import tidy
from ..model.elimination import Factor, check_size, eliminate
from .response_types import District, ResponseTypes


class Units:
    """A unit of each combination of response types. Called with interventions, it is what the units
    then do.

    An intervention is a value, or an array with one for each unit, such as `do(x=0)["m"]`. So for
    units `do`, the effect of x on y is `do(x=1)["y"] - do(x=0)["y"]`, the natural direct effect
    `do(x=1, m=do(x=0)["m"])["y"] - do(x=0)["y"]`, and `(do(x=1)["y"] == 1) & (do(x=0)["y"] == 0)`
    says whether x is necessary and sufficient. `do()` is what they do by themselves."""

    def __init__(self, model: ResponseTypes):
        self.model = model
        self.types: dict[str, Array] = {}  # the position along the district's axis
        for axis, district in enumerate(model.districts):
            shape = [-1 if axis == other else 1 for other in range(len(model.districts))]
            self.types |= dict.fromkeys(
                district.names, np.arange(prod(district.counts)).reshape(shape)
            )
        self.responses = {
            name: table
            for district in model.districts
            for name, table in district.responses.items()
        }

    def __call__(self, **interventions: Array | float) -> "_World":
        return _World(
            self, {name: self._position(name, value) for name, value in interventions.items()}
        )

    def _position(self, name: str, value: Array | float) -> Array:
        if name not in self.model.parents:
            raise InputError(
                f"{name!r} is not a variable of the table; {did_you_mean(name, self.model.parents)}"
            )
        support, values = tidy(self.model.supports[name]), tidy(np.asarray(value))
        position = np.minimum(np.searchsorted(support, values), len(support) - 1)
        if (support[position] != values).any():
            raise InputError(f"{name} is never {value}; its values are {support.tolist()}")
        return np.asarray(position)


class _World:
    """What the units do under interventions:

    `world["y"]` has a number for each unit, computed when it is asked for.
    """

    def __init__(self, units: Units, positions: dict[str, Array]):
        self._units = units
        self._positions = positions

    def __getitem__(self, name: str) -> Array:
        if name not in self._units.model.parents:
            raise InputError(
                f"{name!r} is not a variable of the table; "
                f"{did_you_mean(name, self._units.model.parents)}"
            )
        return np.asarray(self._units.model.supports[name][self._position(name)])

    def _position(self, name: str) -> Array:
        if name not in self._positions:
            model, types = self._units.model, self._units.types[name]
            row = model.row(
                name, {parent: self._position(parent) for parent in model.parents[name]}
            )
            check_size(np.broadcast_shapes(np.shape(row), types.shape), f"{name} of every unit")
            self._positions[name] = self._units.responses[name][types, row]
        return self._positions[name]


Quantity = Callable[[Units], Array]


def evaluate(types: ResponseTypes, quantity: Quantity) -> Floats:
    """A quantity of every unit:

    an axis for each district, of length 1 where the district does not matter.
    """
    values = np.asarray(quantity(Units(types)), dtype=float)
    sizes = [prod(district.counts) for district in types.districts]
    if values.ndim and not (
        values.ndim == len(sizes)
        and all(n in (1, size) for n, size in zip(values.shape, sizes, strict=True))
    ):
        raise InputError(
            "a quantity is a number for each unit, computed entry by entry, and got an array of "
            f"shape {values.shape}"
        )
    return values.reshape(values.shape or (1,) * len(types.districts))


@dataclass(frozen=True, eq=False)
class Mixture:
    """A model with the graph of `types` as a mixture of units:

    a law over the response types of each district.
    """

    types: ResponseTypes
    laws: tuple[Floats, ...]  # in the order of types.districts

    def mean(self, quantity: Quantity) -> float:
        """The expectation of a quantity of a unit."""
        values = evaluate(self.types, quantity)
        for law in self.laws:
            values = np.tensordot(law, values, 1) if len(values) > 1 else values[0]
        return float(values)

    def table(self) -> Floats:
        """P(all variables), in the order of the table of `types`."""
        factors = [
            self._factor(district, law)
            for district, law in zip(self.types.districts, self.laws, strict=True)
        ]
        return eliminate(factors, tuple(self.types.parents))

    def _factor(self, district: District, law: Floats) -> Factor:
        names = district.outside + district.names
        table = np.zeros([self.types.size(name) for name in names])
        for outside in product(*(range(self.types.size(name)) for name in district.outside)):
            np.add.at(table[outside], tuple(district.outcomes(outside).T), law)
        return Factor(names, table)

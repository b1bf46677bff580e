"""Potential outcomes of the units of a model with hidden confounding.

There is one unit for each combination of response types of the districts; a model with the graph is
a mixture of these units.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np

from ..arrays import Array, Floats
from ..errors import InputError, did_you_mean, short
from ..model.distributions import tidy
from ..model.elimination import Factor, check_size, eliminate
from .response_types import District, ResponseTypes


class PotentialOutcomes:
    """The potential outcomes of all units: `do(x=0)["m"]` is m of every unit under do(x=0).

    An intervention is a value, or an array with one value for each unit. For potential outcomes
    `do`, the effect of x on y is `do(x=1)["y"] - do(x=0)["y"]`, the natural direct effect is
    `do(x=1, m=do(x=0)["m"])["y"] - do(x=0)["y"]`, and the units for which x is necessary and
    sufficient are `(do(x=1)["y"] == 1) & (do(x=0)["y"] == 0)`. `do()` is without intervention.

    Arrays have an axis for each district, of length 1 where the district does not matter. Raises
    InputError if a name is not a variable or an intervention is not one of its values.
    """

    def __init__(self, model: ResponseTypes):
        check_types(model)
        self.model = model
        self.types: dict[str, Array] = {}  # positions along the axis of the variable's district
        self.responses: dict[str, Array] = {}
        for axis, district in enumerate(model.districts):
            shape = np.ones(len(model.districts), dtype=int)
            shape[axis] = district.size
            positions = np.arange(district.size).reshape(shape)
            self.types.update(dict.fromkeys(district.names, positions))
            self.responses.update(district.responses)

    def __call__(self, **interventions: Array | float) -> "_Outcomes":
        positions = {name: self._position(name, value) for name, value in interventions.items()}
        return _Outcomes(self, positions)

    def check_name(self, name: str) -> None:
        """Raise InputError if there is no such variable."""
        if name not in self.model.parents:
            raise InputError(
                f"{name!r} is not a variable of the table; {did_you_mean(name, self.model.parents)}"
            )

    def _position(self, name: str, value: Array | float) -> Array:
        self.check_name(name)
        support, values = tidy(self.model.supports[name]), tidy(np.asarray(value))
        position = np.minimum(np.searchsorted(support, values), len(support) - 1)
        if (support[position] != values).any():
            raise InputError(f"{name} is never {value}; its values are {support.tolist()}")
        return np.asarray(position)


class _Outcomes:
    """All variables of all units under one intervention, computed when they are first needed."""

    def __init__(self, units: PotentialOutcomes, positions: dict[str, Array]):
        self._units = units
        self._positions = positions  # of the values in the supports

    def __getitem__(self, name: str) -> Array:
        self._units.check_name(name)
        return np.asarray(self._units.model.supports[name][self._position(name)])

    def _position(self, name: str) -> Array:
        if name not in self._positions:
            model, types = self._units.model, self._units.types[name]
            parents = {parent: self._position(parent) for parent in model.parents[name]}
            row = model.row(name, parents)
            check_size(np.broadcast_shapes(np.shape(row), types.shape), f"{name} of every unit")
            self._positions[name] = self._units.responses[name][types, row]
        return self._positions[name]


UnitQuantity = Callable[[PotentialOutcomes], Array]  # a number for each unit


def evaluate(types: ResponseTypes, quantity: UnitQuantity) -> Floats:
    """A quantity of every unit: an axis for each district, of length 1 where it does not matter.

    Raises InputError if the quantity fails, or its result is not an array over the units.
    """
    values = _number_of_each(types, quantity)
    sizes = [district.size for district in types.districts]
    if values.ndim == 0:
        return values.reshape((1,) * len(sizes))
    fits = values.ndim == len(sizes) and all(
        length in (1, size) for length, size in zip(values.shape, sizes, strict=True)
    )
    if not fits:
        raise InputError(
            "a quantity is a number for each unit, computed entry by entry, and got an array of "
            f"shape {values.shape}"
        )
    return values


def check_types(types: object) -> None:
    """Raise InputError unless these are response types."""
    if not isinstance(types, ResponseTypes):
        raise InputError(
            "bounds are of a quantity on response types, as in bounds(response_types(model), "
            f"lambda do: do(x=1)['y']), and got {type(types).__name__}"
        )


def _number_of_each(types: ResponseTypes, quantity: UnitQuantity) -> Floats:
    units = PotentialOutcomes(types)
    if not callable(quantity):
        raise InputError(
            "a quantity is a function of potential outcomes, as in lambda do: do(x=1)['y'], and "
            f"got {short(quantity)}"
        )
    try:
        return np.asarray(quantity(units), dtype=float)
    except InputError:
        raise
    except Exception as error:  # the quantity is the user's, and may raise anything
        reason = " ".join(str(error).split())
        raise InputError(
            f"the quantity raised {type(error).__name__}: {reason}; write it as in "
            "lambda do: do(x=1)['y'] - do(x=0)['y']"
        ) from error


@dataclass(frozen=True, eq=False)
class TypeMixture:
    """A model with the graph of `types`: a law over the response types of each district."""

    types: ResponseTypes
    laws: tuple[Floats, ...]  # in the order of types.districts

    def mean(self, quantity: UnitQuantity) -> float:
        """The expectation of a quantity over the units."""
        values = evaluate(self.types, quantity)
        for law in self.laws:
            values = np.tensordot(law, values, 1) if len(values) > 1 else values[0]
        return float(values)

    def table(self) -> Factor:
        """P(all variables), in the order of `types.parents`."""
        names = tuple(self.types.parents)
        factors = [
            self._factor(district, law)
            for district, law in zip(self.types.districts, self.laws, strict=True)
        ]
        return Factor(names, eliminate(factors, names))

    def _factor(self, district: District, law: Floats) -> Factor:
        """P(the district's variables | do(its parents outside))."""
        names = district.outside + district.names
        table = np.zeros([self.types.size(name) for name in names])
        sizes = [self.types.size(name) for name in district.outside]
        for outside in product(*map(range, sizes)):
            np.add.at(table[outside], tuple(district.outcomes(outside).T), law)
        return Factor(names, table)

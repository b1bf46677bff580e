"""Laws of one variable, given its causes.

A parameter may be a number or an array with one entry for each unit. Every law is its quantile
function: `sample` turns one uniform number for each unit into one value, so that the same noise
gives coupled values under different parameters."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np

from ..arrays import Array
from ..errors import InputError, NotDiscreteError
from ..tolerances import NORMALISED, OUTSIDE


class Distribution(ABC):
    """The law of one variable. Two laws are equal when their type and their parameters are."""

    @abstractmethod
    def sample(self, noise: Array, rows: Array | None = None) -> Array:
        """The quantile function at `noise`, uniform numbers in [0, 1) of shape (n,): values of
        shape (n,).

        With `rows`, (n,), the units are not those of the parameters: unit i has the law of
        parameter row `rows[i]`."""

    @abstractmethod
    def mean(self) -> Array:
        """The expectation: shape () or (n,)."""

    @abstractmethod
    def support(self) -> Array | None:
        """Every value that has positive probability for some unit, ascending;

        None if the law is continuous.
        """

    @abstractmethod
    def probability(self, values: Array) -> Array:
        """The probability of each of `values`, shape (k,):

        shape (k,) or (n, k). Raises TypeError if the law is continuous.
        """

    @property
    def batch_shape(self) -> tuple[int, ...]:
        """() if one law holds for all units, (n,) if there is one for each: the shape of `mean`."""
        return self.mean().shape

    def branches(self, n: int) -> tuple[Array, Array, Array]:
        """Each value that has positive probability for each of `n` units: the unit's place, the
        value, its probability.

        Raises NotDiscreteError if the law is continuous.
        """
        support = self.support()
        if support is None:
            raise NotDiscreteError(f"a {type(self).__name__} law is continuous, and has no table")
        probability = np.broadcast_to(self.probability(support), (n, len(support)))
        unit, place = np.nonzero(probability > 0)
        return unit, support[place], probability[unit, place]

    def _key(self) -> tuple[Any, ...]:
        arrays = [np.asarray(getattr(self, field.name)) for field in fields(self)]  # type: ignore[arg-type]
        return (type(self), *((a.shape, a.dtype.kind, a.tobytes()) for a in arrays))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Distribution) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())


@dataclass(frozen=True, eq=False)
class Bernoulli(Distribution):
    """1 with probability `p`, else 0.

    Raises InputError if `p` leaves [0, 1] or is not a number.
    """

    p: Array | float

    def __post_init__(self) -> None:
        _check_probabilities("Bernoulli", self.p)

    def sample(self, noise: Array, rows: Array | None = None) -> Array:
        return (noise >= _at(1.0 - np.asarray(self.p), rows)).astype(np.int64)

    def mean(self) -> Array:
        return np.asarray(self.p, dtype=float)

    def support(self) -> Array:
        return np.arange(2)

    def probability(self, values: Array) -> Array:
        p = np.asarray(self.p, dtype=float)[..., None]
        return np.where(values == 1, p, np.where(values == 0, 1.0 - p, 0.0))


@dataclass(frozen=True, eq=False)
class Categorical(Distribution):
    """The value `values[i]` with probability `p[..., i]`: shape (k,), or (n, k) with a row for each
    unit.

    The values ascend, and are 0 to k-1 if not given. Raises InputError if a probability leaves [0,
    1], a row does not sum to 1 within 1e-9, or there are not k values."""

    p: Array
    values: Array | None = None

    def __post_init__(self) -> None:
        p = np.asarray(self.p, dtype=float)
        _check_probabilities("Categorical", p)
        if p.ndim == 0 or not np.allclose(p.sum(-1), 1.0, rtol=0, atol=NORMALISED):
            raise InputError(
                "Categorical needs rows that sum to 1, and got sums "
                f"{np.unique(p.sum(-1).round(6))}"
            )
        values = np.arange(p.shape[-1]) if self.values is None else np.asarray(self.values)
        if values.shape != p.shape[-1:] or (np.diff(values) <= 0).any():
            raise InputError(
                f"Categorical needs {p.shape[-1]} ascending values, and got {values.tolist()}"
            )
        object.__setattr__(self, "p", p)
        object.__setattr__(self, "values", values)

    def sample(self, noise: Array, rows: Array | None = None) -> Array:
        index = np.zeros(noise.shape, dtype=np.int64)
        for bound in self._bounds:
            index += noise >= _at(bound, rows)
        return self.support()[index]

    @cached_property
    def _bounds(self) -> list[Array]:
        """Where the quantile function steps up:

        for each value but the last, the numbers of all rows side by side.
        """
        return list(np.ascontiguousarray(np.cumsum(self.p, axis=-1).T[:-1]))

    def mean(self) -> Array:
        return np.asarray(self.p @ self.support())

    def support(self) -> Array:
        return np.asarray(self.values)

    def probability(self, values: Array) -> Array:
        own = tidy(self.support())
        index = np.minimum(np.searchsorted(own, tidy(values)), len(own) - 1)
        return np.where(own[index] == tidy(values), self.p[..., index], 0.0)


@dataclass(frozen=True, eq=False)
class Exactly(Distribution):
    """`value`, without noise. Raises InputError if it is not finite."""

    value: Array | float

    def __post_init__(self) -> None:
        if not np.isfinite(self.value).all():
            raise InputError(f"Exactly needs finite values, and got {self.value}")

    def sample(self, noise: Array, rows: Array | None = None) -> Array:
        value = _at(np.asarray(self.value), rows)
        if value.shape != noise.shape:
            return np.broadcast_to(value, noise.shape)
        shown = value.view()
        shown.flags.writeable = False  # as a broadcast array is, for it may be the model's own
        return shown

    def mean(self) -> Array:
        return np.asarray(self.value, dtype=float)

    def support(self) -> Array:
        return np.unique(tidy(np.asarray(self.value)))

    def probability(self, values: Array) -> Array:
        return np.asarray(tidy(np.asarray(self.value))[..., None] == tidy(values), dtype=float)

    def branches(self, n: int) -> tuple[Array, Array, Array]:
        return np.arange(n), np.broadcast_to(self.value, (n,)), np.ones(n)


@dataclass(frozen=True, eq=False)
class Normal(Distribution):
    """A normal law with the given mean and standard deviation, in the variable's own unit.

    Raises InputError if `std` is negative or a parameter is not finite.
    """

    loc: Array | float
    std: Array | float

    def __post_init__(self) -> None:
        if not (
            np.isfinite(self.loc).all()
            and np.isfinite(self.std).all()
            and np.all(np.asarray(self.std) >= 0)
        ):
            raise InputError(
                "Normal needs a finite mean and a finite standard deviation that is not negative"
            )

    def sample(self, noise: Array, rows: Array | None = None) -> Array:
        loc, std = _at(np.asarray(self.loc), rows), _at(np.asarray(self.std), rows)
        from scipy.special import ndtri  # slow to import

        return np.asarray(loc + std * ndtri(np.maximum(noise, 2.0**-54)))

    def mean(self) -> Array:
        return np.asarray(self.loc, dtype=float)

    def support(self) -> None:
        return None

    def probability(self, values: Array) -> Array:
        raise TypeError("a continuous law has no point probabilities")


@dataclass(frozen=True, eq=False)
class Uniform(Distribution):
    """Every number from `low` to `high` alike, in the variable's own unit.

    Raises InputError if a bound is not finite, or `low` is above `high`.
    """

    low: Array | float
    high: Array | float

    def __post_init__(self) -> None:
        if not (
            np.isfinite(self.low).all()
            and np.isfinite(self.high).all()
            and np.all(np.asarray(self.low) <= np.asarray(self.high))
        ):
            raise InputError(
                f"Uniform needs finite bounds in ascending order, and got {self.low} and "
                f"{self.high}"
            )

    def sample(self, noise: Array, rows: Array | None = None) -> Array:
        low, high = _at(np.asarray(self.low), rows), _at(np.asarray(self.high), rows)
        return np.asarray(low + (high - low) * noise)

    def mean(self) -> Array:
        return np.asarray((np.asarray(self.low, dtype=float) + np.asarray(self.high)) / 2)

    def support(self) -> None:
        return None

    def probability(self, values: Array) -> Array:
        raise TypeError("a continuous law has no point probabilities")


def _at(parameter: Array, rows: Array | None) -> Array:
    return parameter if rows is None or parameter.size == 1 else parameter.take(rows)


def tidy(values: Array) -> Array:
    """Values without the last bits of rounding, so that 0.1 + 0.2 and 0.3 are one value of a
    support.
    """
    return values if values.dtype.kind in "iub" else values.round(12) + 0.0


def _check_probabilities(law: str, p: Array | float) -> None:
    p = np.asarray(p, dtype=float)
    inside = (p >= -OUTSIDE) & (p <= 1 + OUTSIDE)
    if not inside.all():
        raise InputError(
            f"{law} needs probabilities in [0, 1], and got {p[~inside].ravel()[0]:.6g}"
        )

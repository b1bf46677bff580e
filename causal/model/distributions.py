"""Probability distributions of one variable given its causes.

A parameter is a number, or an array with one entry per unit. Every distribution samples by its
quantile function: `sample` maps one uniform number per unit to one value per unit, so that the same
noise gives coupled values under different parameters."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np

from ..arrays import Array, numeric
from ..errors import InputError, NotDiscreteError
from ..tolerances import PROBABILITY_SUM

PROBABILITY_EXCESS = 1e-12  # rounding may take a probability this far outside [0, 1]


class Distribution(ABC):
    """The distribution of one variable, for one unit or for n units with their own parameters.

    Two distributions are equal if their type and their parameters are."""

    @abstractmethod
    def sample(self, noise: Array, rows: Array | None = None) -> Array:
        """The quantile function at `noise`: values of shape (n,).

        `noise` holds uniform numbers in [0, 1), shape (n,). Unit i has the parameters in row i, or
        in row `rows[i]` if `rows`, shape (n,), is given."""

    @abstractmethod
    def mean(self) -> Array:
        """The expectation: shape () or (n,)."""

    @abstractmethod
    def support(self) -> Array | None:
        """Every value that has positive probability for some unit, ascending; None if the
        distribution is continuous."""

    @abstractmethod
    def probability(self, values: Array) -> Array:
        """The probability of each of `values`, shape (k,): shape (k,) or (n, k).

        Raises TypeError if the distribution is continuous."""

    @property
    def batch_shape(self) -> tuple[int, ...]:
        """The shape of `mean`: () if all units share one distribution, else (n,)."""
        return self.mean().shape

    def branches(self, n: int) -> tuple[Array, Array, Array]:
        """Every pair of a unit, out of `n`, and a value that has positive probability for it.

        Three arrays of equal length: the index of the unit, the value, its probability. Raises
        NotDiscreteError if the distribution is continuous."""
        support = self.support()
        if support is None:
            raise NotDiscreteError(f"a {type(self).__name__} law is continuous, and has no table")
        probability = np.broadcast_to(self.probability(support), (n, len(support)))
        unit, index = np.nonzero(probability > 0)
        return unit, support[index], probability[unit, index]

    def _without_objects(self) -> None:
        """Turn parameters that are arrays of Python's numbers into arrays of floats."""
        for field in fields(self):  # type: ignore[arg-type]
            parameter = np.asarray(getattr(self, field.name))
            if parameter.dtype.kind == "O":
                object.__setattr__(self, field.name, parameter.astype(float))

    def _key(self) -> tuple[Any, ...]:
        key: list[Any] = [type(self)]
        for field in fields(self):  # type: ignore[arg-type]
            parameter = np.asarray(getattr(self, field.name))
            key.append((parameter.shape, parameter.dtype.kind, parameter.tobytes()))
        return tuple(key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Distribution) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())


class Continuous(Distribution):
    """A distribution without point probabilities."""

    def support(self) -> None:
        return None

    def probability(self, values: Array) -> Array:
        raise TypeError("a continuous law has no point probabilities")


@dataclass(frozen=True, eq=False)
class Bernoulli(Distribution):
    """1 with probability `p`, else 0.

    Raises InputError if `p` is outside [0, 1] or NaN."""

    p: Array | float

    def __post_init__(self) -> None:
        _check_probabilities("Bernoulli", self.p)
        self._without_objects()

    def sample(self, noise: Array, rows: Array | None = None) -> Array:
        threshold = _of_rows(1.0 - np.asarray(self.p), rows)
        return (noise >= threshold).astype(np.int64)

    def mean(self) -> Array:
        return np.asarray(self.p, dtype=float)

    def support(self) -> Array:
        return np.arange(2)

    def probability(self, values: Array) -> Array:
        p = np.asarray(self.p, dtype=float)[..., None]
        return np.where(values == 1, p, np.where(values == 0, 1.0 - p, 0.0))


@dataclass(frozen=True, eq=False)
class Categorical(Distribution):
    """`values[i]` with probability `p[..., i]`; `p` has shape (k,), or (n, k) with a row per unit.

    The values ascend; they are 0 to k-1 by default. Raises InputError if a probability is outside
    [0, 1], a row does not sum to 1 within 1e-9, or there are not k ascending values."""

    p: Array
    values: Array | None = None

    def __post_init__(self) -> None:
        p = np.asarray(self.p, dtype=float)
        _check_probabilities("Categorical", p)
        if p.ndim == 0 or not np.allclose(p.sum(-1), 1.0, rtol=0, atol=PROBABILITY_SUM):
            sums = np.unique(p.sum(-1).round(6))
            raise InputError(f"Categorical needs rows that sum to 1, and got sums {sums}")
        size = p.shape[-1]
        values = np.arange(size) if self.values is None else np.asarray(self.values)
        if values.shape != (size,) or (np.diff(values) <= 0).any():
            raise InputError(
                f"Categorical needs {size} ascending values, and got {values.tolist()}"
            )
        object.__setattr__(self, "p", p)
        object.__setattr__(self, "values", values)

    def sample(self, noise: Array, rows: Array | None = None) -> Array:
        index = np.zeros(noise.shape, dtype=np.int64)
        for threshold in self._thresholds:
            index += noise >= _of_rows(threshold, rows)
        return self.support()[index]

    @cached_property
    def _thresholds(self) -> list[Array]:
        """The cumulative probabilities of all values but the last: k - 1 arrays, () or (n,).

        The quantile function steps up at each of them."""
        cumulative = np.cumsum(self.p, axis=-1)
        return list(np.ascontiguousarray(cumulative.T[:-1]))

    def mean(self) -> Array:
        return np.asarray(self.p @ self.support())

    def support(self) -> Array:
        return np.asarray(self.values)

    def probability(self, values: Array) -> Array:
        support, wanted = tidy(self.support()), tidy(values)
        index = np.minimum(np.searchsorted(support, wanted), len(support) - 1)
        return np.where(support[index] == wanted, self.p[..., index], 0.0)


@dataclass(frozen=True, eq=False)
class Exactly(Distribution):
    """A point mass at `value`. Raises InputError if it is not finite."""

    value: Array | float

    def __post_init__(self) -> None:
        if not np.isfinite(numeric(self.value, "Exactly's value", finite=False)).all():
            raise InputError(f"Exactly needs finite values, and got {self.value}")
        self._without_objects()

    def sample(self, noise: Array, rows: Array | None = None) -> Array:
        value = _of_rows(np.asarray(self.value), rows)
        if value.shape != noise.shape:
            return np.broadcast_to(value, noise.shape)
        # The array may be the model's own: hand out a read-only view, as broadcast_to does.
        view = value.view()
        view.flags.writeable = False
        return view

    def mean(self) -> Array:
        return np.asarray(self.value, dtype=float)

    def support(self) -> Array:
        return np.unique(tidy(np.asarray(self.value)))

    def probability(self, values: Array) -> Array:
        value = tidy(np.asarray(self.value))[..., None]
        return np.asarray(value == tidy(values), dtype=float)

    def branches(self, n: int) -> tuple[Array, Array, Array]:
        return np.arange(n), np.broadcast_to(self.value, (n,)), np.ones(n)


@dataclass(frozen=True, eq=False)
class Normal(Continuous):
    """The normal distribution with mean `loc` and standard deviation `std`, in the variable's unit.

    Raises InputError if `std` is negative or a parameter is not finite."""

    loc: Array | float
    std: Array | float

    def __post_init__(self) -> None:
        loc = numeric(self.loc, "Normal's mean", finite=False)
        std = numeric(self.std, "Normal's standard deviation", finite=False)
        finite = np.isfinite(loc).all() and np.isfinite(std).all()
        if not (finite and np.all(np.asarray(self.std) >= 0)):
            raise InputError(
                "Normal needs a finite mean and a finite standard deviation that is not negative"
            )
        self._without_objects()

    def sample(self, noise: Array, rows: Array | None = None) -> Array:
        from scipy.special import ndtri  # slow to import

        loc, std = _of_rows(np.asarray(self.loc), rows), _of_rows(np.asarray(self.std), rows)
        positive = np.maximum(noise, 2.0**-54)  # the quantile of 0 is minus infinity
        return np.asarray(loc + std * ndtri(positive))

    def mean(self) -> Array:
        return np.asarray(self.loc, dtype=float)


@dataclass(frozen=True, eq=False)
class Uniform(Continuous):
    """The uniform distribution on [low, high], in the variable's unit.

    Raises InputError if a bound is not finite, or `low` is above `high`."""

    low: Array | float
    high: Array | float

    def __post_init__(self) -> None:
        low = numeric(self.low, "Uniform's low bound", finite=False)
        high = numeric(self.high, "Uniform's high bound", finite=False)
        finite = np.isfinite(low).all() and np.isfinite(high).all()
        if not (finite and np.all(np.asarray(self.low) <= np.asarray(self.high))):
            raise InputError(
                "Uniform needs finite bounds in ascending order, and got "
                f"{self.low} and {self.high}"
            )
        self._without_objects()

    def sample(self, noise: Array, rows: Array | None = None) -> Array:
        low, high = _of_rows(np.asarray(self.low), rows), _of_rows(np.asarray(self.high), rows)
        return np.asarray(low + (high - low) * noise)

    def mean(self) -> Array:
        low, high = np.asarray(self.low, dtype=float), np.asarray(self.high)
        return np.asarray((low + high) / 2)


def tidy(values: Array) -> Array:
    """Values rounded to 12 decimals, so that 0.1 + 0.2 and 0.3 are one value of a support.

    Integers and booleans stay as they are; adding 0.0 turns -0.0 into 0.0."""
    return values if values.dtype.kind in "iub" else values.round(12) + 0.0


def _of_rows(parameter: Array, rows: Array | None) -> Array:
    """The parameter of each unit: that of its row, unless all units share one."""
    return parameter if rows is None or parameter.size == 1 else parameter.take(rows)


def _check_probabilities(law: str, p: Array | float) -> None:
    p = numeric(p, f"{law}'s probabilities", finite=False)
    inside = (p >= -PROBABILITY_EXCESS) & (p <= 1 + PROBABILITY_EXCESS)
    if not inside.all():
        worst = p[~inside].ravel()[0]
        raise InputError(f"{law} needs probabilities in [0, 1], and got {worst:.6g}")

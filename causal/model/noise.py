"""The noise of a model: a number for every unit, variable and step, by counting and not by drawing.

`uniform(units, "heat", 3)` depends on nothing but its arguments. So an intervention on one variable
leaves the noise of all others as it was, the order of variables does not matter, and a batch and a
single unit see the same world. The mixing function is the finaliser of SplitMix64 (Steele, Lea and
Flood, 2014, figure 16)."""

from functools import lru_cache
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

Units = NDArray[np.uint64]

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_DOUBLE = 2.0**-53


def units(seed: int | NDArray[np.int64], number: int | NDArray[np.int64]) -> Units:
    """The ids of the units with these numbers in the population `seed`:

    the shape of both together.
    """
    population = _mix(_wrap(seed))
    return np.atleast_1d(_mix(population + (_wrap(number) + np.uint64(1)) * _GAMMA))


def uniform(ids: Units, name: str, step: int | NDArray[np.int64] = 0) -> NDArray[np.float64]:
    """One number in [0, 1) for each unit:

    shape (units,). `step` is one number, or one for each unit.
    """
    return at(ids, name, clock(step))


def clock(step: int | NDArray[np.int64]) -> Units:
    """What `at` needs to know of a step, which is the same for all variables."""
    return (_wrap(step) + np.uint64(1)) * _GAMMA


def at(ids: Units, name: str, clock: Units) -> NDArray[np.float64]:
    """`uniform` at the step of a `clock`."""
    bits: NDArray[np.uint64] = _mix(_mix(ids + _key(name)) + clock)
    return np.asarray((bits >> np.uint64(11)) * _DOUBLE)


def words(ids: Units, first: int, count: int) -> NDArray[np.uint64]:
    """The numbers `first`, `first` + 1, ...

    of 64 random bits of each unit, (count, units): SplitMix64 with the id as its seed.
    """
    clock = np.arange(first + 1, first + count + 1).astype(np.uint64) * _GAMMA
    return _mix(clock[:, None] + ids)


def rewound(ids: Units, number: int) -> Units:
    """The ids whose word `number` is word 0 of these."""
    return ids - _wrap(number) * _GAMMA


@lru_cache(maxsize=4096)
def _key(name: str) -> np.uint64:
    return np.uint64(int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "little"))


def _wrap(number: int | NDArray[np.int64]) -> NDArray[np.uint64]:
    return np.atleast_1d(number).astype(np.int64).astype(np.uint64)


def _mix(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    bits = bits ^ (bits >> np.uint64(30))  # a new array, and the rest in place
    bits *= np.uint64(0xBF58476D1CE4E5B9)
    bits ^= bits >> np.uint64(27)
    bits *= np.uint64(0x94D049BB133111EB)
    bits ^= bits >> np.uint64(31)
    return bits

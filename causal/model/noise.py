"""The noise of a model: one uniform number per unit, variable and step, from a counter-based
generator.

`uniform(ids, "heat", 3)` is a pure function of its arguments: there is no generator state. An
intervention on one variable therefore leaves the noise of all others unchanged, the order of the
variables does not matter, and a batch and a single unit get the same noise. The mixing function is
the finaliser of SplitMix64 (Steele, Lea and Flood, 2014, figure 16)."""

from functools import lru_cache
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from ..arrays import Floats, Integers

UnitIds = NDArray[np.uint64]
Bits = NDArray[np.uint64]
Numbers = int | Integers

_GAMMA = np.uint64(0x9E3779B97F4A7C15)  # SplitMix64's increment, odd and close to 2**64 / phi
_ULP = 2.0**-53  # 53 random bits times this is a uniform double in [0, 1)


def units(seed: Numbers, number: Numbers) -> UnitIds:
    """The ids of the units with these numbers in the population `seed`; the arguments broadcast."""
    population = _mix(_unsigned(seed))
    return np.atleast_1d(_mix(population + _counter(number)))


def uniform(ids: UnitIds, name: str, step: Numbers = 0) -> Floats:
    """One uniform number in [0, 1) for each unit, (n,), for the variable `name`.

    `step` is one number, or one for each unit."""
    return at(ids, name, clock(step))


def clock(step: Numbers) -> UnitIds:
    """The part of the counter that encodes a step, (1,) or (n,); `at` takes it.

    It is the same for all variables, so that a step computes it once."""
    return _counter(step)


def at(ids: UnitIds, name: str, clock: UnitIds) -> Floats:
    """`uniform` at the step that `clock` encodes."""
    stream = _mix(ids + _hashed(name))
    bits: Bits = _mix(stream + clock)
    return np.asarray((bits >> np.uint64(11)) * _ULP)


def words(ids: UnitIds, first: int, count: int) -> Bits:
    """The random 64-bit words `first` to `first + count - 1` of each unit: (count, n).

    This is the output of SplitMix64 with the id as its seed."""
    counters = np.arange(first + 1, first + count + 1).astype(np.uint64) * _GAMMA
    return _mix(counters[:, None] + ids)


def rewound(ids: UnitIds, number: int) -> UnitIds:
    """The ids whose word `number` is word 0 of `ids`."""
    return ids - _unsigned(number) * _GAMMA


@lru_cache(maxsize=4096)
def _hashed(name: str) -> np.uint64:
    digest = blake2b(name.encode(), digest_size=8).digest()
    return np.uint64(int.from_bytes(digest, "little"))


def _counter(number: Numbers) -> Bits:
    return (_unsigned(number) + np.uint64(1)) * _GAMMA


def _unsigned(number: Numbers) -> Bits:
    """Integers modulo 2**64, at least (1,)."""
    return np.atleast_1d(number).astype(np.int64).astype(np.uint64)


def _mix(bits: Bits) -> Bits:
    bits = bits ^ (bits >> np.uint64(30))  # makes a copy; the rest works in place
    bits *= np.uint64(0xBF58476D1CE4E5B9)
    bits ^= bits >> np.uint64(27)
    bits *= np.uint64(0x94D049BB133111EB)
    bits ^= bits >> np.uint64(31)
    return bits

"""A batch of units that live through a model side by side: the interface of the simulators."""

from abc import ABC, abstractmethod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dosuite.causal import Array, Columns

Mask = NDArray[np.bool_]
Seeds = NDArray[np.int64]

BLOCK = 2**13  # random words at a time, few enough for the cache
BLOCK_OF_ONE = 2**8


class Outcome(NamedTuple):
    """What came of a step, before any new episode: arrays (n,) that are the caller's to keep."""

    observations: Array
    reward: NDArray[np.float64]
    terminated: Mask | None  # None if nothing in the model ends an episode
    logged: Columns


class Batch(ABC):
    """A batch of units side by side.

    What happens to a unit depends on its own seed and actions alone.
    """

    @abstractmethod
    def reset(self, seeded: Mask, seeds: Seeds) -> Array:
        """Begin a new episode for every unit;

        those `seeded` get a new seed first. Returns all observations.
        """

    @abstractmethod
    def begin(self, which: Mask | None = None) -> Array:
        """Begin a new episode for the units `which`, or for all of them.

        Returns all observations.
        """

    @abstractmethod
    def act(self, actions: Array) -> Outcome:
        """Take an action for each unit."""

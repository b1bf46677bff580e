"""The interface of the batched simulators: units that go through a model side by side."""

from abc import ABC, abstractmethod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dosuite.causal import Array, Columns

Mask = NDArray[np.bool_]
Seeds = NDArray[np.int64]


class Outcome(NamedTuple):
    """The result of a step, before any new episode begins: arrays (n,), owned by the caller."""

    observations: Array
    reward: NDArray[np.float64]
    terminated: Mask | None  # None if nothing in the model ends an episode
    logged: Columns


class Batch(ABC):
    """A batch of simulated units, each of which depends on its own seed and actions only."""

    @abstractmethod
    def reset(self, seeded: Mask, seeds: Seeds) -> Array:
        """Begin a new episode for every unit, after giving the units `seeded` a new seed.

        Returns all observations.
        """

    @abstractmethod
    def begin(self, which: Mask | None = None) -> Array:
        """Begin a new episode for the units `which`, or for all of them.

        Returns all observations.
        """

    @abstractmethod
    def act(self, actions: Array) -> Outcome:
        """Take one action (n,) for each unit."""

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
    def reset(
        self, seeded: Mask, seeds: Seeds, which: Mask | None = None, still: Mask | None = None
    ) -> Array:
        """Begin a new episode for the units `which`, or for all, and return all observations.

        The units `seeded` get a new seed first. A single unit uses up a word of noise at a reset
        unless its episode had reached its end; the units `still` use none.
        """

    @abstractmethod
    def begin(self, which: Mask | None = None) -> Array:
        """Begin a new episode for the units `which`, or for all of them.

        Returns all observations.
        """

    @abstractmethod
    def act(self, actions: Array) -> Outcome:
        """Take one action (n,) for each unit."""

    @abstractmethod
    def act_or_begin(self, actions: Array, which: Mask, still: Mask) -> Outcome:
        """Begin a new episode for the units `which`, and take one action for each other unit.

        The units `still`, some of `which`, use up no noise. The reward, the end and the logged
        variables of `which` mean nothing.
        """

    @abstractmethod
    def skip(self, which: Mask) -> None:
        """Use up a word of noise of the units `which`."""

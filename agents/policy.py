"""Policies: what agents learn, and what is evaluated."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import ClassVar

import numpy as np

from dosuite.causal import Array, NotDiscreteError
from dosuite.causal.exact import Process
from dosuite.envs import Space, as_integer
from dosuite.envs.spaces import positions

# acts once in each of n parallel episodes: observations (n, ...) and the rewards of the previous
# step (n,), 0 at the first, to actions (n,)
Player = Callable[[Array, Array], Array]


class Policy(ABC):
    """A memoryless policy and, if it has them, the action values that it believes in.

    Every parameter of a subclass's constructor is an attribute of the same name, so that
    `save_policy` can store it.
    """

    remembers: ClassVar[bool] = False  # whether actions depend on the past: see MemoryPolicy
    note: str = ""  # one line for the report
    process: Process | None = None  # the decision process it plans in, if it has a tabular model
    # what its agent would have done after fewer steps of practice, or fewer updates on a log, by
    # their number; not saved
    earlier: "Mapping[int, Policy]" = MappingProxyType({})

    @abstractmethod
    def probabilities(self, observations: Array) -> Array:
        """P(action | observation): observations (n,) or (n, contexts) to (n, actions)."""

    def action_values(self, observations: Array) -> Array | None:
        """The believed E[return | do(action), observation], (n, actions), if there are any."""
        return None

    def act(self, observations: Array, rng: np.random.Generator) -> Array:
        """Sample one action for each observation: (n,)."""
        return sample_actions(self.probabilities(observations), rng)

    def play(self, episodes: int, rng: np.random.Generator) -> Player:
        """Start `episodes` parallel episodes. The returned player acts once in each per call."""
        return lambda observations, rewards: self.act(observations, rng)


class MemoryPolicy(Policy):
    """A policy whose actions depend on the episode so far.

    Its value is estimated by rollouts, except at horizon 1. `probabilities` and `action_values` are
    those of the first step of an episode.
    """

    remembers: ClassVar[bool] = True

    @abstractmethod
    def play(self, episodes: int, rng: np.random.Generator) -> Player:
        """Start `episodes` parallel episodes; the returned player keeps the history of each."""


class ContinuousPolicy(Policy):
    """A policy with real-valued actions, for a Box; its value is estimated by rollouts."""

    def probabilities(self, observations: Array) -> Array:
        """Raises NotDiscreteError: a continuous policy has no table of probabilities."""
        raise NotDiscreteError(
            "a policy whose actions are numbers has no table of probabilities; ask it to act"
        )

    @abstractmethod
    def act(self, observations: Array, rng: np.random.Generator) -> Array:
        """An action within the bounds for each observation: (n,) or (n, contexts) to (n,).

        If an action has several numbers, the result is (n, numbers).
        """


class TabularPolicy(Policy):
    """A table of action probabilities, (C, A).

    `over` says what the C rows stand for: the observations of a discrete space, or those in an
    array (k * C, ...), whose row i is one of the observations of row i % C.
    """

    def __init__(
        self, table: Array, over: Space | Array, process: Process | None = None, note: str = ""
    ):
        self.table = table
        self.over = over
        self.process = process
        self.note = note
        self._values = None if process is None else process.plan()

    def _rows(self, observations: Array) -> Array:
        if isinstance(self.over, np.ndarray):
            return positions(self.over, observations) % len(self.table)
        return as_integer(self.over, observations)

    def probabilities(self, observations: Array) -> Array:
        """Look up rows of the table. Raises InputError for an observation without a row."""
        return np.asarray(self.table[self._rows(observations)])

    def action_values(self, observations: Array) -> Array | None:
        """The optimal action values of the process, if there is one."""
        if self._values is None:
            return None
        return np.asarray(self._values[self._rows(observations)])


def sample_actions(probabilities: Array, rng: np.random.Generator) -> Array:
    """Sample an action from each row of probabilities, (n, A) to (n,)."""
    bounds = probabilities.cumsum(axis=1)
    thresholds = rng.random((len(bounds), 1)) * bounds[:, -1:]
    return np.asarray((thresholds >= bounds).sum(axis=1))

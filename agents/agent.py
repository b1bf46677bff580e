"""The protocol:

an agent learns from a log or from practice, with a seed, and what it has learned is a policy.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from dosuite.causal import Array, InputError, NotDiscreteError, World
from dosuite.causal.exact import Process
from dosuite.envs import CausalVectorEnv, Data, Space, as_integer
from dosuite.envs.spaces import positions

Player = Callable[
    [Array, Array], Array
]  # from observations (n, ...) and the rewards of the step before (n,) to actions (n,)


class Policy(ABC):
    """What an agent has learned: a memoryless policy, and where it has them, what it believes its
    actions lead to.

    What its constructor takes are its attributes, so that `save_policy` can keep it.
    """

    remembers: ClassVar[bool] = (
        False  # whether it acts on more of the episode than the observation: see MemoryPolicy
    )
    note: str = ""  # one line for the report
    process: Process | None = (
        None  # what it believes happens after each action, where it has a tabular model
    )

    @abstractmethod
    def probabilities(self, observations: Array) -> Array:
        """P(action | observation): observations (n,) or (n, contexts) to (n, actions)."""

    def action_values(self, observations: Array) -> Array | None:
        """The implied E[return | do(action), observation], (n, actions);

        None if the policy has no such thing.
        """
        return None

    def act(self, observations: Array, rng: np.random.Generator) -> Array:
        """Draw one action for each observation: (n,)."""
        bounds = self.probabilities(observations).cumsum(axis=1)
        return np.asarray((rng.random((len(bounds), 1)) * bounds[:, -1:] >= bounds).sum(axis=1))

    def play(self, episodes: int, rng: np.random.Generator) -> Player:
        """Begin so many episodes side by side: what comes back acts in all of them, one step at
        each call.

        It is called with the observations and the rewards of the step before, which are 0 at the
        first, in step with the episodes."""
        return lambda observations, rewards: self.act(observations, rng)


class MemoryPolicy(Policy):
    """A policy that remembers the episode: its value is estimated by rollouts, but in one step,
    where there is nothing to remember.

    `probabilities` and `action_values` are those of the first step of an episode.
    """

    remembers: ClassVar[bool] = True

    @abstractmethod
    def play(self, episodes: int, rng: np.random.Generator) -> Player:
        """Begin so many episodes side by side, without a past.

        What comes back remembers what it has seen and done in each.
        """


class ContinuousPolicy(Policy):
    """A policy whose actions are numbers, for a Box:

    it only acts, so that its value is estimated by rollouts.
    """

    def probabilities(self, observations: Array) -> Array:
        """Raises NotDiscreteError: numbers have no table of probabilities."""
        raise NotDiscreteError(
            "a policy whose actions are numbers has no table of probabilities; ask it to act"
        )

    @abstractmethod
    def act(self, observations: Array, rng: np.random.Generator) -> Array:
        """One action within the bounds for each observation:

        observations (n,) or (n, contexts) to floats (n,).
        """


@dataclass(frozen=True)
class Practice:
    """An environment to learn in by acting: `make(n)` gives n copies, and `steps` is the most to
    take in all of them.

    `log` is what the behaviour policy has recorded before, as many steps again, for an agent that
    needs it."""

    make: Callable[[int], CausalVectorEnv]
    steps: int
    discount: float
    log: Data | None = None

    def log_for(self, name: str) -> Data:
        """The log, for the agent of this name, which needs it.

        Raises InputError if there is none.
        """
        if self.log is None:
            raise InputError(f"{name} needs a log beside the practice, and got none")
        return self.log


class Agent(ABC):
    """An agent. Subclass it as a frozen dataclass whose fields are its hyper-parameters, in one
    file of this folder or yours.

    `learns` names the regimes it can learn in: "observe" and "mixed" hand `learn` a log (`Data`),
    "intervene" and "counterfactual" an environment (`Practice`), "exact" the model itself. `needs`
    names what it must be told beyond columns and spaces: "graph", "labels", and beside practice a
    "log". It is handed nothing else.

    An agent that learns from logs may also define `learn_all(sources, rngs)`, for all seeds at
    once: a list with the policy of each, equal to the one that `learn` gives, or the exception that
    stopped it."""

    name: ClassVar[str]
    learns: ClassVar[tuple[str, ...]]
    needs: ClassVar[frozenset[str]] = frozenset()
    acts_in_a_box: ClassVar[bool] = False  # whether its actions can be numbers
    counts_actions: ClassVar[bool] = True  # whether they can be counted

    @abstractmethod
    def learn(self, source: Any, rng: np.random.Generator) -> Policy:
        """Learn from the source. Equal sources and equal generators give equal policies."""


class TabularPolicy(Policy):
    """A table of probabilities (C, A):

    over the observations of a discrete space, or over a grid of observations (C, ...).
    """

    def __init__(
        self, table: Array, over: Space | Array, process: Process | None = None, note: str = ""
    ):
        self.table, self.over, self.process, self.note = table, over, process, note
        self._values = None if process is None else process.plan()

    def _rows(self, observations: Array) -> Array:
        return (
            positions(self.over, observations)
            if isinstance(self.over, np.ndarray)
            else as_integer(self.over, observations)
        )

    def probabilities(self, observations: Array) -> Array:
        """Rows of the table. Raises InputError at an observation that it does not have."""
        return np.asarray(self.table[self._rows(observations)])

    def action_values(self, observations: Array) -> Array | None:
        """The plan in the process that the policy believes in."""
        return None if self._values is None else np.asarray(self._values[self._rows(observations)])


@dataclass(frozen=True)
class Exact:
    """The source of the reference policies: the model itself."""

    model: World

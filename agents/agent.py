"""The protocol of agents: an agent learns from a source, with a seed, and returns a policy."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from dosuite.causal import InputError
from dosuite.causal.model.scm import generator
from dosuite.envs import Data, Log

from .policy import Policy
from .sources import SOURCES_BY_REGIME, Exact, Practice, Source


class Agent(ABC):
    """An agent: it learns from a source and returns a policy.

    Subclass it, or one of the bases below, as a frozen dataclass whose fields are the
    hyper-parameters, in a file of this package or of your own, and define `learn_from`.

    `learns` lists the regimes that the agent learns in, which decide its source: "observe" and
    "mixed" give `Data` (a log), "intervene" and "counterfactual" give `Practice` (an environment),
    "exact" gives `Exact` (the model). `needs` lists what it gets in addition: "graph" (the causal
    graph of the log), "labels" (the columns regime, domain and propensity), "log" (a log in
    addition to the practice). It gets nothing else. An agent that trains all seeds at once
    overrides `learn_all` too; runs then group its seeds.
    """

    name: ClassVar[str]
    learns: ClassVar[tuple[str, ...]]
    needs: ClassVar[frozenset[str]] = frozenset()
    acts_in_a_box: ClassVar[bool] = False  # whether it can choose real-valued actions
    takes_numbers: ClassVar[bool] = False  # whether such an action may have several numbers
    rounds_up: ClassVar[bool] = False  # whether its practice may end with a whole rollout
    counts_actions: ClassVar[bool] = True  # whether it can choose among finitely many actions

    def learn(self, source: Source, rng: np.random.Generator | int = 0) -> Policy:
        """Learn from the source. Equal sources and equal generators give equal policies.

        `rng` is a generator, or the seed of one. A `Log` stands for its default view: `learn(log)`
        equals `learn(log.view(np.random.default_rng(0), labels="labels" in self.needs))`. Raises
        InputError if the source is of the wrong kind, or lacks what the agent needs, or `rng` is
        neither.
        """
        return self.learn_from(self.checked(source), generator(rng))

    def learn_from(self, source: Any, rng: np.random.Generator) -> Policy:
        """Learn from a checked source (`Data`, `Practice`, `Exact` or `Spaces`, by regime).

        This is what an agent defines.
        """
        raise NotImplementedError(f"{type(self).__name__} must define learn_from")

    def learn_all(
        self, sources: Sequence[Any], rngs: Sequence[np.random.Generator]
    ) -> list[Policy | Exception]:
        """Learn from the sources of several seeds, each with its own generator.

        Returns for each seed the policy that `learn` gives, or the exception that stopped it. An
        agent that trains all seeds at once overrides this method.
        """
        policies: list[Policy | Exception] = []
        for source, rng in zip(sources, rngs, strict=True):
            try:
                policies.append(self.learn(source, rng))
            except Exception as error:
                policies.append(error)
        return policies

    @classmethod
    def trains_seeds_together(cls) -> bool:
        """Whether `learn_all` trains all seeds at once, instead of one after another."""
        return cls.learn_all is not Agent.learn_all

    def checked(self, source: Source) -> Source:
        """The source to learn from; of a `Log`, its default view.

        Raises InputError if the source is of the wrong kind, or lacks what the agent needs.
        """
        regimes = [regime for regime in self.learns if regime in SOURCES_BY_REGIME]
        accepted = {SOURCES_BY_REGIME[regime] for regime in regimes}
        if isinstance(source, Log) and Data in accepted:
            source = self._view(source)
        if not isinstance(source, tuple(accepted)):
            kinds = " or ".join(sorted(kind.__name__ for kind in accepted))
            kinds = kinds.replace("Data", "a Log or its view (Data)")
            raise InputError(f"{self._title} learns from {kinds}, and got {type(source).__name__}")
        if isinstance(source, Data) and "graph" in self.needs and source.graph is None:
            raise InputError(f"{self._title} needs the graph, and got a log without one")
        return source

    def _view(self, log: Log) -> Data:
        if "graph" in self.needs and log.graph is None:
            raise InputError(
                f"{self._title} needs the graph, and a log has none; "
                "learn from log.view(graph=world.graph)"
            )
        return log.view(np.random.default_rng(0), labels="labels" in self.needs)

    @property
    def _title(self) -> str:
        """The name of the agent in messages."""
        return getattr(self, "name", type(self).__name__)


@dataclass(frozen=True)
class OfflineAgent(Agent):
    """An agent that learns from a log."""

    learns: ClassVar[tuple[str, ...]] = ("observe", "mixed")

    @abstractmethod
    def learn_from(self, source: Data, rng: np.random.Generator) -> Policy:
        """Learn from a log."""


@dataclass(frozen=True)
class OnlineAgent(Agent):
    """An agent that learns by acting in an environment."""

    learns: ClassVar[tuple[str, ...]] = ("intervene", "counterfactual")

    @abstractmethod
    def learn_from(self, source: Practice, rng: np.random.Generator) -> Policy:
        """Learn by acting."""


@dataclass(frozen=True)
class ReferenceAgent(Agent):
    """An agent that computes its policy from the model."""

    learns: ClassVar[tuple[str, ...]] = ("exact",)

    @abstractmethod
    def learn_from(self, source: Exact, rng: np.random.Generator) -> Policy:
        """Compute the policy of the model."""

"""What offline agents with networks share: all seeds learn from their logs at once."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from gymnasium.spaces import flatdim

from confoundry.causal import InputError
from confoundry.envs import Data, choices

from .agent import Agent, Policy
from .batched import Encoder, Learner, Perceptrons, minibatches, train
from .networks import device_named

DIVERGED = "the loss is not finite any more; try a smaller learning rate"


@dataclass(frozen=True)
class Task:
    """What a learner knows before it sees a row, and the generator of each seed."""

    data: Data
    rngs: Sequence[np.random.Generator]
    encoder: Encoder
    hidden: int

    @property
    def actions(self) -> int:
        """How many actions there are."""
        return choices(self.data.action_space)

    def networks(self, outputs: int, copies: int = 1) -> Perceptrons:
        """Fresh networks for each seed, of two hidden layers: (copies * seeds) members, copy by copy."""
        sizes = [flatdim(self.data.observation_space), self.hidden, self.hidden, outputs]
        return Perceptrons.drawn(sizes, [*self.rngs] * copies).to(self.encoder.device)


@dataclass(frozen=True)
class OfflineAgent(Agent):
    """An agent that trains networks on a log, for all seeds at once or for one: each seed learns the same either way.

    Raises InputError if a setting is out of range, or if actions cannot be counted.
    """

    learns: ClassVar[tuple[str, ...]] = ("observe", "mixed")

    batch: int = 256  # rows of a minibatch
    rate: float = 1e-3
    hidden: int = 32  # units in each of two layers
    device: str = "cpu"  # or cuda

    def __post_init__(self) -> None:
        at_least_one(self, "batch", "hidden")
        if not self.rate > 0:
            raise InputError(f"{self.name}: rate must be positive, and is {self.rate}")

    def learn(self, source: Any, rng: np.random.Generator) -> Policy:
        """Learn from a log. Raises FloatingPointError if the loss is not finite any more."""
        (found,) = self.learn_all([source], [rng])
        if isinstance(found, Exception):
            raise found
        return found

    def learn_all(self, sources: Sequence[Data], rngs: Sequence[np.random.Generator]) -> list[Policy | Exception]:
        """Learn from logs of one task, each with its own generator: what each seed has learned, or the error that stopped it."""
        choices(sources[0].action_space)  # or it refuses
        encoder = Encoder(sources[0].observation_space, self.batch, device_named(self.device))
        task = Task(sources[0], rngs, encoder, self.hidden)
        learner = self._learner(task)
        batches = minibatches(sources, rngs, self._updates(sources[0].horizon), self.batch, encoder)
        finite = train(learner, len(rngs), batches, self.rate)
        return [learner.policy(seed) if ok else FloatingPointError(DIVERGED) for seed, ok in enumerate(finite)]

    @abstractmethod
    def _updates(self, horizon: int) -> int:
        """Steps of the optimiser."""

    @abstractmethod
    def _learner(self, task: Task) -> Learner:
        """The networks and their loss."""


def at_least_one(agent: Agent, *settings: str) -> None:
    """Raise InputError if a setting that counts something is less than 1."""
    for name in settings:
        if getattr(agent, name) < 1:
            raise InputError(f"{agent.name}: {name} must be at least 1, and is {getattr(agent, name)}")


def taken(outputs: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
    """The outputs of the actions that were taken: (..., rows, actions) and (..., rows) to (..., rows)."""
    return outputs.gather(-1, actions[..., None])[..., 0]

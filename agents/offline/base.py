"""What offline agents with networks share: all seeds learn from their logs at once."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from gymnasium.spaces import flatdim
from torch import Tensor

from dosuite.causal import Array, InputError
from dosuite.envs import Data, choices

from ..agent import Agent, Policy
from ..networks.encoder import Encoder
from ..networks.features import device_named
from ..networks.perceptrons import Perceptrons
from ..networks.training import Learner, minibatches, train
from ..settings import at_least_one, check_actions

DIVERGED = "the loss is not finite any more; try a smaller learning rate"


@dataclass(frozen=True)
class Task:
    """What learners know before they see a minibatch:

    the log and the generator of each seed, and how networks see.
    """

    sources: Sequence[Data]
    rngs: Sequence[np.random.Generator]
    encoder: Encoder
    hidden: int

    @property
    def data(self) -> Data:
        """A log, for what all have in common: spaces, horizon and discount."""
        return self.sources[0]

    @property
    def actions(self) -> int:
        """How many actions there are."""
        return choices(self.data.action_space)

    def networks(self, outputs: int, copies: int = 1, beside: int = 0) -> Perceptrons:
        """Fresh networks for each seed, of two hidden layers: (copies * seeds) members, copy by
        copy.

        They have so many inputs beside the observation.
        """
        sizes = [flatdim(self.data.observation_space) + beside, self.hidden, self.hidden, outputs]
        return Perceptrons.drawn(sizes, [*self.rngs] * copies).to(self.encoder.device)

    def standard(self, name: str) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of each number of a column in the log of each seed: (seeds,
        numbers) each.

        No deviation is 0, nor so small that it is an error of rounding.
        """
        moments = np.stack([_moments(data, name) for data in self.sources], 1)
        mean, spread = torch.as_tensor(moments).float().to(self.encoder.device)
        return mean, spread


def _moments(data: Data, name: str) -> Array:
    """Mean and standard deviation of each number of a column: (2, numbers)."""
    with np.errstate(invalid="ignore", over="ignore"):
        mean = sum(
            part[name].reshape(len(part), -1).sum(0, dtype=np.float64) for part in data.chunks()
        ) / len(data)
        square = sum(
            np.square(part[name].reshape(len(part), -1) - mean).sum(0) for part in data.chunks()
        ) / len(data)
    return np.stack([mean, np.maximum(np.sqrt(square), np.maximum(1e-6 * abs(mean), 1e-9))])


@dataclass(frozen=True)
class OfflineAgent(Agent):
    """An agent that trains networks on a log, for all seeds at once or for one: each seed learns
    the same either way.

    Raises InputError if a setting is out of range, or if it cannot take the actions.
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

    def learn_all(
        self, sources: Sequence[Data], rngs: Sequence[np.random.Generator]
    ) -> list[Policy | Exception]:
        """Learn from logs of one task, each with its own generator:

        what each seed has learned, or the error that stopped it.
        """
        check_actions(self, sources[0].action_space)
        encoder = Encoder(sources[0].observation_space, self.batch, device_named(self.device))
        task = Task(sources, rngs, encoder, self.hidden)
        learner = self._learner(task)
        batches = minibatches(sources, rngs, self._updates(sources[0].horizon), self.batch, encoder)
        finite = train(learner, len(rngs), batches, self.rate)
        return [
            learner.policy(seed) if ok else FloatingPointError(DIVERGED)
            for seed, ok in enumerate(finite)
        ]

    @abstractmethod
    def _updates(self, horizon: int) -> int:
        """Steps of the optimiser."""

    @abstractmethod
    def _learner(self, task: Task) -> Learner:
        """The networks and their loss."""


def taken(outputs: Tensor, actions: Tensor) -> Tensor:
    """The outputs of the actions that were taken:

    (..., rows, actions) and (..., rows) to (..., rows).
    """
    return outputs.gather(-1, actions[..., None])[..., 0]

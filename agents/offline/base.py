"""What offline agents with networks share: the networks of all seeds are trained at once."""

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from gymnasium.spaces import flatdim
from torch import Tensor

from dosuite.causal import Array
from dosuite.envs import Data, choices

from ..agent import OfflineAgent
from ..networks.convergence import trained_policies
from ..networks.encoder import Encoder
from ..networks.features import device_named
from ..networks.perceptrons import Perceptrons
from ..networks.rescaling import safe_spread
from ..networks.training import Learner, Minibatch, minibatches
from ..policy import Policy
from ..settings import at_least_one, check_actions, positive

COMPARED = 1000  # observations of a log in which policies are compared


@dataclass(frozen=True)
class Task:
    """What a learner gets before the first minibatch: the log and the generator of each seed."""

    sources: Sequence[Data]
    rngs: Sequence[np.random.Generator]
    encoder: Encoder
    hidden: int  # units in each of two layers

    @property
    def data(self) -> Data:
        """The first log, for what all logs share: spaces, horizon and discount."""
        return self.sources[0]

    @property
    def actions(self) -> int:
        """The number of actions."""
        return choices(self.data.action_space)

    @property
    def numbers(self) -> int:
        """The number of numbers of an action in a Box."""
        return flatdim(self.data.action_space)

    def networks(self, outputs: int, copies: int = 1, extra_inputs: int = 0) -> Perceptrons:
        """New networks with two hidden layers: (copies * seeds) members, copy by copy.

        They have the features of an observation as inputs, and `extra_inputs` more.
        """
        inputs = flatdim(self.data.observation_space) + extra_inputs
        sizes = [inputs, self.hidden, self.hidden, outputs]
        return Perceptrons.drawn(sizes, [*self.rngs] * copies).to(self.encoder.device)

    def standard(self, name: str) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of a column in the log of each seed: (seeds, numbers) each.

        Deviations are positive: see `safe_spread`.
        """
        moments = np.stack([_moments(data, name) for data in self.sources], 1)
        mean, spread = torch.as_tensor(moments).float().to(self.encoder.device)
        return mean, spread


def _moments(data: Data, name: str) -> Array:
    """Mean and standard deviation of each number of a column, read chunk by chunk: (2, numbers)."""
    with np.errstate(invalid="ignore", over="ignore"):
        total = sum(_rows(part, name).sum(0, dtype=np.float64) for part in data.chunks())
        mean = total / len(data)
        squares = sum(np.square(_rows(part, name) - mean).sum(0) for part in data.chunks())
        deviation = np.sqrt(squares / len(data))
    return np.stack([mean, safe_spread(deviation, mean)])


def _rows(data: Data, name: str) -> Array:
    return data[name].reshape(len(data), -1)


@dataclass(frozen=True)
class BatchedAgent(OfflineAgent):
    """An offline agent that trains the networks of all seeds at once.

    Each seed learns exactly what it learns alone. Raises InputError if a setting is out of range,
    or if the agent cannot take the actions.
    """

    batch: int = 256  # rows of a minibatch
    rate: float = 1e-3  # learning rate of Adam
    hidden: int = 32  # units in each of two layers
    device: str = "cpu"  # or cuda

    def __post_init__(self) -> None:
        at_least_one(self, "batch", "hidden")
        positive(self, "rate")

    def learn_from(self, source: Data, rng: np.random.Generator) -> Policy:
        """Learn from a log. Raises FloatingPointError if the loss becomes infinite or NaN."""
        (policy,) = self.learn_all([source], [rng])
        if isinstance(policy, Exception):
            raise policy
        return policy

    def learn_all(
        self, sources: Sequence[Data], rngs: Sequence[np.random.Generator]
    ) -> list[Policy | Exception]:
        """Learn from logs of one task, each with its own generator.

        Returns for each seed its policy, or the error that stopped it.
        """
        check_actions(self, sources[0].action_space)
        encoder = Encoder(sources[0].observation_space, self.batch, device_named(self.device))
        task = Task(sources, rngs, encoder, self.hidden)
        learner = self._learner(task)
        updates = self._updates(sources[0].horizon)
        batches = minibatches(sources, rngs, updates, self.batch, encoder)
        return self._trained(learner, task, batches)

    def _trained(
        self, learner: Learner, task: Task, batches: Iterable[Minibatch]
    ) -> list[Policy | Exception]:
        """Train; the policy of each seed, or the error that stopped it."""
        updates = self._updates(task.data.horizon)
        shown = [self._some_observations(data) for data in task.sources]
        actions = task.data.action_space
        return trained_policies(learner, batches, updates, self.rate, shown, actions)

    def _some_observations(self, data: Data) -> Array:
        """The first observations of a log, as the policy gets them."""
        return data["observation"][:COMPARED]

    @abstractmethod
    def _updates(self, horizon: int) -> int:
        """The number of optimiser steps."""

    @abstractmethod
    def _learner(self, task: Task) -> Learner:
        """The networks and their loss."""


def taken(outputs: Tensor, actions: Tensor) -> Tensor:
    """The outputs for the actions taken: (..., rows, actions) and (..., rows) to (..., rows)."""
    return outputs.gather(-1, actions[..., None])[..., 0]

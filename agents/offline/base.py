"""What offline agents with networks share: the networks of all seeds are trained at once."""

from abc import abstractmethod
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import numpy as np
import torch
from gymnasium.spaces import flatdim
from torch import Tensor

from dosuite.causal import Array, InputError
from dosuite.envs import Data, choices

from ..agent import OfflineAgent
from ..networks.convergence import trained_policies
from ..networks.encoder import Encoder
from ..networks.features import device_named, image_size
from ..networks.network_agent import NetworkAgent
from ..networks.perceptrons import Perceptrons
from ..networks.rescaling import safe_spread
from ..networks.training import Learner, Minibatch, minibatches
from ..points import check_points, points_of
from ..policy import Policy
from ..settings import check_actions

K = TypeVar("K", bound=Hashable)
COMPARED = 1000  # observations of a log in which policies are compared


@dataclass(frozen=True)
class Task:
    """What a learner gets before the first minibatch: the log and the generator of each seed."""

    sources: Sequence[Data]
    rngs: Sequence[np.random.Generator]
    encoder: Encoder
    layers: Sequence[int]  # units of the hidden layers
    updates: int = 1  # steps of the optimiser

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
        """New networks: (copies * seeds) members, copy by copy.

        They have the features of an observation as inputs, and `extra_inputs` more.
        """
        inputs = flatdim(self.data.observation_space) + extra_inputs
        sizes = [inputs, *self.layers, outputs]
        image = image_size(self.data.observation_space)
        return Perceptrons.drawn(sizes, [*self.rngs] * copies, image).to(self.encoder.device)

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
class BatchedAgent(NetworkAgent, OfflineAgent):
    """An offline agent that trains the networks of all seeds at once.

    Each seed learns exactly what it learns alone. Seeds whose logs ask for other numbers of updates
    (see `epochs`) are trained apart. Raises InputError if the agent cannot take the actions.

    A seed stands for three things: the rows of its log, the initial networks, and the order of the
    minibatches. `initial` and `order` take the last two from one number for all seeds.

    With `points` the policy is kept on the way, too: before the first update, and after 1/2, 1/4,
    ... 1/2^points of them. Where an agent counts or computes its policy, there is no way to keep.
    """

    initial: int = -1  # of which the initial networks are drawn; -1: of the seed
    order: int = -1  # of which minibatches, and noise while training, are drawn; -1: of the seed
    points: int = 0  # halvings of the updates after which the value is read, and before the first

    def __post_init__(self) -> None:
        super().__post_init__()
        check_points(self)
        for name in ("initial", "order"):
            if getattr(self, name) < -1:
                raise InputError(f"{self.name}: {name} is a seed, or -1 for that of the run")

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
        keys = [self._updates(source) for source in sources]
        return in_groups(keys, partial(self._learn_together, sources, rngs))

    def _learn_together(
        self,
        sources: Sequence[Data],
        rngs: Sequence[np.random.Generator],
        updates: int,
        seeds: Sequence[int],
    ) -> list[Policy | Exception]:
        """Learn from the logs of some seeds, with one number of updates."""
        encoder = Encoder(sources[0].observation_space, self.batch, device_named(self.device))
        logs, generators = [sources[seed] for seed in seeds], [rngs[seed] for seed in seeds]
        task = Task(logs, generators, encoder, self.layers, updates)
        learner = self._drawn(task)
        return self._trained(learner, task, self._minibatches(task, learner))

    def _drawn(self, task: Task) -> Any:
        """The networks, after which the generators of the task are those of the minibatches."""
        of_seed = [rng.bit_generator.state for rng in task.rngs]
        if self.initial >= 0:
            _restart(task.rngs, self.initial)
        learner = self._learner(task)
        if self.initial >= 0:
            for rng, state in zip(task.rngs, of_seed, strict=True):
                rng.bit_generator.state = state
        if self.order >= 0:
            _restart(task.rngs, self.order)
        return learner

    def _minibatches(self, task: Task, learner: Any) -> Iterable[Any]:
        """The minibatches that the learner is trained on."""
        return minibatches(task.sources, task.rngs, task.updates, self.batch, task.encoder)

    def _trained(
        self, learner: Learner, task: Task, batches: Iterable[Minibatch]
    ) -> list[Policy | Exception]:
        """Train; the policy of each seed, or the error that stopped it."""
        shown = [self._some_observations(data) for data in task.sources]
        actions = task.data.action_space
        points = points_of(task.updates, self.points)
        return trained_policies(learner, batches, task.updates, self, shown, actions, points)

    def _some_observations(self, data: Data) -> Array:
        """The first observations of a log, as the policy gets them."""
        return data["observation"][:COMPARED]

    def _updates(self, data: Data) -> int:
        """The number of steps of the optimiser on a log."""
        return self.updates_on(len(data))

    @abstractmethod
    def _learner(self, task: Task) -> Learner:
        """The networks and their loss."""


def _restart(rngs: Sequence[np.random.Generator], seed: int) -> None:
    """Let every generator begin anew from one seed."""
    for rng in rngs:
        rng.bit_generator.state = type(rng.bit_generator)(seed).state


def in_groups(
    keys: Sequence[K], learn: Callable[[K, Sequence[int]], list[Policy | Exception]]
) -> list[Policy | Exception]:
    """What `learn(key, seeds)` returns for the seeds of each key, in the order of the seeds.

    Seeds are the positions in `keys`.
    """
    learned: dict[int, Policy | Exception] = {}
    for key in dict.fromkeys(keys):
        seeds = [seed for seed, own in enumerate(keys) if own == key]
        learned.update(zip(seeds, learn(key, seeds), strict=True))
    return [learned[seed] for seed in range(len(keys))]


def taken(outputs: Tensor, actions: Tensor) -> Tensor:
    """The outputs for the actions taken: (..., rows, actions) and (..., rows) to (..., rows)."""
    return outputs.gather(-1, actions[..., None])[..., 0]

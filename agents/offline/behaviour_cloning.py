"""Behaviour cloning."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from gymnasium.spaces import Box
from torch import Tensor

from dosuite.causal import Array
from dosuite.envs import Data, Space

from ..networks.network_policy import NetworkPolicy, outputs
from ..networks.perceptrons import Perceptrons
from ..networks.rescaling import of_raw_outputs
from ..networks.training import Learner, Minibatch
from ..policy import ContinuousPolicy, Policy, TabularPolicy
from ..tabular.counting import counts, is_tabular
from .base import BatchedAgent, Task, taken


def likelihood_loss(logits: Tensor, actions: Tensor) -> Tensor:
    """Cross-entropy -E[log pi(a | o)] of logged actions: (seeds,).

    Logits are (seeds, rows, actions) and actions (seeds, rows).
    """
    return -taken(logits.log_softmax(-1), actions).mean(-1)


class Cloner(Learner):
    """A network of action logits for each seed."""

    def __init__(self, task: Task):
        super().__init__()
        self.task = task
        self.actor = task.networks(task.actions)

    def forward(self, batch: Minibatch) -> Tensor:
        """The loss of each seed."""
        logits = self.task.encoder.outputs(self.actor, batch.observation)
        return likelihood_loss(logits, batch.action)

    def policy(self, seed: int) -> Policy:
        """The actor of a seed, without action values."""
        return NetworkPolicy(self.task.data.observation_space, None, self.actor.only([seed]))


class MeanCloner(Learner):
    """A network of the standardised mean action, number by number, for each seed."""

    def __init__(self, task: Task):
        super().__init__()
        self.task = task
        self.actor = task.networks(task.numbers)
        self.mean, self.spread = task.standard("action")

    def forward(self, batch: Minibatch) -> Tensor:
        """The squared error of each seed."""
        target = (batch.numbers - self.mean[:, None]) / self.spread[:, None]
        predicted = self.task.encoder.outputs(self.actor, batch.observation)
        return (predicted - target).square().flatten(1).mean(-1)

    def policy(self, seed: int) -> Policy:
        """The actor of a seed, on the scale of the actions."""
        bounds: Any = self.task.data.action_space
        mean, spread = self.mean[seed].cpu(), self.spread[seed].cpu()
        actor = of_raw_outputs(self.actor.only([seed]), mean, spread)
        return ClonedMean(actor, self.task.data.observation_space, bounds)


@dataclass(frozen=True)
class BehaviourCloning(BatchedAgent):
    """Maximum likelihood of the logged actions given the observations.

    It counts if observations are few, else a network minimises -E[log pi(a | o)]. Of real-valued
    actions a network learns the mean by least squares, and acts by it.

    Source: Pomerleau (1991), Efficient training of artificial neural networks for autonomous
    navigation.
    """

    name: ClassVar[str] = "bc"
    acts_in_a_box: ClassVar[bool] = True
    takes_numbers: ClassVar[bool] = True

    batch: int = 1024
    hidden: int = 64
    updates: int = 2000  # if a network learns

    def learn_all(
        self, sources: Sequence[Data], rngs: Sequence[np.random.Generator]
    ) -> list[Policy | Exception]:
        """Clone the logs. If it counts, an observation without rows gets uniform actions."""
        if isinstance(sources[0].action_space, Box) or not is_tabular(sources[0]):
            return super().learn_all(sources, rngs)
        return [_counted(source) for source in sources]

    def _learner(self, task: Task) -> Learner:
        return MeanCloner(task) if isinstance(task.data.action_space, Box) else Cloner(task)


def _counted(data: Data) -> Policy:
    """The relative frequencies of actions in each observation."""
    count = counts(data).sum(2)
    total = count.sum(1, keepdims=True)
    uniform = 1.0 / count.shape[1]
    table = np.where(total > 0, count / np.maximum(total, 1), uniform)
    return TabularPolicy(table, data.observation_space)


class ClonedMean(ContinuousPolicy):
    """Acts by a network whose output is the mean action."""

    def __init__(self, actor: Perceptrons, space: Space, actions: Box):
        self.actor = actor
        self.space = space
        self.actions = actions

    def act(self, observations: Array, rng: np.random.Generator) -> Array:
        """The mean action, clipped to the bounds: (n,), or (n, numbers) if they are several."""
        mean = outputs(self.actor, self.space, observations)[0].numpy()
        clipped = np.asarray(np.clip(mean, self.actions.low, self.actions.high))
        return clipped[:, 0] if clipped.shape[1] == 1 else clipped

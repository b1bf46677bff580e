"""Behaviour cloning: do what was done."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from gymnasium.spaces import Box
from torch import Tensor

from dosuite.causal import Array
from dosuite.envs import Data, Space

from ..agent import ContinuousPolicy, Policy, TabularPolicy
from ..networks.network_policy import NetworkPolicy, outputs
from ..networks.perceptrons import Perceptrons
from ..networks.rescaling import of_raw_outputs
from ..networks.training import Batch, Learner
from ..settings import at_least_one
from ..tabular.counting import counts, is_tabular
from .base import OfflineAgent, Task, taken


def likelihood_loss(logits: Tensor, actions: Tensor) -> Tensor:
    """Cross-entropy of the logged actions, (seeds, rows), under the logits, (seeds, rows, actions):

    (seeds,).
    """
    return -taken(logits.log_softmax(-1), actions).mean(-1)


class Cloner(Learner):
    """A network of the logits of the actions for each seed."""

    def __init__(self, task: Task):
        super().__init__()
        self.task, self.actor = task, task.networks(task.actions)

    def forward(self, batch: Batch) -> Tensor:
        """The loss of each seed."""
        return likelihood_loss(
            self.task.encoder.outputs(self.actor, batch.observation), batch.action
        )

    def policy(self, seed: int) -> Policy:
        """The actor of a seed, which values nothing."""
        return NetworkPolicy(self.task.data.observation_space, None, self.actor.only([seed]))


class MeanCloner(Learner):
    """A network of the mean action for each seed, in standard deviations from the mean of its log."""

    def __init__(self, task: Task):
        super().__init__()
        self.task, self.actor = task, task.networks(1)
        self.mean, self.spread = task.standard("action")

    def forward(self, batch: Batch) -> Tensor:
        """The squared error of each seed."""
        wanted = (batch.action - self.mean) / self.spread
        return (
            (self.task.encoder.outputs(self.actor, batch.observation)[..., 0] - wanted)
            .square()
            .mean(-1)
        )

    def policy(self, seed: int) -> Policy:
        """The actor of a seed."""
        bounds: Any = self.task.data.action_space
        actor = of_raw_outputs(
            self.actor.only([seed]), self.mean[seed].item(), self.spread[seed].item()
        )
        return ClonedMean(actor, self.task.data.observation_space, bounds)


@dataclass(frozen=True)
class BehaviourCloning(OfflineAgent):
    """Maximum likelihood of the logged actions given the observations: counts where they are few,
    else a network.

    Where the action is a number, a network learns its mean by least squares, and the mean is what
    is done.

    Source: Pomerleau (1991), Efficient training of artificial neural networks for autonomous
    navigation."""

    name: ClassVar[str] = "bc"
    acts_in_a_box: ClassVar[bool] = True

    steps: int = 2000  # of the optimiser, where a network learns
    batch: int = 1024  # rows of a minibatch
    hidden: int = 64  # units in each of two layers

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least_one(self, "steps")

    def learn_all(
        self, sources: Sequence[Data], rngs: Sequence[np.random.Generator]
    ) -> list[Policy | Exception]:
        """Clone the logs.

        An observation that a log does not have gets uniform actions, where they are counted.
        """
        if isinstance(sources[0].action_space, Box) or not is_tabular(sources[0]):
            return super().learn_all(sources, rngs)
        return [_counted(source) for source in sources]

    def _updates(self, horizon: int) -> int:
        return self.steps

    def _learner(self, task: Task) -> Learner:
        return MeanCloner(task) if isinstance(task.data.action_space, Box) else Cloner(task)


def _counted(data: Data) -> Policy:
    done = counts(data).sum(2)
    total = done.sum(1, keepdims=True)
    table = np.where(total > 0, done / np.maximum(total, 1), 1.0 / done.shape[1])
    return TabularPolicy(table, data.observation_space)


class ClonedMean(ContinuousPolicy):
    """A network whose output is the mean action."""

    def __init__(self, actor: Perceptrons, space: Space, actions: Box):
        self.actor, self.space, self.actions = actor, space, actions

    def act(self, observations: Array, rng: np.random.Generator) -> Array:
        """The mean action, or the bound that it passes: (n,)."""
        mean = outputs(self.actor, self.space, observations)[0, :, 0].numpy()
        return np.asarray(np.clip(mean, self.actions.low[0], self.actions.high[0]))

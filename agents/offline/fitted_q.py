"""Q-learning from a log, in batches of seeds:

fitted Q iteration, conservative Q-learning, and what deep Q-learning shares with them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor, nn

from dosuite.causal import InputError

from ..agent import Policy
from ..networks.network_policy import NetworkPolicy
from ..networks.perceptrons import target_of
from ..networks.training import Batch, Learner
from ..settings import at_least_one
from .base import OfflineAgent, Task, taken

Loss = Callable[
    [Tensor, Tensor, Batch, float], Tensor
]  # of action values, the value afterwards, minibatch and discount


class QLearner(Learner):
    """A network of action values, and a copy of it that is renewed each `sync` steps and gives the
    value afterwards.

    The best action afterwards is the copy's, or if `double_q` the network's own. For `myopic` steps
    nothing follows a reward."""

    def __init__(self, task: Task, loss: Loss, sync: int, double_q: bool = False, myopic: int = 0):
        super().__init__()
        self.task, self.loss, self.sync, self.double_q, self.myopic = (
            task,
            loss,
            sync,
            double_q,
            myopic,
        )
        self.values = task.networks(task.actions)
        self.target = target_of(self.values)
        self.of_target: Callable[[Tensor], Tensor] = partial(task.encoder.outputs, self.target)
        self.steps = 0

    def forward(self, batch: Batch) -> Tensor:
        """The loss of each seed."""
        if self.steps % self.sync == 0:
            self.target.follow(self.values)
            self.of_target = self.task.encoder.table(self.target, self.sync)
        discount = self.task.data.discount if self.steps >= self.myopic else 0.0
        self.steps += 1
        values = self.task.encoder.outputs(self.values, batch.observation)
        return self.loss(values, self._afterwards(batch), batch, discount)

    @torch.no_grad()
    def _afterwards(self, batch: Batch) -> Tensor:
        target = self.of_target(batch.next_observation)
        if not self.double_q:
            return target.amax(-1)
        return taken(
            target, self.task.encoder.outputs(self.values, batch.next_observation).argmax(-1)
        )

    def policy(self, seed: int) -> Policy:
        """The greedy policy of a seed."""
        return NetworkPolicy(self.task.data.observation_space, self.values.only([seed]))


def dqn_loss(values: Tensor, afterwards: Tensor, batch: Batch, discount: float) -> Tensor:
    """Huber's loss of the values, (seeds, rows, actions), against reward and discounted value
    afterwards, (seeds, rows): (seeds,).

    Source: Mnih et al. (2015), whose clipped errors are the gradient of this loss.
    """
    wanted = batch.reward + discount * batch.going_on * afterwards
    return nn.functional.smooth_l1_loss(taken(values, batch.action), wanted, reduction="none").mean(
        -1
    )


def fqi_loss(values: Tensor, afterwards: Tensor, batch: Batch, discount: float) -> Tensor:
    """The same with squared errors."""
    wanted = batch.reward + discount * batch.going_on * afterwards
    return (taken(values, batch.action) - wanted).square().mean(-1)


def conservatism(values: Tensor, actions: Tensor) -> Tensor:
    """How much larger the values of all actions are, by their log-sum-exp, than those of the
    actions in the log: (seeds,).

    Source: Kumar et al. (2020), equation 4.
    """
    return (values.logsumexp(-1) - taken(values, actions)).mean(-1)


@dataclass(frozen=True)
class FQI(OfflineAgent):
    """Fitted Q iteration with a network: each iteration regresses on the reward and the last
    iteration's best value.

    Source: Ernst, Geurts and Wehenkel (2005), figure 1.
    """

    name: ClassVar[str] = "fqi"

    iterations: int = 40  # of the Bellman operator, at most the horizon
    steps: int = 200  # of the optimiser in each iteration

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least_one(self, "iterations", "steps")

    def _updates(self, horizon: int) -> int:
        return min(self.iterations, horizon) * self.steps

    def _learner(self, task: Task) -> QLearner:
        return QLearner(task, fqi_loss, self.steps, myopic=self.steps)


@dataclass(frozen=True)
class CQL(OfflineAgent):
    """Conservative Q-learning, CQL(H): double Q-learning that keeps the values of actions low that
    the log does not have.

    Source: Kumar et al. (2020), Conservative Q-learning for offline reinforcement learning,
    equation 4; the double target is that of van Hasselt, Guez and Silver (2016)."""

    name: ClassVar[str] = "cql"

    alpha: float = 1.0  # weight of the conservatism
    updates: int = 800
    sync: int = 50  # gradient steps between copies to the target network

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least_one(self, "updates", "sync")
        if not self.alpha >= 0:
            raise InputError(f"cql: alpha must be at least 0, and is {self.alpha}")

    def loss(self, values: Tensor, afterwards: Tensor, batch: Batch, discount: float) -> Tensor:
        """The loss of Q-learning and the weighted conservatism: (seeds,)."""
        return dqn_loss(values, afterwards, batch, discount) + self.alpha * conservatism(
            values, batch.action
        )

    def _updates(self, horizon: int) -> int:
        return self.updates

    def _learner(self, task: Task) -> QLearner:
        return QLearner(task, self.loss, self.sync, double_q=True)

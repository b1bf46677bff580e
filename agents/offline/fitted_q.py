"""Q-learning from logs: fitted Q iteration, conservative Q-learning, and the loss of DQN."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor, nn

from dosuite.envs import Data

from ..networks.network_policy import NetworkPolicy
from ..networks.perceptrons import target_of
from ..networks.training import Learner, Minibatch
from ..policy import Policy
from ..settings import at_least_one, not_negative
from .base import BatchedAgent, Task, taken

# of action values (seeds, rows, actions), the value of the next state (seeds, rows), the minibatch
# and the discount: the loss of each seed, (seeds,)
Loss = Callable[[Tensor, Tensor, Minibatch, float], Tensor]


class QLearner(Learner):
    """A network of action values Q for each seed, and a target network Q' for bootstrapping.

    Q' is copied from Q every `sync` steps. The value of the next state is max_b Q'(o', b), or with
    `double_q` Q'(o', argmax_b Q(o', b)). During the first `myopic` steps the discount is 0.
    """

    def __init__(self, task: Task, loss: Loss, sync: int, double_q: bool = False, myopic: int = 0):
        super().__init__()
        self.task = task
        self.loss = loss
        self.sync = sync
        self.double_q = double_q
        self.myopic = myopic
        self.values = task.networks(task.actions)
        self.target = target_of(self.values)
        self.of_target: Callable[[Tensor], Tensor] = partial(task.encoder.outputs, self.target)
        self.steps = 0

    def forward(self, batch: Minibatch) -> Tensor:
        """The loss of each seed."""
        if self.steps % self.sync == 0:
            self.target.follow(self.values)
            self.of_target = self.task.encoder.table(self.target, self.sync)
        discount = self.task.data.discount if self.steps >= self.myopic else 0.0
        self.steps += 1
        values = self.task.encoder.outputs(self.values, batch.observation)
        return self.loss(values, self._next_value(batch), batch, discount)

    @torch.no_grad()
    def _next_value(self, batch: Minibatch) -> Tensor:
        """The value of the next state: (seeds, rows)."""
        target = self.of_target(batch.next_observation)
        if not self.double_q:
            return target.amax(-1)
        values = self.task.encoder.outputs(self.values, batch.next_observation)
        return taken(target, values.argmax(-1))

    def policy(self, seed: int) -> Policy:
        """The greedy policy of a seed."""
        return NetworkPolicy(self.task.data.observation_space, self.values.only([seed]))


def bellman_target(batch: Minibatch, next_value: Tensor, discount: float) -> Tensor:
    """r + discount * v(o'), without the second term where the episode has terminated."""
    return batch.reward + discount * batch.going_on * next_value


def dqn_loss(values: Tensor, next_value: Tensor, batch: Minibatch, discount: float) -> Tensor:
    """The Huber loss E[h(Q(o, a) - r - discount v(o'))], h(x) = x^2 / 2 up to |x| = 1: (seeds,).

    Source: Mnih et al. (2015), whose clipped errors are the gradient of this loss.
    """
    target = bellman_target(batch, next_value, discount)
    losses = nn.functional.smooth_l1_loss(taken(values, batch.action), target, reduction="none")
    return losses.mean(-1)


def fqi_loss(values: Tensor, next_value: Tensor, batch: Minibatch, discount: float) -> Tensor:
    """The squared error E[(Q(o, a) - r - discount v(o'))^2]: (seeds,)."""
    target = bellman_target(batch, next_value, discount)
    return (taken(values, batch.action) - target).square().mean(-1)


def conservatism(values: Tensor, actions: Tensor) -> Tensor:
    """E[log sum_b exp Q(o, b) - Q(o, a)], a from the log: (seeds,).

    Source: Kumar et al. (2020), equation 4.
    """
    return (values.logsumexp(-1) - taken(values, actions)).mean(-1)


@dataclass(frozen=True)
class FQI(BatchedAgent):
    """Fitted Q iteration with a network.

    Iteration k regresses Q_k(o, a) on r + discount max_b Q_(k-1)(o', b), from Q_0 = 0.

    Source: Ernst, Geurts and Wehenkel (2005), Tree-based batch mode reinforcement learning,
    figure 1.
    """

    name: ClassVar[str] = "fqi"

    iterations: int = 40  # of the Bellman operator; never more than the horizon
    updates: int = 400  # in each iteration, as are `epochs`

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least_one(self, "iterations")

    def _updates(self, data: Data) -> int:
        return self._rounds(data) * self.updates_on(len(data))

    def _rounds(self, data: Data) -> int:
        return min(self.iterations, data.horizon)

    def _learner(self, task: Task) -> QLearner:
        # the first iteration regresses on rewards alone, as Q_0 is 0
        updates = task.updates // self._rounds(task.data)
        return QLearner(task, fqi_loss, updates, myopic=updates)


@dataclass(frozen=True)
class CQL(BatchedAgent):
    """Conservative Q-learning, CQL(H): double Q-learning that keeps unlogged actions' values low.

    It minimises alpha E[log sum_b exp Q(o, b) - Q(o, a)] + E[h(Q(o, a) - r - discount v(o'))], with
    v(o') = Q'(o', argmax_b Q(o', b)) and the Huber loss h.

    Source: Kumar et al. (2020), Conservative Q-learning for offline reinforcement learning,
    equation 4; the double target is that of van Hasselt, Guez and Silver (2016).
    """

    name: ClassVar[str] = "cql"

    batch: int = 128
    rate: float = 3e-3
    alpha: float = 0.1  # weight of the first term
    updates: int = 800
    sync: int = 100  # gradient steps between copies to the target network

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least_one(self, "sync")
        not_negative(self, "alpha")

    def loss(self, values: Tensor, next_value: Tensor, batch: Minibatch, discount: float) -> Tensor:
        """The loss of Q-learning and the weighted conservatism: (seeds,)."""
        loss = dqn_loss(values, next_value, batch, discount)
        return loss + self.alpha * conservatism(values, batch.action)

    def _learner(self, task: Task) -> QLearner:
        return QLearner(task, self.loss, self.sync, double_q=True)

"""Implicit Q-learning: no action is valued that the log does not have."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from dosuite.causal import InputError

from ..agent import Policy
from ..networks.network_policy import Mode
from ..networks.perceptrons import target_of
from ..networks.training import Batch, Learner
from ..settings import at_least_one, check_tau
from .base import OfflineAgent, Task, taken

MOST_WEIGHT = 100.0  # of a row when the policy is extracted


def value_loss(state_value: Tensor, action_value: Tensor, expectile: float) -> Tensor:
    """Asymmetric squares of what the action's value exceeds the state's by: (seeds, rows) each to
    (seeds,).

    Source: Kostrikov, Nair and Levine (2022), equation 5.
    """
    excess = action_value - state_value
    weight = torch.where(excess < 0, 1 - expectile, expectile)
    return (weight * excess.square()).mean(-1)


def q_loss(values: Tensor, next_state_value: Tensor, batch: Batch, discount: float) -> Tensor:
    """Squared error of each copy's value of the action taken, (copies, seeds, rows), summed over
    copies: (seeds,).

    Source: Kostrikov, Nair and Levine (2022), equation 6.
    """
    wanted = batch.reward + discount * batch.going_on * next_state_value
    return (values - wanted).square().mean(-1).sum(0)


def policy_loss(logits: Tensor, advantage: Tensor, actions: Tensor, temperature: float) -> Tensor:
    """Likelihood of the logged actions, each weighted by exp(temperature * advantage), at most 100:
    (seeds,).

    Source: Kostrikov, Nair and Levine (2022), equation 7.
    """
    weight = (temperature * advantage).exp().clamp(max=MOST_WEIGHT)
    return -(weight * taken(logits.log_softmax(-1), actions)).mean(-1)


class ImplicitLearner(Learner):
    """Two networks of action values and targets that follow them, one of state values, and a policy
    for each seed.
    """

    def __init__(self, task: Task, agent: "IQL"):
        super().__init__()
        self.agent, self.task = agent, task
        self.state = task.networks(1)
        self.actor = task.networks(task.actions)
        self.values = task.networks(task.actions, copies=2)
        self.target = target_of(self.values)

    def forward(self, batch: Batch) -> Tensor:
        """The three losses of each seed;

        their networks are not the same, so their gradients do not mix.
        """
        self.target.follow(self.values, self.agent.tau)
        see, actions = self.task.encoder.outputs, batch.action.expand(2, -1, -1)
        both = torch.cat([batch.observation, batch.observation])
        values, target = (
            taken(torch.stack(see(each, both).chunk(2)), actions)
            for each in (self.values, self.target)
        )
        state = see(self.state, batch.observation)[..., 0]
        with torch.no_grad():
            least, following = target.amin(0), see(self.state, batch.next_observation)[..., 0]
        logits = see(self.actor, batch.observation)
        extraction = policy_loss(
            logits, least - state.detach(), batch.action, self.agent.temperature
        )
        regression = q_loss(values, following, batch, self.task.data.discount)
        return value_loss(state, least, self.agent.expectile) + regression + extraction

    def policy(self, seed: int) -> Policy:
        """The likeliest action of a seed's actor, and the lesser of its two action values."""
        critics = self.values.only([seed, seed + len(self.task.rngs)])
        return Mode(self.task.data.observation_space, critics, self.actor.only([seed]))


@dataclass(frozen=True)
class IQL(OfflineAgent):
    """Implicit Q-learning for few actions: expectile regression, two critics, and a policy
    extracted by weighted cloning.

    It acts by the likeliest action of that policy, as the authors evaluate theirs.

    Source: Kostrikov, Nair and Levine (2022), Offline reinforcement learning with implicit
    Q-learning, algorithm 1."""

    name: ClassVar[str] = "iql"

    expectile: float = 0.7
    temperature: float = 3.0  # inverse: at 0 the policy clones
    tau: float = 0.005  # share of the way that targets go at each step
    updates: int = 2000

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least_one(self, "updates")
        if not 0 < self.expectile < 1:
            raise InputError(f"iql: expectile must be between 0 and 1, and is {self.expectile}")
        if not self.temperature >= 0:
            raise InputError(f"iql: temperature must be at least 0, and is {self.temperature}")
        check_tau(self)

    def _updates(self, horizon: int) -> int:
        return self.updates

    def _learner(self, task: Task) -> ImplicitLearner:
        return ImplicitLearner(task, self)

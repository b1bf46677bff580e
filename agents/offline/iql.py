"""Implicit Q-learning."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from dosuite.causal import InputError

from ..networks.network_policy import Mode
from ..networks.perceptrons import Perceptrons, target_of
from ..networks.training import Learner, Minibatch
from ..policy import Policy
from ..settings import check_tau, not_negative
from .base import BatchedAgent, Task, taken
from .fitted_q import bellman_target

MOST_WEIGHT = 100.0  # of a row in the extraction of the policy


def value_loss(state_value: Tensor, action_value: Tensor, expectile: float) -> Tensor:
    """L_V = E[|expectile - 1(u < 0)| u^2] with u = Q'(o, a) - V(o): (seeds, rows) each to (seeds,).

    Source: Kostrikov, Nair and Levine (2022), equation 5.
    """
    excess = action_value - state_value
    weight = torch.where(excess < 0, 1 - expectile, expectile)
    return (weight * excess.square()).mean(-1)


def q_loss(values: Tensor, next_value: Tensor, batch: Minibatch, discount: float) -> Tensor:
    """L_Q = E[(r + discount V(o') - Q(o, a))^2], summed over copies of Q: (seeds,).

    Values are (copies, seeds, rows), of the actions taken.

    Source: Kostrikov, Nair and Levine (2022), equation 6.
    """
    target = bellman_target(batch, next_value, discount)
    return (values - target).square().mean(-1).sum(0)


def policy_loss(logits: Tensor, advantage: Tensor, actions: Tensor, temperature: float) -> Tensor:
    """L_pi = -E[exp(temperature (Q'(o, a) - V(o))) log pi(a | o)], weights at most 100: (seeds,).

    Source: Kostrikov, Nair and Levine (2022), equation 7.
    """
    weight = (temperature * advantage).exp().clamp(max=MOST_WEIGHT)
    return -(weight * taken(logits.log_softmax(-1), actions)).mean(-1)


class ImplicitLearner(Learner):
    """For each seed two networks Q with targets Q', a network V of state values, and an actor."""

    def __init__(self, task: Task, agent: "IQL"):
        super().__init__()
        self.agent = agent
        self.task = task
        self.state = task.networks(1)
        self.actor = task.networks(task.actions)
        self.values = task.networks(task.actions, copies=2)
        self.target = target_of(self.values)

    def forward(self, batch: Minibatch) -> Tensor:
        """L_V + L_Q + L_pi of each seed; each trains networks of its own."""
        self.target.follow(self.values, self.agent.tau)
        encoder = self.task.encoder
        # Q(o, a) of both networks, V(o'), and the least Q'(o, a) of both targets
        values = self._of_both(self.values, batch)
        with torch.no_grad():
            next_value = encoder.outputs(self.state, batch.next_observation)[..., 0]
        least = self._of_both(self.target, batch).amin(0)
        # V(o) and the logits of pi
        state = encoder.outputs(self.state, batch.observation)[..., 0]
        logits = encoder.outputs(self.actor, batch.observation)
        advantage = least - state.detach()
        extraction = policy_loss(logits, advantage, batch.action, self.agent.temperature)
        regression = q_loss(values, next_value, batch, self.task.data.discount)
        return value_loss(state, least, self.agent.expectile) + regression + extraction

    def _of_both(self, networks: Perceptrons, batch: Minibatch) -> Tensor:
        """The values of the actions taken, by both copies: (2, seeds, rows)."""
        observations = torch.cat([batch.observation, batch.observation])
        outputs = torch.stack(self.task.encoder.outputs(networks, observations).chunk(2))
        return taken(outputs, batch.action.expand(2, -1, -1))

    def policy(self, seed: int) -> Policy:
        """The most likely action of a seed's actor; values are the least of its two networks."""
        critics = self.values.only([seed, seed + len(self.task.rngs)])
        return Mode(self.task.data.observation_space, critics, self.actor.only([seed]))


@dataclass(frozen=True)
class IQL(BatchedAgent):
    """Implicit Q-learning for discrete actions: no action outside the log is ever valued.

    The state value V is an expectile of the target values Q' of logged actions, Q regresses on
    r + discount V(o'), and the policy is a clone weighted by exp(temperature (Q' - V)). It acts by
    the most likely action of that policy, as its authors evaluate theirs.

    Source: Kostrikov, Nair and Levine (2022), Offline reinforcement learning with implicit
    Q-learning, algorithm 1.
    """

    name: ClassVar[str] = "iql"

    batch: int = 512
    rate: float = 3e-4
    hidden: int = 64
    decay: float = 1e-3
    expectile: float = 0.8
    temperature: float = 9.0  # inverse temperature: at 0 the policy clones
    tau: float = 0.005  # fraction by which targets move at each step
    updates: int = 2000

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.expectile < 1:
            raise InputError(f"iql: expectile must be between 0 and 1, and is {self.expectile}")
        not_negative(self, "temperature")
        check_tau(self)

    def _learner(self, task: Task) -> ImplicitLearner:
        return ImplicitLearner(task, self)

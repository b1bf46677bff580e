"""Twin delayed policy gradients with behaviour cloning."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from gymnasium.spaces import Box, flatdim
from torch import Tensor, nn

from dosuite.causal import Array
from dosuite.envs import Space
from dosuite.envs.gym.sb3 import stretched

from ..networks.features import image_size
from ..networks.network_policy import outputs
from ..networks.perceptrons import Perceptrons, perceive, target_of
from ..networks.rescaling import of_raw_inputs
from ..networks.training import Learner, Minibatch
from ..policy import ContinuousPolicy, Policy
from ..settings import check_tau, not_negative
from .base import BatchedAgent, Task
from .iql import q_loss

DELAY = 2  # steps of the critics for each step of the actor and the targets
# Fraction of the steps in which the actor only clones: critics that know nothing yet can drive it
# to a bound, where it would stay.
CLONING = 0.4


def smoothed(actions: Tensor, noise: Tensor, most: float) -> Tensor:
    """clip(a + clip(noise, -most, most), -1, 1); all of one shape.

    Source: Fujimoto, van Hoof and Meger (2018), equation 14.
    """
    return (actions + noise.clamp(-most, most)).clamp(-1, 1)


def actor_loss(values: Tensor, chosen: Tensor, actions: Tensor, alpha: float) -> Tensor:
    """E[(mu(o) - a)^2] - alpha E[Q(o, mu(o))] / E|Q(o, mu(o))|: (seeds,).

    Values are (seeds, rows), and actions (seeds, rows) or (seeds, rows, numbers).

    Source: Fujimoto and Gu (2021), equations 3 and 5.
    """
    size = values.abs().mean(-1).detach()
    cloning = (chosen - actions).square().flatten(1).mean(-1)
    return cloning - alpha * values.mean(-1) / size


class TwinLearner(Learner):
    """For each seed an actor mu and two critics Q, and target networks that follow them.

    Observations are standardised, and actions are scaled to [-1, 1].
    """

    def __init__(self, task: Task, agent: "TD3BC"):
        super().__init__()
        self.task = task
        self.agent = agent
        self.steps = 0
        self.actor = task.networks(task.numbers)
        self.critics = task.networks(1, copies=2, extra_inputs=task.numbers)
        self.target_actor = target_of(self.actor)
        self.target_critics = target_of(self.critics)
        bounds: Any = task.data.action_space
        self.bounds = bounds
        self.low = _on(task.encoder.device, bounds.low)
        self.high = _on(task.encoder.device, bounds.high)
        space = task.data.observation_space
        self.scaled = isinstance(space, Box) and image_size(space) is None
        if self.scaled:
            self.mean, self.spread = task.standard("observation")
        else:
            shape = len(task.rngs), flatdim(space)
            self.mean = torch.zeros(shape, device=task.encoder.device)
            self.spread = torch.ones(shape, device=task.encoder.device)

    def parts(self) -> list[tuple[list[nn.Parameter], int]]:
        """The critics at each step, the actor with delay."""
        return [([*self.critics.parameters()], 1), ([*self.actor.parameters()], DELAY)]

    def forward(self, batch: Minibatch) -> Tensor:
        """The loss of each seed: that of the critics and, with delay, that of the actor."""
        self.steps += 1
        observations = self._standard(batch.observation)
        following = self._standard(batch.next_observation)
        width = self.high - self.low
        actions = 2 * (batch.numbers - self.low) / width - 1
        # critics: regression on the bootstrapped target
        next_value = self._next_value(following)
        values = _values(self.critics, observations, actions)
        loss = q_loss(values, next_value, batch, self.task.data.discount)
        if self.steps % DELAY:
            return loss
        # every second step: move the targets, and add the loss of the actor
        self.target_critics.follow(self.critics, self.agent.tau)
        self.target_actor.follow(self.actor, self.agent.tau)
        return loss + self._actor_loss(observations, actions)

    def _actor_loss(self, observations: Tensor, actions: Tensor) -> Tensor:
        """The loss of the actor under the first critic, whose parameters get no gradient."""
        chosen = _chosen(self.actor, observations)
        first_critic = [layer[: len(chosen)].detach() for layer in self.critics.layers]
        inputs = torch.cat([observations, chosen], -1)
        values = perceive(first_critic, inputs, self.critics.image)[..., 0]
        is_cloning = self.steps <= CLONING * self.task.updates
        alpha = 0.0 if is_cloning else self.agent.alpha
        return actor_loss(values, chosen, actions.clamp(-1, 1), alpha)

    @torch.no_grad()
    def _next_value(self, following: Tensor) -> Tensor:
        """min_i Q_i'(o', a') at a smoothed action a' of the target actor: (seeds, rows)."""
        shape = following.shape[1], self.task.numbers
        normal = np.stack([rng.standard_normal(shape, np.float32) for rng in self.task.rngs])
        noise = self.agent.noise * torch.as_tensor(normal).to(following.device)
        chosen = smoothed(_chosen(self.target_actor, following), noise, self.agent.clip)
        return _values(self.target_critics, following, chosen).amin(0)

    def _standard(self, encoded: Tensor) -> Tensor:
        features = self.task.encoder.features(encoded)
        return (features - self.mean[:, None]) / self.spread[:, None]

    def policy(self, seed: int) -> Policy:
        """The actor of a seed."""
        actor = self.actor.only([seed])
        if self.scaled:
            actor = of_raw_inputs(actor, self.mean[seed].cpu(), 1 / self.spread[seed].cpu())
        return DeterministicActor(actor, self.task.data.observation_space, self.bounds)


def _on(device: torch.device, bound: Array) -> Tensor:
    return torch.as_tensor(bound).float().to(device)


def _chosen(actor: Perceptrons, observations: Tensor) -> Tensor:
    """Actions in [-1, 1]: (seeds, rows, numbers)."""
    return actor(observations).tanh()  # type: ignore[no-any-return]


def _values(critics: Perceptrons, observations: Tensor, actions: Tensor) -> Tensor:
    """The values of both critics of each seed: (2, seeds, rows)."""
    inputs = torch.cat([observations, actions], -1)
    values = critics(torch.cat([inputs, inputs]))[..., 0]
    return torch.stack(values.chunk(2))


class DeterministicActor(ContinuousPolicy):
    """Acts by a network whose output is squashed by tanh and stretched to the bounds."""

    def __init__(self, actor: Perceptrons, space: Space, actions: Box):
        self.actor = actor
        self.space = space
        self.actions = actions

    def act(self, observations: Array, rng: np.random.Generator) -> Array:
        """The actions of the actor: (n,), or (n, numbers) if they are several."""
        actions = outputs(self.actor, self.space, observations)[0].tanh().numpy()
        if actions.shape[1] == 1:
            return stretched(actions[:, 0], self.actions)
        low, high = self.actions.low, self.actions.high
        return np.asarray(low + (actions + 1) / 2 * (high - low))


@dataclass(frozen=True)
class TD3BC(BatchedAgent):
    """TD3 with behaviour cloning, for real-valued actions.

    Two critics regress on r + discount min_i Q_i'(o', a') with a smoothed target action a'. The
    actor mu minimises E[(mu(o) - a)^2] - alpha E[Q_1(o, mu(o))] / E|Q_1(o, mu(o))|. Observations
    are standardised, and actions are scaled so that the bounds are -1 and 1. To the critics a
    logged action beyond the bounds is what it is; the actor is drawn to the bound.

    Unlike in the paper, the actor only clones for the first 40 % of the updates, while the critics
    learn; otherwise it can be driven to a bound before they know anything, and stay there.

    Source: Fujimoto and Gu (2021), A minimalist approach to offline reinforcement learning, on
    Fujimoto, van Hoof and Meger (2018), algorithm 1.
    """

    name: ClassVar[str] = "td3-bc"
    acts_in_a_box: ClassVar[bool] = True
    takes_numbers: ClassVar[bool] = True
    counts_actions: ClassVar[bool] = False

    batch: int = 128
    rate: float = 6e-4
    hidden: int = 128
    alpha: float = 2.5  # weight of the values; at 0 the actor clones
    tau: float = 0.005  # fraction by which targets move at each of their steps
    noise: float = 0.2  # standard deviation of the smoothing, for actions in [-1, 1]
    clip: float = 0.5  # largest absolute value of the smoothing
    updates: int = 16_000  # of the critics; half as many of the actor

    def __post_init__(self) -> None:
        super().__post_init__()
        not_negative(self, "alpha", "noise", "clip")
        check_tau(self)

    def _learner(self, task: Task) -> TwinLearner:
        return TwinLearner(task, self)

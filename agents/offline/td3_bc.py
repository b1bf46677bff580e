"""Twin delayed policy gradients that clone too, for actions that are numbers."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from gymnasium.spaces import Box, flatdim
from torch import Tensor, nn

from dosuite.causal import Array, InputError
from dosuite.envs import Space
from dosuite.envs.gym.sb3 import stretched

from ..agent import ContinuousPolicy, Policy
from ..networks.network_policy import outputs
from ..networks.perceptrons import Perceptrons, perceive, target_of
from ..networks.rescaling import of_raw_inputs
from ..networks.training import Batch, Learner
from ..settings import at_least_one, check_tau
from .base import OfflineAgent, Task
from .iql import q_loss

DELAY = 2  # steps of the critics for each one of the actor and the targets
# share of the steps in which the actor only clones, for critics that know nothing can drive it to a
# bound for good
CLONING = 0.4


def smoothed(actions: Tensor, noise: Tensor, most: float) -> Tensor:
    """Actions with noise that is clipped to `most`, in [-1, 1]: all of one shape.

    Source: Fujimoto, van Hoof and Meger (2018), equation 14.
    """
    return (actions + noise.clamp(-most, most)).clamp(-1, 1)


def actor_loss(values: Tensor, chosen: Tensor, actions: Tensor, alpha: float) -> Tensor:
    """How little the chosen actions are worth, in mean sizes of their values, weighted by alpha,
    and their squared distance from the actions of the log: (seeds, rows) each to (seeds,).

    Source: Fujimoto and Gu (2021), equations 3 and 5.
    """
    size = values.abs().mean(-1).detach()
    return (chosen - actions).square().mean(-1) - alpha * values.mean(-1) / size


class TwinLearner(Learner):
    """An actor and two critics for each seed, and targets that follow them.

    Observations are standardised, and actions in [-1, 1].
    """

    def __init__(self, task: Task, agent: "TD3BC"):
        super().__init__()
        self.task, self.agent, self.steps = task, agent, 0
        self.actor = task.networks(1)
        self.critics = task.networks(1, copies=2, beside=1)
        self.target_actor, self.target_critics = target_of(self.actor), target_of(self.critics)
        bounds: Any = task.data.action_space
        self.bounds, self.low, self.high = bounds, float(bounds.low[0]), float(bounds.high[0])
        self.mean, self.spread = (
            task.standard("observation")
            if isinstance(task.data.observation_space, Box)
            else _as_they_are(task)
        )

    def parts(self) -> list[tuple[list[nn.Parameter], int]]:
        """The critics at each step, the actor with delay."""
        return [([*self.critics.parameters()], 1), ([*self.actor.parameters()], DELAY)]

    def forward(self, batch: Batch) -> Tensor:
        """The losses of the critics and, with delay, of the actor of each seed;

        their gradients do not mix.
        """
        self.steps += 1
        seen, following = (
            self._standard(part) for part in (batch.observation, batch.next_observation)
        )
        actions = 2 * (batch.action - self.low) / (self.high - self.low) - 1
        wanted = self._afterwards(following)
        loss = q_loss(_values(self.critics, seen, actions), wanted, batch, self.task.data.discount)
        if self.steps % DELAY:
            return loss
        for target, network in (
            (self.target_critics, self.critics),
            (self.target_actor, self.actor),
        ):
            target.follow(network, self.agent.tau)
        chosen = _chosen(self.actor, seen)
        first = [layer[: len(chosen)].detach() for layer in self.critics.layers]
        values = perceive(first, torch.cat([seen, chosen[..., None]], -1))[..., 0]
        alpha = self.agent.alpha if self.steps > CLONING * self.agent.updates else 0.0
        return loss + actor_loss(values, chosen, actions.clamp(-1, 1), alpha)

    @torch.no_grad()
    def _afterwards(self, following: Tensor) -> Tensor:
        """The lesser value, by the targets, of what is done next: (seeds, rows)."""
        rows = following.shape[1]
        drawn = np.stack([rng.standard_normal(rows, np.float32) for rng in self.task.rngs])
        noise = self.agent.noise * torch.as_tensor(drawn).to(following.device)
        chosen = smoothed(_chosen(self.target_actor, following), noise, self.agent.clip)
        return _values(self.target_critics, following, chosen).amin(0)

    def _standard(self, observed: Tensor) -> Tensor:
        return (self.task.encoder.features(observed) - self.mean[:, None]) / self.spread[:, None]

    def policy(self, seed: int) -> Policy:
        """The actor of a seed."""
        actor = of_raw_inputs(
            self.actor.only([seed]), self.mean[seed].cpu(), 1 / self.spread[seed].cpu()
        )
        return DeterministicActor(actor, self.task.data.observation_space, self.bounds)


def _as_they_are(task: Task) -> tuple[Tensor, Tensor]:
    """A mean of 0 and a deviation of 1 for each feature: (seeds, features) each."""
    shape = len(task.rngs), flatdim(task.data.observation_space)
    return torch.zeros(shape, device=task.encoder.device), torch.ones(
        shape, device=task.encoder.device
    )


def _chosen(actor: Perceptrons, seen: Tensor) -> Tensor:
    """What actors do: (seeds, rows)."""
    return actor(seen)[..., 0].tanh()  # type: ignore[no-any-return]


def _values(critics: Perceptrons, seen: Tensor, actions: Tensor) -> Tensor:
    """What both critics of each seed make of observations and actions: (2, seeds, rows)."""
    inputs = torch.cat([seen, actions[..., None]], -1)
    return torch.stack(critics(torch.cat([inputs, inputs]))[..., 0].chunk(2))


class DeterministicActor(ContinuousPolicy):
    """A network whose output, squashed between -1 and 1 and stretched to the bounds, is the action."""

    def __init__(self, actor: Perceptrons, space: Space, actions: Box):
        self.actor, self.space, self.actions = actor, space, actions

    def act(self, observations: Array, rng: np.random.Generator) -> Array:
        """The actor's own choice: (n,)."""
        return stretched(
            outputs(self.actor, self.space, observations)[0, :, 0].tanh().numpy(), self.actions
        )


@dataclass(frozen=True)
class TD3BC(OfflineAgent):
    """Twin delayed deep deterministic policy gradients whose actor is also to do what the log did,
    for actions that are numbers.

    Observations are standardised, and the bounds of the actions are -1 and 1. An action of the log
    that is beyond them is to the critics what it is; the actor is drawn to the bound. Unlike in the
    paper, the actor only clones for the first 40 % of the updates, while the critics learn: else it
    can be driven to a bound before they know anything, and stay there.

    Source: Fujimoto and Gu (2021), A minimalist approach to offline reinforcement learning, on
    Fujimoto, van Hoof and Meger (2018), algorithm 1."""

    name: ClassVar[str] = "td3-bc"
    acts_in_a_box: ClassVar[bool] = True
    counts_actions: ClassVar[bool] = False

    rate: float = 2e-3
    hidden: int = 64  # units in each of two layers
    alpha: float = 2.5  # weight of the values; at 0 the actor clones
    tau: float = 0.005  # share of the way that targets go at each step of theirs
    # standard deviation of what is added to the next action, where actions are from -1 to 1
    noise: float = 0.2
    clip: float = 0.5  # the most that is added
    updates: int = 8000  # of the critics; half as many of the actor

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least_one(self, "updates")
        for name in ("alpha", "noise", "clip"):
            if not getattr(self, name) >= 0:
                raise InputError(f"td3-bc: {name} must be at least 0, and is {getattr(self, name)}")
        check_tau(self)

    def _updates(self, horizon: int) -> int:
        return self.updates

    def _learner(self, task: Task) -> TwinLearner:
        return TwinLearner(task, self)

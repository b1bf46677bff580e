"""Proximal policy optimisation of all seeds at once, from nothing or from a log."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from dosuite.causal import Array, InputError
from dosuite.envs import Data

from ..networks.network_policy import NetworkPolicy
from ..networks.training import Learner, Minibatch, minibatches, train
from ..offline.base import Task, taken
from ..offline.behaviour_cloning import likelihood_loss
from ..policy import Policy
from ..settings import at_least_one, not_negative
from .lanes import Lanes, LanesAgent, Practised, encoded_rows

CLIP = 0.2  # of the ratio of probabilities
TRACE = 0.95  # lambda of the generalised advantage estimate
VALUE_WEIGHT = 0.5  # of the value loss
MOST_GRADIENT = 0.5  # norm of the gradient of a seed


@dataclass(frozen=True)
class Acted:
    """A minibatch of what was practised, for each seed: tensors (seeds, rows, ...)."""

    observation: Tensor  # encoded and rescaled
    action: Tensor
    log_probability: Tensor  # of the action, when it was taken
    advantage: Tensor
    returns: Tensor  # targets of the values


def clipped_loss(logits: Tensor, batch: Acted) -> Tensor:
    """-E[min(r A, clip(r, 0.8, 1.2) A)] with r = pi(a | o) / pi_old(a | o): (seeds,).

    Advantages are standardised in each minibatch. Logits are (seeds, rows, actions).

    Source: Schulman et al. (2017), equation 7.
    """
    mean = batch.advantage.mean(-1, keepdim=True)
    advantage = (batch.advantage - mean) / (batch.advantage.std(-1, keepdim=True) + 1e-8)
    log_probability = taken(logits.log_softmax(-1), batch.action)
    ratio = (log_probability - batch.log_probability).exp()
    clipped = ratio.clamp(1 - CLIP, 1 + CLIP)
    return -torch.minimum(ratio * advantage, clipped * advantage).mean(-1)


def entropy(logits: Tensor) -> Tensor:
    """E[H(pi(. | o))]: (seeds, rows, actions) to (seeds,)."""
    log_probabilities = logits.log_softmax(-1)
    return -(log_probabilities.exp() * log_probabilities).sum(-1).mean(-1)


def advantages(rewards: Array, values: Array, ended: Array, discount: float) -> Array:
    """Generalised advantage estimates (steps, ...), of rewards and ends (steps, ...) each.

    `values` (steps + 1, ...) are those of the observations, and of the one after the last step.

    Source: Schulman et al. (2016), High-dimensional continuous control using generalized advantage
    estimation, equation 16.
    """
    result = np.zeros_like(rewards)
    ahead = np.zeros_like(rewards[0])
    for step in reversed(range(len(rewards))):
        going_on = ~ended[step]
        error = rewards[step] + discount * values[step + 1] * going_on - values[step]
        ahead = error + discount * TRACE * going_on * ahead
        result[step] = ahead
    return result


class ActorCritic(Learner):
    """For each seed an actor and a network of state values."""

    def __init__(self, task: Task):
        super().__init__()
        self.task = task
        self.weight = 0.0  # of the entropy bonus
        self.actor = task.networks(task.actions)
        self.critic = task.networks(1)

    def forward(self, batch: Acted | Minibatch) -> Tensor:
        """The loss of each seed in practice, or of the clone of a log."""
        outputs = self.task.encoder.outputs
        logits = outputs(self.actor, batch.observation)
        if isinstance(batch, Minibatch):
            return likelihood_loss(logits, batch.action)
        values = outputs(self.critic, batch.observation)[..., 0]
        errors = (values - batch.returns).square().mean(-1)
        bonus = self.weight * entropy(logits) if self.weight else 0.0
        return clipped_loss(logits, batch) + VALUE_WEIGHT * errors - bonus

    def policy(self, seed: int) -> Policy:
        """The actor of a seed, for observations as the network sees them."""
        return NetworkPolicy(self.task.data.observation_space, None, self.actor.only([seed]))


@dataclass(frozen=True)
class PPOLanes(LanesAgent):
    """Proximal policy optimisation, which trains all seeds at once.

    It is the algorithm of `ppo` with networks of this package, for actions that can be counted:
    with the ratio r = pi(a | o) / pi_old(a | o) and the generalised advantage estimate A, it
    maximises E[min(r A, clip(r, 0.8, 1.2) A)] (equation 7), next to a value loss and an entropy
    bonus (equation 9). With `start="log"` the actor begins as a clone of a log, if that has rows.

    Source: Schulman et al. (2017), Proximal policy optimization algorithms, algorithm 1.
    """

    name: ClassVar[str] = "ppo-lanes"
    batch: int = 512
    rate: float = 3e-3
    updates: int = 500  # of the clone of a log
    rollout: int = 16  # steps of each environment between updates
    passes: int = 6  # over each rollout
    entropy: float = 0.0  # weight of the entropy bonus at first; it falls to 0 at the end

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least_one(self, "rollout", "passes")
        not_negative(self, "entropy")
        if self.batch < 2:
            raise InputError(f"{self.name}: batch must be at least 2, and is {self.batch}")

    def _practised(self) -> Callable[..., "Rollouts"]:
        return Rollouts


class Rollouts(Practised):
    """The networks of all seeds, and the lanes in which they act."""

    def __init__(
        self,
        agent: PPOLanes,
        lanes: Lanes,
        rngs: Sequence[np.random.Generator],
        logs: Sequence[Data],
        discount: float,
    ):
        discount = min(discount, agent.discount)
        super().__init__(agent, lanes, rngs, logs, discount, lanes.observations)
        self.agent = agent
        self.learner: ActorCritic = ActorCritic(self.task)

    def learned(self, steps: int, updates: int) -> list[Policy | Exception]:
        seeds, finite = len(self.rngs), np.ones(len(self.rngs), dtype=bool)
        if self.logs:
            drawn = minibatches(self.logs, self.rngs, updates, self.agent.batch, self.task.encoder)
            scaled = (
                replace(batch, observation=self.scales.standard(batch.observation))
                for batch in drawn
            )
            finite &= train(self.learner, seeds, scaled, self.agent).finite
        with np.errstate(all="ignore"):  # a seed may diverge
            batches: Any = self._batches(steps)
            finite &= train(self.learner, seeds, batches, self.agent, MOST_GRADIENT).finite
        return self.policies(finite)

    def _batches(self, steps: int) -> Iterator[Acted]:
        """Minibatches of a rollout after another."""
        agent = self.agent
        rows = agent.envs * agent.rollout
        seen = self._encoded(self.lanes.reset())
        rollouts = ceil(steps / rows)
        for done in range(rollouts):
            self.reached(done * rows)
            self.learner.weight = agent.entropy * (1 - done / rollouts)
            seen, acted = self._rolled_out(seen)
            for _ in range(agent.passes):
                order = np.stack([rng.permutation(rows) for rng in self.rngs])
                for first in range(0, rows - 1, agent.batch):  # a single row has no spread
                    yield _rows_of(acted, order[:, first : first + agent.batch])

    def _rolled_out(self, seen: Array) -> tuple[Array, Acted]:
        """Act from the observations seen; what is seen then, and the rows (seeds, rows, ...)."""
        history: list[tuple[Array, ...]] = []
        ended, values = [], []
        for _ in range(self.agent.rollout):
            self.scales.update(self.task.encoder.tensor(seen))
            action, log_probability, value = self._acted(seen)
            step = self.lanes.step(action)
            cut = step.truncated & ~step.terminated
            reward = step.reward
            if cut.any():  # the horizon is no part of the task: what would have followed counts
                beyond = self._values(self._encoded(step.following))
                reward = reward + self.task.data.discount * beyond * cut
            history.append((seen, action, log_probability, reward))
            values.append(value)
            ended.append(step.terminated | step.truncated)
            seen = self._encoded(step.observation)
        values.append(self._values(seen))
        shown, actions, logs, rewards = (np.stack(each) for each in zip(*history, strict=True))
        known = np.stack(values)
        gains = advantages(rewards, known, np.stack(ended), self.task.data.discount)
        columns = [shown, actions, logs, gains, gains + known[:-1]]
        return seen, self._as_batch(columns)

    def _as_batch(self, columns: list[Array]) -> Acted:
        """Columns (steps, seeds, envs, ...) as tensors (seeds, steps * envs, ...)."""
        rows = [
            each.swapaxes(0, 1).reshape(len(self.rngs), -1, *each.shape[3:]) for each in columns
        ]
        shown, action, log_probability, gains, returns = (
            self.task.encoder.tensor(each) for each in rows
        )
        return Acted(
            self.scales.standard(shown),
            action,
            log_probability.float(),
            gains.float(),
            returns.float(),
        )

    def _encoded(self, observations: Array) -> Array:
        return encoded_rows(self.task.encoder, observations)

    @torch.no_grad()
    def _acted(self, seen: Array) -> tuple[Array, Array, Array]:
        """Actions drawn from the actors, their log probabilities, and the values of what is seen.

        (seeds, envs) each.
        """
        encoder = self.task.encoder
        shown = self.scales.standard(encoder.tensor(seen))
        logs = encoder.outputs(self.learner.actor, shown).log_softmax(-1).double().cpu()
        uniform = np.stack([rng.random(self.lanes.envs) for rng in self.rngs])
        bounds = logs.exp().cumsum(-1)[..., :-1].numpy()
        action = (uniform[..., None] >= bounds).sum(-1)
        taken_log = logs.gather(-1, torch.as_tensor(action)[..., None])[..., 0].numpy()
        return action, taken_log, self._values(seen)

    @torch.no_grad()
    def _values(self, seen: Array) -> Array:
        encoder = self.task.encoder
        shown = self.scales.standard(encoder.tensor(seen))
        values = encoder.outputs(self.learner.critic, shown)[..., 0]
        return np.asarray(values.double().cpu().numpy())

    def policy(self, seed: int) -> Policy:
        space = self.lanes.observations
        actor = self.scales.of_raw(self.learner.actor.only([seed]), seed, space)
        return NetworkPolicy(space, None, actor)


def _rows_of(acted: Acted, rows: Array) -> Acted:
    """Some rows (seeds, count) of a rollout."""
    index = torch.as_tensor(rows).to(acted.action.device)
    seeds = torch.arange(len(index), device=index.device)[:, None]
    columns = (
        acted.observation,
        acted.action,
        acted.log_probability,
        acted.advantage,
        acted.returns,
    )
    return Acted(*(column[seeds, index] for column in columns))

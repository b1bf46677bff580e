"""Networks that learn from several domains:

the rows of each are a log of their own, and the domains of a seed have one network.
"""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from dosuite.causal import InputError
from dosuite.envs import Data

from ..agent import Policy
from ..networks.encoder import Encoder
from ..networks.features import device_named
from ..networks.network_policy import NetworkPolicy
from ..networks.rescaling import of_raw_outputs
from ..networks.training import Batch, Learner, minibatches, train
from ..settings import at_least_one, check_actions
from ..tabular.counting import Strata
from .base import DIVERGED, OfflineAgent, Task, taken


class DomainLearner(Learner):
    """A network that predicts the reward of each action, for each seed, from minibatches of each
    domain: (seeds * domains, rows).
    """

    def __init__(self, task: Task):
        super().__init__()
        self.task, self.values, self.steps = task, task.networks(task.actions), 0
        self.mean, self.spread = task.standard("reward")

    def forward(self, batch: Batch) -> Tensor:
        """The loss of each seed."""
        seeds = len(self.task.rngs)
        observation, action = (
            part.reshape(seeds, -1, *part.shape[2:]) for part in (batch.observation, batch.action)
        )
        predicted = taken(self.task.encoder.outputs(self.values, observation), action)
        reward = (batch.reward.reshape(seeds, -1) - self.mean) / self.spread
        self.steps += 1
        shape = seeds, -1, batch.reward.shape[1]
        return self.loss(predicted.reshape(shape), reward.reshape(shape))

    @abstractmethod
    def loss(self, predicted: Tensor, reward: Tensor) -> Tensor:
        """Of predictions and standardised rewards, (seeds, domains, rows) each: (seeds,)."""

    def policy(self, seed: int) -> Policy:
        """The greedy policy of a seed."""
        values = of_raw_outputs(
            self.values.only([seed]), float(self.mean[seed]), float(self.spread[seed])
        )
        return NetworkPolicy(self.task.data.observation_space, values)


class InvariantLearner(DomainLearner):
    """Invariant risk minimisation."""

    def __init__(self, task: Task, agent: "IRM"):
        super().__init__(task)
        self.agent = agent

    def loss(self, predicted: Tensor, reward: Tensor) -> Tensor:
        """The mean risk of the domains and the weighted penalty, both divided by the weight if it
        is above 1.
        """
        weight = (
            self.agent.penalty if self.steps > self.agent.annealing * self.agent.updates else 1.0
        )
        risk = (predicted - reward).square().mean(-1)
        return (risk + weight * penalty(predicted, reward)).mean(-1) / max(1.0, weight)


class WorstLearner(DomainLearner):
    """Group distributionally robust optimisation;

    the weights of the domains, (seeds, domains), are alike at first.
    """

    def __init__(self, task: Task, eta: float):
        super().__init__(task)
        self.eta, self.weights = eta, torch.ones(())

    def loss(self, predicted: Tensor, reward: Tensor) -> Tensor:
        """The risks of the domains, weighted after the weights have moved to the worst ones."""
        risk = (predicted - reward).square().mean(-1)
        moved = self.weights * (self.eta * risk.detach()).exp()
        self.weights = moved / moved.sum(-1, keepdim=True)
        return (self.weights * risk).sum(-1)


def penalty(predicted: Tensor, reward: Tensor) -> Tensor:
    """How far a factor of 1 is from the one of least risk in each domain, as the squared gradient:
    (..., rows) each to (...).

    The gradients of two halves of the rows are multiplied, so that the mean is that of an endless
    log.

    Source: Arjovsky et al. (2019), equation 4 and appendix D.
    """
    slope = 2 * (predicted - reward) * predicted
    return slope[..., 0::2].mean(-1) * slope[..., 1::2].mean(-1)


@dataclass(frozen=True)
class DomainAgent(OfflineAgent):
    """Predicts the reward of action and observation from the logs of several domains, and takes the
    action of the largest.

    A domain is a value of the logged `domain` and of the label `regime` together. Risks are mean
    squared errors of rewards in standard deviations from their mean. Where there are several steps,
    only the next reward counts."""

    needs: ClassVar[frozenset[str]] = frozenset({"labels"})

    batch: int = 512  # rows of a minibatch, of each domain
    updates: int = 2000

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least_one(self, "updates")

    def learn_all(
        self, sources: Sequence[Data], rngs: Sequence[np.random.Generator]
    ) -> list[Policy | Exception]:
        """Learn from labelled logs of one task, those with as many domains at once:

        what each seed has learned, or its error.
        """
        check_actions(self, sources[0].action_space)
        logs = [by_domain(data) for data in sources]
        found: dict[int, Policy | Exception] = {}
        for count in {len(parts) for parts in logs}:
            seeds = [seed for seed, parts in enumerate(logs) if len(parts) == count]
            task = Task(
                [sources[seed] for seed in seeds],
                [rngs[seed] for seed in seeds],
                self._encoder(sources[0]),
                self.hidden,
            )
            found |= zip(
                seeds, self._learn_together(task, [logs[seed] for seed in seeds]), strict=True
            )
        return [found[seed] for seed in range(len(sources))]

    def _learn_together(
        self, task: Task, logs: Sequence[Sequence[Data]]
    ) -> Iterator[Policy | Exception]:
        learner = self._learner(task)
        parts, rngs = zip(
            *((part, rng) for some, rng in zip(logs, task.rngs, strict=True) for part in some),
            strict=True,
        )
        finite = train(
            learner,
            len(logs),
            minibatches(parts, rngs, self.updates, self.batch, task.encoder),
            self.rate,
        )
        for seed, ok in enumerate(finite):
            policy = learner.policy(seed)
            policy.note = f"domains: {len(logs[seed])}" + (
                ", and only the next reward counts" if task.data.horizon > 1 else ""
            )
            yield policy if ok else FloatingPointError(DIVERGED)

    def _encoder(self, data: Data) -> Encoder:
        return Encoder(data.observation_space, self.batch, device_named(self.device))

    def _updates(self, horizon: int) -> int:
        return self.updates

    @abstractmethod
    def _learner(self, task: Task) -> DomainLearner:
        """The networks and their loss."""


@dataclass(frozen=True)
class IRM(DomainAgent):
    """Invariant risk minimisation, IRMv1: a predictor that no domain would rather multiply by
    another factor than 1.

    At first the penalty weighs 1, as in the paper. Where only the predictor 0 is invariant, what is
    left of it decides.

    Source: Arjovsky, Bottou, Gulrajani and Lopez-Paz (2019), Invariant risk minimization, equation
    4."""

    name: ClassVar[str] = "irm"

    penalty: float = 1000.0  # weight of the squared gradient, in the end
    annealing: float = 0.4  # share of the updates in which it weighs 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.penalty >= 0 or not 0 <= self.annealing <= 1:
            raise InputError(
                "irm: penalty must be at least 0 and annealing from 0 to 1, and are "
                f"{self.penalty} and {self.annealing}"
            )

    def _learner(self, task: Task) -> DomainLearner:
        return InvariantLearner(task, self)


@dataclass(frozen=True)
class GroupDRO(DomainAgent):
    """Group distributionally robust optimisation: the predictor of the least risk in the domain
    where its risk is largest.

    It is robust against other mixtures of the domains that it has seen, and against nothing else.

    Source: Sagawa, Koh, Hashimoto and Liang (2020), Distributionally robust neural networks for
    group shifts, algorithm 1."""

    name: ClassVar[str] = "group-dro"

    eta: float = 0.01  # rate at which the weights of the domains follow their risks

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.eta >= 0:
            raise InputError(f"group-dro: eta must be at least 0, and is {self.eta}")

    def _learner(self, task: Task) -> DomainLearner:
        return WorstLearner(task, self.eta)


def by_domain(data: Data) -> list[Data]:
    """The rows of each domain as a log of their own."""
    labels = Strata(data, [name for name in ("domain", "regime") if name in data.columns])
    domain = np.concatenate([labels.of(part) for part in data.chunks()])
    places = (np.flatnonzero(domain == number) for number in range(labels.count))
    return [data.at(rows) for rows in places]

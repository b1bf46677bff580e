"""Networks that learn from several domains: invariant risk minimisation and group DRO.

The rows of each domain form a log of their own, and one network per seed learns from minibatches of
all of them.
"""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from dosuite.causal import InputError
from dosuite.envs import Data

from ..networks.convergence import add_note
from ..networks.encoder import Encoder
from ..networks.features import device_named
from ..networks.network_policy import NetworkPolicy
from ..networks.rescaling import of_raw_outputs
from ..networks.training import Learner, Minibatch, minibatches
from ..policy import Policy
from ..settings import check_actions, not_negative
from ..tabular.counting import Strata
from .base import BatchedAgent, Task, in_groups, taken


class DomainLearner(Learner):
    """A network of the reward of each action, for each seed.

    A minibatch has rows of each domain: (seeds * domains, rows).
    """

    def __init__(self, task: Task):
        super().__init__()
        self.task = task
        self.values = task.networks(task.actions)
        self.steps = 0
        self.mean, self.spread = task.standard("reward")

    def forward(self, batch: Minibatch) -> Tensor:
        """The loss of each seed."""
        self.steps += 1
        seeds, rows = len(self.task.rngs), batch.reward.shape[1]
        # the rows of all domains of a seed at once: (seeds, domains * rows, ...)
        observation = batch.observation.reshape(seeds, -1, *batch.observation.shape[2:])
        action = batch.action.reshape(seeds, -1)
        predicted = taken(self.task.encoder.outputs(self.values, observation), action)
        reward = (batch.reward.reshape(seeds, -1) - self.mean) / self.spread
        shape = seeds, -1, rows
        return self.loss(predicted.reshape(shape), reward.reshape(shape))

    @abstractmethod
    def loss(self, predicted: Tensor, reward: Tensor) -> Tensor:
        """The loss of standardised rewards: (seeds, domains, rows) each to (seeds,)."""

    def policy(self, seed: int) -> Policy:
        """The greedy policy of a seed."""
        mean = float(self.mean[seed])
        spread = float(self.spread[seed])
        values = of_raw_outputs(self.values.only([seed]), mean, spread)
        return NetworkPolicy(self.task.data.observation_space, values)


class InvariantLearner(DomainLearner):
    """Invariant risk minimisation."""

    def __init__(self, task: Task, agent: "IRM"):
        super().__init__(task)
        self.agent = agent

    def loss(self, predicted: Tensor, reward: Tensor) -> Tensor:
        """mean_e [R_e + weight penalty_e] / max(1, weight), R_e the risk of domain e.

        The division keeps the size of the gradients, as in the authors' code.
        """
        is_annealing = self.steps <= self.agent.annealing * self.task.updates
        weight = 1.0 if is_annealing else self.agent.penalty
        risk = (predicted - reward).square().mean(-1)
        penalised = risk + weight * penalty(predicted, reward)
        return penalised.mean(-1) / max(1.0, weight)


class WorstLearner(DomainLearner):
    """Group distributionally robust optimisation."""

    def __init__(self, task: Task, eta: float):
        super().__init__(task)
        self.eta = eta
        self.weights = torch.ones(())  # of the domains, (seeds, domains); equal at first

    def loss(self, predicted: Tensor, reward: Tensor) -> Tensor:
        """sum_g q_g R_g, after the update q_g <- q_g exp(eta R_g) / sum_h q_h exp(eta R_h).

        Source: Sagawa et al. (2020), algorithm 1.
        """
        risk = (predicted - reward).square().mean(-1)
        raised = self.weights * (self.eta * risk.detach()).exp()
        self.weights = raised / raised.sum(-1, keepdim=True)
        return (self.weights * risk).sum(-1)


def penalty(predicted: Tensor, reward: Tensor) -> Tensor:
    """The IRMv1 penalty (dR(w f) / dw at w = 1)^2 of each domain: (..., rows) each to (...).

    R is the squared error and w a scalar factor, so the derivative is E[2 (f - r) f]. The
    derivatives of two halves of the rows are multiplied: an unbiased estimate of the square.

    Source: Arjovsky et al. (2019), equation 4 and appendix D.
    """
    slope = 2 * (predicted - reward) * predicted
    even, odd = slope[..., 0::2], slope[..., 1::2]
    return even.mean(-1) * odd.mean(-1)


@dataclass(frozen=True)
class DomainAgent(BatchedAgent):
    """Predicts the reward from the logs of several domains, and takes the best action.

    A domain is a combination of the logged `domain` and the label `regime`. Risks are mean squared
    errors of standardised rewards. At horizons above 1, only the next reward counts.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"labels"})

    batch: int = 512  # rows of a minibatch, of each domain
    updates: int = 4000

    def learn_all(
        self, sources: Sequence[Data], rngs: Sequence[np.random.Generator]
    ) -> list[Policy | Exception]:
        """Learn from labelled logs of one task.

        Seeds with equally many domains are trained at once. Returns for each seed its policy, or
        the error that stopped it.
        """
        check_actions(self, sources[0].action_space)
        domains = [by_domain(data) for data in sources]
        encoder = Encoder(sources[0].observation_space, self.batch, device_named(self.device))

        def learn(key: tuple[int, int], seeds: Sequence[int]) -> list[Policy | Exception]:
            logs = [sources[seed] for seed in seeds]
            seed_rngs = [rngs[seed] for seed in seeds]
            task = Task(logs, seed_rngs, encoder, self.layers, updates=key[1])
            return self._learn_domains(task, [domains[seed] for seed in seeds])

        return in_groups([(len(parts), self._updates_on_all(parts)) for parts in domains], learn)

    def _updates_on_all(self, domains: Sequence[Data]) -> int:
        """The number of steps; a minibatch has `batch` rows of each domain."""
        rows = sum(map(len, domains))
        return self.updates_on(ceil(rows / len(domains)))

    def _learn_domains(
        self, task: Task, domains: Sequence[Sequence[Data]]
    ) -> list[Policy | Exception]:
        """Train the seeds of a task, whose logs have the same number of domains."""
        # minibatches of the domains of all seeds, each domain drawn by the generator of its seed
        parts: list[Data] = []
        rngs: list[np.random.Generator] = []
        for parts_of_seed, rng in zip(domains, task.rngs, strict=True):
            parts += parts_of_seed
            rngs += [rng] * len(parts_of_seed)
        batches = minibatches(parts, rngs, task.updates, self.batch, task.encoder)
        policies = self._trained(self._drawn(task), task, batches)
        note = f"domains: {len(domains[0])}"
        if task.data.horizon > 1:
            note += ", and only the next reward counts"
        for policy in policies:
            if isinstance(policy, Policy):
                add_note(policy, note)
        return policies

    @abstractmethod
    def _learner(self, task: Task) -> DomainLearner:
        """The networks and their loss."""


@dataclass(frozen=True)
class IRM(DomainAgent):
    """Invariant risk minimisation, IRMv1: a predictor that is optimally scaled in every domain.

    It minimises sum_e R_e(f) + penalty (dR_e(w f) / dw at w = 1)^2 over the domains e, with the
    penalty weighted by 1 at first, as in the paper. If only the predictor 0 is invariant, what is
    left of the predictor decides.

    Source: Arjovsky, Bottou, Gulrajani and Lopez-Paz (2019), Invariant risk minimization,
    equation 4.
    """

    name: ClassVar[str] = "irm"

    batch: int = 1024
    decay: float = 1e-2
    penalty: float = 1000.0  # final weight of the penalty
    annealing: float = 0.4  # fraction of the updates in which the weight is 1

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
    """Group distributionally robust optimisation: the least risk in the worst domain.

    It minimises max_q sum_g q_g R_g over weights q of the domains by alternating exponentiated
    gradient steps on q and steps of the optimiser. It is robust to other mixtures of the logged
    domains, and to nothing else.

    Source: Sagawa, Koh, Hashimoto and Liang (2020), Distributionally robust neural networks for
    group shifts, algorithm 1.
    """

    name: ClassVar[str] = "group-dro"

    batch: int = 256
    decay: float = 1e-3
    eta: float = 0.01  # step size of the weights of the domains

    def __post_init__(self) -> None:
        super().__post_init__()
        not_negative(self, "eta")

    def _learner(self, task: Task) -> DomainLearner:
        return WorstLearner(task, self.eta)


def by_domain(data: Data) -> list[Data]:
    """The rows of each domain as a log of their own."""
    labels = Strata(data, [name for name in ("domain", "regime") if name in data.columns])
    domain = np.concatenate([labels.of(part) for part in data.chunks()])
    return [data.at(np.flatnonzero(domain == number)) for number in range(labels.count)]

"""Invariance across domains, in a table."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import ClassVar, NamedTuple

import numpy as np
from gymnasium import spaces
from scipy.stats import chi2

from dosuite.causal import Array, InputError
from dosuite.causal.exact import greedy
from dosuite.causal.tolerances import ROUNDING
from dosuite.envs import Data

from ..agent import OfflineAgent
from ..policy import Policy
from .counting import ValuedPolicy, abstain, check_countable, table_of


@dataclass(frozen=True)
class Invariant(OfflineAgent):
    """Acts on contexts given which the mean reward of each action is the same in all domains.

    A domain is a combination of the logged `domain` and the label `regime`. For each set of
    contexts a chi-square test compares the mean rewards of the domains in every cell of contexts
    and action. Among the sets that pass, the agent takes the one whose greedy policy earns most in
    its worst domain. In a table this is what invariant risk minimisation asks for: a representation
    on which one predictor is optimal in all domains. If no set passes, the value of an action in a
    context is its mean reward in the worst domain that has rows of it.

    Source: Arjovsky, Bottou, Gulrajani and Lopez-Paz (2019); for the test Peters, Buehlmann and
    Meinshausen (2016); for the worst domain Sagawa, Koh, Hashimoto and Liang (2020).
    """

    name: ClassVar[str] = "invariant"
    needs: ClassVar[frozenset[str]] = frozenset({"labels"})

    level: float = 0.01  # of the test: the probability that an invariant set is rejected

    def __post_init__(self) -> None:
        if not 0 < self.level < 1:
            raise InputError(f"invariant: level must be between 0 and 1, and is {self.level}")

    def learn_from(self, source: Data, rng: np.random.Generator) -> Policy:
        """The policy that plans with the invariant features.

        Raises InputError if observations, domains or rewards cannot be counted.
        """
        check_countable(source, self.name)
        if source.horizon > 1:
            return abstain(source, "domains are compared in one step only")
        domains = DomainCounts.of(source)
        space = source.observation_space
        if len(domains.count) < 2:
            note = "one domain alone, which is its own worst"
            return ValuedPolicy(domains.worst_means(), space, note)
        invariant = [subset for subset in domains.subsets() if subset.p_value >= self.level]
        if not invariant:
            note = "nothing is invariant: the worst domain counts"
            return ValuedPolicy(domains.worst_means(), space, note)
        best = max(invariant, key=lambda subset: domains.worst_return(subset.means))
        names = ", ".join(f"context {number}" for number in best.contexts)
        return ValuedPolicy(best.means, space, f"invariant given {names or 'no context'}")


class ContextSubset(NamedTuple):
    """A set of contexts, and the test of invariance given it."""

    contexts: tuple[int, ...]
    means: Array  # pooled mean rewards in all contexts, (C, A); -inf where there are no rows
    p_value: float


@dataclass(frozen=True, eq=False)
class DomainCounts:
    """Counts and sums of the rows of each domain: (D, contexts..., A), with an axis per context."""

    count: Array
    total: Array  # of the reward
    square: Array  # of the squared reward

    @staticmethod
    def of(data: Data) -> "DomainCounts":
        """The domains of a labelled log. Raises TooLargeError if the table is too large."""
        labels = [name for name in ("domain", "regime") if name in data.columns]
        table, values = table_of(data, [*labels, "reward"])
        contexts, actions = table.shape[:2]
        rewards = values[-1]
        # all labels as one axis, in front: (D, C, A, R)
        table = np.moveaxis(table.reshape(contexts, actions, -1, len(rewards)), 2, 0)
        table = table[table.sum((1, 2, 3)) > 0]
        space = data.observation_space
        sizes = space.nvec.tolist() if isinstance(space, spaces.MultiDiscrete) else [contexts]
        moments = (table @ rewards**power for power in (0, 1, 2))
        return DomainCounts(*(moment.reshape(-1, *sizes, actions) for moment in moments))

    def subsets(self) -> Iterator[ContextSubset]:
        """All sets of contexts, from all of them to none."""
        axes = range(1, self.count.ndim - 1)
        for size in range(len(axes), -1, -1):
            for kept in combinations(axes, size):
                yield self._subset(kept)

    def _subset(self, kept: tuple[int, ...]) -> ContextSubset:
        """The set of contexts on some axes."""
        axes = range(1, self.count.ndim - 1)
        ignored = tuple(axis for axis in axes if axis not in kept)
        count = self.count.sum(ignored, keepdims=True)
        total = self.total.sum(ignored, keepdims=True)
        square = self.square.sum(ignored, keepdims=True)
        # pool the domains, and repeat the means along the contexts that are ignored
        rows = count.sum(0)
        pooled = total.sum(0) / np.maximum(rows, 1)
        means = np.where(rows > 0, pooled, -np.inf)
        in_all_contexts = np.broadcast_to(means, self.count.shape[1:])
        return ContextSubset(
            tuple(axis - 1 for axis in kept),
            in_all_contexts.reshape(-1, means.shape[-1]),
            _p_value(count, total, square),
        )

    def worst_return(self, means: Array) -> float:
        """The mean reward of the greedy policy of some means in its worst domain.

        In each domain, only contexts with rows of the greedy actions count.
        """
        policy = greedy(means)
        shape = len(self.count), *means.shape
        count, total = self.count.reshape(shape), self.total.reshape(shape)
        rewards = np.where(count > 0, total / np.maximum(count, 1), 0.0)
        has_rows = (count > 0) & (policy > 0)
        weights = count.sum(2, keepdims=True) * policy * has_rows
        sums = weights.sum((1, 2))
        earned = (weights * rewards).sum((1, 2))
        has_weight = sums > 0
        mean_rewards = earned[has_weight] / sums[has_weight]
        return float(mean_rewards.min(initial=np.inf))

    def worst_means(self) -> Array:
        """The mean reward of each action and context in the worst domain that has rows of it.

        The result is (C, A), -inf where no domain has rows.
        """
        domain_means = self.total / np.maximum(self.count, 1)
        means = np.where(self.count > 0, domain_means, np.inf).min(0)
        known_means = np.where(np.isfinite(means), means, -np.inf)
        return known_means.reshape(-1, means.shape[-1])


def _p_value(count: Array, total: Array, square: Array) -> float:
    """The p-value of a chi-square test that the mean rewards of all domains (axis 0) are equal.

    The statistic sums n_de (m_de - m_e)^2 / v_e over domains d and cells e, where m_e is the pooled
    mean and v_e the variance within domains.
    """
    rows = count.sum(0)
    pooled = total.sum(0) / np.maximum(rows, 1)
    domain_means = total / np.maximum(count, 1)
    within = (square - total**2 / np.maximum(count, 1)).sum(0)
    between = (count * (domain_means - pooled) ** 2).sum(0)
    domains = (count > 0).sum(0)  # domains with rows of a cell
    tested = domains > 1
    variance = within / np.maximum(rows - domains, 1)
    # where rewards do not vary within domains, any difference between domains is certain
    certain = tested & (variance <= ROUNDING)
    if (between[certain] > ROUNDING).any():
        return 0.0
    tested = tested & ~certain
    freedom = int((domains - 1)[tested].sum())
    if not freedom:
        return 1.0
    statistic = (between[tested] / variance[tested]).sum()
    return float(chi2.sf(statistic, freedom))

"""Invariance:

act on what predicts the reward alike in every domain, and where nothing does, on the worst domain.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import ClassVar

import numpy as np
from gymnasium import spaces
from scipy.stats import chi2

from dosuite.causal import Array, InputError
from dosuite.causal.exact import greedy
from dosuite.causal.tolerances import ROUNDING
from dosuite.envs import Data

from ..agent import Agent, Policy
from .counting import ValuedPolicy, abstain, counted, table_of


@dataclass(frozen=True)
class Invariant(Agent):
    """Acts on those contexts given which, with the action, the mean reward is the same in all
    domains; else the worst domain counts.

    A domain is a value of the logged `domain` and of the label `regime` together. For each set of
    contexts a chi-square test compares the mean rewards of the domains in every cell of set and
    action. Among the sets that pass, the agent takes the one whose best policy earns most in the
    domain where it earns least, and in each cell the action of the greatest pooled mean. In a table
    this is what invariant risk minimisation asks for: a representation on which one predictor is
    optimal everywhere. If no set passes, the worth of an action in a context is its mean reward in
    the worst domain that shows it.

    Source: Arjovsky, Bottou, Gulrajani and Lopez-Paz (2019); for the test Peters, Buehlmann and
    Meinshausen (2016); for the worst domain Sagawa, Koh, Hashimoto and Liang (2020)."""

    name: ClassVar[str] = "invariant"
    learns: ClassVar[tuple[str, ...]] = ("observe", "mixed")
    needs: ClassVar[frozenset[str]] = frozenset({"labels"})

    level: float = 0.01  # of the test: the share of invariant sets that it rejects

    def __post_init__(self) -> None:
        if not 0 < self.level < 1:
            raise InputError(f"invariant: level must be between 0 and 1, and is {self.level}")

    def learn(self, source: Data, rng: np.random.Generator) -> Policy:
        """Test and choose.

        Raises InputError if observations, domains or rewards cannot be counted.
        """
        counted(source, self.name)
        if source.horizon > 1:
            return abstain(source, "domains are compared in one step only")
        domains = Domains.of(source)
        if len(domains.count) < 2:
            return ValuedPolicy(
                domains.worst(),
                source.observation_space,
                "one domain alone, which is its own worst",
            )
        found = [
            (domains.earned(means), means, seen)
            for seen, means, p in domains.sets()
            if p >= self.level
        ]
        if not found:
            return ValuedPolicy(
                domains.worst(),
                source.observation_space,
                "nothing is invariant: the worst domain counts",
            )
        _, means, seen = max(found, key=lambda one: one[0])
        given = ", ".join(f"context {number}" for number in seen) or "no context"
        return ValuedPolicy(means, source.observation_space, f"invariant given {given}")


@dataclass(frozen=True, eq=False)
class Domains:
    """The rows of each domain, counted and summed:

    arrays (D, contexts..., A), an axis for each context.
    """

    count: Array
    total: Array  # of the reward
    square: Array  # of the squared reward

    @staticmethod
    def of(data: Data) -> "Domains":
        """The domains of a labelled log. Raises TooLargeError if its table is too large."""
        labels = [name for name in ("domain", "regime") if name in data.columns]
        table, values = table_of(data, [*labels, "reward"])
        contexts, actions = table.shape[:2]
        table = np.moveaxis(table.reshape(contexts, actions, -1, table.shape[-1]), 2, 0)
        table = table[table.sum((1, 2, 3)) > 0]
        space = data.observation_space
        sizes = space.nvec.tolist() if isinstance(space, spaces.MultiDiscrete) else [contexts]
        powers = (table @ values[-1] ** power for power in (0, 1, 2))
        return Domains(*(sums.reshape(-1, *sizes, actions) for sums in powers))

    def sets(self) -> Iterator[tuple[tuple[int, ...], Array, float]]:
        """Each set of contexts, the pooled means given it (C, A), -inf where there are none, and
        the p-value of invariance.
        """
        axes = range(1, self.count.ndim - 1)
        for seen in (
            some for size in range(len(axes), -1, -1) for some in combinations(axes, size)
        ):
            out = tuple(axis for axis in axes if axis not in seen)
            count, total, square = (
                sums.sum(out, keepdims=True) for sums in (self.count, self.total, self.square)
            )
            rows = count.sum(0)
            means = np.where(rows > 0, total.sum(0) / np.maximum(rows, 1), -np.inf)
            whole = np.broadcast_to(means, self.count.shape[1:]).reshape(-1, means.shape[-1])
            yield tuple(axis - 1 for axis in seen), whole, _p_value(count, total, square)

    def earned(self, means: Array) -> float:
        """What the best policy by these means earns in the domain where it earns least, as far as
        this shows its actions.
        """
        policy = greedy(means)
        count, total = (
            sums.reshape(len(self.count), *means.shape) for sums in (self.count, self.total)
        )
        rewards = np.where(count > 0, total / np.maximum(count, 1), 0.0)
        shown = (count > 0) & (policy > 0)
        weights = count.sum(2, keepdims=True) * policy * shown
        sums = weights.sum((1, 2))
        earned = (weights * rewards).sum((1, 2))[sums > 0] / sums[sums > 0]
        return float(earned.min(initial=np.inf))

    def worst(self) -> Array:
        """The mean reward of each action in each context in the worst domain that shows it:

        (C, A), -inf where none does.
        """
        means = np.where(self.count > 0, self.total / np.maximum(self.count, 1), np.inf).min(0)
        return np.where(np.isfinite(means), means, -np.inf).reshape(-1, means.shape[-1])


def _p_value(count: Array, total: Array, square: Array) -> float:
    """The probability of means so different between domains, axis 0, if they are equal in each
    cell.

    In a cell each domain's mean is compared with the pooled one, by the variance of the cell's
    rewards."""
    rows = count.sum(0)
    pooled = total.sum(0) / np.maximum(rows, 1)
    within = (square - total**2 / np.maximum(count, 1)).sum(0)
    shown = (count > 0).sum(0)
    between = (count * (total / np.maximum(count, 1) - pooled) ** 2).sum(0)
    tested = shown > 1
    variance = within / np.maximum(rows - shown, 1)
    certain = tested & (variance <= ROUNDING)
    if (between[certain] > ROUNDING).any():
        return 0.0
    tested = tested & ~certain
    freedom = int((shown - 1)[tested].sum())
    return float(chi2.sf((between[tested] / variance[tested]).sum(), freedom)) if freedom else 1.0

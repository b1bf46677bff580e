"""A finite decision process on small integers, and planning in it by backward induction.

Exact answers read the process off a model, and tabular learners read it off a log.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arrays import Floats
from ..tolerances import RELATIVE_TIE


@dataclass(frozen=True)
class Process:
    """Rewards and transitions of C contexts and A actions, observed or under interventions."""

    reward: Floats  # (C, A): expected reward of the step
    # (C, A, C), or sparse (C * A, C): probability of the next context. A row sums to less than 1
    # where episodes end.
    transition: Any
    # (C, A): weight of the pair in the data. Where it is 0, reward and transition mean nothing.
    visits: Floats
    start: Floats  # (C,): distribution of the first context
    horizon: int
    discount: float

    def backup(self, continuation: Floats) -> Floats:
        """Action values (C, A) of one step followed by `continuation` (C,).

        The value of a pair without data is -inf.
        """
        values = self.reward + self.discount * self.following(continuation)
        return np.where(self.visits > 0, values, -np.inf)

    def following(self, continuation: Floats) -> Floats:
        """The expectation of `continuation` (C,) in the next context: (C, A)."""
        return expected(self.transition, continuation).reshape(self.reward.shape)

    def action_values(self, choose: Callable[[Floats], Floats]) -> Floats:
        """Action values (C, A) with the whole horizon ahead.

        `choose` maps the action values of a later step to the policy (C, A) of that step.
        """
        values = self.backup(np.zeros(len(self.start)))
        for _ in range(self.horizon - 1):
            values = self.backup(mean_value(choose(values), values, self.visits))
        return values

    def plan(self) -> Floats:
        """Action values (C, A) when later steps take the best action."""
        return self.action_values(greedy)

    def value(self, policy: Floats) -> float:
        """The discounted return of a policy (C, A) from the first step.

        It is -inf if the policy reaches a context with data and takes an action without; the value
        of a context without any data is 0.
        """
        values = self.action_values(lambda _: policy)
        return float(expected(self.start, mean_value(policy, values, self.visits)))


def expected(law: Any, values: Floats) -> Floats:
    """The expectation of values (C,) under distributions (..., C), where 0 * -inf is 0."""
    lost = np.isneginf(values)
    if not lost.any():
        return np.asarray(law @ values)
    return np.where(law @ lost.astype(float) > 0, -np.inf, law @ np.where(lost, 0.0, values))


def greedy(values: Floats) -> Floats:
    """The policy (..., A) that takes the action of the largest value in `values` (..., A).

    Ties are split evenly, and so are the actions of a context without any data.
    """
    best = values.max(-1, keepdims=True)
    finite = values[np.isfinite(values)]
    margin = RELATIVE_TIE * max(1.0, np.abs(finite).max(initial=0.0))
    chosen = values >= np.where(np.isfinite(best), best - margin, best)
    return np.asarray(chosen / chosen.sum(-1, keepdims=True))


def mean_value(policy: Floats, values: Floats, visits: Floats | None = None) -> Floats:
    """The value (C,) of a policy (C, A) given action values (C, A).

    A context has data if one of its `visits` (C, A) is positive; if these are not given, if one of
    its action values is finite. The value of a context without data is 0. With data it is -inf if
    the policy takes an action without.
    """
    known = np.isfinite(values)
    weighted = np.where(policy > 0, policy * np.where(known, values, 0.0), 0.0).sum(-1)
    has_data = (known if visits is None else visits > 0).any(-1)
    hopeless = ((policy > 0) & ~known).any(-1) & has_data
    return np.where(hopeless, -np.inf, weighted)

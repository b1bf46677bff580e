"""A finite decision process on small integers, and plans in it.

Exact answers and tabular learners share it: the one reads the process off a model, the other off a
log."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arrays import Floats
from ..tolerances import RELATIVE_TIE


@dataclass(frozen=True)
class Process:
    """What happens after each action in each context, seen or done: C contexts, A actions."""

    reward: Floats  # (C, A): expected reward of the step
    # (C, A, C), or sparse (C * A, C): probability of the next context; a row sums to less than 1
    # where episodes end
    transition: Any
    # (C, A): weight of the pair in the data; where it is 0, reward and transition mean nothing
    visits: Floats
    start: Floats  # (C,): law of the first context
    horizon: int
    discount: float

    def backup(self, continuation: Floats) -> Floats:
        """Action values (C, A) of one step followed by `continuation` (C,).

        A pair without data is worth -inf.
        """
        values = self.reward + self.discount * self.following(continuation)
        return np.where(self.visits > 0, values, -np.inf)

    def following(self, continuation: Floats) -> Floats:
        """The expectation of `continuation` (C,) in the next context: (C, A)."""
        return expected(self.transition, continuation).reshape(self.reward.shape)

    def action_values(self, choose: Callable[[Floats], Floats]) -> Floats:
        """Action values (C, A) with the whole horizon ahead, if later steps are taken by the policy
        `choose(values)`.
        """
        values = self.backup(np.zeros(len(self.start)))
        for _ in range(self.horizon - 1):
            values = self.backup(mean_value(choose(values), values, self.visits))
        return values

    def plan(self) -> Floats:
        """Action values (C, A) under the best later actions."""
        return self.action_values(greedy)

    def value(self, policy: Floats) -> float:
        """The discounted return of a policy (C, A) from the first step.

        It is -inf if the policy comes to do what the data never shows of a context; a context that
        it never shows is worth 0."""
        return float(
            expected(
                self.start, mean_value(policy, self.action_values(lambda _: policy), self.visits)
            )
        )


def expected(law: Any, values: Floats) -> Floats:
    """The mean of values (C,) under laws (..., C), of which a value of -inf that has no probability
    takes nothing.
    """
    lost = np.isneginf(values)
    if not lost.any():
        return np.asarray(law @ values)
    return np.where(law @ lost.astype(float) > 0, -np.inf, law @ np.where(lost, 0.0, values))


def greedy(values: Floats) -> Floats:
    """The policy (..., A) that takes the best action;

    ties, and contexts without any data, are shared equally.
    """
    best = values.max(-1, keepdims=True)
    finite = values[np.isfinite(values)]
    margin = RELATIVE_TIE * max(1.0, np.abs(finite).max(initial=0.0))
    chosen = values >= np.where(np.isfinite(best), best - margin, best)
    return np.asarray(chosen / chosen.sum(-1, keepdims=True))


def mean_value(policy: Floats, values: Floats, visits: Floats | None = None) -> Floats:
    """The value (C,) of a policy (C, A) given action values (C, A); a context without any data is
    worth 0.

    A context has data if it has `visits` (C, A), or without these, if an action of it has a value;
    with data it is worth -inf where the policy takes an action that has none."""
    known = np.isfinite(values)
    weighted = np.where(policy > 0, policy * np.where(known, values, 0.0), 0.0).sum(-1)
    hopeless = ((policy > 0) & ~known).any(-1) & (known if visits is None else visits > 0).any(-1)
    return np.where(hopeless, -np.inf, weighted)

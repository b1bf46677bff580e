"""What can be guaranteed where payoffs are only bounded: maximin and minimax-regret policies, and
plans in interval processes.

A policy is (C, A). Its payoff J is linear in the unknown, which is a box of intervals or a law over
response types."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import NamedTuple

import numpy as np

from ..arrays import Array, Floats
from ..errors import InputError
from ..exact.decision_process import Process
from ..model.elimination import check_size
from ..tolerances import RELATIVE_OPTIMUM
from .response_types import ResponseTypes
from .sharp_bounds import least, linear
from .unit_responses import Quantity


class Ceiling(NamedTuple):
    """The best that can be promised, and by whom; policies that are as good are mixed."""

    policy: Floats  # (C, A)
    value: float  # its guarantee or its regret


@dataclass(frozen=True, eq=False)
class Payoffs:
    """All payoffs that the data allow:

    J(policy) = sum of policy * (coefficients @ q), for any q >= 0 with matrix @ q = vector.
    """

    coefficients: Floats  # (C, A, Q)
    matrix: Floats  # (rows, Q)
    vector: Floats  # (rows,)

    @staticmethod
    def box(low: Array, high: Array) -> "Payoffs":
        """Payoffs that vary freely between `low` and `high`, each (A,) or (C, A).

        With several contexts an entry is the context's contribution to J: its probability times the
        expected reward. Raises InputError if a low payoff is above the high one."""
        low, high = np.atleast_2d(np.asarray(low, float)), np.atleast_2d(np.asarray(high, float))
        if low.shape != high.shape or not (low <= high).all():
            raise InputError(
                "a box needs a low and a high payoff for each action, none of the low ones above "
                "the high one"
            )
        one, zero = (
            np.eye(low.size),
            np.zeros((low.size, low.size)),
        )  # q: what is above low, what is below high, and 1
        coefficients = np.hstack([one, zero, low.reshape(-1, 1)]).reshape(*low.shape, -1)
        matrix = np.block(
            [[one, one, np.zeros((low.size, 1))], [np.zeros((1, 2 * low.size)), np.ones((1, 1))]]
        )
        return Payoffs(coefficients, matrix, np.append(high - low, 1.0))

    @staticmethod
    def of(types: ResponseTypes, quantities: Sequence[Sequence[Quantity]]) -> "Payoffs":
        """Payoffs under hidden confounding: for each context, and each action in it, a quantity of
        a unit.

        That of action a in context c is `lambda do: (do()["c"] == c) * do(a=a)["y"]`. Raises
        InputError where `bounds` does."""
        district, flat = linear(types, [quantity for row in quantities for quantity in row])
        matrix, vector, _ = district.equations
        return Payoffs(flat.reshape(len(quantities), -1, flat.shape[1]), matrix, vector)

    @cached_property
    def deterministic(self) -> Floats:
        """Every deterministic policy:

        (P, C, A). Raises TooLargeError if their programme is too large.
        """
        contexts, actions, unknowns = self.coefficients.shape
        check_size(
            [actions**contexts, unknowns, actions**contexts, len(self.vector)],
            "the regret of all deterministic policies",
        )
        return np.asarray(np.eye(actions)[np.array(list(product(range(actions), repeat=contexts)))])

    def guarantee(self, policy: Floats) -> float:
        """The least payoff of a policy."""
        payoffs = np.tensordot(policy, self.coefficients, 2)
        return float(np.dot(payoffs, _possible(least(payoffs, A_eq=self.matrix, b_eq=self.vector))))

    def regret(self, policy: Floats) -> float:
        """The most by which another policy can be better.

        It is convex in the other, so that deterministic ones suffice.
        """
        return max(-self.guarantee(policy - other) for other in self.deterministic)

    def maximin(self) -> Ceiling:
        """The policy with the greatest guarantee."""
        policy, loss = self._least_loss(np.zeros((1, *self.coefficients.shape[:2])))
        return Ceiling(policy, -loss)

    def minimax_regret(self) -> Ceiling:
        """The policy with the least regret, which is often mixed."""
        return self._least_loss(self.deterministic)

    def _least_loss(self, rivals: Floats) -> Ceiling:
        """The policy with the least loss, the maximum over rivals and q of J(rival) - J(policy).

        A linear programme in the policy, the loss, and for each rival the multipliers of its
        maximum over q: by duality vector @ multipliers is at least this maximum if matrix.T @
        multipliers is at least its coefficient of each q."""
        contexts, actions, unknowns = self.coefficients.shape
        payoffs, count = self.coefficients.reshape(-1, unknowns), len(rivals)
        prices = [
            np.tile(-payoffs.T, (count, 1)),
            np.zeros((count * unknowns, 1)),
            np.kron(np.eye(count), -self.matrix.T),
        ]
        maxima = [
            np.zeros((count, len(payoffs))),
            -np.ones((count, 1)),
            np.kron(np.eye(count), self.vector),
        ]
        limits = np.append(-(rivals.reshape(count, -1) @ payoffs).ravel(), np.zeros(count))
        rows = np.kron(np.eye(contexts), np.ones(actions))
        laws = np.pad(rows, ((0, 0), (0, 1 + count * len(self.vector))))
        return _solve(np.block([prices, maxima]), limits, laws, (contexts, actions))


def _solve(left: Floats, right: Floats, laws: Floats, shape: tuple[int, int]) -> Ceiling:
    """Minimise the loss, the unknown after the policy's. Of the policies that do, take one that
    spreads evenly over their actions.

    It gives each action the same share, the greatest possible, of the most that any of them gives
    it in that context."""
    entries = int(np.prod(shape))
    signs: list[tuple[float | None, float | None]] = [(0, None)] * entries + [(None, None)] * (
        left.shape[1] - entries
    )

    def minimum(goal: Floats, above: Floats) -> Floats:
        """Of goal @ unknowns, where above @ unknowns <= 0;

        beyond those of the programme there may be more.
        """
        more = len(goal) - left.shape[1]
        rows = np.vstack([np.pad(left, ((0, 0), (0, more))), above])
        limits, equal = np.append(right, np.zeros(len(above))), np.pad(laws, ((0, 0), (0, more)))
        return _possible(
            least(
                goal,
                A_ub=rows,
                b_ub=limits,
                A_eq=equal,
                b_eq=np.ones(len(laws)),
                bounds=signs + [(0, None)] * more,
            )
        )

    goals, nothing = np.eye(left.shape[1]), np.zeros((0, left.shape[1]))
    loss = float(minimum(goals[entries], nothing)[entries])
    signs[entries] = (None, loss + RELATIVE_OPTIMUM * max(1.0, abs(loss)))
    most = np.array([minimum(-goals[entry], nothing)[entry] for entry in range(entries)]).clip(0.0)
    shares = np.kron(np.eye(shape[0]), np.ones((shape[1], 1))) * most[:, None]
    even = minimum(
        np.append(np.zeros(left.shape[1]), -np.ones(shape[0])),
        np.hstack([-goals[:entries], shares]),
    )
    policy = even[:entries].reshape(shape).clip(0.0)
    return Ceiling(policy / policy.sum(1, keepdims=True), loss)


def _possible(solution: Floats | None) -> Floats:
    if solution is None:
        raise InputError("no payoffs are possible: no model with this graph has the table")
    return solution


def interval_values(
    process: Process,
    best: bool = False,
    reward: tuple[float, float] | None = None,
    policy: Floats | None = None,
    ends: bool = True,
) -> Floats:
    """Action values (C, A) that the log guarantees with the whole horizon ahead, or at `best`
    allows, if each step is confounded.

    A share of the units, the propensity, would take the action by themselves, and for them the
    process that the log shows is true. What the others meet is any next context, or the end if an
    episode can end early (`ends`; that the log shows no end does not mean that there is none for
    them), and, if the `reward` is confounded too, any reward in this range. Later steps are taken
    by the `policy` (C, A), or else as is best for what is asked. Sharp where the hidden causes are
    drawn anew at each step. Where they persist (`is_markov` of the graph is False) these are no
    bounds: a policy leads other units to a context than the log saw there. Raises InputError if a
    reward is neither seen nor given a range.

    Source: interval value iteration, Givan, Leach and Dean (2000), on the intervals of Manski
    (1990)."""
    total = process.visits.sum(1, keepdims=True)
    propensity = process.visits / np.where(total > 0, total, 1.0)
    if reward is None and (process.visits <= 0).any():
        c, a = np.argwhere(process.visits <= 0)[0]
        raise InputError(
            f"action {a} never occurs in context {c}, and its reward is unknown; give the range "
            "of rewards"
        )
    extreme, bound = (np.max, 1) if best else (np.min, 0)
    gain = (
        process.reward
        if reward is None
        else propensity * process.reward + (1.0 - propensity) * reward[bound]
    )

    def backup(continuation: Floats) -> Floats:
        other = extreme(np.append(continuation, 0.0) if ends else continuation)
        return np.asarray(
            gain
            + process.discount
            * (propensity * process.following(continuation) + (1.0 - propensity) * other)
        )

    values = backup(np.zeros(len(total)))
    for _ in range(process.horizon - 1):
        values = backup(values.max(1) if policy is None else (policy * values).sum(1))
    return values

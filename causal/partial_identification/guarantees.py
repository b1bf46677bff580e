"""Guarantees where payoffs are only bounded: maximin and minimax-regret policies of one step, and
interval value iteration.

A policy is a table P(action | context) of shape (C, A). Its payoff J is linear in an unknown vector
q, which ranges over a box of intervals or over all laws of response types that the tables allow.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import NamedTuple

import numpy as np

from ..arrays import Array, Floats
from ..errors import InputError
from ..exact.decision_process import Process
from ..exact.linear_programme import least
from ..model.elimination import check_size
from ..tolerances import RELATIVE_OPTIMUM
from .constraints import equations
from .response_types import ResponseTypes
from .sharp_bounds import linear
from .unit_responses import UnitQuantity

Limits = list[tuple[float | None, float | None]]  # of each unknown of a linear programme


class Guarantee(NamedTuple):
    """A policy and the payoff or the regret that it guarantees; equally good policies are mixed."""

    policy: Floats  # (C, A)
    value: float  # the least payoff, or the greatest regret


@dataclass(frozen=True, eq=False)
class Payoffs:
    """The payoffs that the data allow, as a polytope: with C contexts, A actions and Q unknowns,

    J(policy) = sum over c, a of policy[c, a] * (coefficients[c, a] @ q)

    for any q >= 0 with matrix @ q = vector. Make one with `box` or `of`.
    """

    coefficients: Floats  # (C, A, Q)
    matrix: Floats  # (rows, Q)
    vector: Floats  # (rows,)

    @staticmethod
    def box(low: Array, high: Array) -> "Payoffs":
        """Payoffs that vary freely between `low` and `high`, each (A,) or (C, A).

        With several contexts an entry is the context's contribution to J: its probability times the
        expected reward. Raises InputError if the shapes differ or a low payoff is above the high
        one.
        """
        low, high = np.atleast_2d(np.asarray(low, float)), np.atleast_2d(np.asarray(high, float))
        if low.shape != high.shape or not (low <= high).all():
            raise InputError(
                "a box needs a low and a high payoff for each action, none of the low ones above "
                "the high one"
            )
        # q holds, for each entry, its distance from the low end and from the high end, and a 1.
        size = low.size
        one, column, row = np.eye(size), np.zeros((size, 1)), np.zeros((1, 2 * size))
        coefficients = np.hstack([one, np.zeros((size, size)), low.reshape(-1, 1)])
        matrix = np.block([[one, one, column], [row, np.ones((1, 1))]])
        vector = np.append(high - low, 1.0)
        return Payoffs(coefficients.reshape(*low.shape, -1), matrix, vector)

    @staticmethod
    def of(types: ResponseTypes, quantities: Sequence[Sequence[UnitQuantity]]) -> "Payoffs":
        """Payoffs under hidden confounding: a quantity for each context and each action in it.

        That of action a in context c is `lambda do: (do()["c"] == c) * do(a=a)["y"]`. Raises
        InputError where `bounds` does.
        """
        district, flat = linear(types, [quantity for row in quantities for quantity in row])
        matrix, vector, _ = equations(district)
        return Payoffs(flat.reshape(len(quantities), -1, flat.shape[1]), matrix, vector)

    @cached_property
    def deterministic(self) -> Floats:
        """All deterministic policies: (P, C, A).

        Raises TooLargeError if the linear programme of least regret would be too large.
        """
        contexts, actions, unknowns = self.coefficients.shape
        count = actions**contexts
        check_size(
            [count, unknowns, count, len(self.vector)],
            "the regret of all deterministic policies",
        )
        choices = np.array(list(product(range(actions), repeat=contexts)))
        return np.asarray(np.eye(actions)[choices])

    def guarantee(self, policy: Floats) -> float:
        """The least payoff of a policy (C, A)."""
        payoffs = np.tensordot(policy, self.coefficients, 2)
        worst = _feasible(least(payoffs, A_eq=self.matrix, b_eq=self.vector))
        return float(np.dot(payoffs, worst))

    def regret(self, policy: Floats) -> float:
        """The most by which another policy can be better than this one (C, A)."""
        # The regret is convex in the other policy, so that deterministic ones suffice.
        return max(-self.guarantee(policy - other) for other in self.deterministic)

    def maximin(self) -> Guarantee:
        """The policy with the greatest least payoff."""
        policy, loss = self._least_loss(np.zeros((1, *self.coefficients.shape[:2])))
        return Guarantee(policy, -loss)

    def minimax_regret(self) -> Guarantee:
        """The policy with the least regret, which is often mixed."""
        return self._least_loss(self.deterministic)

    def _least_loss(self, rivals: Floats) -> Guarantee:
        """The policy that minimises the maximum over rivals and q of J(rival) - J(policy).

        `rivals` is (P, C, A).
        """
        contexts, actions, unknowns = self.coefficients.shape
        payoffs, count = self.coefficients.reshape(-1, unknowns), len(rivals)
        # The unknowns are the policy, the loss, and for each rival the multipliers m of the
        # constraints matrix @ q = vector.
        # By duality the maximum over q >= 0 of (rival - policy) @ payoffs @ q is at most
        # vector @ m for every m with matrix.T @ m >= (rival - policy) @ payoffs.
        duality = [
            np.tile(-payoffs.T, (count, 1)),
            np.zeros((count * unknowns, 1)),
            np.kron(np.eye(count), -self.matrix.T),
        ]
        # The loss is at least vector @ m for every rival.
        maxima = [
            np.zeros((count, len(payoffs))),
            -np.ones((count, 1)),
            np.kron(np.eye(count), self.vector),
        ]
        gains = rivals.reshape(count, -1) @ payoffs
        limits = np.append(-gains.ravel(), np.zeros(count))
        # The policy sums to 1 in every context.
        one_each = np.kron(np.eye(contexts), np.ones(actions))
        sums = np.pad(one_each, ((0, 0), (0, 1 + count * len(self.vector)))).astype(float)
        programme = _LeastLoss(np.block([duality, maxima]), limits, sums)
        return programme.solve(contexts, actions)


@dataclass(frozen=True, eq=False)
class _LeastLoss:
    """A linear programme whose first unknowns are a policy, and the next the loss to minimise.

    The constraints are left @ unknowns <= right and sums @ unknowns = 1.
    """

    left: Floats
    right: Floats
    sums: Floats

    def solve(self, contexts: int, actions: int) -> Guarantee:
        """The policy with the least loss; among several, one that shares evenly between actions."""
        entries, size = contexts * actions, self.left.shape[1]
        limits: Limits = [(0, None)] * entries + [(None, None)] * (size - entries)
        goals = np.eye(size)
        # First the least loss, which all further programmes must keep.
        loss = float(self._minimum(goals[entries], limits)[entries])
        limits[entries] = (None, loss + RELATIVE_OPTIMUM * max(1.0, abs(loss)))
        # Then for each entry the most that an optimal policy gives it.
        most = np.array(
            [self._minimum(-goals[entry], limits)[entry] for entry in range(entries)]
        ).clip(0.0)
        # Last, for each context the greatest share of these that all its actions can have at once.
        shares = np.kron(np.eye(contexts), np.ones((actions, 1))) * most[:, None]
        even = self._minimum(
            np.append(np.zeros(size), -np.ones(contexts)),
            limits,
            np.hstack([-goals[:entries], shares]),
        )
        policy = even[:entries].reshape(contexts, actions).clip(0.0)
        return Guarantee(policy / policy.sum(1, keepdims=True), loss)

    def _minimum(self, goal: Floats, limits: Limits, below: Floats | None = None) -> Floats:
        """The unknowns with the least goal @ unknowns, if also below @ unknowns <= 0.

        The goal may have unknowns beyond those of the programme, which are not negative.
        """
        more = len(goal) - self.left.shape[1]
        if below is None:
            below = np.zeros((0, len(goal)))
        solution = least(
            goal,
            A_ub=np.vstack([np.pad(self.left, ((0, 0), (0, more))), below]),
            b_ub=np.append(self.right, np.zeros(len(below))),
            A_eq=np.pad(self.sums, ((0, 0), (0, more))),
            b_eq=np.ones(len(self.sums)),
            bounds=limits + [(0, None)] * more,
        )
        return _feasible(solution)


def _feasible(solution: Floats | None) -> Floats:
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
    """Bounds on action values (C, A) over the whole horizon if every step is confounded.

    They are lower bounds, or upper bounds if `best`. In each context a share of the units, the
    propensity, would take the action without intervention, and for these the logged process is
    true. The others may move to any context, or end the episode if `ends` (a log without early ends
    does not rule them out), and may earn any reward in the range `reward`; without a range the
    reward is taken as unconfounded. Later actions are those of `policy` (C, A), by default the best
    for the bound.

    The bounds are sharp where the hidden causes are drawn anew at each step. Where they persist
    (`is_markov` of the graph is False) they are not valid: a policy leads units to a context that
    the log shows with others. Raises InputError if an action never occurs in a context and `reward`
    is not given.

    Source: interval value iteration, Givan, Leach and Dean (2000), on the intervals of Manski
    (1990).
    """
    if not isinstance(process, Process):
        raise InputError(f"interval_values takes a Process, and got {type(process).__name__}")
    propensity = _propensity(process)
    gain = _bounded_reward(process, propensity, reward, best)
    values = np.zeros(propensity.shape)
    continuation = np.zeros(len(propensity))
    for step in range(process.horizon):
        if step > 0:
            continuation = values.max(1) if policy is None else (policy * values).sum(1)
        # The others go to the worst (or best) of all contexts, or to the end with value 0.
        reachable = np.append(continuation, 0.0) if ends else continuation
        other = reachable.max() if best else reachable.min()
        following = propensity * process.following(continuation) + (1.0 - propensity) * other
        values = np.asarray(gain + process.discount * following)
    return values


def _propensity(process: Process) -> Floats:
    """P(action | context) in the log: (C, A), 0 in contexts that never occur."""
    total = process.visits.sum(1, keepdims=True)
    return np.asarray(process.visits / np.where(total > 0, total, 1.0))


def _bounded_reward(
    process: Process, propensity: Floats, reward: tuple[float, float] | None, best: bool
) -> Floats:
    """Manski's bound on the expected reward under do(action): (C, A)."""
    if reward is not None:
        end = reward[1] if best else reward[0]
        return np.asarray(propensity * process.reward + (1.0 - propensity) * end)
    unseen = np.argwhere(process.visits <= 0)
    if len(unseen):
        c, a = unseen[0]
        raise InputError(
            f"action {a} never occurs in context {c}, and its reward is unknown; give the range "
            "of rewards"
        )
    return process.reward

"""The best memoryless policy of several worlds at once, with a bound that no policy exceeds.

A policy (C, A) is played in every world, and its worth is a weighted mean of its returns. In one
step that is linear in the policy. Over several steps it is a polynomial, whose maximum is found by
branch and bound: a box of policies is bounded by letting the choice inside the box depend on the
world, the step and the hidden state, which makes it a plan by backward induction.
Source: Horst and Tuy (1996), Global optimization, ch. 4.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count, product

import numpy as np

from ..arrays import Floats
from ..errors import InputError
from ..model.scm import SCM
from ..tolerances import ROUNDING
from .decision_process import greedy
from .markov_chain import chain
from .policies import do_process
from .sparse_chain import SparseChain

ROUNDS = 64  # of the search, after which it ends with what it has
AT_ONCE = 64  # boxes that are cut in a round
MIXTURES = 33  # of two actions, that a step of the ascent compares
MOST_STARTS = 2**10  # deterministic policies that are tried first


Worth = Callable[[Floats], Floats]  # of P policies, (P, C, A) to (P,)


@dataclass(frozen=True)
class Search:
    """The result of a search: the best policy found, and what no policy exceeds."""

    policy: Floats  # (C, A)
    value: float  # the worth of the policy
    bound: float  # no memoryless policy is worth more


def best_for_all(worlds: Sequence[SCM], weights: Sequence[float]) -> Search:
    """The memoryless policy with the greatest weighted mean of its returns in the worlds.

    Ties are split evenly in one step. Raises InputError if the worlds differ in their contexts,
    actions, horizon or discount, NotDiscreteError or TooLargeError where a world has no exact
    answer.
    """
    _check_alike(worlds)
    if worlds[0].horizon == 1:
        payoffs = np.tensordot(weights, np.stack([payoff(world) for world in worlds]), 1)
        best = float(payoffs.max(1).sum())
        return Search(greedy(payoffs), best, best)
    return _branch_and_bound(worlds, weights)


def payoff(model: SCM) -> Floats:
    """The part of the return of a one-step model that each context and action adds: (C, A)."""
    process = do_process(model)
    return np.asarray(process.start[:, None] * process.reward)


def _check_alike(worlds: Sequence[SCM]) -> None:
    """Raise InputError if no single policy can be played in all worlds."""
    spaces = {
        (
            *(tuple(world.tables.support(name).tolist()) for name in world.contexts),
            tuple(world.tables.support(world.action).tolist()),
            world.horizon,
            world.discount,
        )
        for world in worlds
    }
    if len(spaces) > 1:
        raise InputError(
            "one policy can be played in several worlds only if they have the same contexts, "
            "actions, horizon and discount"
        )


@dataclass(frozen=True, eq=False)
class _Box:
    """A box of policies: low <= policy <= high, each (C, A), with rows that sum to 1."""

    low: Floats
    high: Floats

    def tightened(self) -> "_Box":
        """The same policies in the smallest box."""
        low, high = self.low, self.high
        others_high = high.sum(1, keepdims=True) - high
        others_low = low.sum(1, keepdims=True) - low
        return _Box(np.maximum(low, 1.0 - others_high), np.minimum(high, 1.0 - others_low))

    @property
    def middle(self) -> Floats:
        """A policy inside the box, as near to its middle as the sums of 1 allow."""
        slack = 1.0 - self.low.sum(1, keepdims=True)
        room = self.high - self.low
        total = room.sum(1, keepdims=True)
        return np.asarray(self.low + room * slack / np.where(total > 0, total, 1.0))

    def halves(self) -> "tuple[_Box, _Box]":
        """The box cut in the middle of its longest side."""
        place = np.unravel_index(np.argmax(self.high - self.low), self.low.shape)
        middle = (self.low[place] + self.high[place]) / 2
        below, above = self.high.copy(), self.low.copy()
        below[place] = above[place] = middle
        return _Box(self.low, below).tightened(), _Box(above, self.high).tightened()


def _branch_and_bound(worlds: Sequence[SCM], weights: Sequence[float]) -> Search:
    chains = [SparseChain(world, True) for world in worlds]
    contexts, actions, _ = chain(worlds[0]).shape

    def worth(policies: Floats) -> Floats:
        """Of P policies, (P, C, A) to (P,)."""
        returns = [chain(world).values(policies) for world in worlds]
        return np.asarray(np.tensordot(weights, np.stack(returns), 1))

    def bounds(boxes: Sequence[_Box]) -> Floats:
        low, high = np.stack([box.low for box in boxes]), np.stack([box.high for box in boxes])
        most = [one.most_within(low, high) for one in chains]
        return np.asarray(np.tensordot(weights, np.stack(most), 1))

    best, found = _climbed(_first_guess(contexts, actions, worth), worth)
    margin = ROUNDING * max(1.0, abs(found))
    whole = _Box(np.zeros((contexts, actions)), np.ones((contexts, actions)))
    numbers = count()  # so that boxes with equal bounds can be ordered
    boxes = [(-float(bounds([whole])[0]), next(numbers), whole)]
    for _ in range(ROUNDS):
        parents = [heappop(boxes)[2] for _ in range(min(len(boxes), AT_ONCE))]
        halves = [half for box in parents for half in box.halves()]
        for half, bound in zip(halves, bounds(halves).tolist(), strict=True):
            if bound > found + margin:
                heappush(boxes, (-bound, next(numbers), half))
        attained = worth(np.stack([half.middle for half in halves]))
        if attained.max() > found + margin:
            best, found = _climbed(halves[int(np.argmax(attained))].middle, worth)
        if not boxes or -boxes[0][0] <= found + margin:
            return Search(best, found, found)
    return Search(best, found, -boxes[0][0])


def _first_guess(contexts: int, actions: int, worth: Worth) -> Floats:
    """The best deterministic policy if there are few, or else the uniform one."""
    if actions**contexts > MOST_STARTS:
        return np.full((contexts, actions), 1.0 / actions)
    choices = np.array(list(product(range(actions), repeat=contexts)))
    policies = np.eye(actions)[choices]
    return np.asarray(policies[np.argmax(worth(policies))])


def _climbed(policy: Floats, worth: Worth) -> tuple[Floats, float]:
    """A policy that no change in one context improves, reached from `policy`, and its worth."""
    contexts, actions = policy.shape
    found = float(worth(policy[None])[0])
    improved = True
    while improved:
        improved = False
        for context, action in product(range(contexts), range(actions)):
            # all mixtures of the policy with this action in this context
            shares = np.linspace(0.0, 1.0, MIXTURES)[:, None]
            moved = np.repeat(policy[None], MIXTURES, 0)
            moved[:, context] = (1 - shares) * policy[context] + shares * np.eye(actions)[action]
            values = worth(moved)
            if values.max() > found + ROUNDING * max(1.0, abs(found)):
                found, improved = float(values.max()), True
                policy = moved[np.argmax(values)]
    return policy, found

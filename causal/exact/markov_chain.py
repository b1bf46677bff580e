"""A discrete model as a Markov chain over context, action and what else the next step needs."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from ..arrays import Floats
from ..errors import InputError, TooLargeError
from ..graphs.step_graph import LAG
from ..model.elimination import Factor, check_size
from ..model.scm import SCM
from .decision_process import Process
from .sparse_chain import SparseChain

LONGEST = 10**5  # steps of an episode
MOST_DENSE = 512  # states of a chain that is a table
SMALL = (
    32  # states of a chain whose transition matrix is cheaper to square than to apply step by step
)
MOST_AT_ONCE = 2**20  # entries of the transition matrices of all policies that are valued together


@dataclass(frozen=True)
class _Slice:
    """One step of a chain, with a leading axis for the state S one step earlier (of length 1 at the
    first step).
    """

    visits: Floats  # (S, C, A): probability of the step's context and action
    alive: Floats  # (S, C, A, R): probability of the step's state, if the episode goes on
    gain: Floats  # (S, C, A): expected reward, where context and action are these


class Chain:
    """A model as a Markov chain. Its state S is the context C, the action A and the rest R that the
    next step needs.

    An open-loop chain leaves the behaviour policy out: its arrays are under do(action), for any
    memoryless policy to be multiplied in. A closed one is the log: the behaviour policy acts, and
    only recorded rows count."""

    def __init__(self, model: SCM, open_loop: bool):
        self.model = model
        self.open_loop = open_loop
        self.state = _state(model)
        sizes = [len(model.tables.support(name)) for name in self.state]
        split = len(model.contexts)
        self.shape = (int(np.prod(sizes[:split])), sizes[split], int(np.prod(sizes[split + 1 :])))
        check_size(
            [*sizes, *sizes] if model.horizon > 1 else sizes, f"the chain of {type(model).__name__}"
        )
        self.first = self._slice(first=True)
        self.recorded = float(self.first.visits.sum())  # the share of episodes that the log keeps
        if self.recorded <= 0:
            raise InputError(f"{type(model).__name__} never selects a row: its log is empty")
        self.later = self._slice(first=False) if model.horizon > 1 else self.first

    def _slice(self, first: bool) -> _Slice:
        table, model = self.model.tables, self.model
        seen = (*model.contexts, model.action)
        past = () if first else tuple(name + LAG for name in table.carried)
        before = 1 if first else int(np.prod(self.shape))
        recorded, cut = ((), (model.action,)) if self.open_loop else (table.recorded, ())

        def over(names: tuple[str, ...], *extra: Factor, mean: str = "") -> Floats:
            flat = table.slice((*past, *names), first, (*recorded, *extra), cut, mean)
            axes = [
                1 if name not in table.carried else len(table.support(name)) for name in self.state
            ]
            # past axes come in the order of `carried`; give them the order of the state, and spread
            # the others
            if not first:
                order = [table.carried.index(name) for name in self.state if name in table.carried]
                flat = flat.transpose([*order, *range(len(past), flat.ndim)]).reshape(
                    *axes, *flat.shape[len(past) :]
                )
                flat = np.broadcast_to(
                    flat,
                    (*(len(table.support(name)) for name in self.state), *flat.shape[len(axes) :]),
                )
            return flat.reshape(before, *self.shape[: 2 if len(names) == len(seen) else 3])

        alive = over(self.state, *table.alive).reshape(before, *self.shape)
        return _Slice(over(seen), alive, over(seen, mean=model.reward))

    def values(self, policies: Floats) -> Floats:
        """The expected discounted return of each of P policies:

        (P, C, A) to (P,). A closed chain takes ones.
        """
        states, later = int(np.prod(self.shape)), self.later
        if self.model.horizon == 1 or (
            states <= SMALL and len(policies) * states**2 <= MOST_AT_ONCE
        ):
            return returns(self._small, policies)
        total = (policies * self.first.gain).sum((1, 2))
        alive = policies[..., None] * self.first.alive
        gain, kernel = later.gain.reshape(states, -1), later.alive.reshape(states, states)
        for step in range(1, self.model.horizon):
            flat = alive.reshape(len(policies), -1)
            total = total + self.model.discount**step * (
                policies * (flat @ gain).reshape(policies.shape)
            ).sum((1, 2))
            alive = policies[..., None] * (flat @ kernel).reshape(alive.shape)
        return np.asarray(total)

    @cached_property
    def _small(self) -> "SmallChains":
        return SmallChains.of([self])

    def process(self, policy: Floats) -> Process:
        """What is recorded after each action in each context, pooled over all steps, when `policy`
        (C, A) acts.

        A log begins after the model's burn-in; `start` is the law of an episode's first context all
        the same."""
        later, contexts, actions = self.later, *self.shape[:2]
        visits, gain, going_on = (
            np.zeros((contexts, actions)),
            np.zeros((contexts, actions)),
            np.zeros(self.shape),
        )
        past = np.ones(1)
        burn_in = 0 if self.open_loop else self.model.burn_in
        for step in range(burn_in + self.model.horizon):
            now = self.first if step == 0 else later
            alive = policy[..., None] * np.tensordot(past, now.alive, 1)
            if step >= burn_in:
                visits += policy * np.tensordot(past, now.visits, 1)
                gain += policy * np.tensordot(past, now.gain, 1)
                going_on += alive
            past = alive.ravel()
        transition = np.zeros((contexts, actions, contexts))
        if self.model.horizon > 1:
            following = later.visits[:, :, 0] if self.open_loop else later.visits.sum(2)
            transition = np.einsum(
                "car,card->cad", going_on, following.reshape(*self.shape, contexts)
            )
        divide = np.where(visits > 0, visits, 1.0)
        start = self.first.visits[0][:, 0] if self.open_loop else self.first.visits[0].sum(1)
        return Process(
            gain / divide,
            transition / divide[..., None],
            visits,
            start / start.sum(),
            self.model.horizon,
            self.model.discount,
        )


@dataclass(frozen=True)
class SmallChains:
    """Small chains of one shape, horizon and discount, with a leading axis for the world W."""

    first_gain: Floats  # (W, C, A)
    first_alive: Floats  # (W, C, A, R)
    gain: Floats  # (W, S, C * A), discounted by a step
    alive: Floats  # (W, S, C, A, R), discounted by a step
    steps: int  # after the first

    @staticmethod
    def of(chains: Sequence[Chain]) -> "SmallChains":
        shape, model = chains[0].shape, chains[0].model
        first_gain, first_alive = (
            np.stack([one.first.gain[0] for one in chains]),
            np.stack([one.first.alive[0] for one in chains]),
        )
        gain = np.stack([one.later.gain.reshape(len(one.later.gain), -1) for one in chains])
        alive = np.stack([one.later.alive.reshape(-1, *shape) for one in chains])
        return SmallChains(
            first_gain,
            first_alive,
            model.discount * gain,
            model.discount * alive,
            model.horizon - 1,
        )


def returns(worlds: SmallChains, policies: Floats) -> Floats:
    """The returns of P policies in one world, or of one policy in P worlds: (P,)."""
    total = (policies * worlds.first_gain).sum((1, 2))
    if not worlds.steps:
        return np.asarray(total)
    states = worlds.gain.shape[1]
    alive = (policies[..., None] * worlds.first_alive).reshape(-1, states)
    gain = (worlds.gain @ policies.reshape(len(policies), -1, 1))[..., 0]
    transition = (policies[:, None, :, :, None] * worlds.alive).reshape(-1, states, states)
    return np.asarray(total + (alive * _series(transition, gain, worlds.steps)).sum(1))


def _series(transition: Floats, gain: Floats, steps: int) -> Floats:
    """The sum of transition^k gain for k below `steps`, (P, S, S) and (P, S) to (P, S):

    a power of the map x -> transition x + gain.
    """
    policies, states = gain.shape
    power, total = np.zeros((policies, states + 1, states + 1)), np.zeros((policies, states + 1, 1))
    power[:, :-1, :-1], power[:, :-1, -1], power[:, -1, -1], total[:, -1] = (
        transition,
        gain,
        1.0,
        1.0,
    )
    while steps:
        total = power @ total if steps & 1 else total
        power, steps = power @ power if steps > 1 else power, steps >> 1
    return total[:, :-1, 0]


@lru_cache(maxsize=512)
def chain(model: SCM, open_loop: bool = True) -> Chain | SparseChain:
    """The chain of a model, compiled once: sparse if it has more than 512 states."""
    if model.horizon > LONGEST:
        raise TooLargeError(
            f"{type(model).__name__} has {model.horizon} steps, and exact answers go to {LONGEST}"
        )
    states = np.prod([float(len(model.tables.support(name))) for name in _state(model)])
    return (
        SparseChain(model, open_loop)
        if model.horizon > 1 and states > MOST_DENSE
        else Chain(model, open_loop)
    )


def _state(model: SCM) -> tuple[str, ...]:
    """What a dense chain carries from step to step: contexts, action and the rest."""
    rest = (name for name in model.tables.carried if name not in (*model.contexts, model.action))
    return (*model.contexts, model.action, *rest)

"""Exact answers about the episodes of discrete models: policy values, the best policy and the confused one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import product

import numpy as np

from .elimination import Factor, check_size, conditional
from .errors import InputError, TooLargeError
from .graph import LAG, is_markov
from .planning import TIE, Floats, Process, greedy, mean_value
from .scm import SCM, Variable
from .sparse_chain import SparseChain
from .tables import tables

LONGEST = 10**5  # steps of an episode
MOST_DENSE = 512  # states of a chain that is a table
SMALL = 32  # states of a chain whose transition matrix is cheaper to square than to apply step by step
MOST_AT_ONCE = 2**20  # entries of the transition matrices of all policies that are valued together
MOST_POLICIES = 2**14  # deterministic policies that are tried one by one


@dataclass(frozen=True)
class _Slice:
    """One step of a chain, with a leading axis for the state S one step earlier (of length 1 at the first step)."""

    visits: Floats  # (S, C, A): probability of the step's context and action
    alive: Floats  # (S, C, A, R): probability of the step's state, if the episode goes on
    gain: Floats  # (S, C, A): expected reward, where context and action are these


class Chain:
    """A model as a Markov chain. Its state S is the context C, the action A and the rest R that the next step needs.

    An open-loop chain leaves the behaviour policy out: its arrays are under do(action), for any memoryless policy to be
    multiplied in. A closed one is the log: the behaviour policy acts, and only recorded rows count.
    """

    def __init__(self, model: SCM, open_loop: bool):
        self.model = model
        self.open_loop = open_loop
        self.state = _state(model)
        sizes = [len(tables(model).support(name)) for name in self.state]
        split = len(model.contexts)
        self.shape = (int(np.prod(sizes[:split])), sizes[split], int(np.prod(sizes[split + 1 :])))
        check_size([*sizes, *sizes] if model.horizon > 1 else sizes, f"the chain of {type(model).__name__}")
        self.first = self._slice(first=True)
        self.recorded = float(self.first.visits.sum())  # the share of episodes that the log keeps
        if self.recorded <= 0:
            raise InputError(f"{type(model).__name__} never selects a row: its log is empty")
        self.later = self._slice(first=False) if model.horizon > 1 else self.first

    def _slice(self, first: bool) -> _Slice:
        table, model = tables(self.model), self.model
        seen = (*model.contexts, model.action)
        past = () if first else tuple(name + LAG for name in table.carried)
        before = 1 if first else int(np.prod(self.shape))
        recorded, cut = ((), (model.action,)) if self.open_loop else (table.recorded, ())

        def over(names: tuple[str, ...], *extra: Factor, mean: str = "") -> Floats:
            flat = table.slice((*past, *names), first, (*recorded, *extra), cut, mean)
            axes = [1 if name not in table.carried else len(table.support(name)) for name in self.state]
            if not first:  # past axes come in the order of `carried`; give them the order of the state, and spread the others
                order = [table.carried.index(name) for name in self.state if name in table.carried]
                flat = flat.transpose([*order, *range(len(past), flat.ndim)]).reshape(*axes, *flat.shape[len(past) :])
                flat = np.broadcast_to(flat, (*(len(table.support(name)) for name in self.state), *flat.shape[len(axes) :]))
            return flat.reshape(before, *self.shape[: 2 if len(names) == len(seen) else 3])

        alive = over(self.state, *table.alive).reshape(before, *self.shape)
        return _Slice(over(seen), alive, over(seen, mean=model.reward))

    def values(self, policies: Floats) -> Floats:
        """The expected discounted return of each of P policies: (P, C, A) to (P,). A closed chain takes ones."""
        states, later = int(np.prod(self.shape)), self.later
        if self.model.horizon == 1 or (states <= SMALL and len(policies) * states**2 <= MOST_AT_ONCE):
            return _returns(self._small, policies)
        total = (policies * self.first.gain).sum((1, 2))
        alive = policies[..., None] * self.first.alive
        gain, kernel = later.gain.reshape(states, -1), later.alive.reshape(states, states)
        for step in range(1, self.model.horizon):
            flat = alive.reshape(len(policies), -1)
            total = total + self.model.discount**step * (policies * (flat @ gain).reshape(policies.shape)).sum((1, 2))
            alive = policies[..., None] * (flat @ kernel).reshape(alive.shape)
        return np.asarray(total)

    @cached_property
    def _small(self) -> "_Small":
        return _Small.of([self])

    def process(self, policy: Floats) -> Process:
        """What is recorded after each action in each context, pooled over all steps, when `policy` (C, A) acts.

        A log begins after the model's burn-in; `start` is the law of an episode's first context all the same.
        """
        later, contexts, actions = self.later, *self.shape[:2]
        visits, gain, going_on = np.zeros((contexts, actions)), np.zeros((contexts, actions)), np.zeros(self.shape)
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
            transition = np.einsum("car,card->cad", going_on, following.reshape(*self.shape, contexts))
        divide = np.where(visits > 0, visits, 1.0)
        start = self.first.visits[0][:, 0] if self.open_loop else self.first.visits[0].sum(1)
        return Process(gain / divide, transition / divide[..., None], visits, start / start.sum(), self.model.horizon, self.model.discount)


@dataclass(frozen=True)
class _Small:
    """Small chains of one shape, horizon and discount, with a leading axis for the world W."""

    first_gain: Floats  # (W, C, A)
    first_alive: Floats  # (W, C, A, R)
    gain: Floats  # (W, S, C * A), discounted by a step
    alive: Floats  # (W, S, C, A, R), discounted by a step
    steps: int  # after the first

    @staticmethod
    def of(chains: Sequence[Chain]) -> "_Small":
        shape, model = chains[0].shape, chains[0].model
        first_gain, first_alive = np.stack([one.first.gain[0] for one in chains]), np.stack([one.first.alive[0] for one in chains])
        gain = np.stack([one.later.gain.reshape(len(one.later.gain), -1) for one in chains])
        alive = np.stack([one.later.alive.reshape(-1, *shape) for one in chains])
        return _Small(first_gain, first_alive, model.discount * gain, model.discount * alive, model.horizon - 1)


def _returns(worlds: _Small, policies: Floats) -> Floats:
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
    """The sum of transition^k gain for k below `steps`, (P, S, S) and (P, S) to (P, S): a power of the map x -> transition x + gain."""
    policies, states = gain.shape
    power, total = np.zeros((policies, states + 1, states + 1)), np.zeros((policies, states + 1, 1))
    power[:, :-1, :-1], power[:, :-1, -1], power[:, -1, -1], total[:, -1] = transition, gain, 1.0, 1.0
    while steps:
        total = power @ total if steps & 1 else total
        power, steps = power @ power if steps > 1 else power, steps >> 1
    return total[:, :-1, 0]


@lru_cache(maxsize=512)
def chain(model: SCM, open_loop: bool = True) -> Chain | SparseChain:
    """The chain of a model, compiled once: sparse if it has more than 512 states."""
    if model.horizon > LONGEST:
        raise TooLargeError(f"{type(model).__name__} has {model.horizon} steps, and exact answers go to {LONGEST}")
    states = np.prod([float(len(tables(model).support(name))) for name in _state(model)])
    return SparseChain(model, open_loop) if model.horizon > 1 and states > MOST_DENSE else Chain(model, open_loop)


def _state(model: SCM) -> tuple[str, ...]:
    """What a dense chain carries from step to step: contexts, action and the rest."""
    rest = (name for name in tables(model).carried if name not in (*model.contexts, model.action))
    return (*model.contexts, model.action, *rest)


@lru_cache(maxsize=512)
def log_process(model: SCM) -> Process:
    """The process that an endless log shows: next context and reward given context and action, pooled over recorded steps."""
    closed = chain(model, open_loop=False)
    return closed.process(np.ones(closed.shape[:2]))


@lru_cache(maxsize=512)
def do_process(model: SCM) -> Process:
    """The process under interventions: the same, when the actions are drawn uniformly."""
    return chain(model).process(uniform_policy(model))


def value(model: SCM, policy: Floats | None = None) -> float:
    """The exact discounted return of an episode: of a memoryless policy (C, A), or of the behaviour policy if there is none.

    Raises InputError if the policy has the wrong shape or a row is not a probability law.
    """
    if policy is None:
        closed = chain(model, open_loop=False)
        return float(closed.values(np.ones((1, *closed.shape[:2])))[0] / closed.recorded)
    return float(chain(model).values(_checked(model, policy)[None])[0])


def values(worlds: Sequence[SCM], policy: Floats) -> Floats:
    """The exact discounted returns of a memoryless policy (C, A) in several worlds, such as shifted ones: (worlds,).

    Raises InputError as `value` does.
    """
    if not worlds:
        return np.zeros(0)
    policy = _checked(worlds[0], policy)
    if (together := _together(tuple(worlds))) is not None:
        return _returns(together, policy[None])
    return np.array([value(world, policy) for world in worlds])


@lru_cache(maxsize=64)
def _together(worlds: tuple[SCM, ...]) -> "_Small | None":
    chains = [chain(world) for world in worlds]
    alike = len({(one.shape, one.model.horizon, one.model.discount) for one in chains}) == 1
    if len({tuple(tuple(tables(world).support(name).tolist()) for name in world.contexts) for world in worlds}) > 1:
        raise InputError("the worlds of one policy must have the same contexts")
    dense = [one for one in chains if isinstance(one, Chain)]
    return _Small.of(dense) if alike and len(dense) == len(chains) and np.prod(chains[0].shape) <= SMALL else None


def _checked(model: SCM, policy: Floats) -> Floats:
    policy = np.asarray(policy, dtype=float)
    shape = chain(model).shape[:2]
    if policy.shape != shape:
        raise InputError(f"a policy of {type(model).__name__} has shape {shape}, and got {policy.shape}")
    if not ((policy >= 0).all() and (abs(policy.sum(1) - 1.0) <= 1e-6).all()):  # so that NaN is refused too
        raise InputError("every row of a policy must be probabilities that sum to 1")
    return policy


def uniform_policy(model: SCM) -> Floats:
    """Every action alike: (C, A)."""
    contexts, actions, _ = chain(model).shape
    return np.full((contexts, actions), 1.0 / actions)


def behaviour_policy(model: SCM) -> Floats:
    """The propensity P(action | context), latents summed out, pooled over recorded steps: (C, A).

    Uniform in contexts that the log never shows.
    """
    visits = log_process(model).visits
    return conditional(visits, unseen=1.0 / visits.shape[1])


def confused_policy(model: SCM) -> Floats:
    """What an associational learner does after an endless log, unless the model says otherwise: (C, A)."""
    return np.asarray(model.confused())


def associational_policy(model: SCM) -> Floats:
    """The plan in the process that an endless log shows, ties shared: (C, A)."""
    return greedy(log_process(model).plan())


def promised_value(model: SCM) -> float:
    """What the confused policy believes that it will earn."""
    return model.promised()


def associational_value(model: SCM) -> float:
    """What the plan in the process of the log is worth in that process."""
    process = log_process(model)
    return process.value(greedy(process.plan()))


def causal_policy(model: SCM) -> Floats:
    """The best deterministic memoryless policy in this world under intervention, ties shared: (C, A).

    Where context and action screen the future off from the past, and one policy is best at every step, it is the plan in the
    interventional process; elsewhere the best deterministic policy, by trying all. Raises TooLargeError if these are more than
    2**14, and the model names no other.
    """
    return np.asarray(model.best())


def worst_policy(model: SCM) -> Floats:
    """The worst deterministic memoryless policy under intervention, found as the best one is: (C, A)."""
    return extreme_policy(model, best=False)


@lru_cache(maxsize=512)
def extreme_policy(model: SCM, best: bool) -> Floats:
    """The best or the worst deterministic memoryless policy, ties shared: (C, A). Raises TooLargeError if there are too many."""
    if (plan := _steady_plan(model, best)) is not None:
        return plan
    contexts, actions, _ = chain(model).shape
    if actions**contexts > MOST_POLICIES:
        raise TooLargeError(f"{type(model).__name__} has {actions}**{contexts} memoryless policies, and the most to try is {MOST_POLICIES}")
    policies = np.eye(actions)[np.array(list(product(range(actions), repeat=contexts)))]
    values = chain(model).values(policies) * (1 if best else -1)
    margin = TIE * max(1.0, abs(values).max())
    winners = policies[values >= values.max() - margin]
    shared = (winners.sum(0) > 0) / (winners.sum(0) > 0).sum(-1, keepdims=True)
    as_good = abs(value(model, shared) - value(model, winners[0])) <= margin
    return np.asarray(shared if as_good else winners[0])


def is_steady(model: SCM) -> bool:
    """Whether under intervention the context and action alone tell what follows, alike at every step.

    A first context may have a law of its own, as long as it has no other cause in its step than contexts.
    """

    def first_of_its_own(variable: Variable) -> bool:
        causes = {cause for cause in variable.first.causes + variable.later.causes if not cause.endswith(LAG)}
        return variable.role == "context" and causes <= set(model.contexts)

    alike = all(v.first == v.later or first_of_its_own(v) for v in model.variables.values())
    return model.horizon == 1 or (alike and is_markov(model.graph))


def _steady_plan(model: SCM, best: bool) -> Floats | None:
    """The plan in the interventional process; None if it is no optimum because the time or the past matters beside the context."""
    if not is_steady(model):
        return None
    process = do_process(model)
    process = process if best else replace(process, reward=-process.reward)
    values = process.plan()
    plan = greedy(values)
    changing = float(process.start @ mean_value(plan, values))  # what a plan that changes with the step is worth
    return plan if process.value(plan) >= changing - TIE * max(1.0, abs(changing)) else None

"""Other worlds with the same log, and other logs of the same world: the twin, the control and the dial between."""

from dataclasses import dataclass

import networkx as nx
import numpy as np

from .distributions import Array, Categorical, Distribution, tidy
from .elimination import conditional
from .errors import InputError
from .graph import LAG
from .planning import Floats
from .scm import SCM
from .tables import tables


@dataclass(frozen=True)
class Lookup:
    """A mechanism that is a table: the probabilities (rows, k) of k values, a row for each value of the causes, row-major."""

    causes: tuple[str, ...]
    supports: tuple[tuple[float, ...], ...]  # the values of each cause, ascending
    table: tuple[tuple[float, ...], ...]
    values: tuple[float, ...]  # ascending

    def __call__(self, *causes: Array) -> Distribution:
        """The law, given arrays of the causes' values. Raises InputError at a value that the table does not have."""
        table = np.asarray(self.table)
        if not causes:
            return Categorical(table[0], np.asarray(self.values))
        rows = []
        for name, values, cause in zip(self.causes, self.supports, causes, strict=True):
            rows.append(np.minimum(np.searchsorted(values, cause), len(values) - 1))
            if (np.asarray(values)[rows[-1]] != tidy(cause)).any():
                raise InputError(f"the table has no row for a value of {name}; its values are {values}")
        row = np.ravel_multi_index(tuple(rows), [len(values) for values in self.supports])
        return Categorical(table[row], np.asarray(self.values))


def lookup(model: SCM, name: str, causes: tuple[str, ...], table: Array) -> Lookup:
    """A table (rows, k) as a mechanism of the variable `name`: a row for each value of the causes, a column for each of its own.

    The causes may be one step earlier; rows are in row-major order.
    """
    supports = tuple(tuple(tables(model).support(cause.removesuffix(LAG)).tolist()) for cause in causes)
    return Lookup(causes, supports, tuple(map(tuple, np.asarray(table, float).tolist())), tuple(tables(model).support(name).tolist()))


def policy_lookup(model: SCM, policy: Floats) -> Lookup:
    """A memoryless policy (C, A) as a mechanism of the action."""
    return lookup(model, model.action, model.contexts, policy)


def unconfounded(model: SCM) -> SCM:
    """The one-step model with the same law of everything visible, in which seeing is doing: no variable has a latent cause.

    Each visible variable is given its observed law given the contexts, the action, and what is written before it, in that
    order. Raises InputError if the model is longer.
    """
    if model.horizon > 1:
        raise InputError(f"{type(model).__name__} has a horizon of {model.horizon}; write its twin by hand")
    visible = (*model.contexts, model.action, *(name for name in model.order if name in model.names("logged", "terminal", "reward")))
    mechanisms, selected = {}, model.names("selection")
    for position, name in enumerate(visible):
        earlier = set(visible[:position])
        effects: set[str] = nx.descendants(model.graph, name)
        if selected or not set(model.variables[name].first.causes) <= earlier or earlier & effects:
            mechanisms[name] = _observed_law(model, visible[:position], name)
    return model.do(**mechanisms, **dict.fromkeys(selected, 1))


def _observed_law(model: SCM, causes: tuple[str, ...], name: str) -> Lookup:
    support = tables(model).support(name)
    joint = tables(model).slice((*causes, name), first=True, extra=tables(model).recorded).reshape(-1, len(support))
    return lookup(model, name, causes, conditional(joint, unseen=1.0 / len(support)))


@dataclass(frozen=True)
class _Mixture:
    """A law of the action, mixed with a memoryless policy whose causes are among the causes."""

    model: SCM
    policy: Lookup
    strength: float

    @property
    def causes(self) -> tuple[str, ...]:
        own = self.model.variables[self.model.action].later.causes
        return tuple(dict.fromkeys((*own, *self.policy.causes)))

    def __call__(self, *causes: Array) -> Distribution:
        own, given = self.model.variables[self.model.action].later, dict(zip(self.causes, causes, strict=True))
        actions = np.asarray(self.policy.values)
        natural = own.law(*(given[name] for name in own.causes)).probability(actions)
        marginal = self.policy(*(given[name] for name in self.policy.causes)).probability(actions)
        return Categorical(self.strength * natural + (1.0 - self.strength) * marginal, actions)


def mixed_behaviour(model: SCM, strength: float) -> Lookup | _Mixture:
    """The behaviour policy with probability `strength`, and otherwise its own marginal, as the model gives it."""
    model = model.without_intent()
    marginal = model.marginal()
    return marginal if strength == 0 else _Mixture(model, marginal, strength)

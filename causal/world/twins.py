"""Counterparts of a world: its twin (same log), its control (unconfounded), and what is between."""

from dataclasses import dataclass
from typing import TypeVar

import networkx as nx
import numpy as np

from ..arrays import Array
from ..errors import InputError
from ..model.distributions import Categorical, Distribution
from ..model.elimination import conditional
from ..model.lookups import Lookup, lookup
from ..model.scm import SCM

Model = TypeVar("Model", bound=SCM)


def unconfounded(model: Model) -> Model:
    """The one-step model with the same law of all visible variables in which seeing is doing.

    The visible variables are ordered: contexts, action, then the others, causes first. One whose
    causes are not all visible and earlier gets its observed law given the visible variables before
    it, so that no latent is a common cause of two. All variables do if the log is selected, and the
    selection is removed. Raises InputError if the model has several steps.
    """
    if model.horizon > 1:
        raise InputError(
            f"{type(model).__name__} has a horizon of {model.horizon}; write its twin by hand"
        )
    outcomes = model.names("logged", "terminal", "reward")
    visible = (
        *model.contexts,
        model.action,
        *(name for name in model.order if name in outcomes),
    )
    selections = model.names("selection")
    mechanisms = {}
    for position, name in enumerate(visible):
        earlier = visible[:position]
        effects: set[str] = nx.descendants(model.graph, name)
        has_latent_cause = not set(model.variables[name].first.causes) <= set(earlier)
        if selections or has_latent_cause or not effects.isdisjoint(earlier):
            mechanisms[name] = _observed_law(model, earlier, name)
    return model.do(**mechanisms, **dict.fromkeys(selections, 1))


def mixed_behaviour(model: SCM, marginal: Lookup, strength: float) -> "Lookup | _Mixture":
    """The behaviour policy with probability `strength`, and otherwise the policy `marginal`."""
    return marginal if strength == 0 else _Mixture(model.without_intent(), marginal, strength)


def _observed_law(model: SCM, causes: tuple[str, ...], name: str) -> Lookup:
    """P(name | causes) in the log, uniform where the causes never occur, as a mechanism."""
    support = model.tables.support(name)
    joint = model.tables.slice((*causes, name), first=True, extra=model.tables.recorded)
    rows = joint.reshape(-1, len(support))
    return lookup(model, name, causes, conditional(rows, unseen=1.0 / len(support)))


@dataclass(frozen=True)
class _Mixture:
    """A mechanism of the action: the model's own, mixed with a memoryless policy."""

    model: SCM
    policy: Lookup
    strength: float  # the probability of the model's own mechanism

    @property
    def causes(self) -> tuple[str, ...]:
        own = self.model.variables[self.model.action].later.causes
        return tuple(dict.fromkeys((*own, *self.policy.causes)))

    def __call__(self, *causes: Array) -> Distribution:
        values = dict(zip(self.causes, causes, strict=True))
        actions = np.asarray(self.policy.values)
        own = self.model.variables[self.model.action].later
        natural = own.law(*(values[name] for name in own.causes)).probability(actions)
        marginal = self.policy(*(values[name] for name in self.policy.causes)).probability(actions)
        return Categorical(self.strength * natural + (1.0 - self.strength) * marginal, actions)

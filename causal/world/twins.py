"""Counterparts of a model:

its twin (same log) and its control (unconfounded), and the dial between.
"""

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
    """The one-step model with the same law of everything visible, in which seeing is doing: no
    variable has a latent cause.

    Each visible variable is given its observed law given the contexts, the action, and what is
    written before it, in that order. Raises InputError if the model is longer."""
    if model.horizon > 1:
        raise InputError(
            f"{type(model).__name__} has a horizon of {model.horizon}; write its twin by hand"
        )
    visible = (
        *model.contexts,
        model.action,
        *(name for name in model.order if name in model.names("logged", "terminal", "reward")),
    )
    mechanisms, selected = {}, model.names("selection")
    for position, name in enumerate(visible):
        earlier = set(visible[:position])
        effects: set[str] = nx.descendants(model.graph, name)
        if selected or not set(model.variables[name].first.causes) <= earlier or earlier & effects:
            mechanisms[name] = _observed_law(model, visible[:position], name)
    return model.do(**mechanisms, **dict.fromkeys(selected, 1))


def _observed_law(model: SCM, causes: tuple[str, ...], name: str) -> Lookup:
    support = model.tables.support(name)
    joint = model.tables.slice((*causes, name), first=True, extra=model.tables.recorded).reshape(
        -1, len(support)
    )
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
        own, given = (
            self.model.variables[self.model.action].later,
            dict(zip(self.causes, causes, strict=True)),
        )
        actions = np.asarray(self.policy.values)
        natural = own.law(*(given[name] for name in own.causes)).probability(actions)
        marginal = self.policy(*(given[name] for name in self.policy.causes)).probability(actions)
        return Categorical(self.strength * natural + (1.0 - self.strength) * marginal, actions)


def mixed_behaviour(model: SCM, marginal: Lookup, strength: float) -> Lookup | _Mixture:
    """The behaviour policy with probability `strength`, and otherwise `marginal`, its own marginal
    given the context.
    """
    return marginal if strength == 0 else _Mixture(model.without_intent(), marginal, strength)

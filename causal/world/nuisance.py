"""A nuisance: a context that means nothing, and that in the log goes with a hidden cause.

It is the coloured digit of Arjovsky et al. (2019), Invariant risk minimization, section 5.1, and
the brake light of de Haan, Jayaraman and Levine (2019), for any discrete world.
"""

from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np

from ..arrays import Array
from ..errors import InputError, NotDiscreteError, did_you_mean
from ..graphs.step_graph import LAG
from ..model.distributions import Bernoulli
from ..model.mechanisms import Mechanism, as_mechanism
from ..model.structure import NUISANCE, Variable

FOLLOWS = ("cause", "action")
FAIR = Bernoulli(0.5)  # a nuisance that follows nothing
OWN_REFERENCES = ("confused_policy", "promised_value", "causal_policy", "values_in")


@dataclass(frozen=True)
class Follows:
    """The law of a nuisance: it is 1 with probability `agreement` where a cause is above a
    threshold, and 0 with that probability elsewhere.
    """

    causes: tuple[str]
    threshold: float
    agreement: float

    def __call__(self, cause: Array) -> Bernoulli:
        return Bernoulli(np.where(cause > self.threshold, self.agreement, 1.0 - self.agreement))


def nuisance_variable(plain: Any, follows: str, strength: float) -> Variable:
    """The nuisance of a world: its law follows a hidden cause, or the previous action.

    Of the hidden causes of both action and reward it follows the first. It is 1 where that is in
    the upper half of its values, with probability (1 + strength) / 2, and likewise 0. At the first
    step there is no previous action, and it is 0 or 1 with equal probabilities.

    Raises InputError if there is no such cause, if its values cannot be counted, if the world
    computes its reference policies by itself, or if a setting is out of range.
    """
    name = type(plain).__name__
    if follows not in FOLLOWS:
        raise InputError(f"{follows!r} is nothing to follow; {did_you_mean(follows, FOLLOWS)}")
    if not -1 <= strength <= 1:
        raise InputError(f"the strength of a nuisance is in [-1, 1], and got {strength}")
    if own := _overridden(plain):
        raise InputError(f"{name} has a {own} of its own, which knows of no nuisance; leave it out")
    cause = plain.action if follows == "action" else hidden_cause(plain)
    try:
        support = plain.tables.support(cause)
    except NotDiscreteError as error:
        raise InputError(
            f"the nuisance of {name} needs a cause that can be counted, and {cause} cannot"
        ) from error
    threshold, agreement = float(support[(len(support) - 1) // 2]), (1.0 + strength) / 2.0
    if follows == "cause":
        law = as_mechanism(Follows((cause,), threshold, agreement))
        return Variable(NUISANCE, "context", law, law, NUISANCE)
    law = as_mechanism(Follows((cause + LAG,), threshold, agreement))
    return Variable(NUISANCE, "context", as_mechanism(FAIR), law, NUISANCE)


def hidden_cause(model: Any) -> str:
    """The first latent that is a cause of the action, and of the reward other than through it.

    Raises InputError if there is none.
    """
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(model.variables)
    for cause, effect in model.graph.edges:
        graph.add_edge(cause.removesuffix(LAG), effect.removesuffix(LAG))
    causes_of_action = nx.ancestors(graph, model.action)
    graph.remove_node(model.action)
    causes_of_reward = nx.ancestors(graph, model.reward)
    latents: tuple[str, ...] = model.names("latent")
    for name in latents:
        if name in causes_of_action and name in causes_of_reward:
            return name
    raise InputError(
        f"no latent of {type(model).__name__} is a cause of both its action and its reward; let "
        "the nuisance follow the action: nuisance[follows=action]"
    )


def flipped(variable: Variable) -> Mechanism:
    """The law of a nuisance that disagrees as often as the variable agrees."""
    law = variable.later.law
    assert isinstance(law, Follows)
    return as_mechanism(Follows(law.causes, law.threshold, 1.0 - law.agreement))


def _overridden(world: Any) -> str:
    """A method of reference policies that the world's class defines; "" if there is none."""
    for name in OWN_REFERENCES:
        defined = getattr(type(world), name)
        if defined.__module__ != "dosuite.causal.world.world":
            return name
    return ""

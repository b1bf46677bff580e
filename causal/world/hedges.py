"""The hedge of a world: another world with its graph and its log, and another best policy.

A learner that is told the graph is not misled where the log and the graph identify the effect of
the action. Where they do not, all laws over response types that have the law of the log are worlds
with this graph, and a linear programme finds the one that is hardest to tell from the world: the
pair in which a single policy falls shortest of the best policies of the two.

Source: Balke and Pearl (1997), section 3, for the laws that are possible.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Generic, TypeVar

import networkx as nx
import numpy as np

from ..arrays import Array, Floats, Integers
from ..errors import InputError, NotDiscreteError, TooLargeError
from ..exact.confounding import rows
from ..exact.linear_programme import least
from ..exact.policy_search import best_for_all, payoff
from ..exact.queries import distribution
from ..graphs.conversion import observed_effects
from ..identification.action_effect import answer, kernel
from ..model.distributions import Categorical
from ..model.elimination import Factor
from ..model.lookups import Lookup
from ..model.mechanisms import Intervention
from ..model.scm import SCM
from ..partial_identification.constraints import equations
from ..partial_identification.guarantees import Payoffs
from ..partial_identification.response_types import District, ResponseTypes, response_types
from ..partial_identification.sharp_bounds import linear
from ..tolerances import ROUNDING
from .intervals import payoff_of

Model = TypeVar("Model", bound=SCM)
Deploy = Callable[[Model], SCM]  # gives the model in which policies are valued

EVEN = (0.5, 0.5)  # the probabilities of the two worlds of a pair
LEAST_SHARE = 1e-9  # of a response type; smaller ones are rounding of the linear programme


class NoHedgeError(Exception):
    """The reason why a world has no hedge."""


@dataclass(frozen=True)
class Hedged(Generic[Model]):
    """The hedge of a model, or the reason in one line why it has none."""

    model: Model | None
    reason: str  # "" if there is one


def hedged(model: Model, deploy: Deploy[Model]) -> Hedged[Model]:
    """The hedge of a model, by a linear programme for each deterministic policy that may be best
    there.

    Models of several steps, with a selected log, with continuous variables, or with several latents
    that join more variables than each reaches have none.
    """
    return _hedged(model, deploy)


@lru_cache(maxsize=256)
def _hedged(model: Any, deploy: Deploy[Any]) -> Hedged[Any]:
    try:
        hedge = _hedge(model.without_intent(), deploy)
    except (NoHedgeError, NotDiscreteError, TooLargeError) as error:
        return Hedged(None, " ".join(str(error).split()))
    return Hedged(hedge.with_intent() if model.observe_intent else hedge, "")


def _hedge(model: Model, deploy: Deploy[Model]) -> Model:
    _check_shape(model)
    deployed = deploy(model)
    families = _families(model, _held_fixed(model, deployed))
    hardest: tuple[_Family, Floats] | None = None
    most = ROUNDING
    for family in families:
        law, regret = _hardest(family.payoffs, payoff(deployed))
        if regret > most:
            hardest, most = (family, law), regret
    if hardest is None:
        raise NoHedgeError(families[-1].none)
    hedge = model.do(**_mechanisms(model, *hardest))
    pair = deployed, deploy(hedge)
    best = sum(float(payoff(each).max(1).sum()) for each in pair) / 2
    if best - best_for_all(pair, EVEN).value <= ROUNDING:
        raise NoHedgeError("the hedge of the log has the same best policy where it is deployed")
    return hedge


def _check_shape(model: SCM) -> None:
    """Raise NoHedgeError where the effect is identified, or where a law over response types does
    not describe the model.
    """
    for name in model.variables:
        model.tables.support(name)  # raises if it is continuous
    if _is_identified(model):
        step = "each step's action" if model.horizon > 1 else "the action"
        raise NoHedgeError(f"the graph and the log identify the effect of {step}")
    if model.horizon > 1:
        raise NoHedgeError(
            f"an episode has {model.horizon} steps, and a hedge is computed for one step"
        )
    if model.names("selection"):
        raise NoHedgeError("the log is selected, and response types need all rows")


def _is_identified(model: SCM) -> bool:
    """Whether formulas give the effect of every action, in every context that the log shows.

    In several steps whether there is a formula.
    """
    by_graph = answer(model)
    if by_graph.hedge is not None or not by_graph.estimands:
        return False
    if model.horizon > 1:
        return True
    occurs = np.atleast_1d(rows(model, model.contexts).ravel()) > 0
    known = np.zeros(payoff(model).shape, dtype=bool)
    for formula in by_graph.estimands:
        known |= np.asarray(~np.isnan(kernel(model, formula)).any((2, 3)))
    return bool(known[occurs].all())


@dataclass(frozen=True, eq=False)
class _Family:
    """Worlds with one graph and one log, by the law over the response types of a district."""

    district: District
    payoffs: Payoffs
    hidden: tuple[str, ...]  # the latents that are not as they are in the world itself
    none: str  # the reason if one policy is best in all of them


def _families(model: SCM, held: dict[str, float]) -> list[_Family]:
    """The worlds in which linear programmes look for the hedge.

    These are all with the graph and the log, if a single latent reaches all variables of the
    district in question. Else they are, for each latent without which that is so, those in which it
    and the variables outside the district are as they are here.
    """
    latents = model.names("latent")
    try:
        district, payoffs = _payoffs(model, held, response_types(model))
        if district.one_latent:
            reason = "one policy is best in every world with this graph and log"
            return [_Family(district, payoffs, latents, reason)]
    except InputError as error:
        raise NoHedgeError(str(error)) from error
    families = []
    for kept in latents:
        try:
            part, payoffs = _payoffs(model, held, _types_given(model, kept))
        except InputError:
            continue  # too many types, or no linear programme
        if part.one_latent:
            others = tuple(name for name in latents if name != kept)
            joined = ", ".join(district.names)
            reason = (
                f"several latents join {joined}, and none was found with one of them as it is here"
            )
            families.append(_Family(part, payoffs, others, reason))
    if not families:
        raise NoHedgeError(
            f"several latents join {', '.join(district.names)}, and a law of their response types "
            "may be beyond them"
        )
    return families


def _types_given(model: SCM, latent: str) -> ResponseTypes:
    """Response types that are functions of one latent, too.

    What is known of them is the law of the log, and the law of the latent with the visible
    variables that are not in the district of the reward.
    """
    visible = model.names("context", "action", "logged", "reward", "terminal")
    types = response_types(model, *visible, latent)
    (free,) = [district for district in types.districts if model.reward in district.names]
    known = (latent, *(name for name in visible if name not in free.names))
    tables = [Factor(names, distribution(model, *names)) for names in (visible, known)]
    return ResponseTypes(types.parents, types.latents, tables, types.supports)


def _payoffs(model: SCM, held: dict[str, float], types: ResponseTypes) -> tuple[District, Payoffs]:
    """The payoffs of the worlds with the graph and the log, and the district whose law is free."""
    contexts, actions = payoff(model).shape
    district, flat = linear(
        types,
        [
            payoff_of(model, context, action, held)
            for context in range(contexts)
            for action in range(actions)
        ],
    )
    matrix, vector, _ = equations(district)
    return district, Payoffs(flat.reshape(contexts, actions, -1), matrix, vector)


def _held_fixed(model: SCM, deployed: SCM) -> dict[str, float]:
    """The values that the deployment gives to visible variables, if that is all that it changes."""
    if replace(deployed, edits=model.edits) != model:
        return {}
    held = {}
    for name, mechanism in set(deployed.edits) - set(model.edits):
        values = mechanism.law().support() if not mechanism.causes else None
        if name not in model.names("latent") and values is not None and len(values) == 1:
            held[name] = float(values[0])
    return held


def _hardest(payoffs: Payoffs, here: Floats) -> tuple[Floats, float]:
    """The law of types whose world is hardest to tell from one with the payoffs `here` (C, A), and
    the least mean regret in the two, which is 0 if a policy is best in all worlds.

    That regret is half of what the best policies earn in the two, less what the best policy for
    both earns; for a fixed rival that is best there it is concave in the law.
    """
    contexts, actions, size = payoffs.coefficients.shape
    flat = payoffs.coefficients.reshape(-1, size)
    # The unknowns are the law and, for each context, the most that an action adds in both worlds.
    one_each = np.kron(np.eye(contexts), np.ones((actions, 1)))
    constraints = {
        "A_ub": np.hstack([flat, -one_each]),
        "b_ub": -here.ravel(),
        "A_eq": np.pad(payoffs.matrix, ((0, 0), (0, contexts))),
        "b_eq": payoffs.vector,
        "bounds": [(0, None)] * size + [(None, None)] * contexts,
    }
    best, most = np.zeros(size), 0.0
    for rival in payoffs.deterministic:
        goal = np.append(-np.tensordot(rival, payoffs.coefficients, 2), np.ones(contexts))
        unknowns = least(goal, **constraints)
        if unknowns is None:
            raise NoHedgeError("no law over response types has the law of the log")
        regret = (float(here.max(1).sum()) - float(goal @ unknowns)) / 2
        if regret > most + ROUNDING:
            best, most = _polished(payoffs, unknowns[:size]), regret
    return best, most


def _polished(payoffs: Payoffs, law: Floats) -> Floats:
    """A law that solves the linear programme, to the last digits."""
    kept = law > LEAST_SHARE
    exact = np.zeros_like(law)
    exact[kept] = np.linalg.lstsq(payoffs.matrix[:, kept], payoffs.vector)[0]
    exact = exact.clip(0.0)
    return np.asarray(exact / exact.sum())


def _mechanisms(model: SCM, family: _Family, law: Floats) -> dict[str, Intervention]:
    """The mechanisms of a district whose response types have a law.

    A latent that reaches all of its variables has the types as its values, and each variable is a
    function of it and of its parents. A variable without confounding needs no such latent.
    """
    district, kept = family.district, np.flatnonzero(law)
    if len(district.names) == 1:
        (name,) = district.names
        by_type = _responses(district, name, kept)
        return {name: _table(district, name, (), np.tensordot(law[kept], by_type, 1))}
    carrier, below = _carrier(model, family)
    numbers = tuple(float(number) for number in range(len(kept)))
    mechanisms: dict[str, Intervention] = {
        name: _table(
            district, name, ((carrier, numbers),), np.concatenate(_responses(district, name, kept))
        )
        for name in district.names
    }
    # Latents between the carrier and the variables no longer have a meaning, nor any effect.
    for latent in below:
        mechanisms[latent] = float(model.tables.support(latent)[0])
    mechanisms[carrier] = Categorical(law[kept], np.arange(len(kept)))
    return mechanisms


def _carrier(model: SCM, family: _Family) -> tuple[str, list[str]]:
    """A latent that reaches all variables of a district, and the latents that it causes."""
    names = family.district.names
    for name in family.hidden:
        if set(observed_effects(model.graph, name, family.hidden)) == set(names):
            effects = nx.descendants(model.graph, name)
            return name, [latent for latent in family.hidden if latent in effects]
    raise NoHedgeError(f"no latent reaches all of {', '.join(names)}")


def _responses(district: District, name: str, kept: Integers) -> Floats:
    """P(name | parents) of each response type, 0 or 1: (types, joint values of parents, values)."""
    responses = district.responses[name][kept]
    return np.asarray(np.eye(district.model.size(name))[responses])


def _table(
    district: District, name: str, hidden: tuple[tuple[str, tuple[float, ...]], ...], table: Array
) -> Lookup:
    """The mechanism of a variable, with the hidden causes before its parents."""
    types = district.model
    visible = [(parent, tuple(types.supports[parent].tolist())) for parent in types.parents[name]]
    causes = [*hidden, *visible]
    return Lookup(
        tuple(cause for cause, _ in causes),
        tuple(support for _, support in causes),
        tuple(tuple(row) for row in table.tolist()),
        tuple(types.supports[name].tolist()),
    )

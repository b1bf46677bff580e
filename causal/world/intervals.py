"""Bounds on the effect of every action in every context, and the policies that they guarantee."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from ..arrays import Floats
from ..errors import InputError
from ..exact.confounding import rows
from ..graphs.conversion import latent_projection
from ..model.scm import SCM
from ..partial_identification.guarantees import Guarantee, Payoffs
from ..partial_identification.response_types import response_types
from ..partial_identification.sharp_bounds import bounds, manski
from ..partial_identification.unit_responses import UnitQuantity

MOST_ENTRIES = 2**22  # of the linear programme of least regret, which then takes seconds


@dataclass(frozen=True, eq=False)
class Intervals:
    """Bounds on E[reward | do(action), context], (C, A); NaN in contexts that never occur."""

    method: str
    low: Floats
    high: Floats
    sharp: bool  # or else the bounds are valid and may not be the narrowest
    # Possible payoffs: of all contexts jointly, or a part for each context if these vary freely;
    # empty if the law of the contexts is unknown.
    payoffs: Sequence[Payoffs]
    exact: bool  # whether exactly the payoffs that the log allows are possible, and not more

    @property
    def width(self) -> float:
        """The largest width of an interval."""
        return float(np.nanmax(self.high - self.low))

    def maximin(self) -> Guarantee:
        """The policy with the greatest guaranteed payoff."""
        return _joined([payoffs.maximin() for payoffs in self.payoffs])

    def minimax_regret(self) -> Guarantee:
        """The policy with the least regret in the worst case."""
        return _joined([payoffs.minimax_regret() for payoffs in self.payoffs])

    def regret(self, policy: Floats) -> float:
        """The largest possible regret of a policy (C, A)."""
        parts = np.split(policy, len(self.payoffs))
        return sum(payoffs.regret(part) for payoffs, part in zip(self.payoffs, parts, strict=True))


def intervals(model: SCM, known: Floats) -> Intervals:
    """The bounds of a one-step model, where `known` (C, A) has the means that a formula gives.

    It is NaN where there is none. The bounds there are those of Manski (1990) if the graph is a
    bow, where they are sharp, and else those from response types. If there are too many types they
    are again those of Manski, now valid and not sharp. In a selected log they are the range of the
    reward. Raises NotDiscreteError or TooLargeError.
    """
    share = np.atleast_1d(rows(model, model.contexts).ravel())
    if not np.isnan(known[share > 0]).any():
        return _free("formula", model, share, known, known, sharp=True)
    if model.names("selection"):
        reward = model.tables.support(model.reward)
        low = np.where(np.isnan(known), reward[0], known)
        high = np.where(np.isnan(known), reward[-1], known)
        return _free("range of the reward", model, share, low, high, sharp=False)
    if _is_bow(model):
        return _by_manski(model, share, known)
    try:
        return _by_types(model, share, known.shape)
    except InputError:  # too many types, or the programme is not linear
        return _by_manski(model, share, known)


def _by_manski(model: SCM, share: Floats, known: Floats) -> Intervals:
    names = (*model.contexts, model.action, model.reward)
    law = rows(model, names).reshape(*known.shape, -1)
    ends = np.full((*known.shape, 2), np.nan)
    ends[share > 0] = manski(law[share > 0], model.tables.support(model.reward))
    low, high = np.where(np.isnan(known), np.moveaxis(ends, 2, 0), known)
    return _free("Manski", model, share, low, high, sharp=_is_bow(model))


def _by_types(model: SCM, share: Floats, shape: tuple[int, ...]) -> Intervals:
    types = response_types(model)
    contexts, actions = shape
    quantities = [
        [payoff_of(model, context, action) for action in range(actions)]
        for context in range(contexts)
    ]
    by_context = [[bounds(types, quantity) for quantity in row] for row in quantities]
    lows = np.array([[interval.low for interval in row] for row in by_context])
    highs = np.array([[interval.high for interval in row] for row in by_context])
    # a payoff is earned in its context alone: divide by the probability of that
    weights = np.where(share > 0, share, np.nan)[:, None]
    low, high = lows / weights, highs / weights
    sharp = all(interval.sharp for row in by_context for interval in row)
    payoffs = Payoffs.of(types, quantities)
    entries = actions ** (2 * contexts) * payoffs.matrix.size
    if entries > MOST_ENTRIES:
        free = _free("response types", model, share, low, high, sharp)
        return Intervals(free.method, low, high, sharp, free.payoffs, exact=False)
    return Intervals("response types", low, high, sharp, [payoffs], exact=sharp)


def payoff_of(
    model: SCM, context: int, action: int, held: Mapping[str, float] | None = None
) -> UnitQuantity:
    """What a unit earns with an action if it is in the context, and else 0.

    Other variables may be held at values, too.
    """
    supports = [model.tables.support(name) for name in model.contexts]
    places = np.unravel_index(context, [len(support) for support in supports])
    values = {
        name: support[place]
        for name, support, place in zip(model.contexts, supports, places, strict=True)
    }
    act = float(model.tables.support(model.action)[action])
    fixed = dict(held or {})
    return lambda do: prod(
        (do(**fixed)[name] == value for name, value in values.items()),
        start=do(**fixed, **{model.action: act})[model.reward],
    )


def _is_bow(model: SCM) -> bool:
    """Whether the graph is a bow: hidden causes are common to action and reward, and the other
    visible variables are contexts that cause the reward.
    """
    graph = latent_projection(model.graph.subgraph(model.variables))
    action, reward = model.action, model.reward
    causes = (*model.contexts, action)
    if set(graph.nodes) != {*causes, reward}:
        return False
    confounded = not graph.bidirected.isdisjoint([(action, reward), (reward, action)])
    return confounded and graph.directed.issuperset((name, reward) for name in causes)


def _free(
    method: str, model: SCM, share: Floats, low: Floats, high: Floats, sharp: bool
) -> Intervals:
    """Intervals in which the means vary freely, so that each context is a problem of its own."""
    weights = np.where(share > 0, share, np.nan)[:, None]
    contributions = zip(weights * low, weights * high, strict=True)
    # A context that never occurs contributes 0 to the payoff.
    parts = [Payoffs.box(*np.nan_to_num(ends)) for ends in contributions]
    if model.names("selection") and model.contexts:
        parts = []  # a selected log does not show how often each context occurs
    return Intervals(method, low, high, sharp, parts, exact=sharp)


def _joined(parts: Sequence[Guarantee]) -> Guarantee:
    policy = np.concatenate([part.policy for part in parts])
    return Guarantee(policy, sum(part.value for part in parts))

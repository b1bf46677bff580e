"""What the log of a model guarantees:

an interval for every action in every context, and the policies that make the best of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from ..arrays import Floats
from ..errors import InputError
from ..exact.confounding import rows
from ..graphs.admg import latent_projection
from ..model.scm import SCM
from ..partial_identification.guarantees import Guarantee, Payoffs
from ..partial_identification.response_types import response_types
from ..partial_identification.sharp_bounds import bounds, manski
from ..partial_identification.unit_responses import UnitQuantity

MOST_ENTRIES = 2**22  # of the linear programme of least regret, which takes seconds


@dataclass(frozen=True, eq=False)
class Intervals:
    """Bounds on E[reward | do(action), context], each (C, A), nan in contexts that the log never
    shows, and what follows.
    """

    method: str
    low: Floats
    high: Floats
    sharp: bool  # else they are outer
    payoffs: Sequence[
        Payoffs
    ]  # of all contexts together, or of each by itself; none if the law of the contexts is unknown
    exact: bool  # whether the payoffs are all that are possible, and no others

    @property
    def width(self) -> float:
        """The largest width of an interval."""
        return float(np.nanmax(self.high - self.low))

    def maximin(self) -> Guarantee:
        """The policy with the greatest guarantee."""
        return _joined([payoffs.maximin() for payoffs in self.payoffs])

    def minimax_regret(self) -> Guarantee:
        """The policy with the least regret."""
        return _joined([payoffs.minimax_regret() for payoffs in self.payoffs])

    def regret(self, policy: Floats) -> float:
        """The most by which another policy can be better."""
        parts = np.split(policy, len(self.payoffs))
        return sum(payoffs.regret(part) for payoffs, part in zip(self.payoffs, parts, strict=True))


def intervals(model: SCM, known: Floats) -> Intervals:
    """The intervals of a one-step model, where `known` (C, A) are the means that a formula gives,
    nan where none does.

    They are those of Manski (1990) in a bow, where they are sharp; else from response types, or if
    there are too many again those of Manski, now outer. In a selected log they are the range of the
    reward. Raises NotDiscreteError or TooLargeError."""
    share = np.atleast_1d(rows(model, model.contexts).ravel())
    if not np.isnan(known[share > 0]).any():
        return _free("formula", model, share, known, known, sharp=True)
    if model.names("selection"):
        reward = model.tables.support(model.reward)
        low, high = (np.where(np.isnan(known), end, known) for end in (reward[0], reward[-1]))
        return _free("range of the reward", model, share, low, high, sharp=False)
    if _is_bow(model):
        return _by_manski(model, share, known)
    try:
        return _by_types(model, share, known.shape)
    except InputError:  # too many types, or no linear programme
        return _by_manski(model, share, known)


def _by_manski(model: SCM, share: Floats, known: Floats) -> Intervals:
    law = rows(model, (*model.contexts, model.action, model.reward)).reshape(*known.shape, -1)
    ends = np.full((*known.shape, 2), np.nan)
    ends[share > 0] = manski(law[share > 0], model.tables.support(model.reward))
    low, high = np.where(np.isnan(known), np.moveaxis(ends, 2, 0), known)
    return _free("Manski", model, share, low, high, sharp=_is_bow(model))


def _by_types(model: SCM, share: Floats, shape: tuple[int, ...]) -> Intervals:
    types = response_types(model)
    wanted = [
        [_payoff(model, context, action) for action in range(shape[1])]
        for context in range(shape[0])
    ]
    found = [[bounds(types, quantity) for quantity in row] for row in wanted]
    ends = np.array([[(interval.low, interval.high) for interval in row] for row in found])
    low, high = np.moveaxis(ends / np.where(share > 0, share, np.nan)[:, None, None], 2, 0)
    sharp = all(interval.sharp for row in found for interval in row)
    payoffs = Payoffs.of(types, wanted)
    if shape[1] ** (2 * shape[0]) * payoffs.matrix.size > MOST_ENTRIES:
        free = _free("response types", model, share, low, high, sharp)
        return Intervals(free.method, low, high, sharp, free.payoffs, exact=False)
    return Intervals("response types", low, high, sharp, [payoffs], exact=sharp)


def _payoff(model: SCM, context: int, action: int) -> UnitQuantity:
    """What a unit earns with an action in a context, and nothing in another."""
    supports = [model.tables.support(name) for name in model.contexts]
    at = np.unravel_index(context, [len(support) for support in supports])
    seen = {name: support[i] for name, support, i in zip(model.contexts, supports, at, strict=True)}
    act = float(model.tables.support(model.action)[action])
    return lambda do: prod(
        (do()[name] == what for name, what in seen.items()),
        start=do(**{model.action: act})[model.reward],
    )


def _is_bow(model: SCM) -> bool:
    """Whether action and reward have a hidden common cause, and all else that is seen are contexts
    that cause the reward.
    """
    graph = latent_projection(model.graph.subgraph(model.variables))
    joined = not graph.bidirected.isdisjoint(
        [(model.action, model.reward), (model.reward, model.action)]
    )
    causes = (*model.contexts, model.action)
    return (
        joined
        and set(graph.nodes) == {*causes, model.reward}
        and graph.directed.issuperset((name, model.reward) for name in causes)
    )


def _free(
    method: str, model: SCM, share: Floats, low: Floats, high: Floats, sharp: bool
) -> Intervals:
    """Intervals in which the means vary freely, so that every context can be decided by itself."""
    weights = np.where(share > 0, share, np.nan)[:, None]
    parts = [
        Payoffs.box(*np.nan_to_num(ends))
        for ends in zip(weights * low, weights * high, strict=True)
    ]
    unknown = model.names("selection") and model.contexts
    return Intervals(method, low, high, sharp, [] if unknown else parts, exact=sharp)


def _joined(parts: Sequence[Guarantee]) -> Guarantee:
    return Guarantee(
        np.concatenate([part.policy for part in parts]), sum(part.value for part in parts)
    )

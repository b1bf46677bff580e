"""One policy in both worlds of a pair that has one log, against the floor of the pair."""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from dosuite.agents import Policy
from dosuite.causal import NotDiscreteError, TooLargeError, World, floor
from dosuite.causal.tolerances import ROUNDING
from dosuite.envs import make_model
from dosuite.envs.regimes import Regime
from dosuite.envs.registry import counterpart

from .policy_value import policy_value

Pair = tuple[World, World]
PAIR_COLUMNS = ("pair_value", "pair_std_error", "floor")  # of a run that learns once for both
DEVIATIONS = 5.0  # standard errors by which an estimate may exceed the floor by chance


def partners(regime: str, needs: Collection[str]) -> tuple[str, ...]:
    """The variants of a world that a learner cannot tell from it, so that it learns once for both.

    `needs` is what it is told besides its source. A twin has the same log, and a hedge the same
    graph too, which a learner may therefore be told.
    """
    if regime != Regime.OBSERVE:
        return ()
    if not needs:
        return ("twin", "hedge")
    return ("hedge",) if set(needs) == {"graph"} else ()


def learned_pair(environment: str, variant: str, partners: Sequence[str]) -> Pair | None:
    """The deployments of a world and of the partner that a run is scored with.

    It is the variant of the run, or the first partner in a run on the world itself. None if the
    variant is no partner, or the world has none.
    """
    partner = variant or next(iter(partners), "")
    if partner not in partners:
        return None
    world = make_model(environment)
    other = counterpart(world, partner)
    return None if other is None else (world.deployed(), other.deployed())


def pair_columns(pair: Pair, policy: Policy) -> dict[str, float]:
    """The mean value of a policy over the two worlds, its standard error (0 if exact), and the
    floor: the most that any policy earns there (NaN where it is not computed).
    """
    values = [policy_value(world, policy) for world in pair]
    errors = np.array([each.std_error for each in values])
    return {
        "pair_value": float(np.mean([each.value for each in values])),
        "pair_std_error": float(np.sqrt((errors**2).sum()) / 2),
        "floor": floor_value(pair, policy.remembers),
    }


def floor_value(pair: Pair, memory: bool) -> float:
    """The floor of a pair for policies without or with memory; NaN where it is not computed."""
    try:
        return floor(*pair, memory=memory).value
    except (NotDiscreteError, TooLargeError):
        return np.nan


def leak(row: dict[str, Any]) -> str:
    """Why a row cannot be that of one policy learned from one log; "" if it can."""
    margin = ROUNDING * max(1.0, abs(row["floor"])) + DEVIATIONS * row["pair_std_error"]
    if not row["pair_value"] > row["floor"] + margin:  # NaN too
        return ""
    return (
        f"leak: it earns {row['pair_value']:.4f} on average in the two worlds that have this log, "
        f"and one policy earns at most {row['floor']:.4f}, so that it must have seen in which of "
        "them it acts"
    )

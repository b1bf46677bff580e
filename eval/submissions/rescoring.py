"""Scoring a kept policy again, and comparing with the rows that were submitted."""

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from dosuite.agents import ContinuousPolicy, Policy
from dosuite.causal import InputError, NotDiscreteError, TooLargeError, World
from dosuite.envs import choices, make_model, shown_contexts
from dosuite.envs.regimes import Regime
from dosuite.envs.spaces import action_space

from ..runs.pairs import floor_value, leak, learned_pair, pair_columns
from ..runs.policy_value import EPISODES_WITH_MEMORY
from ..runs.reference_values import REFERENCES, references
from ..runs.scored_rows import empty_row, scored
from .manifest import Entry

EXACT = 1e-9  # by which exact values may differ, from 1 on relative to their size
ESTIMATED = ("value", "std_error", "pair_value", "pair_std_error")  # by rollouts, to the last digit
NUMBERS = [name for name in empty_row() if name not in ("world", "status", "note")]

Rows = list[dict[str, Any]]


def rescored(entry: Entry, policy: Policy) -> Rows:
    """The rows of a policy in the world of a run and in its shifts, without what names the run.

    Raises InputError if its probabilities are none there, or what else a policy raises that does
    not fit the world.
    """
    shows_intent = entry.regime == Regime.COUNTERFACTUAL
    return _rescored(entry.environment, entry.variant, shows_intent, entry.partners, policy)


@lru_cache(maxsize=4096)
def _rescored(
    environment: str, variant: str, shows_intent: bool, partners: tuple[str, ...], policy: Policy
) -> Rows:
    model = make_model(environment, variant=variant)
    shown = model.with_intent() if shows_intent else model
    if fault := _law_fault(shown, policy):
        raise InputError(fault)
    rows = scored(model, shown, policy)
    pair = learned_pair(environment, variant, partners)
    if pair is not None:
        rows[0] |= pair_columns(pair, policy)
    return rows


def claim_faults(entry: Entry, rows: Rows) -> list[str]:
    """What no policy earns, in the rows of a run whose policy is not scored again.

    The references depend on no policy, and the floor is above all of them.
    """
    faults = row_faults(rows, _reference_rows(entry.environment, entry.variant), tuple(REFERENCES))
    worlds = {"", entry.variant, *entry.partners}
    most = max(_largest_error(entry.environment, variant) for variant in worlds)
    for name in ("std_error", "pair_std_error"):
        if rows[0][name] > most + EXACT:
            faults.append(f"{name} is {rows[0][name]!r}, and at most {most:.6g} in this world")
    pair = learned_pair(entry.environment, entry.variant, entry.partners)
    if pair is not None:
        mean = {name: rows[0][name] for name in ("pair_value", "pair_std_error")}
        mean["pair_std_error"] = np.nan_to_num(mean["pair_std_error"])
        faults.append(leak(mean | {"floor": floor_value(pair, memory=True)}))
    return [fault for fault in faults if fault]


@lru_cache(maxsize=512)
def _largest_error(environment: str, variant: str) -> float:
    """The greatest standard error that the value of a policy can have at deployment.

    A standard deviation is at most half of the range of the returns (Popoviciu 1935). In a discrete
    world of one step values are exact.
    """
    model = make_model(environment, variant=variant).deployed()
    try:
        rewards = model.tables.support(model.reward)
    except (NotDiscreteError, TooLargeError):
        return math.inf
    if model.horizon == 1:
        return 0.0
    # an episode that has ended earns nothing
    width = max(rewards.max(), 0.0) - min(rewards.min(), 0.0)
    longest = math.fsum(model.discount**step for step in range(model.horizon))
    return float(width * longest / 2 / math.sqrt(EPISODES_WITH_MEMORY - 1))


@lru_cache(maxsize=512)
def _reference_rows(environment: str, variant: str) -> Rows:
    """The references in a world and in its shifts, without a policy."""
    model = make_model(environment, variant=variant)
    worlds = {"": model.deployed()}
    if not model.edits:
        worlds |= {shift: model.shifted(shift) for shift in model.shifts()}
    return [
        {"world": shift, "exact": True, **references(model, world)}
        for shift, world in worlds.items()
    ]


def _law_fault(model: World, policy: Policy) -> str:
    """Why a policy gives no laws over the actions of a model; "" if it does."""
    counts = model.action_bounds is None
    if counts == isinstance(policy, ContinuousPolicy):
        return "its actions are of another kind"
    if not counts:
        return ""
    try:
        shown = shown_contexts(model)
        observations = shown.reshape(-1, *shown.shape[2:])
        table = np.asarray(policy.probabilities(observations))
    except (NotDiscreteError, TooLargeError):
        return ""
    shape = len(observations), choices(action_space(model))
    if table.shape != shape:
        return f"its table has the shape {table.shape}, and here it is {shape}"
    if not ((table >= 0).all() and np.allclose(table.sum(axis=1), 1.0, rtol=0, atol=1e-5)):
        return "its probabilities are negative, or do not add to 1"
    return ""


def row_faults(submitted: Rows, recomputed: Rows, names: Sequence[str] = NUMBERS) -> list[str]:
    """Where submitted rows differ from those that were computed again."""
    faults = []
    by_shift = {row["world"]: row for row in submitted}
    shifts = [row["world"] for row in recomputed]
    for row in submitted:
        if row["world"] not in shifts:
            faults.append(f"there is no shift {row['world']!r} of its world")
    if len(by_shift) < len(submitted):
        faults.append("a shift is there twice")
    for row in recomputed:
        where = f" in the shift {row['world']}" if row["world"] else ""
        if row["world"] not in by_shift:
            faults.append(f"its row{where} is missing" if where else "its first row is missing")
        else:
            faults += _differences(by_shift[row["world"]], row, where, names)
    return faults


def _differences(
    submitted: Mapping[str, Any], row: Mapping[str, Any], where: str, names: Sequence[str]
) -> list[str]:
    is_exact = bool(row["exact"])
    faults = []
    for name in names:
        if name not in submitted:  # of an earlier version
            continue
        claimed, right = float(submitted[name]), float(row[name])
        is_estimate = name in ESTIMATED and not is_exact
        if not _equal(claimed, right, 0.0 if is_estimate else EXACT):
            faults.append(f"{name} is {claimed!r}{where}, and computed again {right!r}")
    return faults


def _equal(one: float, other: float, tolerance: float) -> bool:
    if np.isnan(one) or np.isnan(other):
        return bool(np.isnan(one) and np.isnan(other))
    return one == other or abs(one - other) <= tolerance * max(1.0, abs(other))


def floor_fault(
    environment: str, partner: str, firsts: Iterable[Mapping[str, Any]], memory: bool
) -> str:
    """Why the policies of the two worlds of a pair are not one policy; "" if they may be.

    `firsts` are their rows at deployment, each in its own world.
    """
    pair = learned_pair(environment, partner, (partner,))
    if pair is None:
        return ""
    rows = list(firsts)
    mean = {
        "pair_value": float(np.mean([row["value"] for row in rows])),
        "pair_std_error": float(np.linalg.norm([row["std_error"] for row in rows])) / 2,
        "floor": floor_value(pair, memory),
    }
    return leak(mean)

"""The floors of all pairs of worlds, and the check that no learner from one log exceeds them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np

from dosuite.agents import Policy, agent_classes
from dosuite.causal import (
    NotDiscreteError,
    TooLargeError,
    World,
    floor,
    frontier,
    value,
)
from dosuite.envs import make_model
from dosuite.envs.regimes import Regime
from dosuite.envs.registry import counterpart
from dosuite.envs.settings import unparse

from ..reports.rounding import number_text
from ..runs.pairs import Pair, leak, pair_columns, partners
from ..runs.run import Run, acts_there

KINDS = ("twin", "hedge")
TRIED = (5, 20, 100)  # most rows of a frontier, in turn, until half of the gap is closed
# Settings with which an agent learns in a moment; what it learns does not matter to the floor.
CHEAP = {"updates": 20, "steps": 20, "iterations": 2}


@dataclass(frozen=True)
class PairFloor:
    """A world and its twin or hedge, and the floor of the two; or the reason why there is none."""

    world: str
    kind: str
    reason: str = ""
    best: tuple[float, float] = (np.nan, np.nan)  # the best value in each of the two
    value: float = np.nan  # the most that one policy earns on average in the two
    regret: float = np.nan
    error: float = np.nan  # the least mean error of E[reward | do(action), context], at its largest
    exact: bool = False  # or else an upper bound
    # rows of an experiment that close half of the gap to the best values; NaN in several steps
    rows: float = np.nan

    def cells(self) -> tuple[str, ...]:
        """Texts: the two best values, the floor, the regret, the error, exact or bound, the rows.

        Empty if there is no floor.
        """
        if self.reason:
            return ()
        numbers = (*self.best, self.value, self.regret, self.error)
        rows = "> 100" if self.rows == np.inf else number_text(self.rows, 0)
        kind = "exact" if self.exact else "bound"
        return (*(number_text(number, 4) for number in numbers), kind, rows)


def pair_floors(worlds: Sequence[str]) -> Iterator[PairFloor]:
    """The floor of every world with its twin, and with its hedge."""
    for text in worlds:
        for kind in KINDS:
            yield pair_floor(text, kind)


def pair_floor(text: str, kind: str) -> PairFloor:
    """The floor of a world with its twin or its hedge."""
    world = make_model(text)
    other = counterpart(world, kind)
    if other is None:
        return PairFloor(text, kind, world.hedge_reason() if kind == "hedge" else _no_twin(world))
    pair = world.deployed(), other.deployed()
    try:
        limit = floor(*pair)
    except (NotDiscreteError, TooLargeError) as error:
        return PairFloor(text, kind, f"no exact floor: {error}")
    return PairFloor(
        world=text,
        kind=kind,
        best=(value(pair[0], pair[0].causal_policy()), value(pair[1], pair[1].causal_policy())),
        value=limit.value,
        regret=limit.regret,
        error=float(np.nanmax(limit.error)),
        exact=limit.exact,
        rows=_rows_for(pair, limit.value + limit.regret / 2),
    )


def _no_twin(world: World) -> str:
    if world.horizon > 1:
        return "none is declared, and none is computed for several steps"
    return "the world in which seeing is doing has the same best policy, or a twin is ruled out"


def _rows_for(pair: Pair, wanted: float) -> float:
    """The least rows of an experiment whose frontier reaches a value; infinity beyond 100 rows."""
    if pair[0].horizon > 1:
        return np.nan
    rows = np.inf
    for most in TRIED:
        rows = frontier(*pair, most=most).rows_for(wanted)
        if np.isfinite(rows):
            break
    return rows


class Distance(NamedTuple):
    """How far a learner stays below the floor of a pair."""

    world: str
    kind: str
    agent: str
    seed: int
    distance: float  # the floor less the mean value in the two worlds
    leak: str  # why the run cannot be that of a learner from one log; "" if it can


def distances(worlds: Sequence[str], seeds: int, rows: int) -> Iterator[Distance]:
    """The distance to the floor of every static agent here in every world with a twin or a hedge.

    Agents learn from logs of `rows` steps with cheap settings: those that are told nothing are
    scored against both floors, those that are told the graph against that of the hedge. Agents that
    refuse a world, or fail there, are left out, and so are pairs without an exact floor.
    """
    for text in worlds:
        pairs = _pairs(text)
        agents = _static_agents(text) if pairs else {}
        for agent, kinds in agents.items():
            if not pairs.keys() & set(kinds):
                continue
            for seed in range(seeds):
                policy = Run(text, agent, Regime.OBSERVE, rows, seed).learned()[0]
                if not isinstance(policy, Policy):
                    break  # for the same reason with every seed
                for kind in kinds:
                    if kind in pairs:
                        yield _distance(text, kind, agent, seed, pairs[kind], policy)


def _distance(world: str, kind: str, agent: str, seed: int, pair: Pair, policy: Policy) -> Distance:
    columns = pair_columns(pair, policy)
    distance = columns["floor"] - columns["pair_value"]
    return Distance(world, kind, agent, seed, distance, leak(columns))


def _pairs(text: str) -> dict[str, Pair]:
    """The deployments of a world and of its counterparts whose floor can be computed."""
    world = make_model(text)
    others = {variant: counterpart(world, variant) for variant in ("twin", "hedge")}
    pairs = {}
    for kind, other in others.items():
        if other is None:
            continue
        pair = world.deployed(), other.deployed()
        try:
            floor(*pair)
        except (NotDiscreteError, TooLargeError):
            continue
        pairs[kind] = pair
    return pairs


def _static_agents(text: str) -> dict[str, tuple[str, ...]]:
    """The agents that learn from a log, and the kinds of pairs that they cannot tell apart."""
    model = make_model(text)
    agents: dict[str, tuple[str, ...]] = {}
    for name, kind in agent_classes().items():
        if Regime.OBSERVE not in kind.learns or not acts_there(name, model):
            continue
        settings = {
            field.name: CHEAP[field.name]
            for field in fields(kind)  # type: ignore[arg-type]
            if field.name in CHEAP
        }
        if kinds := partners(Regime.OBSERVE, kind.needs):
            agents[unparse(name, settings)] = kinds
    return agents

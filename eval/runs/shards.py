"""Shards: parts of a grid of runs that are about equally costly, the same on every machine."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from dosuite.agents import make_agent
from dosuite.causal import InputError
from dosuite.envs.regimes import Regime

from .run import Run

T = TypeVar("T")

# Seconds of a processor that a run takes at least, and for each step of its budget, by the folder
# of the agent's class: rough medians over the catalogue, which only have to balance shards.
AT_LEAST = 0.2
SECONDS_A_STEP = {"tabular": 2e-6, "offline": 3e-4, "online": 8e-4}
OWN = 3e-4  # of a user's agent


def parsed_shard(text: str) -> tuple[int, int]:
    """The number of a shard, from 1, and the number of shards: "1/8". Raises InputError."""
    found = re.fullmatch(r"([1-9]\d{0,4})/([1-9]\d{0,4})", text)
    if found is None or int(found[1]) > int(found[2]):
        raise InputError(f"a shard is its number and how many there are, 1/8 to 8/8; got {text!r}")
    return int(found[1]), int(found[2])


def shard_of(groups: Sequence[list[Run]], shard: str) -> list[list[Run]]:
    """The groups of runs that are done at once which are in a shard.

    Groups that cost more than half a shard are divided by what learns in them. Raises InputError if
    the shard is empty.
    """
    _, count = parsed_shard(shard)
    most = sum(map(cost_of, groups)) / count / 2
    parts: list[list[Run]] = []
    for group in groups:
        parts += [group] if cost_of(group) <= most else _by_learner(group)
    return balanced(parts, cost_of, shard)


def balanced(tasks: Iterable[T], cost: Callable[[T], float], shard: str) -> list[T]:
    """The tasks in a shard: each is given, the most costly first, to the shard that has the least
    to do.

    Raises InputError if there are none.
    """
    number, count = parsed_shard(shard)
    loads = [0.0] * count
    mine: list[T] = []
    for task in sorted(tasks, key=cost, reverse=True):  # stable
        least = loads.index(min(loads))
        loads[least] += cost(task)
        if least == number - 1:
            mine.append(task)
    if not mine:
        raise InputError(f"shard {shard} is empty; divide the work into fewer shards")
    return mine


def cost_of(runs: Sequence[Run]) -> float:
    """About how many seconds of a processor some runs take."""
    return sum(map(_learning, dict.fromkeys(run.learner for run in runs))) + AT_LEAST * len(runs)


def _learning(run: Run) -> float:
    if run.regime == Regime.EXACT:
        return 0.0
    rooms = type(make_agent(run.agent)).__module__.split(".")
    own = next((SECONDS_A_STEP[room] for room in rooms if room in SECONDS_A_STEP), OWN)
    return own * run.budget


def _by_learner(group: Iterable[Run]) -> list[list[Run]]:
    parts: dict[Run, list[Run]] = {}
    for run in group:
        parts.setdefault(run.learner, []).append(run)
    return list(parts.values())

"""A simulator with one table per step, which is fast."""

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray

from dosuite.causal import SCM, Array, NotDiscreteError, TooLargeError
from dosuite.causal.exact import StepTable, step_table
from dosuite.causal.model import noise

from ..spaces import action_space, encode, observation_space
from .unit_batch import Batch, Mask, Outcome, Seeds

BLOCK = 2**13  # random words at a time, few enough for the cache
BLOCK_OF_ONE = 2**8


class Seen(NamedTuple):
    """A table of a step, and what is seen after each pick of the first row, and of a step."""

    table: StepTable
    first: Array
    later: Array


@lru_cache(maxsize=16)
def compiled(model: SCM) -> Seen | None:
    """The table of a model; None if it is continuous, or too large to be faster by table."""
    actions = action_space(model)
    if isinstance(actions, Box):
        return None
    try:
        table = step_table(model, int(actions.n))
    except (NotDiscreteError, TooLargeError):
        return None
    space, picks = (
        observation_space(model),
        ((table.start_contexts, len(table.start_row)), (table.contexts, len(table.row))),
    )
    return Seen(
        table,
        *(
            encode(space, [columns[name] for name in model.contexts], count)
            for columns, count in picks
        ),
    )


class ByTable(Batch):
    """Units that take each step in one look-up, with 64 random bits a step:

    32 for the step, 32 for a beginning after it.
    """

    def __init__(self, count: int, seen: Seen):
        self._table, self._start_seen, self._seen = seen
        self._ids = np.zeros(count, dtype=np.uint64)
        self._row = np.zeros(count, dtype=np.int64)
        self._observations: Array = self._start_seen[np.zeros(count, dtype=np.int64)]
        self._clock, self._ready = (
            -1,
            -1,
        )  # the number of the last word in use, and of the last one in the block
        self._depth = max(1, BLOCK // count)

    def reset(self, seeded: Mask, seeds: Seeds) -> Array:
        self._clock += 1
        self._ids[seeded] = noise.rewound(noise.units(seeds[seeded], 0), self._clock)
        self._fill()
        return self.begin()

    def begin(self, which: Mask | None = None) -> Array:
        start, words = self._table.start, self._words[self._clock - self._ready]
        lower = (words if which is None else words[which]) << np.uint64(32)
        pick = _first_pick(lower, start.bits)
        pick += lower >= start.threshold.take(pick)
        row, seen = self._table.start_row.take(pick), self._start_seen.take(pick, axis=0)
        if which is None:
            self._row, self._observations = row, seen
        else:
            self._observations = self._observations.copy()
            self._row[which], self._observations[which] = row, seen
        return self._observations

    def act(self, actions: Array) -> Outcome:
        self._clock += 1
        if self._clock - self._ready >= self._depth:
            self._fill()
        line, table = self._clock - self._ready, self._table
        pick = actions << table.step.bits + 1
        pick += self._row
        pick += self._top[line]
        pick += self._words[line] >= table.step.threshold.take(pick)
        self._row = table.row.take(pick)
        self._observations = self._seen.take(pick, axis=0)
        terminated = None if table.terminated is None else table.terminated.take(pick)
        logged = {name: column.take(pick) for name, column in table.logged.items()}
        return Outcome(self._observations, table.reward.take(pick), terminated, logged)

    def _fill(self) -> None:
        self._ready = self._clock
        self._words = noise.words(self._ids, self._clock, self._depth)
        self._top = _first_pick(self._words, self._table.step.bits)


def _first_pick(words: noise.Units, bits: int) -> NDArray[np.int64]:
    """The first pick of the cell that each of the words leads to."""
    cell = words >> np.uint64(64 - bits)
    cell <<= np.uint64(1)
    return cell.view(np.int64)


class OneByTable:
    """One unit, in plain Python, since NumPy is slow on single numbers:

    it does what a `ByTable` of one does.
    """

    def __init__(self, seen: Seen):
        self._about = seen
        self._ids, self._words, self._clock, self._row = np.zeros(1, np.uint64), [0], 0, 0
        self._view()

    def _view(self) -> None:
        self._table, self._start_seen, self._seen = table, _, _ = self._about
        self._bits, self._threshold, self._next = (
            table.step.bits,
            _items(table.step.threshold),
            _items(table.row),
        )
        self._reward, self._ends = (
            _items(table.reward),
            None if table.terminated is None else _items(table.terminated),
        )
        self._logged = [(name, _items(column)) for name, column in table.logged.items()]

    def __getstate__(self) -> tuple[Any, ...]:
        return self._about, self._ids, self._words, self._clock, self._row

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self._about, self._ids, self._words, self._clock, self._row = state
        self._view()  # views cannot be pickled

    def reset(self, seed: int | None, ended: bool) -> Any:
        """Begin a new episode, with a new seed if there is one, or after an episode that has
        `ended` or not. Returns the observation.
        """
        if seed is not None:
            self._ids, self._words, self._clock = noise.units(seed, 0), [], -1
        if seed is not None or not ended:
            self._advance()
        start, lower = (
            self._table.start,
            self._words[self._clock % BLOCK_OF_ONE] << 32 & 0xFFFFFFFFFFFFFFFF,
        )
        pick = lower >> (64 - start.bits) << 1
        pick += lower >= int(start.threshold[pick])
        self._row = int(self._table.start_row[pick])
        return self._start_seen[pick].copy()

    def act(self, action: int) -> tuple[Any, float, bool, dict[str, Any]]:
        """Observation, reward, whether the model ends the episode, and the logged variables."""
        word = self._advance()
        pick = self._row + ((action << self._bits) + (word >> (64 - self._bits)) << 1)
        pick += word >= self._threshold[pick]
        self._row = self._next[pick]
        logged = {name: column[pick] for name, column in self._logged}
        return (
            self._seen[pick].copy(),
            self._reward[pick],
            self._ends is not None and self._ends[pick],
            logged,
        )

    def _advance(self) -> int:
        self._clock += 1
        place = self._clock % BLOCK_OF_ONE
        if place == 0:
            self._words = noise.words(self._ids, self._clock, BLOCK_OF_ONE)[:, 0].tolist()
        return self._words[place]


def _items(array: Array) -> Any:
    """A view of an array that gives Python's own numbers, and those quickly."""
    return np.ascontiguousarray(array).data

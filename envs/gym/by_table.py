"""A fast simulator: each step is one look-up in an alias table of the whole step.

A unit has a stream of random words of 64 bits, one per step (SplitMix64, seeded by the unit's id).
The upper 32 bits of a word draw the step; the lower 32 bits draw the first row of a new episode, if
one begins after that step. Tables are explained in `dosuite.causal.exact.step_table`.
"""

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from gymnasium.spaces import Box

from dosuite.causal import SCM, Array, NotDiscreteError, TooLargeError
from dosuite.causal.arrays import Integers
from dosuite.causal.exact import StepTable, step_table
from dosuite.causal.model import noise

from ..observations import Plain, View, view_of
from ..spaces import action_space, context_space, encode
from .unit_batch import Batch, Mask, Outcome, Seeds

BLOCK = 2**13  # random words at a time, few enough for the processor's cache
BLOCK_OF_ONE = 2**8  # the same for a single unit

# The names of the streams that draw what contexts look like. A word may draw the last observation
# of an episode and the first one of the next.
FIRST, LATER = "first observation", "observation"


class Compiled(NamedTuple):
    """The table of a model's step, with the contexts that follow each pick."""

    table: StepTable
    first_contexts: Array  # after each pick of the first row
    contexts: Array  # after each pick of a step
    view: View  # how contexts are shown


@lru_cache(maxsize=16)
def compiled(model: SCM) -> Compiled | None:
    """The table of a model; None if the model is continuous, or too large to gain by a table."""
    actions = action_space(model)
    if isinstance(actions, Box):
        return None
    try:
        table = step_table(model, int(actions.n))
    except (NotDiscreteError, TooLargeError):
        return None
    space = context_space(model)
    first = [table.start_contexts[name] for name in model.contexts]
    later = [table.contexts[name] for name in model.contexts]
    return Compiled(
        table,
        encode(space, first, len(table.start_row)),
        encode(space, later, len(table.row)),
        view_of(model),
    )


class ByTable(Batch):
    """Units that take each step in one look-up."""

    def __init__(self, count: int, model: Compiled):
        self._table, self._first_contexts, self._contexts, self._view = model
        self._ids = np.zeros(count, dtype=np.uint64)
        self._row = np.zeros(count, dtype=np.int64)
        shape = self._view.space.shape or ()
        self._observations: Array = np.zeros((count, *shape), self._view.space.dtype)
        # Words are generated in blocks of `_depth` steps: (depth, count).
        self._depth = max(1, BLOCK // count)
        self._clock = -1  # the number of the last word in use
        self._block = -1  # the number of the first word in the block

    def reset(
        self, seeded: Mask, seeds: Seeds, which: Mask | None = None, still: Mask | None = None
    ) -> Array:
        self._clock += 1
        # A new seed makes the present word the word 0 of its unit.
        self._ids[seeded] = noise.rewound(noise.units(seeds[seeded], 0), self._clock)
        if still is not None:
            self._ids[still] = noise.rewound(self._ids[still], 1)
        self._fill()
        return self.begin(which)

    def begin(self, which: Mask | None = None) -> Array:
        start = self._table.start
        words = self._words[self._clock - self._block]
        if which is not None:
            words = words[which]

        # The lower half of the word draws the first row: the cell, and then the pick in the cell.
        lower = words << np.uint64(32)
        pick = self._first_pick(lower, which)
        pick += lower >= start.threshold.take(pick)
        row = self._table.start_row.take(pick)
        contexts = self._first_contexts.take(pick, axis=0)
        observations = self._view.show(contexts, words, FIRST)

        if which is None:
            self._row, self._observations = row, observations
        else:
            # The arrays handed out before belong to the caller.
            self._observations = self._observations.copy()
            self._row[which], self._observations[which] = row, observations
        return self._observations

    def _first_pick(self, lower: noise.Bits, which: Mask | None) -> Integers:
        """The first pick of the cell of the first row, in the units `which` or in all."""
        return _first_pick(lower, self._table.start.bits)

    def act(self, actions: Array) -> Outcome:
        self._clock += 1
        if self._clock - self._block >= self._depth:
            self._fill()
        line = self._clock - self._block
        table = self._table

        # A row is the first pick of its action 0; those of action a begin a << (bits + 1) later.
        # The word leads to a cell of two picks, and its threshold to one of the two.
        pick = actions << table.step.bits + 1
        pick += self._row
        pick += self._cell[line]
        pick += self._words[line] >= table.step.threshold.take(pick)

        self._row = table.row.take(pick)
        contexts = self._contexts.take(pick, axis=0)
        self._observations = self._view.show(contexts, self._words[line], LATER)
        terminated = None if table.terminated is None else table.terminated.take(pick)
        logged = {name: column.take(pick) for name, column in table.logged.items()}
        return Outcome(self._observations, table.reward.take(pick), terminated, logged)

    def act_or_begin(self, actions: Array, which: Mask, still: Mask) -> Outcome:
        self._row[which] = 0  # any valid row: these units' steps are discarded
        outcome = self.act(actions)
        self._rewind(still, 1)
        return outcome._replace(observations=self.begin(which))

    def skip(self, which: Mask) -> None:
        self._rewind(which, -1)

    def _rewind(self, which: Mask, number: int) -> None:
        """Go back by a number of words, in the units `which`."""
        if not which.any():
            return
        self._ids[which] = noise.rewound(self._ids[which], number)
        words = noise.words(self._ids[which], self._block, len(self._words))
        self._words[:, which] = words
        self._cell[:, which] = _first_pick(words, self._table.step.bits)

    def _fill(self) -> None:
        """Generate the block of words that begins with the present one."""
        self._block = self._clock
        self._words = noise.words(self._ids, self._clock, self._depth)
        self._cell = _first_pick(self._words, self._table.step.bits)


def _first_pick(words: noise.Bits, bits: int) -> Integers:
    """The first of the two picks of the cell that the upper `bits` bits of each word name."""
    cell = words >> np.uint64(64 - bits)
    cell <<= np.uint64(1)
    return cell.view(np.int64)


class OneByTable:
    """One unit, which does what a `ByTable` of one does.

    It is written in plain Python integers, since NumPy is slow on single numbers.
    """

    def __init__(self, model: Compiled):
        self._model = model
        self._ids = np.zeros(1, np.uint64)
        self._words = [0]
        self._clock = 0  # the number of the last word in use
        self._row = 0
        self._view_tables()

    def _view_tables(self) -> None:
        self._table, self._first_contexts, self._contexts, self._view = self._model
        table = self._table
        self._bits = table.step.bits
        self._threshold = _items(table.step.threshold)
        self._next = _items(table.row)
        self._reward = _items(table.reward)
        self._ends = None if table.terminated is None else _items(table.terminated)
        self._logged = [(name, _items(column)) for name, column in table.logged.items()]

    def __getstate__(self) -> tuple[Any, ...]:
        return self._model, self._ids, self._words, self._clock, self._row

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self._model, self._ids, self._words, self._clock, self._row = state
        self._view_tables()  # memory views cannot be pickled

    def reset(self, seed: int | None, ended: bool) -> Any:
        """Begin a new episode, with a new seed if one is given. Returns the observation.

        `ended` says whether the last episode reached its end; if not, a word is used up.
        """
        if seed is not None:
            self._ids, self._words, self._clock = noise.units(seed, 0), [], -1
        if seed is not None or not ended:
            self._advance()
        start = self._table.start
        lower = self._words[self._clock % BLOCK_OF_ONE] << 32 & 0xFFFFFFFFFFFFFFFF
        pick = lower >> (64 - start.bits) << 1
        pick += lower >= int(start.threshold[pick])
        self._row = int(self._table.start_row[pick])
        return self._shown(self._first_contexts, pick, FIRST)

    def act(self, action: int) -> tuple[Any, float, bool, dict[str, Any]]:
        """Observation, reward, whether the model ends the episode, and the logged variables."""
        word = self._advance()
        pick = self._row + ((action << self._bits) + (word >> (64 - self._bits)) << 1)
        pick += word >= self._threshold[pick]
        self._row = self._next[pick]
        ends = self._ends is not None and self._ends[pick]
        logged = {name: column[pick] for name, column in self._logged}
        observation = self._shown(self._contexts, pick, LATER)
        return observation, self._reward[pick], ends, logged

    def _shown(self, contexts: Array, pick: int, stream: str) -> Any:
        """What the agent sees of the context that follows a pick, drawn by the present word."""
        if isinstance(self._view, Plain):
            return contexts[pick].copy()
        word = np.array([self._words[self._clock % BLOCK_OF_ONE]], np.uint64)
        return self._view.show(contexts[pick : pick + 1], word, stream)[0]

    def _advance(self) -> int:
        """The next word."""
        self._clock += 1
        place = self._clock % BLOCK_OF_ONE
        if place == 0:
            self._words = noise.words(self._ids, self._clock, BLOCK_OF_ONE)[:, 0].tolist()
        return self._words[place]


def _items(array: Array) -> Any:
    """A memory view of an array: indexing it gives Python numbers, faster than NumPy does."""
    return np.ascontiguousarray(array).data

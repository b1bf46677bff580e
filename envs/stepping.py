"""Units that live through a model: a table a step for the speed of it, or a table a variable for the sake of comparison."""

from abc import ABC, abstractmethod
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray

from confoundry.causal import LAG, SCM, Array, Columns, NotDiscreteError, StepTable, TooLargeError, noise, step_table

from .spaces import action_space, encode, observation_space

Mask = NDArray[np.bool_]
Seeds = NDArray[np.int64]

BLOCK = 2**13  # random words at a time, few enough for the cache
BLOCK_OF_ONE = 2**8


class Outcome(NamedTuple):
    """What came of a step, before any new episode: arrays (n,) that are the caller's to keep."""

    observations: Array
    reward: NDArray[np.float64]
    terminated: Mask | None  # None if nothing in the model ends an episode
    logged: Columns


class Sight(NamedTuple):
    """What there is to see of a unit after `step` steps of its episode, latents too: values by name.

    `now` has what is drawn before the next action, `past` all of the step just taken and `before` all of the one before that,
    empty where there was none.
    """

    step: int
    now: dict[str, float]
    past: dict[str, float]
    before: dict[str, float]


class Batch(ABC):
    """A batch of units side by side. What happens to a unit depends on its own seed and actions alone."""

    @abstractmethod
    def reset(self, seeded: Mask, seeds: Seeds) -> Array:
        """Begin a new episode for every unit; those `seeded` get a new seed first. Returns all observations."""

    @abstractmethod
    def begin(self, which: Mask | None = None) -> Array:
        """Begin a new episode for the units `which`, or for all of them. Returns all observations."""

    @abstractmethod
    def act(self, actions: Array) -> Outcome:
        """Take an action for each unit."""


def batch(model: SCM, count: int, paired: bool = False) -> Batch:
    """Units that step by table if the model has one, and with noise for each variable if it has none or if they are `paired`."""
    seen = None if paired else _compiled(model)
    return ByVariable(model, count) if seen is None else ByTable(count, seen)


def one(model: SCM, paired: bool = False) -> "OneByTable | OneByVariable":
    """A single unit, which does what each of a `batch` does."""
    seen = None if paired else _compiled(model)
    return OneByVariable(model) if seen is None else OneByTable(seen)


class Seen(NamedTuple):
    """A table of a step, and what is seen after each pick of the first row, and of a step."""

    table: StepTable
    first: Array
    later: Array


@lru_cache(maxsize=16)
def _compiled(model: SCM) -> Seen | None:
    """The table of a model; None if it is continuous, or too large to be faster by table."""
    actions = action_space(model)
    if isinstance(actions, Box):
        return None
    try:
        table = step_table(model, int(actions.n))
    except (NotDiscreteError, TooLargeError):
        return None
    space, picks = observation_space(model), ((table.start_contexts, len(table.start_row)), (table.contexts, len(table.row)))
    return Seen(table, *(encode(space, [columns[name] for name in model.contexts], count) for columns, count in picks))


class ByTable(Batch):
    """Units that take each step in one look-up, with 64 random bits a step: 32 for the step, 32 for a beginning after it."""

    def __init__(self, count: int, seen: Seen):
        self._table, self._start_seen, self._seen = seen
        self._ids = np.zeros(count, dtype=np.uint64)
        self._row = np.zeros(count, dtype=np.int64)
        self._observations: Array = self._start_seen[np.zeros(count, dtype=np.int64)]
        self._clock, self._ready = -1, -1  # the number of the last word in use, and of the last one in the block
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
    """One unit, in plain Python, since NumPy is slow on single numbers: it does what a `ByTable` of one does."""

    def __init__(self, seen: Seen):
        self._about = seen
        self._ids, self._words, self._clock, self._row = np.zeros(1, np.uint64), [0], 0, 0
        self._view()

    def _view(self) -> None:
        self._table, self._start_seen, self._seen = table, _, _ = self._about
        self._bits, self._threshold, self._next = table.step.bits, _items(table.step.threshold), _items(table.row)
        self._reward, self._ends = _items(table.reward), None if table.terminated is None else _items(table.terminated)
        self._logged = [(name, _items(column)) for name, column in table.logged.items()]

    def __getstate__(self) -> tuple[Any, ...]:
        return self._about, self._ids, self._words, self._clock, self._row

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self._about, self._ids, self._words, self._clock, self._row = state
        self._view()  # views cannot be pickled

    def reset(self, seed: int | None, ended: bool) -> Any:
        """Begin a new episode, with a new seed if there is one, or after an episode that has `ended` or not. Returns the observation."""
        if seed is not None:
            self._ids, self._words, self._clock = noise.units(seed, 0), [], -1
        if seed is not None or not ended:
            self._advance()
        start, lower = self._table.start, self._words[self._clock % BLOCK_OF_ONE] << 32 & 0xFFFFFFFFFFFFFFFF
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
        return self._seen[pick].copy(), self._reward[pick], self._ends is not None and self._ends[pick], logged

    def _advance(self) -> int:
        self._clock += 1
        place = self._clock % BLOCK_OF_ONE
        if place == 0:
            self._words = noise.words(self._ids, self._clock, BLOCK_OF_ONE)[:, 0].tolist()
        return self._words[place]


def _items(array: Array) -> Any:
    """A view of an array that gives Python's own numbers, and those quickly."""
    return np.ascontiguousarray(array).data


class OneByVariable:
    """One unit, as a `ByVariable` of one."""

    def __init__(self, model: SCM, whole: bool = False):
        self._batch = ByVariable(model, 1, whole)

    def reset(self, seed: int | None, ended: bool) -> Any:
        """As `OneByTable.reset`."""
        return self._batch.reset(np.array([seed is not None]), np.array([seed or 0]))[0]

    def act(self, action: float) -> tuple[Any, float, bool, dict[str, Any]]:
        """As `OneByTable.act`."""
        seen, reward, terminated, logged = self._batch.act(np.array([action]))
        info = {name: column[0].item() for name, column in logged.items()}
        return seen[0], float(reward[0]), terminated is not None and bool(terminated[0]), info

    def look(self) -> Sight:
        """Where the unit stands."""
        return self._batch.look()


class ByVariable(Batch):
    """Units whose noise belongs to a variable, an episode and a step, so that worlds that differ in one mechanism share the rest.

    Only what is handed out and its causes are drawn, or the `whole` step for who watches.
    """

    def __init__(self, model: SCM, count: int, whole: bool = False):
        self.model = model
        self._space = observation_space(model)
        self._seeds, self._episodes = np.zeros((2, count), dtype=np.int64)
        self._ids, self._clock = np.zeros(count, dtype=np.uint64), np.zeros(count, dtype=np.int64)
        self._before: Columns = {}
        self._past: Columns = {}
        self._now: Columns = {}
        matters = set(model.variables) if whole else _what_matters(model)
        self._late = tuple(name for name in model.order if name in matters and name not in (*model.before_action, model.action))
        self._steady = all(model.variables[name].first == model.variables[name].later for name in self._late)

    def reset(self, seeded: Mask, seeds: Seeds) -> Array:
        self._seeds[seeded], self._episodes[seeded] = seeds[seeded], 0
        return self.begin()

    def begin(self, which: Mask | None = None) -> Array:
        which = np.ones(len(self._ids), dtype=bool) if which is None else which
        self._ids[which] = noise.units(self._seeds[which], self._episodes[which])
        self._episodes[which] += 1
        self._clock[which] = 0
        self._merge(self._now, which, self.model.step(self._ids[which], 0, None, names=self.model.before_action))
        return self._observe()

    def act(self, actions: Array) -> Outcome:
        model = self.model
        values = self._simulate({**self._now, model.action: actions})
        self._before, self._past, self._clock = self._past, values, self._clock + 1
        self._now = model.step(self._ids, self._clock, values, names=model.before_action)
        end = model.names("terminal")
        logged = {name: np.array(values[name]) for name in model.names("logged")}
        reward = np.array(values[model.reward], dtype=float)
        return Outcome(self._observe(), reward, values[end[0]] == 1 if end else None, logged)

    def look(self) -> Sight:
        """Where the first unit stands."""
        clock = int(self._clock[0])
        now, past, before = ({name: column[0].item() for name, column in c.items()} for c in (self._now, self._past, self._before))
        return Sight(clock, now, past if clock > 0 else {}, before if clock > 1 else {})

    def _observe(self) -> Array:
        return encode(self._space, [self._now[name] for name in self.model.contexts], len(self._ids))

    def _simulate(self, known: Columns) -> Columns:
        first = self._clock == 0
        if self._steady or first.all() or not first.any():
            return self.model.step(self._ids, self._clock, None if self._steady or first.all() else self._past, known, self._late)
        values: Columns = {}
        for rows in (first, ~first):
            past = None if rows is first else _rows(self._past, rows)
            self._merge(values, rows, self.model.step(self._ids[rows], self._clock[rows], past, _rows(known, rows), self._late))
        return values

    def _merge(self, into: Columns, rows: Mask, values: Columns) -> None:
        for name, column in values.items():
            if rows.all():
                into[name] = column
                continue
            old = into.get(name, np.zeros(len(rows), column.dtype))
            merged = np.array(old, dtype=np.result_type(old, column))
            merged[rows] = column
            into[name] = merged


def _rows(columns: Columns, rows: Mask) -> Columns:
    return {name: column[rows] for name, column in columns.items()}


def _what_matters(model: SCM) -> set[str]:
    """The variables that are handed out, and their causes at any step when the action is set."""
    found: set[str] = set()
    new = {*model.names("context", "logged", "reward", "terminal")}
    while new:
        found |= new
        causes = (cause for name in new - {model.action} for cause in model.graph.predecessors(name))
        new = {cause.removesuffix(LAG) for cause in causes} - found
    return found

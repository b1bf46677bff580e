"""A whole step of a discrete model as one table, so that stepping costs a look-up however large the graph is.

What one step must remember of the past is a *row*: the contexts, and whatever else what follows depends on. For each row and
action there is one law over all that can come of it (reward, logged variables, end, next row), drawn by the alias method
(Walker, 1977) from 32 random bits. The table is found by walking from the first rows along whatever has positive probability.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from . import noise
from .distributions import Array, Distribution, tidy
from .errors import TooLargeError
from .graph import LAG
from .scm import SCM, Columns

Integers = NDArray[np.int64]

BITS = 32  # of the number that draws an outcome
MOST_CELLS = 2**18  # of a table; larger ones would leave the cache, and are slower than a table for each variable


@dataclass(frozen=True, eq=False)
class Alias:
    """Laws of finitely many outcomes, `2**bits` cells each: a cell is two picks, an outcome each, told apart by a threshold.

    A random number u of 64 bits leads law r to the cell with the first pick p = 2 * (r * 2**bits + (u >> (64 - bits))), and there
    to the pick p + (u >= threshold[p]). Of u only the upper 32 bits matter.
    """

    bits: int
    threshold: noise.Units  # of each pick; the two of a cell have the same
    outcome: Integers  # of each pick: the place of the outcome in the arrays that the laws were made from


@dataclass(frozen=True, eq=False)
class StepTable:
    """The law of a step, and of the first row: what comes of each pick.

    A row is the number of the first pick of its first action; those of action a begin `a << bits + 1` further on.
    """

    start: Alias
    start_row: Integers
    start_contexts: Columns
    step: Alias
    row: Integers  # the next one
    contexts: Columns  # in the next row
    reward: NDArray[np.float64]
    terminated: NDArray[np.bool_] | None  # None if nothing ends an episode early
    logged: Columns


def step_table(model: SCM, actions: int) -> StepTable:
    """The table of a model whose action takes the values 0 to `actions` - 1.

    Raises NotDiscreteError if a variable that matters is continuous, and TooLargeError if there were more than 2**18 cells.
    """
    slots = _Slots(model)
    rows: dict[tuple[float, ...], int] = {}
    begin = slots.before(_Atoms.single(), first=True)
    start_rows = _number(rows, begin, slots.key)
    frontier, parts, done = begin.only(slots.key, by=start_rows), [], 0
    for _ in range(model.horizon):  # rows that are reached after the last step are only looked at
        fresh = len(rows)
        atoms = slots.after(frontier.times(actions, model.action, first=done * actions), first=done == 0)
        following = _number(rows, atoms, slots.key)
        parts.append((atoms, following))
        if max(len(rows) * actions, sum(len(part.origin) for part, _ in parts)) > MOST_CELLS:
            raise TooLargeError(f"the table of a step needs more than {MOST_CELLS} cells")
        new = following >= fresh
        done = fresh
        if not new.any():
            break
        frontier = atoms.where(new).only(slots.key, by=following[new])
    whole = _Atoms.concatenate([atoms for atoms, _ in parts])
    step, start = _alias(whole.origin, whole.weight, done * actions), _alias(np.zeros(len(start_rows), np.int64), begin.weight, 1)
    width, pick = actions << step.bits + 1, step.outcome
    seen = {name: whole.columns[_OUT + name][pick] for name in model.names("logged", "reward", "terminal")}
    end = model.names("terminal")
    return StepTable(
        start,
        start_rows[start.outcome] * width,
        {name: begin.columns[name][start.outcome] for name in model.contexts},
        step,
        np.concatenate([following for _, following in parts])[pick] * width,
        {name: whole.columns[name][pick] for name in model.contexts},
        seen[model.reward].astype(float),
        seen[end[0]] == 1 if end else None,
        {name: seen[name] for name in model.names("logged")},
    )


_OUT = "out "  # before the name of a column that is handed out; no variable's name has a space


class _Slots:
    """Which variables matter when somebody else acts, in what order, and which of them make up a row."""

    def __init__(self, model: SCM):
        self.model = model
        self._out = model.names("logged", "reward", "terminal")
        matters = self._closed({*self._out, *model.contexts})
        self._early = [name for name in model.before_action if name in matters]
        self._late = [name for name in model.order if name in matters and name not in (*self._early, model.action)]
        self._lags = {cause for name in (*self._early, *self._late) for cause in self._causes(name) if cause.endswith(LAG)}
        wanted = {cause for name in self._late for cause in self._causes(name)} | {lag.removesuffix(LAG) for lag in self._lags}
        kept = [name for name in self._early if name in {*wanted, *model.contexts, *self._out}]
        self._marked = any(model.variables[name].first != model.variables[name].later for name in self._late)
        self.key = (*kept, *sorted(self._lags & wanted), _FIRST)

    def _causes(self, name: str) -> tuple[str, ...]:
        return self.model.variables[name].first.causes + self.model.variables[name].later.causes

    def _closed(self, names: set[str]) -> set[str]:
        while True:
            causes = {cause.removesuffix(LAG) for name in names - {self.model.action} for cause in self._causes(name)}
            if causes <= names:
                return names
            names = names | causes

    def before(self, atoms: "_Atoms", first: bool) -> "_Atoms":
        """Draw what is drawn before the action."""
        keep = {*self.key, *(_OUT + name for name in self._out)}
        missing = {name: np.zeros(len(atoms.origin)) for name in self.key if first and name.endswith(LAG)}
        mark = np.full(len(atoms.origin), first and self._marked)
        return self._draw(atoms.plus({**missing, _FIRST: mark}), self._early, first, keep)

    def after(self, atoms: "_Atoms", first: bool) -> "_Atoms":
        """Draw the rest of the step, and what comes before the next action."""
        lagged = {lag.removesuffix(LAG) for lag in self._lags}
        atoms = self._draw(atoms, self._late, first, {*self._out, *lagged})
        out = {_OUT + name: atoms.columns[name] for name in self._out}
        past = {name + LAG: atoms.columns[name] for name in lagged}
        return self.before(_Atoms(atoms.origin, atoms.weight, {**out, **past}), first=False)

    def _draw(self, atoms: "_Atoms", names: list[str], first: bool, keep: set[str]) -> "_Atoms":
        for position, name in enumerate(names):
            variable = self.model.variables[name]
            mechanism = variable.first if first else variable.later
            atoms = atoms.branch(name, mechanism.law(*(atoms.columns[cause] for cause in mechanism.causes)))
            needed = {cause for other in names[position + 1 :] for cause in self._causes(other)}
            atoms = atoms.only(keep | needed)
        return atoms.only(keep)


_FIRST = "first step"


@dataclass(frozen=True)
class _Atoms:
    """Everything that can happen from some origins, with its weight: columns of values (n,), named as causes are."""

    origin: Integers
    weight: Array
    columns: Columns

    @staticmethod
    def single() -> "_Atoms":
        return _Atoms(np.zeros(1, np.int64), np.ones(1), {})

    @staticmethod
    def concatenate(parts: list["_Atoms"]) -> "_Atoms":
        columns = {name: np.concatenate([part.columns[name] for part in parts]) for name in parts[0].columns}
        return _Atoms(np.concatenate([p.origin for p in parts]), np.concatenate([p.weight for p in parts]), columns)

    def where(self, which: Array) -> "_Atoms":
        return _Atoms(self.origin[which], self.weight[which], {name: column[which] for name, column in self.columns.items()})

    def plus(self, columns: Mapping[str, Array]) -> "_Atoms":
        return _Atoms(self.origin, self.weight, {**self.columns, **columns})

    def times(self, actions: int, name: str, first: int) -> "_Atoms":
        """Each of these as the origins of every action, numbered from `first` on."""
        each = self.where(np.repeat(np.arange(len(self.origin)), actions))
        chosen = np.tile(np.arange(actions), len(self.origin))
        return _Atoms(first + np.arange(len(chosen)), np.ones(len(chosen)), {**each.columns, name: chosen})

    def branch(self, name: str, law: Distribution) -> "_Atoms":
        """Each of these with each value that the law can take."""
        which, values, probability = law.branches(len(self.origin))
        if len(which) > MOST_CELLS:
            raise TooLargeError(f"the table of a step needs more than {MOST_CELLS} cells")
        each = self.where(which)
        return _Atoms(each.origin, each.weight * probability, {**each.columns, name: values})

    def only(self, names: Iterable[str], by: Integers | None = None) -> "_Atoms":
        """These columns alone, equal ones merged; with `by`, a new origin, one of each is kept, in its order."""
        columns = {name: column for name, column in self.columns.items() if name in set(names)}
        if by is None and len(columns) == len(self.columns):
            return self
        origin = self.origin if by is None else by
        code = np.unique(origin, return_inverse=True)[1]
        for column in columns.values() if by is None else ():
            values, index = np.unique(tidy(column), return_inverse=True)
            code = np.unique(code * len(values) + index, return_inverse=True)[1]
        _, place = np.unique(code, return_index=True)
        weight = np.bincount(code, self.weight)
        return _Atoms(origin[place], weight, {name: column[place] for name, column in columns.items()})


def _number(rows: dict[tuple[float, ...], int], atoms: _Atoms, key: tuple[str, ...]) -> Integers:
    """The number of the row that each atom leads to; a new row gets the next number."""
    states = zip(*(tidy(atoms.columns[name]).tolist() for name in key), strict=True)
    return np.array([rows.setdefault(state, len(rows)) for state in states], dtype=np.int64)


def _alias(origin: Integers, weight: Array, laws: int) -> Alias:
    """The laws 0 to `laws` - 1, each over its own outcomes. Raises TooLargeError if they take more than 2**18 cells."""
    order = np.argsort(origin, kind="stable")
    count = np.bincount(origin, minlength=laws)
    bits = int(count.max() - 1).bit_length()
    if laws << bits > MOST_CELLS:
        raise TooLargeError(f"the table of a step needs {laws << bits} cells, and the most is {MOST_CELLS}")
    column = np.arange(len(order)) - np.repeat(np.cumsum(count) - count, count)
    share, place = np.zeros((laws, 1 << bits)), np.zeros((laws, 1 << bits), np.int64)
    share[origin[order], column], place[origin[order], column] = weight[order], order
    amount = np.rint(share / share.sum(1, keepdims=True) * 2.0**BITS).astype(np.int64)
    amount[np.arange(laws), share.argmax(1)] += 2**BITS - amount.sum(1)
    return _balance(amount, place, bits)


def _balance(amount: Integers, place: Integers, bits: int) -> Alias:
    """Fill cells of equal size from the lightest and the heaviest outcome left, as Robin Hood would: (laws, 2**bits) each."""
    order = np.argsort(amount, axis=1)
    amount, place = np.take_along_axis(amount, order, 1), np.take_along_axis(place, order, 1)
    law, size = np.arange(len(amount)), 2 ** (BITS - bits)
    low, high, left = np.zeros_like(law), np.full_like(law, (1 << bits) - 1), amount[:, -1]
    threshold, outcome = np.zeros_like(amount), np.zeros((*amount.shape, 2), np.int64)
    for cell in range(1 << bits):
        poor = left < size  # what is left of the heaviest does not fill a cell any more
        item, donor = np.where(poor, high, low), np.where(poor, np.maximum(high - 1, 0), high)
        first = np.minimum(np.where(poor, left, amount[law, low]), size)
        threshold[:, cell] = cell * size + np.where(first < size, first, 0)
        outcome[:, cell, 0], outcome[:, cell, 1] = place[law, item], place[law, np.where(first < size, donor, item)]
        left = np.where(poor, amount[law, donor], left) - (size - first)
        low, high = low + ~poor, donor
    return Alias(bits, np.repeat(threshold.astype(np.uint64).ravel() << np.uint64(BITS), 2), outcome.ravel())

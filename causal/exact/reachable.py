"""Walking through a discrete model: every row that is reached, and all that can come of it, without
a table of what is not.

A *row* is what one step must remember of the past: the contexts, and whatever else what follows
depends on. The walk starts at the first rows and follows whatever has positive probability, for as
many steps as an episode has."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from ..arrays import Array, Integers
from ..errors import TooLargeError
from ..graphs.step_graph import LAG
from ..model.distributions import Distribution, tidy
from ..model.scm import SCM
from ..model.structure import Columns


@dataclass(frozen=True, eq=False)
class Walk:
    """The rows of a model, numbered as they are reached, and what comes of each.

    Columns are named as the variables are; those of `steps` are what is asked for, and the contexts
    of the next row."""

    rows: int  # those that have been left; rows that are reached after the last step have not
    start: "Atoms"  # the first rows
    start_row: Integers
    steps: "Atoms"  # whose origin is row * actions + the action's place
    following: Integers  # the row that each leads to


def walk(
    model: SCM, wanted: tuple[str, ...], actions: Array, most: int, closed: bool = False
) -> Walk:
    """Walk through a model, with the variables `wanted` in the columns: under each of the
    `actions`, or, `closed`, as the behaviour policy acts, whose actions they are.

    Raises NotDiscreteError if a variable that matters is continuous, and TooLargeError if more than
    `most` things can come of a step, rows and actions taken together."""
    slots = _Slots(model, (*wanted, *([model.action] if closed else [])), closed, most)
    every = 1 if closed else len(actions)
    rows: dict[tuple[float, ...], int] = {}
    begin = slots.before(Atoms.single(), first=True)
    start_rows = _number(rows, begin, slots.key)
    frontier, parts, done = begin.only(slots.key, by=start_rows), [], 0
    for _ in range(model.burn_in + model.horizon if closed else model.horizon):
        fresh = len(rows)
        acting = (
            frontier.numbered(done)
            if closed
            else frontier.times(actions, model.action, first=done * every)
        )
        atoms = slots.after(acting, first=done == 0)
        following = _number(rows, atoms, slots.key)
        parts.append((atoms, following))
        if max(len(rows) * every, sum(len(part.origin) for part, _ in parts)) > most:
            raise TooLargeError(
                f"the table of a step of {type(model).__name__} needs more than {most} cells"
            )
        new = following >= fresh
        done = fresh
        if not new.any():
            break
        frontier = atoms.where(new).only(slots.key, by=following[new])
    steps = slots.named(Atoms.concatenate([atoms for atoms, _ in parts]))
    if closed:
        steps = replace(
            steps,
            origin=steps.origin * len(actions)
            + np.searchsorted(actions, steps.columns[model.action]),
        )
    return Walk(
        done, begin, start_rows, steps, np.concatenate([following for _, following in parts])
    )


_OUT = "out "  # before the name of a column that is handed out; no variable's name has a space


class _Slots:
    """Which variables matter, in what order, and which of them make up a row."""

    def __init__(self, model: SCM, out: tuple[str, ...], closed: bool, most: int):
        self.model, self._out, self._most = model, out, most
        self._chosen = () if closed else (model.action,)  # whose causes do not matter
        matters = self._with_causes({*out, *model.contexts})
        self._early = [name for name in model.before_action if name in matters]
        self._late = [
            name
            for name in model.order
            if name in matters and name not in (*self._early, *self._chosen)
        ]
        self._lags = {
            cause
            for name in (*self._early, *self._late)
            for cause in self._causes(name)
            if cause.endswith(LAG)
        }
        wanted = {cause for name in self._late for cause in self._causes(name)} | {
            lag.removesuffix(LAG) for lag in self._lags
        }
        kept = [name for name in self._early if name in {*wanted, *model.contexts, *self._out}]
        self._marked = any(
            model.variables[name].first != model.variables[name].later for name in self._late
        )
        self.key = (*kept, *sorted(self._lags & wanted), _FIRST)

    def _causes(self, name: str) -> tuple[str, ...]:
        return self.model.variables[name].first.causes + self.model.variables[name].later.causes

    def _with_causes(self, names: set[str]) -> set[str]:
        while True:
            causes = {
                cause.removesuffix(LAG)
                for name in names - {*self._chosen}
                for cause in self._causes(name)
            }
            if causes <= names:
                return names
            names = names | causes

    def before(self, atoms: "Atoms", first: bool) -> "Atoms":
        """Draw what is drawn before the action."""
        keep = {*self.key, *(_OUT + name for name in self._out)}
        missing = {
            name: np.zeros(len(atoms.origin)) for name in self.key if first and name.endswith(LAG)
        }
        mark = np.full(len(atoms.origin), first and self._marked)
        return self._draw(atoms.plus({**missing, _FIRST: mark}), self._early, first, keep)

    def after(self, atoms: "Atoms", first: bool) -> "Atoms":
        """Draw the rest of the step, and what comes before the next action."""
        lagged = {lag.removesuffix(LAG) for lag in self._lags}
        atoms = self._draw(atoms, self._late, first, {*self._out, *lagged})
        out = {_OUT + name: atoms.columns[name] for name in self._out}
        past = {name + LAG: atoms.columns[name] for name in lagged}
        return self.before(Atoms(atoms.origin, atoms.weight, {**out, **past}), first=False)

    def named(self, atoms: "Atoms") -> "Atoms":
        """What came of each step, under the names of the variables:

        those that are handed out, and the next contexts.
        """
        contexts = {name: atoms.columns[name] for name in self.model.contexts}
        return Atoms(
            atoms.origin,
            atoms.weight,
            {**{name: atoms.columns[_OUT + name] for name in self._out}, **contexts},
        )

    def _draw(self, atoms: "Atoms", names: list[str], first: bool, keep: set[str]) -> "Atoms":
        for position, name in enumerate(names):
            variable = self.model.variables[name]
            mechanism = variable.first if first else variable.later
            atoms = atoms.branch(
                name,
                mechanism.law(*(atoms.columns[cause] for cause in mechanism.causes)),
                self._most,
            )
            needed = {cause for other in names[position + 1 :] for cause in self._causes(other)}
            atoms = atoms.only(keep | needed)
        return atoms.only(keep)


_FIRST = "first step"


@dataclass(frozen=True)
class Atoms:
    """Everything that can happen from some origins, with its weight:

    columns of values (n,), named as causes are.
    """

    origin: Integers
    weight: Array
    columns: Columns

    @staticmethod
    def single() -> "Atoms":
        return Atoms(np.zeros(1, np.int64), np.ones(1), {})

    @staticmethod
    def concatenate(parts: list["Atoms"]) -> "Atoms":
        columns = {
            name: np.concatenate([part.columns[name] for part in parts])
            for name in parts[0].columns
        }
        return Atoms(
            np.concatenate([p.origin for p in parts]),
            np.concatenate([p.weight for p in parts]),
            columns,
        )

    def where(self, which: Array) -> "Atoms":
        return Atoms(
            self.origin[which],
            self.weight[which],
            {name: column[which] for name, column in self.columns.items()},
        )

    def plus(self, columns: Mapping[str, Array]) -> "Atoms":
        return Atoms(self.origin, self.weight, {**self.columns, **columns})

    def numbered(self, first: int) -> "Atoms":
        """Each of these as an origin, numbered from `first` on."""
        return Atoms(first + np.arange(len(self.origin)), np.ones(len(self.origin)), self.columns)

    def times(self, actions: Array, name: str, first: int) -> "Atoms":
        """Each of these as the origins of every action, numbered from `first` on."""
        each = self.where(np.repeat(np.arange(len(self.origin)), len(actions)))
        return each.plus({name: np.tile(actions, len(self.origin))}).numbered(first)

    def branch(self, name: str, law: Distribution, most: int) -> "Atoms":
        """Each of these with each value that the law can take.

        Raises TooLargeError if these are more than `most`.
        """
        which, values, probability = law.branches(len(self.origin))
        if len(which) > most:
            raise TooLargeError(f"the table of a step needs more than {most} cells")
        each = self.where(which)
        return Atoms(each.origin, each.weight * probability, {**each.columns, name: values})

    def only(self, names: Iterable[str], by: Integers | None = None) -> "Atoms":
        """These columns alone, equal ones merged;

        with `by`, a new origin, one of each is kept, in its order.
        """
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
        return Atoms(
            origin[place], weight, {name: column[place] for name, column in columns.items()}
        )


def _number(rows: dict[tuple[float, ...], int], atoms: Atoms, key: tuple[str, ...]) -> Integers:
    """The number of the row that each atom leads to; a new row gets the next number."""
    states = zip(*(tidy(atoms.columns[name]).tolist() for name in key), strict=True)
    return np.array([rows.setdefault(state, len(rows)) for state in states], dtype=np.int64)

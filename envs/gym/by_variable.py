"""A simulator with one mechanism per variable, whose noise is shared across worlds."""

from typing import Any

import numpy as np

from dosuite.causal import LAG, SCM, Array, Columns
from dosuite.causal.model import noise

from ..pictures.sight import Sight
from ..spaces import encode, observation_space
from .unit_batch import Batch, Mask, Outcome, Seeds


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
    """Units whose noise belongs to a variable, an episode and a step, so that worlds that differ in
    one mechanism share the rest.

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
        self._late = tuple(
            name
            for name in model.order
            if name in matters and name not in (*model.before_action, model.action)
        )
        self._steady = all(
            model.variables[name].first == model.variables[name].later for name in self._late
        )

    def reset(self, seeded: Mask, seeds: Seeds) -> Array:
        self._seeds[seeded], self._episodes[seeded] = seeds[seeded], 0
        return self.begin()

    def begin(self, which: Mask | None = None) -> Array:
        which = np.ones(len(self._ids), dtype=bool) if which is None else which
        self._ids[which] = noise.units(self._seeds[which], self._episodes[which])
        self._episodes[which] += 1
        self._clock[which] = 0
        self._merge(
            self._now,
            which,
            self.model.step(self._ids[which], 0, None, names=self.model.before_action),
        )
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
        now, past, before = (
            {name: column[0].item() for name, column in c.items()}
            for c in (self._now, self._past, self._before)
        )
        return Sight(clock, now, past if clock > 0 else {}, before if clock > 1 else {})

    def _observe(self) -> Array:
        return encode(
            self._space, [self._now[name] for name in self.model.contexts], len(self._ids)
        )

    def _simulate(self, known: Columns) -> Columns:
        first = self._clock == 0
        if self._steady or first.all() or not first.any():
            return self.model.step(
                self._ids,
                self._clock,
                None if self._steady or first.all() else self._past,
                known,
                self._late,
            )
        values: Columns = {}
        for rows in (first, ~first):
            past = None if rows is first else _rows(self._past, rows)
            self._merge(
                values,
                rows,
                self.model.step(
                    self._ids[rows], self._clock[rows], past, _rows(known, rows), self._late
                ),
            )
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
        causes = (
            cause for name in new - {model.action} for cause in model.graph.predecessors(name)
        )
        new = {cause.removesuffix(LAG) for cause in causes} - found
    return found

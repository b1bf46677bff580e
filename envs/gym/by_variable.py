"""A simulator with one mechanism per variable, whose noise is shared across worlds.

The noise of a variable is a function of the unit, the episode and the step. Worlds that differ in
one mechanism therefore share the noise of all other variables.
"""

from typing import Any

import numpy as np

from dosuite.causal import LAG, SCM, Array, Columns
from dosuite.causal.model import noise

from ..observations import view_of
from ..pictures.sight import Sight
from ..spaces import context_space, encode
from .unit_batch import Batch, Mask, Outcome, Seeds


class OneByVariable:
    """One unit: a `ByVariable` batch of one."""

    def __init__(self, model: SCM, whole: bool = False):
        self._batch = ByVariable(model, 1, whole)

    def reset(self, seed: int | None, ended: bool) -> Any:
        """See `OneByTable.reset`."""
        seeded, seeds = np.array([seed is not None]), np.array([seed or 0])
        return self._batch.reset(seeded, seeds)[0]

    def act(self, action: float) -> tuple[Any, float, bool, dict[str, Any]]:
        """See `OneByTable.act`."""
        outcome = self._batch.act(np.array([action]))
        terminated = outcome.terminated is not None and bool(outcome.terminated[0])
        info = {name: column[0].item() for name, column in outcome.logged.items()}
        return outcome.observations[0], float(outcome.reward[0]), terminated, info

    def look(self) -> Sight:
        """The present values of the unit's variables."""
        return self._batch.look()


class ByVariable(Batch):
    """Units that draw one variable after another.

    Only the variables that are handed out and their causes are drawn; with `whole` also those that
    only pictures show.
    """

    def __init__(self, model: SCM, count: int, whole: bool = False):
        self.model = model
        self._space = context_space(model)
        self._view = view_of(model)
        self._seeds = np.zeros(count, dtype=np.int64)
        self._episodes = np.zeros(count, dtype=np.int64)
        self._ids = np.zeros(count, dtype=np.uint64)
        self._clock = np.zeros(count, dtype=np.int64)  # the step of each unit's episode
        # The variables of the step before the last, of the last step, and of the present step
        # before the action.
        self._before: Columns = {}
        self._past: Columns = {}
        self._now: Columns = {}
        needed = set(model.variables) if whole else _needed(model)
        early = {*model.before_action, model.action}
        self._late = tuple(name for name in model.order if name in needed - early)
        # Whether the first step follows the same mechanisms as later steps.
        self._steady = all(
            model.variables[name].first == model.variables[name].later for name in self._late
        )

    def reset(
        self, seeded: Mask, seeds: Seeds, which: Mask | None = None, still: Mask | None = None
    ) -> Array:
        self._seeds[seeded] = seeds[seeded]
        self._episodes[seeded] = 0
        return self.begin(which)

    def begin(self, which: Mask | None = None) -> Array:
        if which is None:
            which = np.ones(len(self._ids), dtype=bool)
        # Each episode of a seed is a unit of its own.
        self._ids[which] = noise.units(self._seeds[which], self._episodes[which])
        self._episodes[which] += 1
        self._clock[which] = 0
        values = self.model.step(self._ids[which], 0, None, names=self.model.before_action)
        _merge(self._now, which, values)
        return self._observe()

    def act(self, actions: Array) -> Outcome:
        model = self.model
        # Finish the step under do(action), and begin the next one up to the action.
        values = self._simulate({**self._now, model.action: actions})
        self._before, self._past = self._past, values
        self._clock = self._clock + 1
        self._now = model.step(self._ids, self._clock, values, names=model.before_action)

        reward = np.array(values[model.reward], dtype=float)
        terminated = None
        for name in model.names("terminal"):
            terminated = values[name] == 1
        logged = {name: np.array(values[name]) for name in model.names("logged")}
        return Outcome(self._observe(), reward, terminated, logged)

    def act_or_begin(self, actions: Array, which: Mask, still: Mask) -> Outcome:
        # The units `which` take a step of their new episodes, which is discarded: no mechanism is
        # asked for a step beyond the end of an episode.
        self.begin(which)
        start = _rows(self._now, which)
        outcome = self.act(actions)
        self._clock[which] = 0
        _merge(self._now, which, start)
        return outcome._replace(observations=self._observe())

    def skip(self, which: Mask) -> None:
        """Do nothing: noise is drawn per episode."""

    def look(self) -> Sight:
        """The present values of the first unit's variables."""
        clock = int(self._clock[0])
        past = _values_of_first(self._past) if clock > 0 else {}
        before = _values_of_first(self._before) if clock > 1 else {}
        return Sight(clock, _values_of_first(self._now), past, before)

    def _observe(self) -> Array:
        contexts = [self._now[name] for name in self.model.contexts]
        shown = encode(self._space, contexts, len(self._ids))
        return self._view.show(shown, self._ids, "observation", self._clock)

    def _simulate(self, known: Columns) -> Columns:
        """The rest of a step of every unit, given what is known of it."""
        model, ids, clock = self.model, self._ids, self._clock
        first = clock == 0
        if self._steady or first.all():
            return model.step(ids, clock, None, known, self._late)
        if not first.any():
            return model.step(ids, clock, self._past, known, self._late)
        # Some units are at their first step and some are not: the mechanisms differ.
        values: Columns = {}
        for rows, past in ((first, None), (~first, _rows(self._past, ~first))):
            part = model.step(ids[rows], clock[rows], past, _rows(known, rows), self._late)
            _merge(values, rows, part)
        return values


def _merge(into: Columns, rows: Mask, values: Columns) -> None:
    """Write values to these rows of columns; a column takes the type that holds old and new."""
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


def _values_of_first(columns: Columns) -> dict[str, float]:
    return {name: column[0].item() for name, column in columns.items()}


def _needed(model: SCM) -> set[str]:
    """The variables that are handed out, and all their causes when the action is set."""
    needed: set[str] = set()
    new = {*model.names("context", "logged", "reward", "terminal")}
    while new:
        needed |= new
        causes: set[str] = set()
        for name in new - {model.action}:
            causes |= {cause.removesuffix(LAG) for cause in model.graph.predecessors(name)}
        new = causes - needed
    return needed

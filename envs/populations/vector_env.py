"""A vector environment in which every unit is another world."""

from collections.abc import Sequence

import numpy as np
from gymnasium.vector import AutoresetMode

from dosuite.causal import Array, InputError, World
from dosuite.causal.arrays import Integers
from dosuite.causal.exact.step_table import Alias, StepTable
from dosuite.causal.model import noise

from ..gym.by_table import ByTable, Compiled, compiled
from ..gym.unit_batch import Mask
from ..gym.vector_env import CausalVectorEnv


class PopulationVectorEnv(CausalVectorEnv):
    """A batch with a unit for each of several worlds: unit i is world i.

    With the seed s, unit i does what `CausalEnv(worlds[i])` does with the seed s + i. The worlds
    must be alike, as those of a `Population` are. Autoreset modes, `max_episode_steps` and errors
    are those of `CausalVectorEnv`; in addition InputError is raised if a world has no table of its
    step, because it is continuous or too large.
    """

    def __init__(
        self,
        worlds: Sequence[World],
        autoreset_mode: AutoresetMode | str = AutoresetMode.SAME_STEP,
        max_episode_steps: int | None = None,
    ):
        super().__init__(
            worlds[0],
            len(worlds),
            autoreset_mode=autoreset_mode,
            max_episode_steps=max_episode_steps,
        )
        tables = []
        for number, model in enumerate(worlds):
            table = compiled(model)
            if table is None:
                raise InputError(
                    f"world {number} of the population, {type(model).__name__}, is continuous or "
                    "too large for a vector environment of many worlds; step through CausalEnv"
                )
            tables.append(table)
        self._units = ByTables(tables)


class ByTables(ByTable):
    """Units that take each step in one look-up, each in the table of its own world.

    The tables of all worlds stand in one array, one behind the other.
    """

    def __init__(self, worlds: Sequence[Compiled]):
        step_bits = max(one.table.step.bits for one in worlds)
        start_bits = max(one.table.start.bits for one in worlds)
        widened = [_widened(one, step_bits, start_bits) for one in worlds]
        super().__init__(len(worlds), _joined(widened))
        # the first pick of the first row of each unit
        self._own = np.arange(len(worlds)) << start_bits + 1

    def _first_pick(self, lower: noise.Bits, which: Mask | None) -> Integers:
        """As in ByTable, but among the picks of the unit's own world."""
        own = self._own if which is None else self._own[which]
        return super()._first_pick(lower, which) + own


def _widened(world: Compiled, step_bits: int, start_bits: int) -> Compiled:
    """The same world with more cells in each distribution: equal words give equal outcomes.

    A cell is repeated, so that the further bits of a word choose among copies of it.
    """
    table = world.table
    more, first = step_bits - table.step.bits, start_bits - table.start.bits

    def steps(column: Array) -> Array:
        return _repeated(column, 2**more)

    def starts(column: Array) -> Array:
        return _repeated(column, 2**first)

    wide = StepTable(
        start=Alias(start_bits, starts(table.start.threshold), starts(table.start.outcome)),
        start_row=starts(table.start_row) << more,
        start_contexts={name: starts(column) for name, column in table.start_contexts.items()},
        step=Alias(step_bits, steps(table.step.threshold), steps(table.step.outcome)),
        row=steps(table.row) << more,  # a row is a multiple of the picks of a state
        contexts={name: steps(column) for name, column in table.contexts.items()},
        reward=steps(table.reward),
        terminated=None if table.terminated is None else steps(table.terminated),
        logged={name: steps(column) for name, column in table.logged.items()},
    )
    return Compiled(wide, starts(world.first_contexts), steps(world.contexts), world.view)


def _repeated(column: Array, times: int) -> Array:
    """A column of picks, two in a cell, with each cell repeated."""
    cells = column.reshape(-1, 2, *column.shape[1:])
    return cells.repeat(times, axis=0).reshape(-1, *column.shape[1:])


def _joined(worlds: Sequence[Compiled]) -> Compiled:
    """The tables of worlds with equally many bits as one table."""
    tables = [world.table for world in worlds]
    first = tables[0]
    ahead = np.cumsum([0, *(len(table.row) for table in tables[:-1])])
    rows = [table.row + picks for table, picks in zip(tables, ahead, strict=True)]
    start_rows = [table.start_row + picks for table, picks in zip(tables, ahead, strict=True)]
    ends = [table.terminated for table in tables if table.terminated is not None]
    # the columns that only describe the table are left out: stepping does not read them
    joined = StepTable(
        start=_behind([table.start for table in tables]),
        start_row=np.concatenate(start_rows),
        start_contexts={},
        step=_behind([table.step for table in tables]),
        row=np.concatenate(rows),
        contexts={},
        reward=np.concatenate([table.reward for table in tables]),
        terminated=np.concatenate(ends) if ends else None,
        logged={
            name: np.concatenate([table.logged[name] for table in tables]) for name in first.logged
        },
    )
    return Compiled(
        joined,
        np.concatenate([world.first_contexts for world in worlds]),
        np.concatenate([world.contexts for world in worlds]),
        worlds[0].view,  # that of all: they have one observation space and one kind of observation
    )


def _behind(parts: Sequence[Alias]) -> Alias:
    """Alias tables one behind the other."""
    thresholds = np.concatenate([part.threshold for part in parts])
    outcomes = np.concatenate([part.outcome for part in parts])
    return Alias(parts[0].bits, thresholds, outcomes)

"""Helper of the worlds on grids: cells numbered row by row, and four moves, up (0), right (1), down
(2) and left (3). It defines no world.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from dosuite.causal import Array

UP, RIGHT, DOWN, LEFT = range(4)
ROW_STEP = np.array([-1, 0, 1, 0])  # change of the row by each move
COLUMN_STEP = np.array([0, 1, 0, -1])


@dataclass(frozen=True)
class Grid:
    """A grid without inner walls. Methods take and return cell numbers, arrays (n,)."""

    rows: int
    columns: int

    @property
    def cells(self) -> int:
        """The number of cells."""
        return self.rows * self.columns

    def moved(self, cell: Array, move: Array) -> Array:
        """The cell after a move; a move into the outer wall changes nothing."""
        row, column = np.divmod(cell, self.columns)
        row = np.clip(row + ROW_STEP[move], 0, self.rows - 1)
        column = np.clip(column + COLUMN_STEP[move], 0, self.columns - 1)
        return np.asarray(row * self.columns + column)

    def towards(self, cell: Array, goal: Array) -> Array:
        """The first move of a shortest path from a cell to a goal, by rows first; at the goal,
        right.
        """
        row, column = np.divmod(cell, self.columns)
        goal_row, goal_column = np.divmod(goal, self.columns)
        sideways = np.where(column <= goal_column, RIGHT, LEFT)
        down_or_sideways = np.where(row < goal_row, DOWN, sideways)
        return np.where(row > goal_row, UP, down_or_sideways)

    def corner(self, cell: float | np.integer[Any]) -> tuple[float, float]:
        """The upper left corner (x, y) of a cell, in a picture with half a cell of wall around the
        grid.
        """
        row, column = divmod(int(cell), self.columns)
        return column + 0.5, row + 0.5

    def distance(self, cell: Array | int, goal: Array | int) -> Array:
        """The number of moves on a shortest path between two cells; arrays are broadcast."""
        row, column = np.divmod(cell, self.columns)
        goal_row, goal_column = np.divmod(goal, self.columns)
        return np.asarray(abs(row - goal_row) + abs(column - goal_column))

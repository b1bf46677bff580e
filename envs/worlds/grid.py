"""Cells of a grid, numbered row by row, and four moves:

up (0), right (1), down (2) and left (3).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from dosuite.causal import Array

DOWN, RIGHT = np.array([-1, 0, 1, 0]), np.array([0, 1, 0, -1])  # of each move


@dataclass(frozen=True)
class Grid:
    """A grid without inner walls."""

    rows: int
    columns: int

    @property
    def cells(self) -> int:
        """How many cells it has."""
        return self.rows * self.columns

    def moved(self, cell: Array, move: Array) -> Array:
        """The cell after a move; at a wall one stays."""
        row, column = np.divmod(cell, self.columns)
        row = np.clip(row + DOWN[move], 0, self.rows - 1)
        return np.asarray(row * self.columns + np.clip(column + RIGHT[move], 0, self.columns - 1))

    def towards(self, cell: Array, goal: Array) -> Array:
        """The first move of a way from a cell to a goal:

        to its row, and then along it. At the goal, 1.
        """
        (row, column), (goal_row, goal_column) = (
            np.divmod(cell, self.columns),
            np.divmod(goal, self.columns),
        )
        sideways = np.where(column <= goal_column, 1, 3)
        return np.where(row > goal_row, 0, np.where(row < goal_row, 2, sideways))

    def corner(self, cell: float | np.integer[Any]) -> tuple[float, float]:
        """Where a cell is in a picture with walls around the grid: its upper left corner."""
        row, column = divmod(int(cell), self.columns)
        return column + 0.5, row + 0.5

    def distance(self, cell: Array | int, goal: Array | int) -> Array:
        """The moves of the shortest way between two cells."""
        (row, column), (goal_row, goal_column) = (
            np.divmod(cell, self.columns),
            np.divmod(goal, self.columns),
        )
        return np.asarray(abs(row - goal_row) + abs(column - goal_column))

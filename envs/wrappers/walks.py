"""MiniGrid with few numbers: where the agent is and looks, and four actions."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.utils import RecordConstructorArgs

from dosuite.causal import Array

ACTIONS = (0, 1, 2, 6)  # MiniGrid's numbers of: turn left, turn right, go forward, wait
LEFT, RIGHT, FORWARD, WAIT = range(4)
EAST, SOUTH = 0, 1
LAST_COLUMN = 0.7  # of a grid of 8 columns with walls, as a share that lies left of it


class Walk(gymnasium.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """A grid of MiniGrid without objects to carry.

    Observation: Box (6,): column and row of the agent as shares of the grid's, and its direction
    (east, south, west, north), one-hot. Action: Discrete(4): turn left, turn right, go forward,
    wait.
    """

    def __init__(self, env: gymnasium.Env[Any, Any]):
        RecordConstructorArgs.__init__(self)
        gymnasium.Wrapper.__init__(self, env)
        self.observation_space = spaces.Box(0.0, 1.0, (6,), np.float32)
        self.action_space = spaces.Discrete(len(ACTIONS))

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Array, dict[str, Any]]:
        """The first observation, and the info of the environment."""
        _, info = self.env.reset(seed=seed, options=options)
        return self._observation(), info

    def step(self, action: Any) -> tuple[Array, Any, bool, bool, dict[str, Any]]:
        """A step of the environment."""
        _, reward, terminated, truncated, info = self.env.step(ACTIONS[int(action)])
        return self._observation(), reward, terminated, truncated, info

    def _observation(self) -> Array:
        grid: Any = self.env.unwrapped
        place = np.array(grid.agent_pos) / (grid.width, grid.height)
        return np.append(place, np.eye(4)[grid.agent_dir]).astype(np.float32)


def carry(grid: Any, force: float) -> None:
    """Carry the agent one cell, with the probability |force|.

    It is carried east, or else south, if the force is above 0, and else west, or else north; it
    stays where neither cell is empty.
    """
    if grid.np_random.random() >= abs(force):
        return
    x, y = grid.agent_pos
    step = 1 if force > 0 else -1
    for place in ((x + step, y), (x, y + step)):
        if grid.grid.get(*place) is None:
            grid.agent_pos = place
            return


def to_the_corner(observations: Array) -> Array:
    """The expert: east along the row, then south, to the goal in the corner: (n, 6) to (n,)."""
    column, direction = observations[:, 0], observations[:, 2:].argmax(1)
    is_last = column > LAST_COLUMN
    wanted = np.where(is_last, SOUTH, EAST)
    turn = np.where((wanted - direction) % 4 == 3, LEFT, RIGHT)
    return np.where(direction == wanted, FORWARD, turn)

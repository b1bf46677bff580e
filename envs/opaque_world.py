"""Worlds that are not structural causal models."""

from typing import Any, ClassVar, Self

import gymnasium
import numpy as np
from numpy.typing import NDArray

from dosuite.causal import Columns

from .pictures.scene import Pixels
from .pictures.window import FPS, MODES, Window, check_mode, warn_of_no_mode
from .rollouts import Playing


class OpaqueWorld(gymnasium.Env[Any, Any]):
    """An environment without a causal model: it has no exact values and no twin.

    Its values are estimated by rollouts. A subclass draws itself in `picture`, and calls `show` at
    the end of `reset` and of `step`. The render modes are those of `CausalEnv`; raises InputError
    at any other.
    """

    metadata = {"render_modes": MODES, "render_fps": FPS}  # noqa: RUF012
    version: ClassVar[int] = 0
    shifts: ClassVar[tuple[str, ...]] = ()
    deployment: ClassVar[str] = ""  # the shift in which policies are valued; "" is the world itself
    horizon: int  # steps in an episode

    def __init__(self, render_mode: str | None):
        check_mode(render_mode)
        self.render_mode = render_mode
        self._window = Window()

    @classmethod
    def id(cls) -> str:
        """The id under which Gymnasium knows it, such as "KeysChests-v0"."""
        return f"{cls.__name__}-v{cls.version}"

    def shifted(self, shift: str) -> Self:
        """This world under one of its `shifts`, or itself if that is ""."""
        raise NotImplementedError

    def played(self, player: Playing, count: int, seed: int) -> Columns:
        """`count` episodes of a player, with the same levels for every player: columns (count,
        horizon), of which `reward` is 0 after the end of an episode.
        """
        raise NotImplementedError

    def picture(self) -> Pixels:
        """The picture of the present state: (height, width, 3)."""
        raise NotImplementedError

    def show(self) -> None:
        """Show the picture in the window, in the mode "human"; otherwise do nothing."""
        if self.render_mode == "human":
            self._window.show(self.picture())

    def render(self) -> NDArray[np.uint8] | None:
        """The picture. In the mode "human" it is shown in a window instead, and None returned."""
        if self.render_mode is None:
            warn_of_no_mode()
            return None
        if self.render_mode == "rgb_array":
            return self.picture()
        self.show()
        return None

    def close(self) -> None:
        """Close the window, if one is open."""
        self._window.close()

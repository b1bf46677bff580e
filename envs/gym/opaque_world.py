"""Worlds whose dynamics are no structural causal model."""

from typing import Any, ClassVar

import gymnasium
import numpy as np
from numpy.typing import NDArray

from ..pictures.scene import Pixels
from .rendering import FPS, MODES, Window, check_mode, warn_of_no_mode


class OpaqueWorld(gymnasium.Env[Any, Any]):
    """An environment whose dynamics are opaque: there are neither exact answers nor a twin, and its
    values are estimated.

    A subclass draws itself in `picture`, and calls `show` at the end of `reset` and of `step`. The
    render modes are those of `CausalEnv`. Raises InputError at another one."""

    metadata = {"render_modes": MODES, "render_fps": FPS}  # noqa: RUF012
    version: ClassVar[int] = 0
    horizon: int  # steps in an episode

    def __init__(self, render_mode: str | None):
        check_mode(render_mode)
        self.render_mode = render_mode
        self._window = Window()

    @classmethod
    def id(cls) -> str:
        """The name under which it is registered with Gymnasium."""
        return f"{cls.__name__}-v{cls.version}"

    def picture(self) -> Pixels:
        """What the world looks like: (height, width, 3)."""
        raise NotImplementedError

    def show(self) -> None:
        """In the mode "human", show the picture in the window."""
        if self.render_mode == "human":
            self._window.show(self.picture())

    def render(self) -> NDArray[np.uint8] | None:
        """The picture; in the mode "human", None and a window."""
        if self.render_mode is None:
            warn_of_no_mode()
            return None
        if self.render_mode == "rgb_array":
            return self.picture()
        self.show()
        return None

    def close(self) -> None:
        """Close the window, if there is one."""
        self._window.close()

"""Simulated units that can be drawn, as pixel arrays or in a window."""

from typing import Any

from dosuite.causal import World

from ..pictures.scene import Pixels
from ..pictures.window import Window, check_mode
from .by_variable import OneByVariable


def watched(model: World, mode: str) -> "Watched":
    """A unit that is drawn on demand ("rgb_array"), or after each step in a window ("human").

    Raises InputError at any other mode.
    """
    check_mode(mode)
    return Watched(model) if mode == "rgb_array" else InWindow(model)


class Watched(OneByVariable):
    """A unit that can be drawn: it simulates every variable, including those only pictures show."""

    def __init__(self, model: World):
        super().__init__(model, whole=True)
        self._model = model

    def picture(self) -> Pixels:
        """The picture of the present state: (height, width, 3)."""
        from ..pictures.graph_drawing import frame  # matplotlib is slow to import

        return frame(self._model, self.look())

    def render(self) -> Pixels | None:
        """The picture."""
        return self.picture()

    def close(self) -> None:
        """Nothing is open."""


class InWindow(Watched):
    """A unit that shows its picture in a matplotlib window after each step."""

    def __init__(self, model: World):
        super().__init__(model)
        self._window = Window()

    def reset(self, seed: int | None, ended: bool) -> Any:
        """See `OneByTable.reset`."""
        observation = super().reset(seed, ended)
        self.render()
        return observation

    def act(self, action: float) -> tuple[Any, float, bool, dict[str, Any]]:
        """See `OneByTable.act`."""
        outcome = super().act(action)
        self.render()
        return outcome

    def render(self) -> None:
        """Show the picture in the window."""
        self._window.show(self.picture())

    def close(self) -> None:
        """Close the window."""
        self._window.close()

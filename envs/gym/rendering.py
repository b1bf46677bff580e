"""Units that can be watched: one at a time, in arrays of pixels or in a window."""

from typing import TYPE_CHECKING, Any

import gymnasium

from dosuite.causal import InputError, World

from ..pictures.scene import DPI, Pixels
from .by_variable import OneByVariable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MODES = ["rgb_array", "human"]
FPS = 2  # pictures a second in the window


def watched(model: World, mode: str) -> "Watched":
    """A unit that is drawn on demand ("rgb_array"), or in a window at each step ("human").

    Raises InputError at another mode.
    """
    check_mode(mode)
    return Watched(model) if mode == "rgb_array" else InWindow(model)


def check_mode(mode: str | None) -> None:
    """Raises InputError if a render mode is not one of `MODES`, nor None."""
    if mode not in (*MODES, None):
        raise InputError(f'the render_mode is "rgb_array", "human" or None, and got {mode!r}')


def warn_of_no_mode() -> None:
    """Say what to do where a picture is asked for and there is no render mode."""
    gymnasium.logger.warn(
        "there is no picture without a render_mode: make the environment with "
        'render_mode="rgb_array"'
    )


class Watched(OneByVariable):
    """A unit that can be drawn."""

    def __init__(self, model: World):
        super().__init__(model, whole=True)
        self._model = model

    def picture(self) -> Pixels:
        """Where the unit stands: (height, width, 3)."""
        from ..pictures.graph_drawing import frame  # matplotlib is slow to import

        return frame(self._model, self.look())

    def render(self) -> Pixels | None:
        """The picture."""
        return self.picture()

    def close(self) -> None:
        """Nothing is open."""


class InWindow(Watched):
    """A unit that shows where it stands, after each step, in a window of matplotlib's."""

    def __init__(self, model: World):
        super().__init__(model)
        self._window = Window()

    def reset(self, seed: int | None, ended: bool) -> Any:
        """As `OneByVariable.reset`."""
        seen = super().reset(seed, ended)
        self.render()
        return seen

    def act(self, action: float) -> tuple[Any, float, bool, dict[str, Any]]:
        """As `OneByVariable.act`."""
        outcome = super().act(action)
        self.render()
        return outcome

    def render(self) -> None:
        """Show the picture."""
        self._window.show(self.picture())

    def close(self) -> None:
        """Close the window."""
        self._window.close()


class Window:
    """A window of matplotlib's that opens with its first picture."""

    def __init__(self) -> None:
        self._figure: Figure | None = None

    def show(self, picture: Pixels) -> None:
        """Show a picture for half a second, in a new window if there is none."""
        from matplotlib import pyplot

        if self._figure is None or not pyplot.fignum_exists(self._figure.number):
            self._figure = _opened(picture)
        self._figure.axes[0].images[0].set_data(picture)
        canvas = self._figure.canvas
        canvas.draw_idle()
        if canvas.required_interactive_framework is not None:
            canvas.start_event_loop(1 / FPS)

    def close(self) -> None:
        """Close the window, if it is open."""
        if self._figure is not None:
            from matplotlib import pyplot

            pyplot.close(self._figure)
            self._figure = None


def _opened(picture: Pixels) -> "Figure":
    """A window with a picture, or what stands for one on a machine that has none;

    then a warning says so.
    """
    from matplotlib import pyplot

    height, width, _ = picture.shape
    figure = pyplot.figure(figsize=(width / DPI, height / DPI), dpi=DPI)
    figure.add_axes((0, 0, 1, 1)).imshow(picture, interpolation="none")
    figure.axes[0].set_axis_off()
    if figure.canvas.required_interactive_framework is None:
        gymnasium.logger.warn(
            f"there is no window on this machine (matplotlib has {pyplot.get_backend()}): use "
            'render_mode="rgb_array"'
        )
    else:
        figure.show()
    return figure

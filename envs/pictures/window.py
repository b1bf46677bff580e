"""Render modes, and a matplotlib window that shows pictures as they come."""

from typing import TYPE_CHECKING

import gymnasium

from dosuite.causal import InputError

from .scene import DPI, Pixels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MODES = ["rgb_array", "human"]
FPS = 2  # pictures per second in the window


def check_mode(mode: str | None) -> None:
    """Raise InputError if a render mode is neither in `MODES` nor None."""
    if mode not in (*MODES, None):
        raise InputError(f'the render_mode is "rgb_array", "human" or None, and got {mode!r}')


def warn_of_no_mode() -> None:
    """Warn that `render` has no picture without a render mode."""
    gymnasium.logger.warn(
        "there is no picture without a render_mode: make the environment with "
        'render_mode="rgb_array"'
    )


class Window:
    """A matplotlib window that opens with its first picture."""

    def __init__(self) -> None:
        self._figure: Figure | None = None

    def show(self, picture: Pixels) -> None:
        """Show a picture for half a second, in a new window if none is open."""
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
    """A window with a picture. On a machine without a display, an invisible one, and a warning."""
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

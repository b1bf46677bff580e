"""What a world draws its own picture with: colours, and a scene of cells with simple shapes.

matplotlib is imported when a scene is made, so that importing a world is fast.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Pixels = NDArray[np.uint8]  # (height, width, 3): red, green and blue, 0 to 255
Point = tuple[float, float]

INK, GREY, PAPER = "#222222", "#8a8a8a", "#ffffff"
# After Okabe and Ito (2008), which colour-blind people can tell apart.
BLUE, ORANGE, GREEN = "#0072b2", "#e69f00", "#009e73"
RED, PURPLE, YELLOW = "#d55e00", "#cc79a7", "#f5d33f"
WOOD = "#8b5a2b"
FLOOR, WALL, LAND, WATER, ROAD = "#f1efe9", "#5b6470", "#c9dfb4", "#bcdcf0", "#c8c8cc"

DPI = 100
WIDEST, LARGEST_CELL, SMALLEST_CELL = 640, 96, 24  # pixels


class Scene:
    """A picture of `columns` x `rows` cells, each 1 x 1.

    x grows to the right and y downwards; the middle of cell (x, y) is at (x + 0.5, y + 0.5). Later
    shapes cover earlier ones. The scene is 640 pixels wide, unless a cell would then be less than
    24 or more than 96 pixels wide.
    """

    def __init__(self, columns: int, rows: int, ground: str = FLOOR):
        from matplotlib.figure import Figure

        self._cell = min(max(WIDEST // columns, SMALLEST_CELL), LARGEST_CELL)
        size = (columns * self._cell / DPI, rows * self._cell / DPI)
        self._figure = Figure(figsize=size, dpi=DPI, facecolor=ground)
        self._axes = self._figure.add_axes((0, 0, 1, 1), xlim=(0, columns), ylim=(rows, 0))
        self._axes.set_axis_off()

    @classmethod
    def of_map(cls, rows: Sequence[str], colours: Mapping[str, str]) -> Self:
        """A scene with a tile for each letter of the rows, which have equal lengths.

        `colours` gives the colour of each letter.
        """
        scene = cls(len(rows[0]), len(rows))
        for y, row in enumerate(rows):
            for x, letter in enumerate(row):
                scene.tile(x, y, colours[letter])
        return scene

    def tile(self, x: float, y: float, colour: str, width: float = 1, height: float = 1) -> None:
        """A rectangle with a thin white border; (x, y) is its upper left corner."""
        from matplotlib.patches import Rectangle

        self._add(Rectangle((x, y), width, height, facecolor=colour, edgecolor=PAPER, linewidth=1))

    def disc(self, x: float, y: float, radius: float, colour: str) -> None:
        """A disc around (x, y)."""
        from matplotlib.patches import Circle

        self._add(Circle((x, y), radius, facecolor=colour, edgecolor="none"))

    def polygon(self, points: Sequence[Point], colour: str) -> None:
        """A filled polygon with these corners."""
        from matplotlib.patches import Polygon

        self._add(
            Polygon(points, facecolor=colour, edgecolor=colour, linewidth=1, joinstyle="round")
        )

    def line(self, points: Sequence[Point], colour: str = INK, width: float = 2.0) -> None:
        """A line through the points; `width` is in printer's points."""
        self._axes.plot(
            *zip(*points, strict=True),
            color=colour,
            linewidth=width,
            solid_capstyle="round",
            solid_joinstyle="round",
        )

    def arrow(self, x: float, y: float, dx: float, dy: float, colour: str = INK) -> None:
        """An arrow from (x, y) to (x + dx, y + dy)."""
        size = 0.22 * self._cell
        style = {
            "arrowstyle": "-|>",
            "color": colour,
            "linewidth": size / 6,
            "mutation_scale": size,
            # from end to end
            "shrinkA": 0,
            "shrinkB": 0,
        }
        self._axes.annotate("", (x + dx, y + dy), (x, y), arrowprops=style, zorder=2)

    def text(self, x: float, y: float, words: str, size: float = 0.4, colour: str = INK) -> None:
        """A text centred on (x, y), with letters `size` cells high."""
        self._axes.text(
            x,
            y,
            words,
            fontsize=size * self._cell * 72 / DPI,
            color=colour,
            ha="center",
            va="center",
            weight="bold",
            zorder=2,
        )

    def agent(self, x: float, y: float, colour: str = BLUE) -> None:
        """A person in the cell around (x, y): a half ellipse as body, a disc as head."""
        angle = np.linspace(0, np.pi, 20)
        shoulders_x = x + 0.24 * np.cos(angle)
        shoulders_y = y + 0.12 - 0.22 * np.sin(angle)
        shoulders = list(zip(shoulders_x, shoulders_y, strict=True))
        self.polygon([*shoulders, (x - 0.24, y + 0.3), (x + 0.24, y + 0.3)], colour)
        self.disc(x, y - 0.2, 0.17, PAPER)
        self.disc(x, y - 0.2, 0.145, colour)

    def car(self, x: float, y: float, colour: str = BLUE, braking: bool = False) -> None:
        """A car that heads to the right, with its middle at (x, y); red tail lights if braking."""
        roof = y - 0.32
        cabin = [(x - 0.35, y - 0.08), (x - 0.2, roof), (x + 0.15, roof), (x + 0.32, y - 0.08)]
        self.polygon(cabin, PAPER)
        self.tile(x - 0.5, y - 0.12, colour, 1, 0.26)
        for wheel in (x - 0.28, x + 0.28):
            self.disc(wheel, y + 0.15, 0.13, INK)
        self.disc(x - 0.48, y - 0.02, 0.1 if braking else 0.05, RED if braking else GREY)

    def pixels(self) -> Pixels:
        """The scene as pixels."""
        return pixels(self._figure)

    def _add(self, patch: Any) -> None:
        patch.set_zorder(2)
        self._axes.add_patch(patch)


def pixels(figure: "Figure") -> Pixels:
    """A matplotlib figure as pixels."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas: Any = FigureCanvasAgg(figure)  # its methods are untyped
    canvas.draw()
    return np.array(canvas.buffer_rgba())[..., :3]

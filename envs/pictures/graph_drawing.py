"""Pictures of causal graphs, and of the steps of a world.

Lengths are inches, and y grows upwards.
"""

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import networkx as nx
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path

from dosuite.causal import ADMG, LAG, InputError, World
from dosuite.causal.arrays import Floats

from .graph_layout import ARC, MARGIN, Edge, Layout, Place
from .lettering import BARE, FILLED, NAME, PAD, ROLE, label, length, weight, width_of
from .scene import DPI, GREY, INK, PAPER, Pixels, pixels
from .sight import Sight

FILLS = {"action": "#cfe3f2", "reward": "#fbe3b5", "latent": PAPER}
PLAIN = "#f1f1f1"  # fill of the other roles
EDGE = "#444444"  # colour of an arrow
CUT = "#cccccc"  # colour of an arrow into the action, which intervening cuts
VALUE, TITLE = 9.5, 11.0  # sizes of letters, in points
SLOT = 0.2  # height of the slot of a value
HEAD = 0.4  # height of a title
LEAST_WIDTH = 4.8  # of a scene with its values below


def draw_graph(graph: "nx.DiGraph[str] | ADMG") -> Figure:
    """A figure of a causal graph, causes left of their effects.

    Latent variables are above the others and dashed; action and reward are coloured. A hidden
    common cause without a name is a dashed arc with two heads.
    """
    source = graph.dag if isinstance(graph, ADMG) else graph
    arcs: dict[str, Edge] = {
        name: node["arc"] for name, node in source.nodes.items() if "arc" in node
    }
    named = source.copy()
    named.remove_nodes_from(arcs)
    layout = Layout(named, BARE, arcs.values())
    figure, axes = _sheet(*layout.box)
    _draw_graph(axes, layout)
    for arc in arcs.values():
        points = layout.visible(*layout.sorted(arc), -ARC)
        _draw_arrow(axes, points, EDGE, heads="<|-|>", line="--")
    return figure


def frame(model: World, sight: Sight) -> Pixels:
    """One picture of an episode, (height, width, 3).

    It is the world's own picture with the values below it, or, if the world draws none, its graph
    with the values in it. All pictures of a model have the same size. Raises InputError if the
    world's own picture is not uint8 (height, width, 3).
    """
    scene = model.picture(sight.now, sight.past)
    if scene is None:
        return pixels(_graph_frame(model, sight))
    if scene.dtype != np.uint8 or scene.shape[2:] != (3,):
        raise InputError(
            f"{type(model).__name__}.picture must give uint8 (height, width, 3), and gave "
            f"{scene.dtype} {scene.shape}"
        )
    return pixels(_scene_frame(model, sight, scene))


def caption(width: int, first: str, last: str) -> Pixels:
    """A strip with one text at the left and one at the right: (height, width, 3).

    `width` is an even number of pixels.
    """
    figure, axes = _sheet(0.0, 0.0, width / DPI, HEAD)
    figure.set_facecolor(FILLS["action"])
    _draw_ends(axes, first, last)
    return pixels(figure)


def _graph_frame(model: World, sight: Sight) -> Figure:
    """The graph of a model with the values in its nodes, below a title."""
    layout = _layout_of(model)
    left, bottom, right, top = layout.box
    right = max(right, left + _width_of_title(model))
    figure, axes = _sheet(left, bottom, right, top + HEAD)
    _draw_title(axes, model, sight)
    _draw_graph(axes, layout, _values(model, sight), cut=model.action)
    return figure


@lru_cache(maxsize=16)
def _layout_of(model: World) -> Layout:
    return Layout(model.graph, FILLED)


def _scene_frame(model: World, sight: Sight, scene: Pixels) -> Figure:
    """The world's own picture, below a title and above rows of nodes with the values."""
    scene_height, scene_width = scene.shape[0] / DPI, scene.shape[1] / DPI
    widths = {name: width_of(name, model.variables[name].role, FILLED) for name in model.order}
    widest = max(scene_width, *widths.values()) + 2 * MARGIN
    width = max(widest, _width_of_title(model), LEAST_WIDTH)
    rows = _wrapped(widths, width - 2 * MARGIN)
    below = len(rows) * (FILLED + MARGIN) + MARGIN
    figure, axes = _sheet(0.0, 0.0, width, below + scene_height + HEAD)
    _draw_title(axes, model, sight)

    left = (width - scene_width) / 2
    box = (left, left + scene_width, below, below + scene_height)
    axes.imshow(scene, extent=box, interpolation="none", aspect="auto")

    values = _values(model, sight)
    for number, row in enumerate(rows):
        x = (width - sum(widths[name] + PAD for name in row) + PAD) / 2
        y = below - MARGIN - number * (FILLED + MARGIN) - FILLED / 2
        for name in row:
            role, middle = model.variables[name].role, (x + widths[name] / 2, y)
            _draw_node(axes, name, role, middle, widths[name], FILLED, values.get(name, ""))
            x += widths[name] + PAD
    return figure


def _wrapped(widths: Mapping[str, float], width: float) -> list[list[str]]:
    """The names in rows that are at most `width` wide."""
    rows: list[list[str]] = [[]]
    for name in widths:
        row = rows[-1]
        width_of_row = sum(widths[other] + PAD for other in (*row, name)) - PAD
        if row and width_of_row > width:
            rows.append([name])
        else:
            row.append(name)
    return rows


def _values(model: World, sight: Sight) -> dict[str, str]:
    """The texts in the nodes: the values of the last step, or, before it, those of the present.

    A context that goes on has its old and its new value.
    """
    past = sight.past
    values = {name: f"{value:.4g}" for name, value in (past or sight.now).items()}
    values |= {name + LAG: f"{value:.4g}" for name, value in sight.before.items()}
    is_terminal = any(past.get(name) == 1 for name in model.names("terminal"))
    if past and not is_terminal and sight.step < model.horizon:
        for name in model.contexts:
            values[name] = f"{values[name]} → {sight.now[name]:.4g}"
    return values


def _sheet(left: float, bottom: float, right: float, top: float) -> tuple[Figure, Axes]:
    """A figure, and axes in inches that fill it.

    Its sides are rounded up to an even number of pixels, which video formats need.
    """
    width, height = _even(right - left), _even(top - bottom)
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor=PAPER)
    axes = figure.add_axes(
        (0, 0, 1, 1), xlim=(left, left + width), ylim=(top - height, top), autoscale_on=False
    )
    axes.set_axis_off()
    return figure, axes


def _even(side: float) -> float:
    """A length rounded up to an even number of pixels."""
    return math.ceil(side * DPI / 2 - 1e-6) * 2 / DPI


def _draw_title(axes: Axes, model: World, sight: Sight) -> None:
    state = "" if sight.past else ", to act"
    _draw_ends(axes, type(model).__name__, f"step {max(sight.step, 1)} of {model.horizon}{state}")


def _draw_ends(axes: Axes, first: str, last: str) -> None:
    """Two texts at the top, one at the left and one at the right."""
    left, right = axes.get_xlim()
    y = axes.get_ylim()[1] - 0.22
    title: dict[str, Any] = {"fontsize": TITLE, "fontweight": "bold", "color": INK}
    axes.text(left + MARGIN, y, first, va="center", **title)
    axes.text(right - MARGIN, y, last, fontsize=VALUE, color=GREY, ha="right", va="center")


def _width_of_title(model: World) -> float:
    longest = f"step {model.horizon} of {model.horizon}, to act"
    return length(type(model).__name__, TITLE, "bold") + length(longest, VALUE) + 4 * MARGIN


def _draw_graph(
    axes: Axes, layout: Layout, values: Mapping[str, str] | None = None, cut: str = ""
) -> None:
    """Arrows and nodes; arrows into the variable `cut` are faint."""
    roles = {name: node["role"] for name, node in layout.graph.nodes.items()}
    for (cause, effect), bend in layout.bends.items():
        colour = CUT if effect == cut else EDGE
        points = layout.visible(cause, effect, bend)
        _draw_arrow(axes, points, colour, heads="-|>", line=_line(roles[cause]))
    for name, place in layout.places.items():
        value = None if values is None else values.get(name, "")
        _draw_node(axes, name, roles[name], place, layout.widths[name], layout.height, value)


def _draw_node(
    axes: Axes, name: str, role: str, place: Place, width: float, height: float, value: str | None
) -> None:
    """A box with role and name, and a slot for the value, unless that is None."""
    x, y = place
    top = y + height / 2
    _draw_box(axes, x, top, width, height, FILLS.get(role, PLAIN), EDGE, _line(role))
    _draw_text(axes, x, top - 0.1, role, ROLE, "normal", GREY)
    y_of_name = top - (0.265 if role else height / 2)
    _draw_text(axes, x, y_of_name, label(name), NAME, weight(role), INK)
    if value is not None:
        slot, top_of_slot = width - 2 * PAD, top - height + 0.08 + SLOT
        _draw_box(axes, x, top_of_slot, slot, SLOT, PAPER, "#dddddd", "-")
        # Long values are written smaller.
        share = (slot - 0.08) / max(length(value, VALUE, "bold"), 0.01)
        size = VALUE * min(1.0, share)
        _draw_text(axes, x, top_of_slot - SLOT / 2, value, size, "bold", INK)


def _line(role: str) -> str:
    return "--" if role == "latent" else "-"


def _draw_text(
    axes: Axes, x: float, y: float, text: str, size: float, weight: str, colour: str
) -> None:
    """A text centred on (x, y)."""
    axes.text(
        x,
        y,
        text,
        fontsize=size,
        fontweight=weight,
        color=colour,
        ha="center",
        va="center_baseline",
        zorder=4,
    )


def _draw_box(
    axes: Axes, x: float, top: float, width: float, height: float, fill: str, edge: str, line: str
) -> None:
    """A box with round corners, centred on x."""
    box = FancyBboxPatch(
        (x - width / 2, top - height),
        width,
        height,
        "round,pad=0,rounding_size=0.05",
        fc=fill,
        ec=edge,
        ls=line,
        lw=1,
        zorder=3,
    )
    axes.add_artist(box)


def _draw_arrow(axes: Axes, points: Floats, colour: str, heads: str, line: str) -> None:
    """An arrow along points (n, 2)."""
    arrow = FancyArrowPatch(
        path=Path(points),
        arrowstyle=heads,
        mutation_scale=11,
        ls=line,
        lw=1,
        color=colour,
        zorder=2,
    )
    axes.add_artist(arrow)

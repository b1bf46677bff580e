"""Pictures of causal graphs, and of the steps of a world.

Lengths are inches, and y grows upwards.
"""

import math
from collections.abc import Mapping
from functools import lru_cache

import networkx as nx
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path

from dosuite.causal import ADMG, LAG, InputError, World

from .graph_layout import (
    ARC,
    BARE,
    FILLED,
    MARGIN,
    NAME,
    PAD,
    ROLE,
    Edge,
    Layout,
    Place,
    label,
    length,
    weight,
    width_of,
)
from .scene import DPI, GREY, INK, PAPER, Pixels, pixels
from .sight import Sight

FILLS = {"action": "#cfe3f2", "reward": "#fbe3b5", "latent": PAPER}
PLAIN = "#f1f1f1"  # of the other roles
EDGE, CUT = "#444444", "#cccccc"  # arrows, and those that acting cuts
VALUE, TITLE = 9.5, 11.0  # sizes of letters, in points
SLOT, HEAD, LEAST_WIDTH = (
    0.2,
    0.4,
    4.8,
)  # heights of the slot of a value and of a title, width of a scene and its values


def draw_graph(graph: "nx.DiGraph[str] | ADMG") -> Figure:
    """A causal graph, causes left of effects: latent variables above and dashed, action and reward
    filled.

    A hidden common cause without a name is a dashed arc with two heads.
    """
    every = graph.dag if isinstance(graph, ADMG) else graph
    arcs: dict[str, Edge] = {
        name: node["arc"] for name, node in every.nodes.items() if "arc" in node
    }
    graph = every.copy()
    graph.remove_nodes_from(arcs)
    layout = Layout(graph, BARE, arcs.values())
    figure, axes = _sheet(*layout.box)
    _draw_graph(axes, layout)
    for arc in arcs.values():
        _draw_arrow(axes, layout, *layout.sorted(arc), -ARC, "<|-|>", "--")
    return figure


def frame(model: World, sight: Sight) -> Pixels:
    """One picture of an episode, (height, width, 3): the world's own with a row of values below, or
    its graph with values in it.

    All pictures of a model have the same size. The arrows into the action are faint, for whoever
    acts cuts them. Raises InputError if the world's own picture is not such an array."""
    scene = model.picture(sight.now, sight.past)
    if scene is not None and (scene.dtype != np.uint8 or scene.shape[2:] != (3,)):
        raise InputError(
            f"{type(model).__name__}.picture must give uint8 (height, width, 3), and gave "
            f"{scene.dtype} {scene.shape}"
        )
    return pixels(
        _graph_frame(model, sight) if scene is None else _scene_frame(model, sight, scene)
    )


def caption(width: int, first: str, last: str) -> Pixels:
    """A strip `width` pixels wide, an even number, with one text on the left and one on the right:

    (height, width, 3).
    """
    figure, axes = _sheet(0.0, 0.0, width / DPI, HEAD)
    figure.set_facecolor(FILLS["action"])
    _draw_ends(axes, first, last)
    return pixels(figure)


def _graph_frame(model: World, sight: Sight) -> Figure:
    layout = _layout_of(model)
    left, bottom, right, top = layout.box
    figure, axes = _sheet(left, bottom, max(right, left + _width_of_title(model)), top + HEAD)
    _draw_title(axes, model, sight)
    _draw_graph(axes, layout, _values(model, sight), cut=model.action)
    return figure


@lru_cache(maxsize=16)
def _layout_of(model: World) -> Layout:
    return Layout(model.graph, FILLED)


def _scene_frame(model: World, sight: Sight, scene: Pixels) -> Figure:
    high, wide = scene.shape[0] / DPI, scene.shape[1] / DPI
    widths = {name: width_of(name, model.variables[name].role, FILLED) for name in model.order}
    width = max(
        wide + 2 * MARGIN, _width_of_title(model), max(widths.values()) + 2 * MARGIN, LEAST_WIDTH
    )
    rows = _wrapped(widths, width - 2 * MARGIN)
    below = len(rows) * (FILLED + MARGIN) + MARGIN
    figure, axes = _sheet(0.0, 0.0, width, below + high + HEAD)
    _draw_title(axes, model, sight)
    left = (width - wide) / 2
    axes.imshow(
        scene, extent=(left, left + wide, below, below + high), interpolation="none", aspect="auto"
    )
    values = _values(model, sight)
    for number, row in enumerate(rows):
        x = (width - sum(widths[name] + PAD for name in row) + PAD) / 2
        y = below - MARGIN - number * (FILLED + MARGIN) - FILLED / 2
        for name in row:
            _draw_node(
                axes,
                name,
                model.variables[name].role,
                (x + widths[name] / 2, y),
                widths[name],
                FILLED,
                values.get(name, ""),
            )
            x += widths[name] + PAD
    return figure


def _wrapped(widths: Mapping[str, float], width: float) -> list[list[str]]:
    """The names in rows that are no wider than `width`."""
    rows: list[list[str]] = [[]]
    for name in widths:
        if rows[-1] and sum(widths[other] + PAD for other in (*rows[-1], name)) - PAD > width:
            rows.append([])
        rows[-1].append(name)
    return rows


def _values(model: World, sight: Sight) -> dict[str, str]:
    """What is written into the nodes:

    the step just taken and the contexts that came of it, or what is drawn before the first.
    """
    past = sight.past
    values = {name: f"{value:.4g}" for name, value in (past or sight.now).items()}
    values |= {name + LAG: f"{value:.4g}" for name, value in sight.before.items()}
    over = sight.step >= model.horizon or any(
        past.get(name) == 1 for name in model.names("terminal")
    )
    follows = model.contexts if past and not over else ()
    return values | {name: f"{values[name]} → {sight.now[name]:.4g}" for name in follows}


def _sheet(left: float, bottom: float, right: float, top: float) -> tuple[Figure, Axes]:
    """A figure, an even number of pixels in size, as films need it, and axes in inches that fill
    it.
    """
    wide, high = (
        math.ceil(side * DPI / 2 - 1e-6) * 2 / DPI for side in (right - left, top - bottom)
    )
    figure = Figure(figsize=(wide, high), dpi=DPI, facecolor=PAPER)
    axes = figure.add_axes(
        (0, 0, 1, 1), xlim=(left, left + wide), ylim=(top - high, top), autoscale_on=False
    )
    axes.set_axis_off()
    return figure, axes


def _draw_title(axes: Axes, model: World, sight: Sight) -> None:
    when = f"step {max(sight.step, 1)} of {model.horizon}" + ("" if sight.past else ", to act")
    _draw_ends(axes, type(model).__name__, when)


def _draw_ends(axes: Axes, first: str, last: str) -> None:
    """Two texts at the top, one on the left and one on the right."""
    (left, right), top = axes.get_xlim(), axes.get_ylim()[1]
    axes.text(
        left + MARGIN, top - 0.22, first, fontsize=TITLE, fontweight="bold", color=INK, va="center"
    )
    axes.text(right - MARGIN, top - 0.22, last, fontsize=VALUE, color=GREY, ha="right", va="center")


def _width_of_title(model: World) -> float:
    longest = f"step {model.horizon} of {model.horizon}, to act"
    return length(type(model).__name__, TITLE, "bold") + length(longest, VALUE) + 4 * MARGIN


def _draw_graph(
    axes: Axes, layout: Layout, values: Mapping[str, str] | None = None, cut: str = ""
) -> None:
    roles = {name: node["role"] for name, node in layout.graph.nodes.items()}
    for (cause, effect), bend in layout.bends.items():
        _draw_arrow(
            axes,
            layout,
            cause,
            effect,
            bend,
            "-|>",
            _line(roles[cause]),
            CUT if effect == cut else EDGE,
        )
    for name, place in layout.places.items():
        value = None if values is None else values.get(name, "")
        _draw_node(axes, name, roles[name], place, layout.widths[name], layout.height, value)


def _draw_node(
    axes: Axes, name: str, role: str, place: Place, width: float, height: float, value: str | None
) -> None:
    """A box with role and name, and a slot with the value, which may be empty, unless it is None."""
    x, top = place[0], place[1] + height / 2
    _draw_box(axes, x, top, width, height, FILLS.get(role, PLAIN), EDGE, _line(role))
    _draw_text(axes, x, top - 0.1, role, ROLE, "normal", GREY)
    _draw_text(axes, x, top - (0.265 if role else height / 2), label(name), NAME, weight(role), INK)
    if value is not None:
        slot, ceiling = width - 2 * PAD, top - height + 0.08 + SLOT
        _draw_box(axes, x, ceiling, slot, SLOT, PAPER, "#dddddd", "-")
        size = VALUE * min(1.0, (slot - 0.08) / max(length(value, VALUE, "bold"), 0.01))
        _draw_text(axes, x, ceiling - SLOT / 2, value, size, "bold", INK)


def _line(role: str) -> str:
    return "--" if role == "latent" else "-"


def _draw_text(
    axes: Axes, x: float, y: float, text: str, size: float, weight: str, colour: str
) -> None:
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
    style = "round,pad=0,rounding_size=0.05"
    axes.add_artist(
        FancyBboxPatch(
            (x - width / 2, top - height),
            width,
            height,
            style,
            fc=fill,
            ec=edge,
            ls=line,
            lw=1,
            zorder=3,
        )
    )


def _draw_arrow(
    axes: Axes,
    layout: Layout,
    start: str,
    end: str,
    bend: float,
    heads: str,
    line: str,
    colour: str = EDGE,
) -> None:
    way = Path(layout.visible(start, end, bend))
    axes.add_artist(
        FancyArrowPatch(
            path=way, arrowstyle=heads, mutation_scale=11, ls=line, lw=1, color=colour, zorder=2
        )
    )

"""Pictures of causal graphs."""

import math

import networkx as nx
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from confoundry.causal import ADMG, LAG

INK = "#222222"
ARC = 0.4  # how far an arc bends, as a share of the distance of its ends


def draw_graph(graph: "nx.DiGraph[str] | ADMG") -> Figure:
    """A causal graph, causes left of effects: latent variables above and dashed, action and reward filled.

    A hidden common cause without a name is a dashed arc with two heads.
    """
    every = graph.dag if isinstance(graph, ADMG) else graph
    arcs = {name: arc for name, arc in every.nodes(data="arc") if arc}
    graph = every.copy()
    graph.remove_nodes_from(arcs)
    places = _places(graph)
    points = np.array(list(places.values()) or [(0.0, 0.0)])
    bulge = max((ARC * math.dist(places[one], places[other]) / 2 for one, other in arcs.values()), default=0.0)
    (left, bottom), (right, top) = points.min(0) - 0.6, points.max(0) + np.array([0.6, 0.55 + bulge])
    figure = Figure(figsize=(1.5 * (right - left), 0.9 * (top - bottom)))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
    boxes = {name: _draw_node(axes, name, graph.nodes[name]["role"], places[name]) for name in graph}

    def draw_arrow(start: str, end: str, heads: str, bend: float, dashed: bool) -> None:
        style = {"arrowstyle": heads, "linestyle": "--" if dashed else "-", "color": INK, "shrinkA": 2, "shrinkB": 2}
        ends = {"patchA": boxes[start], "patchB": boxes[end], "connectionstyle": f"arc3,rad={bend}"}
        axes.annotate("", places[end], places[start], arrowprops={**style, **ends})

    for cause, effect in graph.edges:
        draw_arrow(cause, effect, "-|>", _bend(cause, effect, places), dashed=graph.nodes[cause]["role"] == "latent")
    for one, other in arcs.values():
        start, end = sorted((one, other), key=places.__getitem__)
        draw_arrow(start, end, "<|-|>", -ARC, dashed=True)
    return figure


def _draw_node(axes: Axes, name: str, role: str, place: tuple[float, float]) -> FancyBboxPatch | None:
    fill = {"action": "#cfe3f2", "reward": "#fbe3b5", "latent": "white"}.get(role, "#f4f4f4")
    box = {"boxstyle": "round,pad=0.45", "facecolor": fill, "edgecolor": INK, "linestyle": "--" if role == "latent" else "-"}
    weight = "bold" if role in ("action", "reward") else "normal"
    text = axes.text(
        *place, name.replace(LAG, " (t-1)"), ha="center", va="center", fontsize=10, fontweight=weight, color=INK, bbox=box, zorder=3
    )
    axes.annotate(
        role, place, (0, 20 if role == "latent" else -19), textcoords="offset points", ha="center", va="center", fontsize=7, color="#777777"
    )
    return text.get_bbox_patch()


def _places(graph: "nx.DiGraph[str]") -> dict[str, tuple[float, float]]:
    """Observed variables by generation from left to right; a latent above the middle of its neighbours."""
    places: dict[str, tuple[float, float]] = {}
    for x, generation in enumerate(nx.topological_generations(graph)):
        seen = [name for name in generation if graph.nodes[name]["role"] != "latent"]
        places.update({name: (float(x), (len(seen) - 1) / 2 - y) for y, name in enumerate(seen)})
    top = max((y for _, y in places.values()), default=0.0) + 1.2
    for name in [name for name in nx.topological_sort(graph) if name not in places]:
        middle = np.mean([places[near][0] for near in nx.all_neighbors(graph, name) if near in places] or [0.0])
        free = [(float(middle + aside), top) for aside in (0, -0.5, 0.5, 1, -1, *range(2, len(graph)))]
        free = [place for place in free if all(math.dist(place, other) > 0.9 for other in places.values())]
        clear = (place for place in free if not any(_is_crossed(name, to, {**places, name: place}) for to in graph[name] if to in places))
        places[name] = next(clear, free[0])
    return places


def _is_crossed(cause: str, effect: str, places: dict[str, tuple[float, float]], bend: float = 0.0) -> bool:
    """Whether an arrow would run through a third node; a bend is a share of its length."""
    start, end = np.array(places[cause]), np.array(places[effect])
    middle = (start + end) / 2 + bend * (end - start)[::-1] * (1, -1)  # as matplotlib's arc3 has it
    along = np.linspace(0, 1, 25)[:, None]
    way = (1 - along) ** 2 * start + 2 * along * (1 - along) * middle + along**2 * end
    others = [place for name, place in places.items() if name not in (cause, effect)]
    return any(np.linalg.norm(way - place, axis=1).min() < 0.24 for place in others)


def _bend(cause: str, effect: str, places: dict[str, tuple[float, float]]) -> float:
    """The least bend with which an arrow runs through no third node."""
    bends = [aside / math.dist(places[cause], places[effect]) for aside in (0.0, 0.5, -0.5, 1.0, -1.0)]
    return next((bend for bend in bends if not _is_crossed(cause, effect, places, bend)), bends[1])

"""Where the nodes of a causal graph go, and how its arrows bend.

Lengths are inches, and y grows upwards.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

import networkx as nx
import numpy as np
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath

from dosuite.causal import LAG, Array

NAME, ROLE = 10.0, 6.5  # sizes of letters, in points
BARE, FILLED = 0.42, 0.7  # heights of a node without and with a value
LEAST_WIDTH, PAD, MARGIN = (
    0.66,
    0.1,
    0.18,
)  # of a node with a value, inside a node, around the graph
BETWEEN_COLUMNS, BETWEEN_ROWS, BETWEEN_LATENTS, BELOW_LATENTS = 0.5, 0.26, 0.2, 0.35
CLEAR = 0.06  # of an arrow from a node that it is not an arrow of
# how far the arc of a hidden common cause bends; bends are shares of the distance of an arrow's
# ends
ARC = 0.4
BENDS = (0.0, 0.15, 0.3, -0.15, -0.3, 0.45, -0.45, 0.6, -0.6)

Place = tuple[float, float]
Edge = tuple[str, str]


class Layout:
    """The places of the nodes' middles, their widths and their height, the bends of the edges, and
    the box around all of it.

    What is observed is in columns, causes left of effects and those of the step before leftmost;
    what is latent is in a row above."""

    def __init__(self, graph: "nx.DiGraph[str]", height: float = BARE, arcs: Iterable[Edge] = ()):
        self.graph, self.height = graph, height
        self.widths = {name: width_of(name, graph.nodes[name]["role"], height) for name in graph}
        self.places: dict[str, Place] = {}
        leftmost = self._place_observed()
        self._place_latents(leftmost)
        self.bends = {
            edge: min(BENDS, key=lambda bend: self._crossed(*edge, bend)) for edge in graph.edges
        }
        ways = [self.way(*edge, bend) for edge, bend in self.bends.items()] + [
            self.way(*self.sorted(arc), -ARC) for arc in arcs
        ]
        self.box = self._box(ways)

    def sorted(self, edge: Edge) -> Edge:
        """The same two nodes, the left one first."""
        one, other = sorted(edge, key=self.places.__getitem__)
        return one, other

    def way(
        self, start: str, end: str, bend: float, first: float = 0.0, last: float = 1.0
    ) -> Array:
        """Points on an arrow, (65, 2), from one share of it to another;

        all of it runs from middle to middle.
        """
        tail, head = np.array(self.places[start]), np.array(self.places[end])
        turn = (tail + head) / 2 + bend * (head - tail)[::-1] * (1, -1)
        along = np.linspace(first, last, 65)[:, None]
        return np.asarray(
            (1 - along) ** 2 * tail + 2 * along * (1 - along) * turn + along**2 * head
        )

    def visible(self, start: str, end: str, bend: float) -> Array:
        """Points on what is seen of an arrow, from the edge of one node to that of the other."""
        outside = ~self._inside(self.way(start, end, bend), [start, end], 0.015).any(1)
        shares = np.flatnonzero(outside) / 64
        if not len(shares):
            return self.way(start, end, bend)
        first, last = max(shares[0] - 1 / 64, 0.0), min(shares[-1] + 1 / 64, 1.0)
        fine = self.way(start, end, bend, first, last)
        return fine[~self._inside(fine, [start, end], 0.015).any(1)]

    def _inside(self, points: Array, names: Sequence[str], margin: float) -> Array:
        """Which points are in which nodes, or no further than `margin` from them:

        (points, names).
        """
        middles = np.array([self.places[name] for name in names]).reshape(-1, 2)
        reach = np.array(
            [(self.widths[name] / 2 + margin, self.height / 2 + margin) for name in names]
        ).reshape(-1, 2)
        return np.asarray((np.abs(points[:, None] - middles) < reach).all(2))

    def _bend(self, cause: str, effect: str) -> float:
        """The first bend with which an arrow runs through the fewest other nodes."""
        fewest, found = len(self.places), 0.0
        for bend in BENDS:
            crossed = self._crossed(cause, effect, bend)
            if crossed < fewest:
                fewest, found = crossed, bend
            if not fewest:
                break
        return found

    def _crossed(self, cause: str, effect: str, bend: float) -> int:
        """Through how many other nodes an arrow would run."""
        others = [name for name in self.places if name not in (cause, effect)]
        return int(self._inside(self.way(cause, effect, bend), others, CLEAR).any(0).sum())

    def _box(self, ways: list[Array]) -> tuple[float, float, float, float]:
        """Left, bottom, right and top."""
        middles = np.array(list(self.places.values())).reshape(-1, 2)
        half = np.array([(self.widths[name] / 2, self.height / 2) for name in self.places]).reshape(
            -1, 2
        )
        points = np.concatenate(
            [middles - half, middles + half, *ways, np.zeros((0 if self.places else 1, 2))]
        )
        (left, bottom), (right, top) = points.min(0) - MARGIN, points.max(0) + MARGIN
        return float(left), float(bottom), float(right), float(top)

    def _place_observed(self) -> float:
        """Place what is not latent. Returns the middle of the leftmost column."""
        columns = _columns(self.graph)
        observed = {
            name: column
            for name, column in columns.items()
            if self.graph.nodes[name]["role"] != "latent"
        }
        ranks = _ranks(self.graph, observed)
        middles, x = [], 0.0
        for column in range(max(columns.values(), default=0) + 1):
            inside = [
                name
                for name in columns
                if columns[name] == column and (name in observed or name.endswith(LAG))
            ]
            width = max((self.widths[name] for name in inside), default=0.0)
            middles.append(x + width / 2)
            x += width + (BETWEEN_COLUMNS if inside else 0.0)
        self.places |= {
            name: (middles[column], ranks[name] * (self.height + BETWEEN_ROWS))
            for name, column in observed.items()
        }
        return middles[0]

    def _place_latents(self, leftmost: float) -> None:
        """Put the latents in a row above, near the middle of their neighbours, where their arrows
        cross the fewest nodes.
        """
        right = max(
            (x for x, _ in self.places.values()), default=0.0
        )  # the wider, the higher, or arrows would be too flat
        y = (
            max((y for _, y in self.places.values()), default=0.0)
            + self.height
            + BELOW_LATENTS
            + right / 12
        )
        latents = [name for name in nx.topological_sort(self.graph) if name not in self.places]
        steps = sorted(range(-12 * len(latents) - 12, 12 * len(latents) + 13), key=abs)
        for place, name in enumerate(latents):
            near = [
                self.places[other][0]
                for other in nx.all_neighbors(self.graph, name)
                if other in self.places
            ]
            middle = leftmost if name.endswith(LAG) else float(np.mean(near or [leftmost]))
            self.places[name] = self._spot(
                name, [(middle + 0.25 * step, y) for step in steps], latents[:place]
            )

    def _spot(self, name: str, places: list[Place], row: list[str]) -> Place:
        """The best of some places for a latent, nearest ones first, beside those that are in the
        row already.
        """
        best, found = math.inf, places[0]
        for place in places:
            away = abs(place[0] - places[0][0])
            if away >= best:
                break
            if (
                self._is_free(name, place, row)
                and (cost := away + self._trouble(name, place)) < best
            ):
                best, found = cost, place
        return found

    def _is_free(self, name: str, place: Place, row: list[str]) -> bool:
        least = {
            other: (self.widths[name] + self.widths[other]) / 2 + BETWEEN_LATENTS for other in row
        }
        return all(abs(place[0] - self.places[other][0]) >= least[other] for other in row)

    def _trouble(self, name: str, place: Place) -> float:
        """How much the arrows of a latent would bend and cross if it were there."""
        self.places[name] = place
        bends = {
            effect: self._bend(name, effect)
            for effect in self.graph.successors(name)
            if effect in self.places
        }
        return sum(
            2 * abs(bend) + 4 * self._crossed(name, effect, bend) for effect, bend in bends.items()
        )


def _columns(graph: "nx.DiGraph[str]") -> dict[str, int]:
    """A column for each variable:

    right of its causes, or in that of a latent cause; the action is right of what is seen before.
    """
    columns: dict[str, int] = {}
    present = int(any(name.endswith(LAG) for name in graph))
    ordered = graph.copy()
    acts = [
        name for name in graph if graph.nodes[name]["role"] == "action" and not name.endswith(LAG)
    ]
    seen = [
        name for name in graph if graph.nodes[name]["role"] == "context" and not name.endswith(LAG)
    ]
    ordered.add_edges_from(
        (context, act) for act in acts for context in seen if not nx.has_path(graph, act, context)
    )
    for name in nx.topological_sort(ordered):
        after = [
            columns[cause] + (graph.nodes[cause]["role"] != "latent")
            for cause in ordered.predecessors(name)
        ]
        columns[name] = max([0 if name.endswith(LAG) else present, *after])
    return columns


def _ranks(graph: "nx.DiGraph[str]", columns: Mapping[str, int]) -> dict[str, float]:
    """The place of each variable in its column, upwards and around 0: near those of its neighbours
    (Sugiyama et al., 1981).

    A latent is taken to be above the middle of the highest column.
    """
    stacks = [
        [name for name in columns if columns[name] == column]
        for column in sorted(set(columns.values()))
    ]
    ranks = {name: rank for stack in stacks for name, rank in _centred(stack)}
    above = max((len(stack) for stack in stacks), default=0) / 2
    for stack in 4 * (stacks + stacks[::-1]):
        near = {
            name: [ranks.get(other, above) for other in nx.all_neighbors(graph, name)]
            or [ranks[name]]
            for name in stack
        }
        mean = {name: float(np.mean(places)) for name, places in near.items()}
        stack.sort(key=mean.__getitem__, reverse=True)
        ranks.update(_centred(stack))
    return ranks


def _centred(stack: list[str]) -> list[tuple[str, float]]:
    return [(name, (len(stack) - 1) / 2 - place) for place, name in enumerate(stack)]


def label(name: str) -> str:
    """A name as it is written into a node."""
    return name.replace(LAG, " (t-1)")


def weight(role: str) -> str:
    """Of the letters of a name."""
    return "bold" if role in ("action", "reward") else "normal"


def width_of(name: str, role: str, height: float) -> float:
    """How wide a node is, whatever its value."""
    return (
        max(
            length(label(name), NAME, weight(role)),
            length(role, ROLE),
            LEAST_WIDTH if height == FILLED else 0.0,
        )
        + 2 * PAD
    )


@lru_cache(maxsize=4096)
def length(text: str, size: float, weight: str = "normal") -> float:
    """How long a text is in print."""
    return (
        float(TextPath((0, 0), text, size, prop=FontProperties(weight=weight)).get_extents().width)
        / 72
        if text.strip()
        else 0.0
    )

"""The layout of a causal graph: places of its nodes and bends of its arrows.

Lengths are inches, and y grows upwards. A bend is a share of the distance between an arrow's ends.
"""

import math
from collections.abc import Iterable, Mapping, Sequence

import networkx as nx
import numpy as np

from dosuite.causal import LAG, Array
from dosuite.causal.arrays import Flags, Floats

from .lettering import BARE, width_of

MARGIN = 0.18  # around the graph
BETWEEN_COLUMNS, BETWEEN_ROWS = 0.5, 0.26  # gaps between observed nodes
BETWEEN_LATENTS, BELOW_LATENTS = 0.2, 0.35  # gaps in and below the row of latents
CLEAR = 0.06  # least distance of an arrow from a node that is not one of its ends
TOUCH = 0.015  # gap between an arrow's visible end and its node
ARC = 0.4  # bend of the arc of a hidden common cause
# The bends that are tried, in the order of preference.
BENDS = (0.0, 0.15, 0.3, -0.15, -0.3, 0.45, -0.45, 0.6, -0.6)
POINTS = 65  # on an arrow

Place = tuple[float, float]
Edge = tuple[str, str]


class Layout:
    """Middles, widths and height of the nodes, bends of the edges, and the box around all of them.

    Observed nodes are in columns, causes left of their effects, and those of the step before
    leftmost. Latent nodes are in a row above. `arcs` are the ends of hidden common causes.
    """

    def __init__(self, graph: "nx.DiGraph[str]", height: float = BARE, arcs: Iterable[Edge] = ()):
        self.graph = graph
        self.height = height
        self.widths = {name: width_of(name, graph.nodes[name]["role"], height) for name in graph}
        self.places: dict[str, Place] = {}
        leftmost = self._place_observed()
        self._place_latents(leftmost)
        self.bends = {edge: self._best_bend(*edge) for edge in graph.edges}
        paths = [self.path(*edge, bend) for edge, bend in self.bends.items()]
        paths += [self.path(*self.sorted(arc), -ARC) for arc in arcs]
        self.box = self._box(paths)

    def sorted(self, edge: Edge) -> Edge:
        """The same two nodes, the left one first."""
        left, right = sorted(edge, key=self.places.__getitem__)
        return left, right

    def path(
        self, start: str, end: str, bend: float, first: float = 0.0, last: float = 1.0
    ) -> Floats:
        """Points on an arrow from the middle of a node to that of another: (65, 2).

        The arrow is a quadratic Bezier curve; the points are those with parameters from `first` to
        `last`.
        """
        tail, head = np.array(self.places[start]), np.array(self.places[end])
        control = (tail + head) / 2 + bend * (head - tail)[::-1] * (1, -1)
        t = np.linspace(first, last, POINTS)[:, None]
        return np.asarray((1 - t) ** 2 * tail + 2 * t * (1 - t) * control + t**2 * head)

    def visible(self, start: str, end: str, bend: float) -> Floats:
        """Points on the visible part of an arrow, between the borders of its nodes: (n, 2)."""
        ends = [start, end]
        outside = ~self._inside(self.path(start, end, bend), ends, TOUCH).any(1)
        shares = np.flatnonzero(outside) / (POINTS - 1)
        if not len(shares):
            return self.path(start, end, bend)
        # Refine the part that is outside, with one point more at either end.
        step = 1 / (POINTS - 1)
        first, last = max(shares[0] - step, 0.0), min(shares[-1] + step, 1.0)
        fine = self.path(start, end, bend, first, last)
        return fine[~self._inside(fine, ends, TOUCH).any(1)]

    def _inside(self, points: Array, names: Sequence[str], margin: float) -> Flags:
        """Whether each point is in each node, or within `margin` of it: (points, names)."""
        middles = np.array([self.places[name] for name in names]).reshape(-1, 2)
        half_sizes = [(self.widths[name] / 2 + margin, self.height / 2 + margin) for name in names]
        reach = np.array(half_sizes).reshape(-1, 2)
        return np.asarray((np.abs(points[:, None] - middles) < reach).all(2))

    def _best_bend(self, cause: str, effect: str) -> float:
        """The first bend with which an arrow crosses the fewest other nodes."""
        fewest, best = math.inf, 0.0
        for bend in BENDS:
            crossed = self._crossed(cause, effect, bend)
            if crossed < fewest:
                fewest, best = crossed, bend
            if fewest == 0:
                break
        return best

    def _crossed(self, cause: str, effect: str, bend: float) -> int:
        """The number of other nodes that an arrow crosses."""
        others = [name for name in self.places if name not in (cause, effect)]
        crosses = self._inside(self.path(cause, effect, bend), others, CLEAR).any(0)
        return int(crosses.sum())

    def _box(self, paths: list[Floats]) -> tuple[float, float, float, float]:
        """Left, bottom, right and top of the drawing."""
        middles = np.array(list(self.places.values())).reshape(-1, 2)
        half_sizes = [(self.widths[name] / 2, self.height / 2) for name in self.places]
        half = np.array(half_sizes).reshape(-1, 2)
        points = np.concatenate([middles - half, middles + half, *paths])
        if not self.places:
            points = np.zeros((1, 2))
        (left, bottom), (right, top) = points.min(0) - MARGIN, points.max(0) + MARGIN
        return float(left), float(bottom), float(right), float(top)

    def _place_observed(self) -> float:
        """Place the observed nodes. Returns the middle of the leftmost column."""
        columns = _columns(self.graph)
        observed = {
            name: column
            for name, column in columns.items()
            if self.graph.nodes[name]["role"] != "latent"
        }
        # Columns are as wide as their widest node; latents of the step before count too.
        middles, x = [], 0.0
        for column in range(max(columns.values(), default=0) + 1):
            widths = [
                self.widths[name]
                for name in columns
                if columns[name] == column and (name in observed or name.endswith(LAG))
            ]
            width = max(widths, default=0.0)
            middles.append(x + width / 2)
            x += width + (BETWEEN_COLUMNS if widths else 0.0)
        ranks = _ranks(self.graph, observed)
        for name, column in observed.items():
            self.places[name] = middles[column], ranks[name] * (self.height + BETWEEN_ROWS)
        return middles[0]

    def _place_latents(self, leftmost: float) -> None:
        """Place the latents in a row above, each as near the middle of its neighbours as it can be
        without bending its arrows around many nodes.
        """
        right = max((x for x, _ in self.places.values()), default=0.0)
        highest = max((y for _, y in self.places.values()), default=0.0)
        # The wider the graph, the higher the row, or else arrows would be too flat.
        y = highest + self.height + BELOW_LATENTS + right / 12
        latents = [name for name in nx.topological_sort(self.graph) if name not in self.places]
        furthest = 12 * (len(latents) + 1)
        steps = sorted(range(-furthest, furthest + 1), key=abs)
        for number, name in enumerate(latents):
            middle = self._middle_of_neighbours(name, leftmost)
            candidates = [(middle + 0.25 * step, y) for step in steps]
            self.places[name] = self._best_place(name, candidates, latents[:number])

    def _middle_of_neighbours(self, name: str, leftmost: float) -> float:
        """The mean x of a latent's placed neighbours; `leftmost` if it is of the step before."""
        if name.endswith(LAG):
            return leftmost
        neighbours = nx.all_neighbors(self.graph, name)
        near = [self.places[other][0] for other in neighbours if other in self.places]
        return float(np.mean(near or [leftmost]))

    def _best_place(self, name: str, candidates: list[Place], row: list[str]) -> Place:
        """The best place for a latent: near the first candidate, with its arrows little bent.

        Candidates are sorted by their distance from the first; `row` are the latents placed before.
        """
        least_cost, best = math.inf, candidates[0]
        for place in candidates:
            distance = abs(place[0] - candidates[0][0])
            if distance >= least_cost:
                break
            if not self._is_free(name, place, row):
                continue
            cost = distance + self._cost_of_arrows(name, place)
            if cost < least_cost:
                least_cost, best = cost, place
        return best

    def _is_free(self, name: str, place: Place, row: list[str]) -> bool:
        """Whether a latent at this place keeps its distance from the latents in the row."""
        for other in row:
            gap = (self.widths[name] + self.widths[other]) / 2 + BETWEEN_LATENTS
            if abs(place[0] - self.places[other][0]) < gap:
                return False
        return True

    def _cost_of_arrows(self, name: str, place: Place) -> float:
        """The bends of a latent's arrows from this place, and the nodes that they cross."""
        self.places[name] = place
        costs = []
        for effect in self.graph.successors(name):
            if effect in self.places:
                bend = self._best_bend(name, effect)
                costs.append(2 * abs(bend) + 4 * self._crossed(name, effect, bend))
        return sum(costs)


def _columns(graph: "nx.DiGraph[str]") -> dict[str, int]:
    """The column of each variable.

    It is the first one right of all its observed causes, and not left of its latent causes. The
    action is also right of the contexts that do not follow from it.
    """
    present = [name for name in graph if not name.endswith(LAG)]
    actions = [name for name in present if graph.nodes[name]["role"] == "action"]
    contexts = [name for name in present if graph.nodes[name]["role"] == "context"]
    ordered = graph.copy()
    for action in actions:
        for context in contexts:
            if not nx.has_path(graph, action, context):
                ordered.add_edge(context, action)

    # Column 0 is that of the step before, if the graph has any of its variables.
    first = int(len(present) < len(graph))
    columns: dict[str, int] = {}
    for name in nx.topological_sort(ordered):
        column = 0 if name.endswith(LAG) else first
        for cause in ordered.predecessors(name):
            is_observed = graph.nodes[cause]["role"] != "latent"
            column = max(column, columns[cause] + is_observed)
        columns[name] = column
    return columns


def _ranks(graph: "nx.DiGraph[str]", columns: Mapping[str, int]) -> dict[str, float]:
    """The place of each variable in its column, counted upwards from the column's middle.

    Variables come near the mean of their neighbours: columns are sorted by it in turn, from left to
    right and back, four times (Sugiyama et al., 1981). A latent counts as if it were above the
    middle of the highest column.
    """
    stacks = [
        [name for name in columns if columns[name] == column]
        for column in sorted(set(columns.values()))
    ]
    ranks: dict[str, float] = {}
    for stack in stacks:
        ranks |= _centred(stack)
    above = max((len(stack) for stack in stacks), default=0) / 2
    for stack in 4 * (stacks + stacks[::-1]):
        means = {}
        for name in stack:
            neighbours = [ranks.get(other, above) for other in nx.all_neighbors(graph, name)]
            means[name] = float(np.mean(neighbours or [ranks[name]]))
        stack.sort(key=means.__getitem__, reverse=True)
        ranks |= _centred(stack)
    return ranks


def _centred(stack: list[str]) -> dict[str, float]:
    """The ranks of a column, from its top down."""
    return {name: (len(stack) - 1) / 2 - number for number, name in enumerate(stack)}

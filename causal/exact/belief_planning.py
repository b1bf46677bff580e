"""Exact plans that remember the past: the best one, and that of a planner who takes its own actions
as evidence.

A history is summed up in a *belief*, the law of the row that the model is in (see `walk`).
Histories that lead to the same beliefs are merged, so that a model whose hidden cause persists has
few. Source: Kaelbling, Littman and Cassandra (1998)."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..errors import TooLargeError
from ..model.distributions import tidy
from ..model.scm import SCM
from ..model.structure import Columns
from .decision_process import greedy
from .reachable import walk

MOST_BELIEFS = 2**16  # of all steps together
MOST_EDGES = 2**20  # things that can come of a step
DIGITS = 11  # beliefs that agree in as many are one

Belief = tuple[
    tuple[int, float], ...
]  # rows and their probabilities; empty where a model says that this cannot be
Sight = tuple[
    float, ...
]  # the reward, whether the episode ended, the next contexts; at first the contexts alone
Seen = dict[Sight, tuple[float, Belief]]  # what may be seen, how likely, and the belief then
Node = tuple[Belief, Belief]  # what the planner believes, and what is so


@dataclass(frozen=True, eq=False)
class _Law:
    """What comes of each row and action:

    under interventions, or in the log, where an action tells of its causes.
    """

    first: Seen
    steps: dict[
        tuple[int, int], list[tuple[Sight, int, float]]
    ]  # of row and place of the action: sights, next rows, weights
    actions: int

    def after(self, belief: Belief, action: int) -> Seen:
        """What may be seen after an action; nothing if it is never taken there."""
        mass: dict[Sight, dict[int, float]] = {}
        for row, probability in belief:
            for sight, following, weight in self.steps.get((row, action), ()):
                rows = mass.setdefault(sight, {})
                rows[following] = rows.get(following, 0.0) + probability * weight
        return _conditioned(mass)


def _conditioned(mass: dict[Sight, dict[int, float]]) -> Seen:
    """The probability of each sight, and the law of the row given it."""
    weights = {sight: sum(rows.values()) for sight, rows in mass.items()}
    total = sum(weights.values())
    seen = {}
    for sight, rows in mass.items():
        if weights[sight] > 0:
            belief = tuple(
                sorted(
                    (row, round(share / weights[sight], DIGITS))
                    for row, share in rows.items()
                    if share > 0
                )
            )
            seen[sight] = weights[sight] / total, belief
    return seen


@lru_cache(maxsize=64)
def _law(model: SCM, seeing: bool) -> _Law:
    support = model.tables.support(model.action)
    ends = model.names("terminal")
    found = walk(model, (model.reward, *ends), support, MOST_EDGES, closed=seeing)
    columns, count = found.steps.columns, len(support)
    ended = columns[ends[0]] if ends else np.zeros(len(found.following))
    sights = _sights(
        {
            model.reward: columns[model.reward],
            "": ended,
            **{name: columns[name] for name in model.contexts},
        }
    )
    steps: dict[tuple[int, int], list[tuple[Sight, int, float]]] = {}
    for place, *edge in zip(
        found.steps.origin.tolist(),
        sights,
        found.following.tolist(),
        found.steps.weight.tolist(),
        strict=True,
    ):
        steps.setdefault(divmod(place, count), []).append(tuple(edge))
    first: dict[Sight, dict[int, float]] = {}
    contexts = _sights(
        {
            "": np.zeros(len(found.start_row)),
            **{name: found.start.columns[name] for name in model.contexts},
        }
    )
    for sight, row, weight in zip(
        contexts, found.start_row.tolist(), found.start.weight.tolist(), strict=True
    ):
        rows = first.setdefault(sight, {})
        rows[row] = rows.get(row, 0.0) + weight
    return _Law(_conditioned(first), steps, count)


def _sights(columns: Columns) -> list[Sight]:
    return list(
        zip(*(tidy(column).astype(float).tolist() for column in columns.values()), strict=True)
    )


def plan_with_memory(
    model: SCM, world: SCM | None = None, seeing: bool = False
) -> tuple[float, float]:
    """The discounted return of the best policy that remembers contexts, actions and rewards: as it
    believes in `model`, and in `world`.

    The two are equal if `world`, the model itself if not given, is where it plans. With `seeing` it
    plans in the log: what it has done tells it of the causes that the behaviour policy's actions
    had, and an action that the log never shows after some history is not taken. After a history
    that it holds to be impossible it acts uniformly; so are ties shared.

    Raises TooLargeError if there are more than 2**16 beliefs, and NotDiscreteError if a variable
    that matters is continuous."""
    planner, truth = _law(model, seeing), _law(world or model, seeing=False)
    starts = _merged(planner.first, truth.first)
    layers: list[dict[Node, list[Branch]]] = []
    frontier = {node for _, _, _, node in starts}
    for _ in range(model.horizon):
        if sum(map(len, layers)) + len(frontier) > MOST_BELIEFS:
            raise TooLargeError(
                f"{type(model).__name__} has more than {MOST_BELIEFS} beliefs, the most that a "
                "plan goes through"
            )
        actions = range(truth.actions)
        layers.append(
            {
                (b, t): [_merged(planner.after(b, a), truth.after(t, a)) for a in actions]
                for b, t in frontier
            }
        )
        every = (branch for branches in layers[-1].values() for branch in branches)
        frontier = {node for branch in every for sight, _, _, node in branch if not sight[1]}
    values: dict[Node, tuple[float, float]] = {}
    for layer in reversed(layers):
        values = {
            node: _valued(branches, values, model.discount) for node, branches in layer.items()
        }
    return sum(p * values[node][0] for _, p, _, node in starts), sum(
        q * values[node][1] for _, _, q, node in starts
    )


Branch = list[
    tuple[Sight, float, float, Node]
]  # what may be seen, how likely the planner holds it and how likely it is, what then


def _merged(believed: Seen, true: Seen) -> Branch:
    nothing: tuple[float, Belief] = (0.0, ())
    both = {
        sight: (believed.get(sight, nothing), true.get(sight, nothing))
        for sight in (*believed, *true)
    }
    return [(sight, p, q, (belief, state)) for sight, ((p, belief), (q, state)) in both.items()]


def _valued(
    branches: list[Branch], later: dict[Node, tuple[float, float]], discount: float
) -> tuple[float, float]:
    """What the planner's choice in a node is worth as it believes, and in truth."""
    ended = (0.0, 0.0)
    believed, true = np.full(len(branches), -np.inf), np.zeros(len(branches))
    for action, branch in enumerate(branches):
        worth = [
            (p, q, sight[0], later.get(node, ended) if not sight[1] else ended)
            for sight, p, q, node in branch
        ]
        if any(p > 0 for p, _, _, _ in worth):
            believed[action] = sum(
                p * (gain + discount * then[0]) for p, _, gain, then in worth if p > 0
            )
        true[action] = sum(q * (gain + discount * then[1]) for _, q, gain, then in worth)
    policy = greedy(believed)
    known = np.isfinite(believed)
    return float((policy * np.where(known, believed, 0.0)).sum()), float(policy @ true)

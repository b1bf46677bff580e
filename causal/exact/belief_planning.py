"""Exact plans that remember the past, by backward induction over belief states.

A *belief* is the distribution of the model's state (see `reachable_states`) given the history.
Histories with equal beliefs are merged, so that a model whose hidden cause persists has few.
Source: Kaelbling, Littman and Cassandra (1998), Planning and acting in partially observable
stochastic domains.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

import numpy as np

from ..errors import TooLargeError
from ..model.distributions import tidy
from ..model.scm import SCM
from ..model.structure import Columns
from .decision_process import greedy
from .reachable import ReachableStates, reachable_states

MOST_BELIEFS = 2**16  # of all steps together
MOST_MIXED_BELIEFS = 2**14  # in a mixture of worlds, whose beliefs rarely meet again
MOST_EDGES = 2**20  # transitions of a step
DIGITS = 11  # beliefs that agree in this many digits are merged into the first of them

Belief = tuple[tuple[int, float], ...]  # states and probabilities; empty after the impossible
# What a step shows: the reward, whether the episode ended, and the next contexts. Before the first
# step there are only the contexts, with a 0.
Percept = tuple[float, ...]
Percepts = dict[Percept, tuple[float, Belief]]  # the probability of each, and the belief after it
Node = tuple[Belief, Belief]  # the belief under the planner's model, and under the true one


class Edge(NamedTuple):
    """A transition: the percept it emits, the next state, and its probability."""

    percept: Percept
    state: int
    weight: float


class Branch(NamedTuple):
    """A percept that can follow an action, and the belief node after it."""

    percept: Percept
    believed: float  # its probability under the planner's model
    true: float  # its probability under the true model
    node: Node
    key: Node  # the node rounded: nodes with equal keys are merged

    @property
    def reward(self) -> float:
        return self.percept[0]

    @property
    def ends(self) -> bool:
        return bool(self.percept[1])


@dataclass(frozen=True, eq=False)
class _Filter:
    """The belief update of a model: under interventions, or in its log."""

    first: Percepts
    edges: dict[tuple[int, int], list[Edge]]  # by state and index of the action
    actions: int

    @property
    def states(self) -> int:
        """One more than the largest number of a state."""
        following = [edge.state for transitions in self.edges.values() for edge in transitions]
        starts = [state for _, belief in self.first.values() for state, _ in belief]
        return 1 + max([*following, *starts])

    def update(self, belief: Belief, action: int) -> Percepts:
        """The percepts after an action; none if the action is never taken there."""
        mass: dict[Percept, dict[int, float]] = {}
        for state, probability in belief:
            for percept, following, weight in self.edges.get((state, action), ()):
                states = mass.setdefault(percept, {})
                states[following] = states.get(following, 0.0) + probability * weight
        return _conditioned(mass)


def _conditioned(mass: dict[Percept, dict[int, float]]) -> Percepts:
    """Bayes' rule: the probability of each percept, and the belief given it."""
    weights = {percept: sum(states.values()) for percept, states in mass.items()}
    total = sum(weights.values())
    percepts = {}
    for percept, states in mass.items():
        weight = weights[percept]
        if weight > 0:
            positive = [(state, share) for state, share in states.items() if share > 0]
            belief = sorted((state, share / weight) for state, share in positive)
            percepts[percept] = weight / total, tuple(belief)
    return percepts


@lru_cache(maxsize=64)
def _filter(model: SCM, seeing: bool) -> _Filter:
    """The belief update of a model; with `seeing`, actions are evidence about their causes."""
    support = model.tables.support(model.action)
    names = (model.reward, *model.names("terminal"))
    reachable = reachable_states(model, names, support, MOST_EDGES, closed=seeing)
    first: dict[Percept, dict[int, float]] = {}
    for percept, state, weight in _first_edges(model, reachable):
        states = first.setdefault(percept, {})
        states[state] = states.get(state, 0.0) + weight
    edges: dict[tuple[int, int], list[Edge]] = {}
    for origin, edge in _edges(model, reachable):
        edges.setdefault(divmod(origin, len(support)), []).append(edge)
    return _Filter(_conditioned(first), edges, len(support))


def _first_edges(model: SCM, reachable: ReachableStates) -> list[Edge]:
    contexts = {name: reachable.start.columns[name] for name in model.contexts}
    percepts = _percepts({"": np.zeros(len(reachable.start_state)), **contexts})
    weights = reachable.start.weight.tolist()
    return list(map(Edge, percepts, reachable.start_state.tolist(), weights))


def _edges(model: SCM, reachable: ReachableStates) -> list[tuple[int, Edge]]:
    columns = reachable.transitions.columns
    terminal = model.names("terminal")
    ended = columns[terminal[0]] if terminal else np.zeros(len(reachable.next_state))
    contexts = {name: columns[name] for name in model.contexts}
    percepts = _percepts({model.reward: columns[model.reward], "": ended, **contexts})
    weights = reachable.transitions.weight.tolist()
    edges = map(Edge, percepts, reachable.next_state.tolist(), weights)
    return list(zip(reachable.transitions.origin.tolist(), edges, strict=True))


def _percepts(columns: Columns) -> list[Percept]:
    """The rows of columns, as tuples of floats."""
    rows = (tidy(column).astype(float).tolist() for column in columns.values())
    return list(zip(*rows, strict=True))


def plan_with_memory(
    model: SCM, world: SCM | None = None, seeing: bool = False
) -> tuple[float, float]:
    """The return of the best policy that remembers contexts, actions and rewards.

    Returns two discounted returns of the policy that is planned in `model`: the return that the
    planner expects, and the return in `world` (by default `model` itself, where the two are equal).
    With `seeing` the policy is planned in the log: the planner's own actions count as evidence of
    the causes that the behaviour policy's actions have, and an action that the log never shows
    after a history is not taken. After a history of probability zero under `model` it acts
    uniformly; ties are split evenly.

    Raises TooLargeError if there are more than 2**16 beliefs, and NotDiscreteError if a variable
    that matters is continuous.
    """
    planner, truth = _filter(model, seeing), _filter(world or model, seeing=False)
    return _planned(planner, truth, model, MOST_BELIEFS)


def plan_for_all(worlds: Sequence[SCM], weights: Sequence[float]) -> float:
    """The weighted mean return, in several worlds, of the best policy that remembers its episode.

    The world is a hidden label that is drawn once, with probabilities `weights`, and the policy is
    the plan in the partially observed process whose state is the label and the state of the world.
    Raises TooLargeError if there are more than 2**14 beliefs, and NotDiscreteError as
    `plan_with_memory` does.
    """
    mixture = _mixture([_filter(world, seeing=False) for world in worlds], weights)
    return _planned(mixture, mixture, worlds[0], MOST_MIXED_BELIEFS)[0]


def _mixture(filters: Sequence[_Filter], weights: Sequence[float]) -> _Filter:
    """The filter of a world that is drawn once from several; states of all get new numbers."""
    first: dict[Percept, dict[int, float]] = {}
    edges: dict[tuple[int, int], list[Edge]] = {}
    offset = 0
    for weight, one in zip(weights, filters, strict=True):
        for percept, (probability, belief) in one.first.items():
            states = first.setdefault(percept, {})
            for state, share in belief:
                states[offset + state] = weight * probability * share
        for (state, action), transitions in one.edges.items():
            edges[offset + state, action] = [
                edge._replace(state=offset + edge.state) for edge in transitions
            ]
        offset += one.states
    return _Filter(_conditioned(first), edges, filters[0].actions)


def _planned(planner: _Filter, truth: _Filter, model: SCM, most: int) -> tuple[float, float]:
    """The return of the planner's best policy over the model's horizon: expected, and in truth.

    Raises TooLargeError if there are more than `most` beliefs.
    """
    starts = _branches(planner.first, truth.first)

    # Forwards: the reachable nodes of each step, with their branches by action.
    layers: list[dict[Node, list[list[Branch]]]] = []
    frontier = _merged(starts)
    for _ in range(model.horizon):
        if sum(map(len, layers)) + len(frontier) > most:
            raise TooLargeError(
                f"{type(model).__name__} has more than {most} beliefs, the most that a "
                "plan goes through"
            )
        layer = {key: _expanded(node, planner, truth) for key, node in frontier.items()}
        layers.append(layer)
        branches = (branch for actions in layer.values() for branch in chain(*actions))
        frontier = _merged(branch for branch in branches if not branch.ends)

    # Backwards: the value of each node, by its key, under the planner's choice.
    values: dict[Node, tuple[float, float]] = {}
    for layer in reversed(layers):
        values = {key: _valued(actions, values, model.discount) for key, actions in layer.items()}
    believed = sum(start.believed * values[start.key][0] for start in starts)
    true = sum(start.true * values[start.key][1] for start in starts)
    return believed, true


def _merged(branches: Iterable[Branch]) -> dict[Node, Node]:
    """The nodes of branches by key. Of those with one key it is the first, not rounded, so that
    rounding does not add up over the steps."""
    nodes: dict[Node, Node] = {}
    for branch in branches:
        nodes.setdefault(branch.key, branch.node)
    return nodes


def _rounded(belief: Belief) -> Belief:
    return tuple((state, round(probability, DIGITS)) for state, probability in belief)


def _expanded(node: Node, planner: _Filter, truth: _Filter) -> list[list[Branch]]:
    """The branches of a node for each action."""
    belief, state = node
    return [
        _branches(planner.update(belief, action), truth.update(state, action))
        for action in range(truth.actions)
    ]


def _branches(believed: Percepts, true: Percepts) -> list[Branch]:
    """The percepts that either model holds possible."""
    impossible: tuple[float, Belief] = (0.0, ())
    branches = []
    for percept in dict.fromkeys((*believed, *true)):
        p, belief = believed.get(percept, impossible)
        q, state = true.get(percept, impossible)
        key = _rounded(belief), _rounded(state)
        branches.append(Branch(percept, p, q, (belief, state), key))
    return branches


def _valued(
    actions: list[list[Branch]], later: dict[Node, tuple[float, float]], discount: float
) -> tuple[float, float]:
    """The value of the planner's choice in a node: as it believes, and in truth."""
    believed, true = np.full(len(actions), -np.inf), np.zeros(len(actions))
    for action, branches in enumerate(actions):
        worth = []
        for branch in branches:
            following = (0.0, 0.0) if branch.ends else later.get(branch.key, (0.0, 0.0))
            worth.append((branch, following))
        if any(branch.believed > 0 for branch in branches):
            believed[action] = sum(
                branch.believed * (branch.reward + discount * following[0])
                for branch, following in worth
                if branch.believed > 0
            )
        true[action] = sum(
            branch.true * (branch.reward + discount * following[1]) for branch, following in worth
        )
    policy = greedy(believed)
    finite = np.where(np.isfinite(believed), believed, 0.0)
    return float((policy * finite).sum()), float(policy @ true)

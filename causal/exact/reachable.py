"""Enumerate the reachable states of a discrete model and their transitions.

A *state* holds what a step must remember of the past: the contexts, and every other variable that
later steps depend on. Unreachable states are never tabulated.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np

from ..arrays import Array, Integers
from ..errors import TooLargeError
from ..graphs.step_graph import LAG
from ..model.distributions import Distribution, tidy
from ..model.scm import SCM
from ..model.structure import Columns

_OUT = "out "  # prefix of a column that is handed out; no variable's name has a space
_FIRST = "first step"  # the column that marks the first step, where later steps differ from it


@dataclass(frozen=True, eq=False)
class ReachableStates:
    """The reachable states of a model, numbered in the order of discovery, and their transitions.

    Columns are named after the variables. Those of `transitions` are the wanted variables and the
    contexts of the next state.
    """

    expanded: int  # states with transitions; states first reached by the last step have none
    start: "Outcomes"  # the possible first states
    start_state: Integers  # the number of each
    transitions: "Outcomes"  # origin: state * actions + index of the action
    next_state: Integers  # the state that each transition leads to


def reachable_states(
    model: SCM, wanted: tuple[str, ...], actions: Array, most: int, closed: bool = False
) -> ReachableStates:
    """Enumerate states and transitions breadth first, up to the model's horizon.

    Open loop: every one of the `actions` in every state. Closed loop (`closed`): the behaviour
    policy draws the action, one of `actions`, and the burn-in counts towards the horizon. The
    variables `wanted` become columns of the transitions. Raises NotDiscreteError if a variable that
    matters is continuous, and TooLargeError if there are more than `most` transitions or pairs of a
    state and an action.
    """
    out = (*wanted, model.action) if closed else wanted
    plan = _Plan(model, out, closed, most)
    branches = 1 if closed else len(actions)  # origins of transitions, per state
    steps = model.burn_in + model.horizon if closed else model.horizon

    # Level 0: the first states, merged so that the frontier has one entry for each.
    states: dict[tuple[float, ...], int] = {}
    start = plan.before_action(Outcomes.certain(), first=True)
    start_state = _number(states, start, plan.state)
    frontier = start.one_per(start_state, plan.state)

    found: list[tuple[Outcomes, Integers]] = []
    expanded = 0  # states before the frontier
    total = 0
    for _ in range(steps):
        # Expand the whole frontier at once.
        known = len(states)
        if closed:
            acting = frontier.as_origins(expanded)
        else:
            acting = frontier.with_actions(model.action, actions, expanded * branches)
        outcomes = plan.after_action(acting, first=expanded == 0)
        next_state = _number(states, outcomes, plan.state)
        found.append((outcomes, next_state))
        total += len(outcomes.origin)
        if max(len(states) * branches, total) > most:
            raise TooLargeError(
                f"the table of a step of {type(model).__name__} needs more than {most} cells"
            )
        # The next frontier: states that were not known before this level.
        is_new = next_state >= known
        expanded = known
        if not is_new.any():
            break
        frontier = outcomes.where(is_new).one_per(next_state[is_new], plan.state)

    transitions = plan.renamed(Outcomes.concatenate([outcomes for outcomes, _ in found]))
    if closed:
        index = np.searchsorted(actions, transitions.columns[model.action])
        transitions = replace(transitions, origin=transitions.origin * len(actions) + index)
    following = np.concatenate([next_state for _, next_state in found])
    return ReachableStates(expanded, start, start_state, transitions, following)


class _Plan:
    """Which variables matter, in which order they are drawn, and which of them make up a state."""

    def __init__(self, model: SCM, out: tuple[str, ...], closed: bool, most: int):
        self._model, self._out, self._most = model, out, most
        # In the open loop the causes of the action do not matter.
        self._set_by_hand = frozenset() if closed else frozenset({model.action})
        matters = self._with_causes({*out, *model.contexts})

        # A step is drawn in two parts: what comes before the action, and the rest.
        self._early = [name for name in model.before_action if name in matters]
        left_out = {*self._early, *self._set_by_hand}
        self._late = [name for name in model.order if name in matters and name not in left_out]

        # A state holds what the late part of its step reads, and what the next step reads of it.
        late_causes = {cause for name in self._late for cause in self._causes(name)}
        early_causes = {cause for name in self._early for cause in self._causes(name)}
        self._lags = {cause for cause in late_causes | early_causes if cause.endswith(LAG)}
        lagged = {lag.removesuffix(LAG) for lag in self._lags}
        kept = {*late_causes, *lagged, *model.contexts, *out}
        early_state = [name for name in self._early if name in kept]
        late_lags = sorted(self._lags & (late_causes | lagged))
        self.state = (*early_state, *late_lags, _FIRST)

        variables = (model.variables[name] for name in self._late)
        self._first_differs = any(variable.first != variable.later for variable in variables)

    def _causes(self, name: str) -> tuple[str, ...]:
        variable = self._model.variables[name]
        return variable.first.causes + variable.later.causes

    def _with_causes(self, names: set[str]) -> set[str]:
        """The closure of `names` under causes, in the same step and one step earlier."""
        while True:
            drawn = names - self._set_by_hand
            causes = {cause.removesuffix(LAG) for name in drawn for cause in self._causes(name)}
            if causes <= names:
                return names
            names = names | causes

    def before_action(self, outcomes: "Outcomes", first: bool) -> "Outcomes":
        """Draw the variables of a step that come before the action."""
        rows = len(outcomes.origin)
        columns: Columns = {}
        if first:  # there is no step before, so these are never read
            columns |= {name: np.zeros(rows) for name in self.state if name.endswith(LAG)}
        columns[_FIRST] = np.full(rows, first and self._first_differs)
        keep = {*self.state, *(_OUT + name for name in self._out)}
        return self._draw(outcomes.plus(columns), self._early, first, keep)

    def after_action(self, outcomes: "Outcomes", first: bool) -> "Outcomes":
        """Draw the rest of the step, and the part of the next step that comes before its action."""
        lagged = {lag.removesuffix(LAG) for lag in self._lags}
        outcomes = self._draw(outcomes, self._late, first, {*self._out, *lagged})
        columns = {_OUT + name: outcomes.columns[name] for name in self._out}
        columns |= {name + LAG: outcomes.columns[name] for name in lagged}
        return self.before_action(replace(outcomes, columns=columns), first=False)

    def renamed(self, outcomes: "Outcomes") -> "Outcomes":
        """Transitions with their columns renamed to the wanted variables and the next contexts."""
        columns = {name: outcomes.columns[_OUT + name] for name in self._out}
        columns |= {name: outcomes.columns[name] for name in self._model.contexts}
        return replace(outcomes, columns=columns)

    def _draw(
        self, outcomes: "Outcomes", names: list[str], first: bool, keep: set[str]
    ) -> "Outcomes":
        """Branch on the variables in turn; forget each column once nothing reads it any more."""
        for position, name in enumerate(names):
            variable = self._model.variables[name]
            mechanism = variable.first if first else variable.later
            law = mechanism.law(*(outcomes.columns[cause] for cause in mechanism.causes))
            outcomes = outcomes.branch(name, law, self._most)
            later = {cause for other in names[position + 1 :] for cause in self._causes(other)}
            outcomes = outcomes.merge(keep | later)
        return outcomes.merge(keep)


@dataclass(frozen=True)
class Outcomes:
    """Weighted partial assignments of variables, each reached from an origin: columns (n,)."""

    origin: Integers  # (n,)
    weight: Array  # (n,): probability given the origin
    columns: Columns

    @staticmethod
    def certain() -> "Outcomes":
        """One outcome, of probability 1, in which nothing is assigned."""
        return Outcomes(np.zeros(1, np.int64), np.ones(1), {})

    @staticmethod
    def concatenate(parts: list["Outcomes"]) -> "Outcomes":
        """All outcomes of parts that have the same columns."""
        columns = {
            name: np.concatenate([part.columns[name] for part in parts])
            for name in parts[0].columns
        }
        origin = np.concatenate([part.origin for part in parts])
        weight = np.concatenate([part.weight for part in parts])
        return Outcomes(origin, weight, columns)

    def where(self, rows: Array) -> "Outcomes":
        """The outcomes at some positions, or where a mask is true."""
        columns = {name: column[rows] for name, column in self.columns.items()}
        return Outcomes(self.origin[rows], self.weight[rows], columns)

    def plus(self, columns: Mapping[str, Array]) -> "Outcomes":
        """The same outcomes with further columns."""
        return replace(self, columns={**self.columns, **columns})

    def as_origins(self, first: int) -> "Outcomes":
        """Each outcome as an origin, numbered from `first`, of weight 1."""
        rows = len(self.origin)
        return Outcomes(first + np.arange(rows), np.ones(rows), self.columns)

    def with_actions(self, name: str, actions: Array, first: int) -> "Outcomes":
        """Each outcome with each action as an origin, numbered from `first`."""
        rows = len(self.origin)
        repeated = self.where(np.repeat(np.arange(rows), len(actions)))
        return repeated.plus({name: np.tile(actions, rows)}).as_origins(first)

    def branch(self, name: str, law: Distribution, most: int) -> "Outcomes":
        """Each outcome with each value that the law of the variable `name` can take.

        Raises TooLargeError if there would be more than `most`.
        """
        row, values, probability = law.branches(len(self.origin))
        if len(row) > most:
            raise TooLargeError(f"the table of a step needs more than {most} cells")
        parents = self.where(row)
        weight = parents.weight * probability
        return Outcomes(parents.origin, weight, {**parents.columns, name: values})

    def merge(self, names: Collection[str]) -> "Outcomes":
        """Keep the columns `names`, and add up outcomes of one origin that agree in them."""
        columns = {name: column for name, column in self.columns.items() if name in names}
        if len(columns) == len(self.columns):
            return self
        # Number the distinct rows: refine the code of the origin by one column at a time.
        code = np.unique(self.origin, return_inverse=True)[1]
        for column in columns.values():
            values, index = np.unique(tidy(column), return_inverse=True)
            code = np.unique(code * len(values) + index, return_inverse=True)[1]
        return self._first_of_each(code, self.origin, columns)

    def one_per(self, state: Integers, names: Collection[str]) -> "Outcomes":
        """One outcome for each number in `state` (n,), which becomes its origin, in order."""
        columns = {name: column for name, column in self.columns.items() if name in names}
        code = np.unique(state, return_inverse=True)[1]
        return self._first_of_each(code, state, columns)

    def _first_of_each(self, code: Integers, origin: Integers, columns: Columns) -> "Outcomes":
        """The first outcome of each code 0, 1, ..., with the weights of a code added up."""
        first = np.unique(code, return_index=True)[1]
        weight = np.bincount(code, self.weight)
        kept = {name: column[first] for name, column in columns.items()}
        return Outcomes(origin[first], weight, kept)


def _number(
    states: dict[tuple[float, ...], int], outcomes: Outcomes, names: tuple[str, ...]
) -> Integers:
    """The number of the state that each outcome leads to: (n,). A new state gets the next one."""
    rows = zip(*(tidy(outcomes.columns[name]).tolist() for name in names), strict=True)
    return np.array([states.setdefault(row, len(states)) for row in rows], dtype=np.int64)

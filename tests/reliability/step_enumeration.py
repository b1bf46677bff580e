"""Exact answers about a discrete model by plain enumeration: the reference for every shortcut.

Every variable of a step is branched on in causal order, whether the question needs it or not.
Nothing is pruned, merged or summed out early. Only the mechanisms and the supports of the contexts
and the action are read off the model.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dosuite.causal import LAG, SCM, TooLargeError

Array = NDArray[Any]

MOST_ROWS = 2**21  # assignments of a step, over all pasts


@dataclass(frozen=True)
class Rows:
    """All assignments of one step: arrays (n,)."""

    origin: Array  # the number of the past
    columns: dict[str, Array]
    weight: Array  # probability given the past, but for the action
    propensity: Array  # of the action, by the behaviour policy
    context: Array  # row-major number of the contexts
    action: Array  # position in the support
    reward: Array  # its mean, if it is continuous
    alive: Array  # 1.0 if the episode goes on
    recorded: Array  # 1.0 if the log keeps the row
    following: Array  # the number of the past that the next step has


class Enumeration:
    """The process of a model, as lists of all assignments of the first step and of later ones.

    Raises TooLargeError if a step has more than 2**21 assignments.
    """

    def __init__(self, model: SCM):
        self.model = model
        causes = {lag for variable in model.variables.values() for lag in variable.lags}
        self.past_names = sorted(causes)
        self.supports = {
            name: model.tables.support(name) for name in (*model.contexts, model.action)
        }
        self.sizes = tuple(len(self.supports[name]) for name in model.contexts)
        self.contexts = int(np.prod(self.sizes))
        self.actions = len(self.supports[model.action])
        self._pasts: dict[tuple[float, ...], int] = {}
        self.first = self._rows(None, np.zeros(1, np.int64))
        self.later: Rows | None = None
        if model.horizon + model.burn_in > 1:
            self.later = self._closed_rows()
        self.pasts = len(self._pasts)

    def _closed_rows(self) -> Rows:
        """The assignments of a later step after every past that can be reached."""
        parts: list[Rows] = []
        done = 0
        total = 0
        while done < len(self._pasts):
            numbers = np.arange(done, len(self._pasts))
            keys = np.array(list(self._pasts))[done:].reshape(len(numbers), -1)
            columns = [_whole(column) for column in keys.T]
            past = dict(zip(self.past_names, columns, strict=True))
            done = len(self._pasts)
            parts.append(self._rows(past, numbers))
            total += len(parts[-1].origin)
            if total > MOST_ROWS:
                raise TooLargeError(f"more than {MOST_ROWS} assignments of a step")
        return _joined(parts)

    def _rows(self, past: Mapping[str, Array] | None, numbers: Array) -> Rows:
        model = self.model
        origin = numbers
        columns: dict[str, Array] = {}
        for name, values in (past or {}).items():
            columns[name + LAG] = values
        weight, propensity = np.ones(len(origin)), np.ones(len(origin))
        for name in model.order:
            variable = model.variables[name]
            mechanism = variable.first if past is None else variable.later
            law = mechanism.law(*(columns[cause] for cause in mechanism.causes))
            count = len(origin)
            support = self.supports[name] if name == model.action else law.support()
            if support is None:  # continuous: only a reward that causes nothing gets here
                columns[name] = np.broadcast_to(law.mean(), count)
                continue
            probability = np.broadcast_to(law.probability(support), (count, len(support)))
            if name == model.action:
                row, place = (axis.ravel() for axis in np.indices(probability.shape))
            else:
                row, place = np.nonzero(probability > 0)
            if len(row) > MOST_ROWS:
                raise TooLargeError(f"more than {MOST_ROWS} assignments of a step")
            columns = {other: column[row] for other, column in columns.items()}
            columns[name] = support[place]
            origin, weight, propensity = origin[row], weight[row], propensity[row]
            if name == model.action:
                propensity = propensity * probability[row, place]
            else:
                weight = weight * probability[row, place]
        return self._described(origin, columns, weight, propensity)

    def _described(
        self, origin: Array, columns: dict[str, Array], weight: Array, propensity: Array
    ) -> Rows:
        model, count = self.model, len(origin)
        context = np.zeros(count, np.int64)
        for name, size in zip(model.contexts, self.sizes, strict=True):
            context = context * size + _places(self.supports[name], columns[name])
        alive, recorded = np.ones(count), np.ones(count)
        for name in model.names("terminal"):
            alive = alive * (columns[name] != 1)
        for name in model.names("selection"):
            recorded = recorded * (columns[name] == 1)
        if self.past_names:
            keys = np.stack([_tidy(columns[name]) for name in self.past_names], axis=1).tolist()
            numbers = [self._pasts.setdefault(tuple(key), len(self._pasts)) for key in keys]
        else:
            numbers = [self._pasts.setdefault((), 0)] * count
        return Rows(
            origin=origin,
            columns={name: column for name, column in columns.items() if not name.endswith(LAG)},
            weight=weight,
            propensity=propensity,
            context=context,
            action=_places(self.supports[model.action], columns[model.action]),
            reward=columns[model.reward].astype(float),
            alive=alive,
            recorded=recorded,
            following=np.array(numbers, dtype=np.int64),
        )

    def steps(self, policy: Array | None, count: int) -> "list[tuple[Rows, Array]]":
        """The assignments of each step with their probabilities; the behaviour acts by default."""
        law: Array = np.ones(1)
        steps: list[tuple[Rows, Array]] = []
        for step in range(count):
            rows = self.first if step == 0 or self.later is None else self.later
            acting = rows.propensity if policy is None else policy[rows.context, rows.action]
            weight = law[rows.origin] * rows.weight * acting
            steps.append((rows, weight))
            law = np.bincount(rows.following, weight * rows.alive, self.pasts)
        return steps

    def value(self, policy: Array | None) -> float:
        """The discounted return of a policy (C, A); that of the log without one."""
        total, share = 0.0, 1.0
        for step, (rows, weight) in enumerate(self.steps(policy, self.model.horizon)):
            kept = weight if policy is not None else weight * rows.recorded
            if policy is None and step == 0:
                share = float(kept.sum())
            total += self.model.discount**step * float(kept @ rows.reward)
        return total / share

    def law(self, step: int, *names: str) -> tuple[Array, Array]:
        """The values of some variables at a step, (n, names), and the probability of each row."""
        rows, weight = self.steps(None, step + 1)[-1]
        values = np.stack([_tidy(rows.columns[name]) for name in names], axis=1)
        return values, weight / weight.sum()

    def expectation(self, step: int, name: str, given: Mapping[str, float]) -> float:
        """E[name | given] at a step of the log, selected or not."""
        rows, weight = self.steps(None, step + 1)[-1]
        for other, value in given.items():
            weight = weight * (_tidy(rows.columns[other]) == value)
        return float(weight @ rows.columns[name] / weight.sum())

    def pooled(self, policy: Array | None = None) -> dict[str, Array]:
        """Visits, mean rewards and transitions: of the recorded steps of the log, or under a policy
        (C, A) without burn-in.
        """
        shape = self.contexts, self.actions
        visits, gain = np.zeros(shape), np.zeros(shape)
        going = np.zeros((*shape, self.pasts))
        burn_in = self.model.burn_in if policy is None else 0
        for step, (rows, weight) in enumerate(self.steps(policy, burn_in + self.model.horizon)):
            if step < burn_in:
                continue
            kept = weight * rows.recorded if policy is None else weight
            np.add.at(visits, (rows.context, rows.action), kept)
            np.add.at(gain, (rows.context, rows.action), kept * rows.reward)
            np.add.at(going, (rows.context, rows.action, rows.following), weight * rows.alive)
        occurs = visits > 0
        divide = np.where(occurs, visits, 1.0)
        answers = {"visits": visits, "reward": gain / divide * occurs}
        if self.later is not None and self.model.horizon > 1:
            following = np.zeros((self.pasts, self.contexts))
            place = self.later.origin, self.later.context
            np.add.at(following, place, self.later.weight * self.later.propensity)
            answers["transition"] = going @ following / divide[..., None] * occurs[..., None]
        return answers


def _joined(parts: list[Rows]) -> Rows:
    arrays = {}
    for name in Rows.__dataclass_fields__:
        if name != "columns":
            arrays[name] = np.concatenate([getattr(part, name) for part in parts])
    columns = {
        name: np.concatenate([part.columns[name] for part in parts]) for name in parts[0].columns
    }
    return Rows(columns=columns, **arrays)


def _tidy(values: Array) -> Array:
    return np.asarray(values, dtype=float).round(12) + 0.0


def _whole(values: Array) -> Array:
    """Whole numbers as integers, which mechanisms may take as indices."""
    integers = values.astype(np.int64)
    return integers if (integers == values).all() else values


def _places(support: Array, values: Array) -> Array:
    return np.searchsorted(_tidy(support), _tidy(values))

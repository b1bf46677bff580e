"""Counterfactuals of discrete one-step models: what the same units do in several worlds at once,
exactly.

A model is the quantile function of one uniform number for each variable (`SCM.sample`), and worlds
that share units share these numbers. So the joint law of a variable in two worlds, given its causes
in both, is the overlap of the intervals of [0, 1) in which it takes its values: abduction, action
and prediction are one sum of products, a twin network.

Source: Balke and Pearl (1994); Pearl, Causality (2009), section 7.1.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property, reduce
from itertools import permutations, product
from typing import NamedTuple

import numpy as np

from ..arrays import Array, Floats
from ..errors import InputError
from ..model.elimination import Factor, check_size, eliminate, spread
from ..model.scm import SCM
from ..model.structure import Variable
from ..tolerances import RELATIVE_OVERLAP
from .decision_process import Process
from .queries import Given, check_names, expectation

Event = tuple[int, str]  # a variable in a world: (1, "pay") is pay in the second of the worlds


def counterfactual(model: SCM, world: SCM, *names: str, given: Given | None = None) -> Floats:
    """P(names in `world` | given in `model`), such as P(y had it been x | x', y'): an axis for each name.

    `world` is `model.do(...)`, a shift, or any other model that shares noise. Axes are in the order
    of `world.tables.support`. Raises InputError as `Worlds` does."""
    return Worlds(model, world).distribution(
        *((1, name) for name in names),
        given={(0, name): value for name, value in (given or {}).items()},
    )


def counterfactual_mean(model: SCM, world: SCM, name: str, given: Given | None = None) -> float:
    """E[name in `world` | given in `model`]."""
    return float(counterfactual(model, world, name, given=given) @ world.tables.support(name))


def effect_on_treated(model: SCM, treated: float = 1, control: float = 0) -> float:
    """What the treatment does to those who take it:

    E[reward - reward had the action been `control` | action = treated].
    """
    given = {model.action: treated}
    return expectation(model, model.reward, given) - counterfactual_mean(
        model, model.do(**{model.action: control}), model.reward, given
    )


class Effects(NamedTuple):
    """Effects on the reward of moving the action from one value to another, in the unit of the
    reward.
    """

    total: float
    direct: float  # natural: the mediators stay as they would have been
    indirect: float  # natural: only the mediators move


def natural_effects(model: SCM, *mediators: str, treated: float = 1, control: float = 0) -> Effects:
    """The effect of `treated` instead of `control`, and what of it does not, and does, go through
    the mediators.

    Raises InputError if the model has more than one step or a name is not a variable.

    Source: Pearl (2001), definitions 5 and 6.
    """
    check_names(model, mediators)
    acted = {value: model.do(**{model.action: value}) for value in (treated, control)}
    nothing = expectation(acted[control], model.reward)
    direct = _nested_mean(acted[treated], acted[control], mediators)
    indirect = _nested_mean(acted[control], acted[treated], mediators)
    return Effects(
        expectation(acted[treated], model.reward) - nothing, direct - nothing, indirect - nothing
    )


def _nested_mean(world: SCM, other: SCM, mediators: Sequence[str]) -> float:
    """The mean reward in `world`, where the mediators do what they would do in the other."""
    total = 0.0
    for values in product(*(other.tables.support(name) for name in mediators)):
        held = world.do(**dict(zip(mediators, values, strict=True)))
        joint = Worlds(other, held).joint(
            (1, world.reward),
            given={(0, name): v for name, v in zip(mediators, values, strict=True)},
        )
        total += float(joint @ held.tables.support(world.reward))
    return total


def counterfactual_process(model: SCM) -> Process:
    """What each action would earn given the context and the action about to be taken, the intent:
    contexts (context, intent).

    Its plan is the best policy that sees its intent; that `model.with_intent()` has the same
    process is a law. Rewards of a context that never occurs mean nothing, as its visits of 0 say.
    """
    seen = [(0, name) for name in (*model.contexts, model.action)]
    start = Worlds(model).joint(*seen).ravel()
    gains = []
    for act in model.tables.support(model.action):
        world = model.do(**{model.action: act})
        joint = Worlds(model, world).joint(*seen, (1, model.reward))
        gains.append((joint @ world.tables.support(model.reward)).ravel())
    gain, count = np.stack(gains, axis=1), len(gains)
    visits = np.repeat(start[:, None] / count, count, axis=1)
    reward = np.divide(gain, start[:, None], where=start[:, None] > 0, out=np.zeros_like(gain))
    return Process(reward, np.zeros((*gain.shape, len(start))), visits, start, 1, model.discount)


class Worlds:
    """The same units in several worlds: a model, and others such as `model.do(x=1)` or a shift.

    Raises InputError if a world has more than one step.
    """

    def __init__(self, *worlds: SCM):
        for world in worlds:
            if world.horizon > 1:
                raise InputError(
                    f"{type(world).__name__} has {world.horizon} steps, and counterfactuals are "
                    "exact for models of one"
                )
        self.worlds = worlds

    def distribution(self, *events: Event, given: Mapping[Event, float] | None = None) -> Floats:
        """P(events | given): an axis for each event, in the order of the support of its variable in its world.

        Raises InputError if `given` has probability zero or a name is not a variable of its world,
        and NotDiscreteError where a variable is continuous."""
        joint = self.joint(*events, given=given)
        if joint.sum() <= 0:
            what = ", ".join(f"{name}={value:g}" for (_, name), value in (given or {}).items())
            raise InputError(f"{what} has probability zero in {type(self.worlds[0]).__name__}")
        return np.asarray(joint / joint.sum())

    def joint(self, *events: Event, given: Mapping[Event, float] | None = None) -> Floats:
        """P(events, given): as `distribution`, but not divided by P(given)."""
        given = given or {}
        for world, name in (*events, *given):
            check_names(self.worlds[world], (name,))
        network = self._network((*events, *given))
        evidence = [
            Factor((self._label(e),), self.worlds[e[0]].tables.indicator(e[1], value).table)
            for e, value in given.items()
        ]
        axes = [f"axis {position}" for position in range(len(events))]
        asked = [
            Factor((self._label(e), axis), np.eye(len(self._support(e))))
            for e, axis in zip(events, axes, strict=True)
        ]
        return eliminate([*network, *evidence, *asked, Factor((), np.ones(()))], axes)

    def _network(self, events: Iterable[Event]) -> list[Factor]:
        """The tables of the events and of all their causes:

        one for each noise, with the variables of all worlds that it drives.
        """
        driven: dict[str, list[Event]] = {}
        waiting = list(events)
        while waiting:
            event = self._originals[waiting.pop()]
            together = driven.setdefault(self._variable(event).stream, [])
            if event not in together:
                together.append(event)
                waiting += self._causes(event)
        return [self._coupled(together) for together in driven.values()]

    def _coupled(self, events: Sequence[Event]) -> Factor:
        """The law of variables that share a uniform number, given their causes:

        the length of the overlap of their intervals.
        """
        laws = [
            Factor((*map(self._label, self._causes(event)), self._label(event)), self._table(event))
            for event in events
        ]
        names = tuple(dict.fromkeys(name for law in laws for name in law.names))
        sizes = {
            name: size
            for law in laws
            for name, size in zip(law.names, law.table.shape, strict=True)
        }
        check_size(sizes.values(), f"{events[0][1]} in {len(events)} worlds")
        shortest = reduce(np.minimum, (spread(law, names) for law in laws))
        return Factor(
            names,
            reduce(
                np.minimum,
                (_reach(*pair, names, shortest) for pair in permutations(laws, 2)),
                shortest,
            ),
        )

    @cached_property
    def _originals(self) -> Mapping[Event, Event]:
        """For each variable of each world the first that always equals it:

        one with the same noise, law and causes.
        """
        originals: dict[Event, Event] = {}
        for world, model in enumerate(self.worlds):
            for name in model.order:
                event = (world, name)
                alike = (
                    other
                    for other in dict.fromkeys(originals.values())
                    if self._always_equal(event, other, originals)
                )
                originals[event] = next(alike, event)
        return originals

    def _always_equal(self, event: Event, other: Event, originals: Mapping[Event, Event]) -> bool:
        if self._variable(event).stream != self._variable(other).stream:
            return False
        ours, theirs = (
            [originals[e[0], cause] for cause in self._variable(e).first.causes]
            for e in (event, other)
        )
        return (
            ours == theirs
            and np.array_equal(self._support(event), self._support(other))
            and np.array_equal(self._table(event), self._table(other))
        )

    def _variable(self, event: Event) -> Variable:
        return self.worlds[event[0]].variables[event[1]]

    def _causes(self, event: Event) -> list[Event]:
        return [(event[0], cause) for cause in self._variable(event).first.causes]

    def _support(self, event: Event) -> Array:
        return self.worlds[event[0]].tables.support(event[1])

    def _table(self, event: Event) -> Floats:
        return self.worlds[event[0]].tables.factor(event[1], first=True).table

    def _label(self, event: Event) -> str:
        world, name = self._originals[event]
        return f"{name} in world {world}"


def _reach(one: Factor, other: Factor, names: tuple[str, ...], shortest: Floats) -> Floats:
    """How far the intervals of one law end above where those of the other begin; 0 if below, or
    above only by rounding.

    It is measured from the end of [0, 1) that is nearer, so that an interval of length 1e-20 is not
    lost beside a long one."""
    (_, end), (begin, _) = _sums(one, names), _sums(other, names)
    (left, _), (_, rest) = _sums(one, names, down=True), _sums(other, names, down=True)
    low = end[0] + begin[0] < 1
    reach = np.where(low, (end - begin).sum(0), (rest - left).sum(0))
    rounding = 4 * np.finfo(float).eps * np.where(low, end[0], rest[0])
    return np.where((reach <= rounding) & (reach <= RELATIVE_OVERLAP * shortest), 0.0, reach)


def _sums(law: Factor, names: tuple[str, ...], down: bool = False) -> tuple[Floats, Floats]:
    """The probability of what comes before each value, from above if `down`, and the same with its
    own.

    Each has two parts, to be added, on its first axis: a sum, and what rounding took from it, as
    Knuth's two-sum finds it."""
    way = slice(None, None, -1 if down else 1)
    probability = law.table[..., way]
    total = np.cumsum(probability, axis=-1)
    before = _shifted(total)
    added = total - before
    taken = np.cumsum((before - (total - added)) + (probability - added), axis=-1)
    sums = np.stack([total, taken])
    first, second = (
        spread(Factor(("part", *law.names), part[..., way]), ("part", *names))
        for part in (_shifted(sums), sums)
    )
    return first, second


def _shifted(sums: Floats) -> Floats:
    """Each entry one place further on the last axis, after a 0."""
    return np.concatenate([np.zeros_like(sums[..., :1]), sums[..., :-1]], axis=-1)

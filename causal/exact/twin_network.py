"""Twin networks: the tables of the same units in several worlds, with shared noise."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

import numpy as np

from ..arrays import Array, Floats
from ..errors import InputError
from ..model.elimination import Factor, check_size, eliminate
from ..model.scm import SCM, check_model
from ..model.structure import Variable
from . import coupling_bounds
from .coupling_bounds import Cell, Setting, SharedNoise
from .couplings import Coupling, check_coupling, gumbel_max, quantile
from .queries import check_names

Event = tuple[int, str]  # a variable in a world: (1, "pay") is pay in the second of the worlds
Evidence = Mapping[Event, float]


class Worlds:
    """The same units in several worlds: a model, and others such as `model.do(x=1)` or a shift.

    The `coupling` of the noise that they share is described in `couplings`. With "bounds" every
    answer has a last axis (low, high). Raises InputError if a world has more than one step, or no
    coupling has this name.
    """

    def __init__(self, *worlds: SCM, coupling: Coupling = "quantile"):
        for world in worlds:
            check_model(world)
            if world.horizon > 1:
                raise InputError(
                    f"{type(world).__name__} has {world.horizon} steps, and counterfactuals are "
                    "exact for models of one"
                )
        check_coupling(coupling)
        self.worlds = worlds
        self.coupling = coupling

    def distribution(self, *events: Event, given: Evidence | None = None) -> Floats:
        """P(events | given): an axis for each event, in the order of its variable's support.

        Raises InputError if `given` has probability zero, a name is not a variable of its world, or
        the coupling is "bounds" and `given` is in several worlds; NotDiscreteError where a variable
        is continuous; and TooLargeError.
        """
        joint = self.joint(*events, given=given)
        return np.asarray(joint / self._total(joint, given or {}))

    def mean_bounds(self, event: Event, given: Evidence | None = None) -> tuple[float, float]:
        """Sharp bounds on E[event | given] over all couplings, as (low, high). Raises as above."""
        self._checked([event])
        values = Factor((self._label(event),), self._support(event).astype(float))
        ends = self._extremes((event, *(given or {})), [values], (), given or {})
        low, high = ends / self._total(ends, given or {})
        return float(low), float(high)

    def joint(self, *events: Event, given: Evidence | None = None) -> Floats:
        """P(events, given): as `distribution`, but not divided by P(given)."""
        given = given or {}
        axes = [f"axis {position}" for position in range(len(events))]
        copies = [
            Factor((self._label(event), axis), np.eye(len(self._support(event))))
            for event, axis in zip(self._checked(events), axes, strict=True)
        ]
        if self.coupling == "bounds":
            return self._extremes((*events, *given), copies, axes, given)
        groups = self._shared((*events, *self._checked(given)))
        laws = [law for group in groups for law in self._coupled(group)]
        nothing = Factor((), np.ones(()))
        return eliminate([*laws, *self._evidence(given), *copies, nothing], axes)

    def _checked(self, events: Iterable[Event]) -> list[Event]:
        events = list(events)
        for world, name in events:
            check_names(self.worlds[world], (name,))
        return events

    def _evidence(self, given: Evidence) -> list[Factor]:
        return [
            Factor((self._label((world, name)),), self._indicator(world, name, value))
            for (world, name), value in given.items()
        ]

    def _indicator(self, world: int, name: str, value: float) -> Array:
        return self.worlds[world].tables.indicator(name, value).table

    def _total(self, joint: Floats, given: Evidence) -> float:
        """P(given), which no coupling changes if it is in one world."""
        if self.coupling != "bounds":
            total = joint.sum()
        elif len({world for world, _ in given}) <= 1:
            total = Worlds(*self.worlds).joint(given=given).sum()
        else:
            raise InputError(
                "the probability of what is given in several worlds depends on the coupling; with "
                "the coupling 'bounds', give events of one world"
            )
        if total <= 0:
            what = ", ".join(f"{name}={value:g}" for (_, name), value in given.items())
            raise InputError(f"{what} has probability zero in {type(self.worlds[0]).__name__}")
        return float(total)

    def _shared(self, events: Iterable[Event]) -> list[list[Event]]:
        """The events and all their causes, in groups of variables that share their noise."""
        groups: dict[str, list[Event]] = {}
        waiting = list(events)
        while waiting:
            event = self._originals[waiting.pop()]
            group = groups.setdefault(self._variable(event).stream, [])
            if event not in group:
                group.append(event)
                waiting += self._causes(event)
        return list(groups.values())

    def _law(self, event: Event) -> Factor:
        """P(variable | its causes) in its world."""
        causes = (self._label(cause) for cause in self._causes(event))
        return Factor((*causes, self._label(event)), self._table(event))

    def _coupled(self, events: Sequence[Event]) -> list[Factor]:
        """The joint law of variables that share their noise, given their causes."""
        if self.coupling == "quantile":
            if len(events) == 1:
                return [self._law(events[0])]
            laws, names = self._together(events)
            return [Factor(names, quantile(laws, names))]
        random, settled = self._split(events)
        if len(random) == 1:
            settled += [self._law(random[0])]
        elif len(random) == 2:
            laws, names = self._together(random)
            supports = [self._support(event) for event in random]
            settled += [Factor(names, gumbel_max(laws, names, supports))]
        elif random:
            raise InputError(
                f"{random[0][1]} has {len(random)} laws in {len(self.worlds)} worlds, and the "
                "coupling 'gumbel-max' is exact for two; ask about two worlds at once"
            )
        return settled

    def _split(self, events: Sequence[Event]) -> tuple[list[Event], list[Factor]]:
        """The events with random mechanisms, and the laws of the others.

        A mechanism without randomness is the same under every coupling.
        """
        random = [event for event in events if not np.isin(self._table(event), (0, 1)).all()]
        return random, [self._law(event) for event in events if event not in random]

    def _together(self, events: Sequence[Event]) -> tuple[list[Factor], tuple[str, ...]]:
        """The laws of variables that share their noise, and the axes of their joint law."""
        laws = [self._law(event) for event in events]
        sizes: dict[str, int] = {}
        for law in laws:
            sizes.update(zip(law.names, law.table.shape, strict=True))
        check_size(sizes.values(), f"{events[0][1]} in {len(events)} worlds")
        return laws, tuple(sizes)

    def _extremes(
        self,
        events: Sequence[Event],
        factors: Sequence[Factor],
        keep: Sequence[str],
        given: Evidence,
    ) -> Floats:
        """The bounds over all couplings, with the last axis (low, high)."""
        known: list[Factor] = []
        unknown: list[SharedNoise] = []
        for group in self._shared(self._checked(events)):
            random, settled = self._split(group)
            known += settled
            if len(random) > 1:
                unknown.append(self._noise(random))
            else:
                known += [self._law(event) for event in random]
        network = [*known, *self._evidence(given), *factors]
        return coupling_bounds.extremes(network, unknown, keep)

    def _noise(self, events: Sequence[Event]) -> SharedNoise:
        """Variables that share their noise, with their settings: causes and law given these.

        Where both are the same in two worlds, so is the variable.
        """
        settings: list[dict[Cell, Setting]] = []
        rows: dict[Setting, Floats] = {}
        for event in events:
            table, support = self._table(event), self._support(event)
            at: dict[Cell, Setting] = {}
            for cell in np.ndindex(table.shape[:-1]):
                causes = self._values_of_causes(event, cell)
                setting = (causes, table[cell].tobytes(), support.tobytes())
                at[cell] = setting
                rows[setting] = table[cell]
            settings.append(at)
        laws = [self._law(event) for event in events]
        return SharedNoise(events[0][1], laws, settings, rows)

    def _values_of_causes(self, event: Event, cell: Cell) -> tuple[tuple[str, float], ...]:
        values = []
        for cause, position in zip(self._causes(event), cell, strict=True):
            values.append((cause[1], float(self._support(cause)[position])))
        return tuple(values)

    @cached_property
    def _originals(self) -> Mapping[Event, Event]:
        """For each variable of each world the first that always equals it.

        Two variables are always equal if they have the same noise, law and causes.
        """
        originals: dict[Event, Event] = {}
        for world, model in enumerate(self.worlds):
            for name in model.order:
                event = (world, name)
                originals[event] = event
                for other in dict.fromkeys(originals.values()):
                    if other != event and self._always_equal(event, other, originals):
                        originals[event] = other
                        break
        return originals

    def _always_equal(self, event: Event, other: Event, originals: Mapping[Event, Event]) -> bool:
        if self._variable(event).stream != self._variable(other).stream:
            return False
        causes = [originals[cause] for cause in self._causes(event)]
        return (
            causes == [originals[cause] for cause in self._causes(other)]
            and np.array_equal(self._support(event), self._support(other))
            and np.array_equal(self._table(event), self._table(other))
        )

    def _variable(self, event: Event) -> Variable:
        world, name = event
        return self.worlds[world].variables[name]

    def _causes(self, event: Event) -> list[Event]:
        return [(event[0], cause) for cause in self._variable(event).first.causes]

    def _support(self, event: Event) -> Array:
        world, name = event
        return self.worlds[world].tables.support(name)

    def _table(self, event: Event) -> Floats:
        world, name = event
        return self.worlds[world].tables.factor(name, first=True).table

    def _label(self, event: Event) -> str:
        """The name of the event's axis, the same for variables that are always equal."""
        world, name = self._originals[event]
        return f"{name} in world {world}"

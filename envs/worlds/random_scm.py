"""Random worlds from a few graphs, as many as there are seeds, in each of which the confused policy
loses something.
"""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from string import ascii_lowercase
from typing import ClassVar, NamedTuple

import numpy as np

from dosuite.causal import (
    Array,
    Bernoulli,
    InputError,
    World,
    action,
    context,
    latent,
    logged,
    reward,
    shift,
)
from dosuite.causal.arrays import Floats

from .bad_control import AdjustingForAnEffect

HIDDEN = (0.3, 0.7)  # the range of P(v = 1) of a latent v
OTHER = (0.05, 0.95)  # the range of all other probabilities
TELLING = 0.3  # by how much P(trace = 1) differs between the values of the hidden cause, at least
AT_ONCE = 256  # worlds that are drawn together


class Accepted(NamedTuple):
    """The first world drawn in which the confused policy loses enough."""

    tables: Mapping[
        str, Floats
    ]  # P(v = 1 | causes) of each variable v, with an axis of length 2 for each cause
    tries: int  # worlds drawn, this one included


def _causes(kind: "type[RandomSCM]", name: str) -> tuple[str, ...]:
    return tuple(inspect.signature(getattr(kind, name)).parameters)[1:]


def _draw(kind: "type[RandomSCM]", rng: np.random.Generator) -> dict[str, Floats]:
    """The tables of many worlds, one after the other: (worlds, 2, ..., 2) for each variable."""
    sizes = [2 ** len(_causes(kind, name)) for name in kind.drawn]
    ranges = [HIDDEN if getattr(kind, name).role == "latent" else OTHER for name in kind.drawn]
    low, high = np.repeat(ranges, sizes, axis=0).T
    parts = np.split(rng.uniform(low, high, (AT_ONCE, len(low))), np.cumsum(sizes)[:-1], axis=1)
    return {
        name: part.reshape(AT_ONCE, *[2] * len(_causes(kind, name)))
        for name, part in zip(kind.drawn, parts, strict=True)
    }


def _losses(kind: "type[RandomSCM]", tables: Mapping[str, Floats]) -> Floats:
    """What the confused policy loses against the best one in each world: (worlds,)."""
    contexts = tuple(name for name in kind.drawn if getattr(kind, name).role == "context")
    seen = _law_of(kind, tables, (*contexts, *kind.adjusts, "x", "y"))
    means = seen[..., 1] / seen.sum(-1)
    if kind.adjusts:
        means = (means * seen.sum((2, 3))[..., None]).sum(1, keepdims=True)
    done = _law_of(kind, tables, (*contexts, "x", "y"), acted=True)[..., 1]
    confused = np.take_along_axis(done, means.argmax(-1)[..., None], -1)[..., 0]
    return np.asarray((done.max(-1) - confused).sum(1))


def _law_of(
    kind: "type[RandomSCM]",
    tables: Mapping[str, Floats],
    names: tuple[str, ...],
    acted: bool = False,
) -> Floats:
    """P(names), or P(names | do(x)), in each world:

    (worlds, values of all but the last two names, 2, 2).
    """
    axis = dict(zip(kind.drawn, ascii_lowercase, strict=False))
    factors = {
        name: np.stack([1.0 - table, table], axis=-1)
        for name, table in tables.items()
        if not (acted and name == "x")
    }
    scopes = [
        "..." + "".join(axis[cause] for cause in (*_causes(kind, name), name)) for name in factors
    ]
    law = np.einsum(
        f"{','.join(scopes)}->...{''.join(axis[name] for name in names)}", *factors.values()
    )
    return np.asarray(law.reshape(len(law), -1, 2, 2))


class RandomSCM(World):
    """A bow with random numbers: a hidden cause ties the action x, 0 or 1, to the reward y.

    Every probability is drawn: that of a latent from [0.3, 0.7], all others from [0.05, 0.95].
    Worlds are drawn until the confused policy earns 0.1 less than the best one. So the confused
    policy does worse here than in a world met by chance, and whoever believes the opposite of a log
    does well: a fair study has as many twins, as `random_worlds` gives them.

        x <-- cause --> y
        |               ^
        +---------------+

    Observation: Discrete(1). Action: Discrete(2). One step; the reward is 0 or 1.

    Trap: 0, since promised = 0.5219 > J(confused) = 0.4158.
    Way out: interventions.
    Best: 1, since J(causal) = 0.5492 > J(confused).

    Source: our own. The generator is that of numpy for [20250101, the number of the template, the
    seed]; it draws the probabilities variable by variable in the order of `drawn`, and of each the
    table given its causes, row by row."""

    template: ClassVar[int] = 0
    drawn: ClassVar[tuple[str, ...]] = ("cause", "x", "y")  # the variables, causes first
    adjusts: ClassVar[tuple[str, ...]] = ()  # what the confused policy adjusts for
    traces: ClassVar[tuple[str, ...]] = ()  # what tells of the hidden cause
    least: ClassVar[float] = 0.1  # what the confused policy loses at least

    seed: int = 0

    @latent
    def cause(self) -> Bernoulli:
        return self._law("cause")

    @action
    def x(self, cause: Array) -> Bernoulli:
        return self._law("x", cause)

    @reward
    def y(self, x: Array, cause: Array) -> Bernoulli:
        return self._law("y", x, cause)

    @classmethod
    @lru_cache(maxsize=1024)
    def accepted(cls, seed: int) -> Accepted:
        """The numbers of a seed. Raises InputError if it is negative."""
        if seed < 0:
            raise InputError(f"the seed must be 0 or more, and got {seed}")
        rng, tries = np.random.default_rng([20250101, cls.template, seed]), 0
        while True:
            tables = _draw(cls, rng)
            telling = [
                abs(tables[name][:, 1] - tables[name][:, 0]) >= TELLING for name in cls.traces
            ]
            (good,) = np.nonzero(np.all([_losses(cls, tables) >= cls.least, *telling], axis=0))
            if len(good):
                return Accepted(
                    {name: table[good[0]] for name, table in tables.items()},
                    tries + int(good[0]) + 1,
                )
            tries += AT_ONCE

    def _law(self, name: str, *causes: Array) -> Bernoulli:
        return Bernoulli(self.accepted(self.seed).tables[name][causes])

    @shift
    def cause_rare(self) -> World:
        return self.do(cause=Bernoulli(0.1))

    @shift
    def cause_common(self) -> World:
        return self.do(cause=Bernoulli(0.9))


class Backdoor(RandomSCM):
    """The common cause is on record, and not seen before acting.

        x <-- cause --> y <-- x

    Otherwise as RandomSCM.

    Trap: 0, since promised = 0.6818 > J(confused) = 0.3665.
    Way out: adjust for cause.
    Best: 1, since J(causal) = 0.5912 > J(confused).

    Source: as RandomSCM.
    """

    template: ClassVar[int] = 1

    @logged
    def cause(self) -> Bernoulli:
        return self._law("cause")

    @reward
    def y(self, cause: Array, x: Array) -> Bernoulli:
        return self._law("y", cause, x)


class Frontdoor(RandomSCM):
    """All that the action does goes through a variable on record.

        x ---> z ---> y
        ^             ^
        +--- cause ---+

    Otherwise as RandomSCM.

    Trap: 1, since promised = 0.5830 > J(confused) = 0.4803.
    Way out: the graph.
    Best: 0, since J(causal) = 0.6117 > J(confused).

    Source: as RandomSCM.
    """

    template: ClassVar[int] = 2
    drawn: ClassVar[tuple[str, ...]] = ("cause", "x", "z", "y")

    @logged
    def z(self, x: Array) -> Bernoulli:
        return self._law("z", x)

    @reward
    def y(self, z: Array, cause: Array) -> Bernoulli:
        return self._law("y", z, cause)


class Instrument(RandomSCM):
    """Something on record moves the action, and the reward through the action alone.

        z --> x ---------> y
              ^            ^
              +-- cause ---+

    Otherwise as RandomSCM.

    Trap: 1, since promised = 0.6654 > J(confused) = 0.4074.
    Way out: interventions.
    Best: 0, since J(causal) = 0.5692 > J(confused).

    Source: as RandomSCM.
    """

    template: ClassVar[int] = 3
    drawn: ClassVar[tuple[str, ...]] = ("cause", "z", "x", "y")

    @logged
    def z(self) -> Bernoulli:
        return self._law("z")

    @action
    def x(self, z: Array, cause: Array) -> Bernoulli:
        return self._law("x", z, cause)


class MBias(RandomSCM):
    """What is seen before acting is an effect of two hidden causes, of the action and of the
    reward; to look at it ties the two.

        cause --> m <-- other_cause
          |                 |
          +----> x --> y <--+

    Observation: Discrete(2), m. Otherwise as RandomSCM; the confused policy loses 0.05 at least.

    Trap: 0 1, since promised = 0.6454 > J(confused) = 0.6126.
    Way out: interventions.
    Best: 1 0, since J(causal) = 0.6702 > J(confused).

    Source: as RandomSCM.
    """

    template: ClassVar[int] = 4
    drawn: ClassVar[tuple[str, ...]] = ("cause", "other_cause", "m", "x", "y")
    least: ClassVar[float] = 0.05

    @latent
    def other_cause(self) -> Bernoulli:
        return self._law("other_cause")

    @context
    def m(self, cause: Array, other_cause: Array) -> Bernoulli:
        return self._law("m", cause, other_cause)

    @reward
    def y(self, x: Array, other_cause: Array) -> Bernoulli:
        return self._law("y", x, other_cause)


class BadControl(AdjustingForAnEffect, RandomSCM):
    """The log is an experiment, and the confused policy adjusts for what the action and a hidden
    cause of the reward bring about.

        x --> m <-- cause
        |             |
        +---> y <-----+

    Otherwise as RandomSCM.

    Trap: 1, since promised = 0.6291 > J(confused) = 0.5364.
    Way out: no adjustment.
    Best: 0, since J(causal) = 0.6419 > J(confused).

    Source: as RandomSCM.
    """

    template: ClassVar[int] = 5
    drawn: ClassVar[tuple[str, ...]] = ("cause", "x", "m", "y")
    adjusts: ClassVar[tuple[str, ...]] = ("m",)

    @action
    def x(self) -> Bernoulli:
        return self._law("x")

    @logged
    def m(self, x: Array, cause: Array) -> Bernoulli:
        return self._law("m", x, cause)


class Proxy(RandomSCM):
    """Two traces of the hidden cause are on record. P(trace = 1) differs by 0.3 at least between
    the values of the cause.

        z <-- cause --> w
              |   |
        x <---+   +---> y <-- x

    Otherwise as RandomSCM.

    Trap: 0, since promised = 0.5941 > J(confused) = 0.5666.
    Way out: proxies.
    Best: 1, since J(causal) = 0.7142 > J(confused).

    Source: as RandomSCM; the graph is that of Miao, Geng and Tchetgen Tchetgen (2018).
    """

    template: ClassVar[int] = 6
    drawn: ClassVar[tuple[str, ...]] = ("cause", "z", "w", "x", "y")
    traces: ClassVar[tuple[str, ...]] = ("z", "w")

    @logged
    def z(self, cause: Array) -> Bernoulli:
        return self._law("z", cause)

    @logged
    def w(self, cause: Array) -> Bernoulli:
        return self._law("w", cause)


TEMPLATES: tuple[type[RandomSCM], ...] = (
    RandomSCM,
    Backdoor,
    Frontdoor,
    Instrument,
    MBias,
    BadControl,
    Proxy,
)


def random_worlds(seed: int, templates: Sequence[type[RandomSCM]] = TEMPLATES) -> Iterator[World]:
    """An endless stream of random worlds, equal for equal seeds: of all templates alike, and half
    of them twins.

    A twin has the same law of all that is on record, and in it the confused policy is right:
    neither to believe a log nor to believe its opposite does well on both. Raises InputError if the
    seed is negative."""
    if seed < 0:
        raise InputError(f"random_worlds needs a seed that is 0 or more, and got {seed}")
    rng = np.random.default_rng(seed)
    while True:
        world = templates[int(rng.integers(len(templates)))](seed=int(rng.integers(2**31)))
        yield (world.twin() or world) if rng.random() < 0.5 else world

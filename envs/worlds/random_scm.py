"""Random worlds from seven graphs, one world per graph and seed, in each of which the confused
policy earns less than the best one.
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
    Ranges,
    World,
    action,
    context,
    latent,
    logged,
    reward,
    shift,
)
from dosuite.causal.arrays import Flags, Floats

from .bad_control import AdjustingForAnEffect

HIDDEN = (0.3, 0.7)  # the range of P(v = 1) of a latent v
OTHER = (0.05, 0.95)  # the range of all other probabilities
TELLING = 0.3  # least |P(trace = 1 | cause = 1) - P(trace = 1 | cause = 0)|
AT_ONCE = 256  # candidate worlds in a batch
MANY_AT_ONCE = 2**14  # the same where many worlds are drawn


class Accepted(NamedTuple):
    """The first candidate world in which the confused policy loses enough."""

    # P(v = 1 | causes) of each variable v: an axis of length 2 for each cause
    tables: Mapping[str, Floats]
    tries: int  # candidates drawn, this one included


def _causes(kind: "type[RandomSCM]", name: str) -> tuple[str, ...]:
    """The parameters of a mechanism, without `self`."""
    return tuple(inspect.signature(getattr(kind, name)).parameters)[1:]


def _role(kind: "type[RandomSCM]", name: str) -> str:
    role: str = getattr(kind, name).role
    return role


def drawn_tables(
    kind: "type[RandomSCM]", rng: np.random.Generator, count: int
) -> dict[str, Floats]:
    """P(v = 1 | causes) of each variable v in `count` worlds of the prior: (count, 2, ..., 2).

    They are drawn as the worlds of single seeds are, and faster: from batches of many candidates.
    """
    batches: list[dict[str, Floats]] = []
    found = 0
    while found < count:
        tables = _draw(kind, rng, MANY_AT_ONCE)
        accepted = kind.acceptable(tables)
        batches.append({name: table[accepted] for name, table in tables.items()})
        found += int(accepted.sum())
    return {name: np.concatenate([one[name] for one in batches])[:count] for name in kind.drawn}


def _draw(
    kind: "type[RandomSCM]", rng: np.random.Generator, count: int = AT_ONCE
) -> dict[str, Floats]:
    """P(v = 1 | causes) of each variable v in a batch of candidates: (worlds, 2, ..., 2)."""
    # One row of numbers per candidate: the tables of all variables, one after the other.
    sizes = [2 ** len(_causes(kind, name)) for name in kind.drawn]
    ranges = [HIDDEN if _role(kind, name) == "latent" else OTHER for name in kind.drawn]
    low, high = np.repeat(ranges, sizes, axis=0).T
    numbers = rng.uniform(low, high, (count, len(low)))
    parts = np.split(numbers, np.cumsum(sizes)[:-1], axis=1)
    tables = {}
    for name, part in zip(kind.drawn, parts, strict=True):
        shape = [2] * len(_causes(kind, name))
        tables[name] = part.reshape(count, *shape)
    return tables


def _losses(kind: "type[RandomSCM]", tables: Mapping[str, Floats]) -> Floats:
    """J(best) - J(confused) in each world of a batch: (worlds,)."""
    contexts = tuple(name for name in kind.drawn if _role(kind, name) == "context")
    # E[y | context, x] in the log, averaged over what the confused policy adjusts for.
    joint = law_of(kind, tables, (*contexts, *kind.adjusts, "x", "y"))
    believed = joint[..., 1] / joint.sum(-1)
    if kind.adjusts:
        weights = joint.sum((2, 3))[..., None]
        believed = (believed * weights).sum(1, keepdims=True)
    # P(context, y = 1 | do(x)).
    earned = law_of(kind, tables, (*contexts, "x", "y"), acted=True)[..., 1]
    chosen = believed.argmax(-1)[..., None]
    confused = np.take_along_axis(earned, chosen, -1)[..., 0]
    return np.asarray((earned.max(-1) - confused).sum(1))


def law_of(
    kind: "type[RandomSCM]",
    tables: Mapping[str, Floats],
    names: tuple[str, ...],
    acted: bool = False,
) -> Floats:
    """P(names), or P(names | do(x)) if `acted`, in each world of a batch.

    Shape (worlds, values of all but the last two names, 2, 2).
    """
    letter = dict(zip(kind.drawn, ascii_lowercase, strict=False))
    # The truncated factorisation: the product of all P(v | causes), without that of x under do(x).
    factors, scopes = [], []
    for name, table in tables.items():
        if acted and name == "x":
            continue
        factors.append(np.stack([1.0 - table, table], axis=-1))
        scopes.append("..." + "".join(letter[v] for v in (*_causes(kind, name), name)))
    kept = "..." + "".join(letter[name] for name in names)
    law = np.einsum(f"{','.join(scopes)}->{kept}", *factors)
    return np.asarray(law.reshape(len(law), -1, 2, 2))


class RandomSCM(World):
    """A bow graph with random numbers: a hidden cause of both the action x, 0 or 1, and the reward
    y.

    Every probability is drawn at random: that of a latent from [0.3, 0.7], all others from [0.05,
    0.95]. Worlds are drawn until the confused policy earns 0.1 less than the best one. So the
    confused policy does worse here than in a world drawn without selection, and an agent that
    believes the opposite of every log does well: a fair study has equally many twins, as
    `random_worlds` gives them.

        x <-- cause --> y
        |               ^
        +---------------+

    Observation: Discrete(1). Action: Discrete(2). One step; the reward is 0 or 1.

    Trap: 0, since promised = 0.5219 > J(confused) = 0.4158.
    Way out: interventions.
    Best: 1, since J(causal) = 0.5492 > J(confused).

    Source: our own. The generator is `numpy.random.default_rng([20250101, template, seed])`; it
    draws the probabilities variable by variable in the order of `drawn`, and for each variable its
    table given the causes, row by row."""

    held_out: ClassVar[Ranges] = {"cause": (0.1, 0.9)}

    template: ClassVar[int] = 0
    drawn: ClassVar[tuple[str, ...]] = ("cause", "x", "y")  # the variables, causes first
    adjusts: ClassVar[tuple[str, ...]] = ()  # what the confused policy adjusts for
    traces: ClassVar[tuple[str, ...]] = ()  # the proxies of the hidden cause
    least: ClassVar[float] = 0.1  # least loss of the confused policy

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
        """The numbers of the world with this seed, by rejection sampling. Raises InputError if the
        seed is negative.
        """
        if seed < 0:
            raise InputError(f"the seed must be 0 or more, and got {seed}")
        rng, rejected = np.random.default_rng([20250101, cls.template, seed]), 0
        while True:
            tables = _draw(cls, rng)
            (accepted,) = np.nonzero(cls.acceptable(tables))
            if len(accepted):
                first = int(accepted[0])
                world = {name: table[first] for name, table in tables.items()}
                return Accepted(world, tries=rejected + first + 1)
            rejected += AT_ONCE

    @classmethod
    def acceptable(cls, tables: Mapping[str, Floats]) -> Flags:
        """Whether each world of a batch is one of the prior: (worlds,)."""
        conditions = [_losses(cls, tables) >= cls.least]
        for name in cls.traces:
            difference = abs(tables[name][:, 1] - tables[name][:, 0])
            conditions.append(difference >= TELLING)
        return np.asarray(np.all(conditions, axis=0))

    def _law(self, name: str, *causes: Array) -> Bernoulli:
        return Bernoulli(self.accepted(self.seed).tables[name][causes])

    @shift
    def cause_rare(self) -> World:
        return self.do(cause=Bernoulli(0.1))

    @shift
    def cause_common(self) -> World:
        return self.do(cause=Bernoulli(0.9))


class Backdoor(RandomSCM):
    """The common cause is logged, but not seen before acting.

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
    """The whole effect of the action goes through a logged variable.

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
    """A logged variable moves the action, and moves the reward only through the action.

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
    """The context is a common effect of two hidden causes, one of the action and one of the reward;
    conditioning on it makes the two dependent.

        cause --> m <-- other_cause
          |                 |
          +----> x --> y <--+

    Observation: Discrete(2), m. Otherwise as RandomSCM; the confused policy loses at least 0.05.

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
    """The log is an experiment, and the confused policy adjusts for a common effect of the action
    and of a hidden cause of the reward.

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
    """Two proxies of the hidden cause are logged, z and w. The probability that a proxy is 1
    differs by at least 0.3 between the two values of the cause.

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
    """An infinite stream of random worlds, the same for the same seed. Every template is equally
    likely, and half of the worlds are replaced by their twins.

    In a twin the observed variables have the same law, and the confused policy is right: neither an
    agent that believes a log nor one that believes its opposite does well on both. Raises
    InputError if the seed is negative."""
    if seed < 0:
        raise InputError(f"random_worlds needs a seed that is 0 or more, and got {seed}")
    rng = np.random.default_rng(seed)
    while True:
        template = templates[int(rng.integers(len(templates)))]
        world: World = template(seed=int(rng.integers(2**31)))
        if rng.random() < 0.5:
            world = world.twin() or world
        yield world

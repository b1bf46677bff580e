"""Models for the laws of certificates, and what they do by their own engine."""

from collections.abc import Iterator
from functools import lru_cache
from itertools import product
from math import prod

import numpy as np
import pytest
from countable import TABULAR, is_tabular
from places import THROWAWAY_FILE

from dosuite.causal import (
    Array,
    Bernoulli,
    Categorical,
    Exactly,
    World,
    action,
    certificate,
    context,
    distribution,
    expectation,
    latent,
    logged,
    reward,
    selection,
    terminal,
)
from dosuite.causal.arrays import Floats
from dosuite.envs import make_model
from dosuite.envs.worlds.collider import SelectionGate
from dosuite.envs.worlds.front_door import TarFrontdoor

RELAY, ORCHARD, DAWN, SURVIVORS, GAUGE = (
    make_model(f"{THROWAWAY_FILE}:{name}")
    for name in ("Relay", "Orchard", "Dawn", "Survivors", "Gauge")
)


class LongTar(TarFrontdoor):
    """Two years of it, if one survives the first."""

    horizon: int = 2

    @terminal
    def dead(self, health: Array, genotype: Array) -> Bernoulli:
        return Bernoulli(0.1 + 0.3 * genotype + 0.1 * (1 - health))


class Doctor(World):
    """A bow in each of two contexts, one of which hints at the hidden cause."""

    @latent
    def need(self) -> Bernoulli:
        return Bernoulli(0.4)

    @context
    def pain(self, need: Array) -> Bernoulli:
        return Bernoulli(0.2 + 0.5 * need)

    @action
    def drug(self, need: Array, pain: Array) -> Bernoulli:
        return Bernoulli(0.1 + 0.5 * need + 0.2 * pain)

    @reward
    def relief(self, need: Array, pain: Array, drug: Array) -> Bernoulli:
        return Bernoulli(0.7 - 0.5 * need - 0.1 * pain + 0.3 * drug * need)


class Dose(World):
    """Too many response types for a linear programme, and something logged on the way."""

    @latent
    def need(self) -> Bernoulli:
        return Bernoulli(0.4)

    @action
    def dose(self, need: Array) -> Categorical:
        weights = 1.0 + np.outer(need, np.arange(4))
        return Categorical(weights / weights.sum(1, keepdims=True))

    @logged
    def level(self, dose: Array, need: Array) -> Categorical:
        weights = 1.0 + (np.arange(20) == (3 * dose + need)[:, None]) * 10
        return Categorical(weights / weights.sum(1, keepdims=True))

    @reward
    def relief(self, level: Array, need: Array) -> Bernoulli:
        return Bernoulli(0.1 + 0.03 * level + 0.2 * (1 - need))


class Ward(World):
    """A confounder that is in the log, and depends on the context."""

    @context
    def ward(self) -> Bernoulli:
        return Bernoulli(0.3)

    @logged
    def age(self, ward: Array) -> Bernoulli:
        return Bernoulli(0.2 + 0.6 * ward)

    @action
    def drug(self, age: Array, ward: Array) -> Bernoulli:
        return Bernoulli(0.1 + 0.5 * age + 0.2 * ward)

    @reward
    def cure(self, age: Array, drug: Array) -> Bernoulli:
        return Bernoulli(0.6 - 0.4 * age + 0.2 * drug)


def _fair(model: World) -> Bernoulli:
    return Bernoulli(0.5)


def _first_win(model: World, charge: Array) -> Bernoulli:
    return Bernoulli(0.4 + 0.1 * charge)


class Veterans(World):
    """The rested charge, the lucky win, and who was neither fell before:

    among those who are left the two exclude each other.
    """

    horizon: int = 3

    @latent
    def rested(self) -> Bernoulli:
        return Bernoulli(0.5)

    @latent
    def lucky(self) -> Bernoulli:
        return Bernoulli(0.5)

    @action.starting(_fair)
    def charge(self, rested_tm1: Array) -> Bernoulli:
        return Bernoulli(0.2 + 0.6 * rested_tm1)

    @reward.starting(_first_win)
    def win(self, lucky_tm1: Array, charge: Array) -> Bernoulli:
        return Bernoulli(0.2 + 0.5 * lucky_tm1 + 0.1 * charge)

    @terminal
    def fallen(self, rested: Array, lucky: Array) -> Bernoulli:
        return Bernoulli(0.8 - 0.7 * np.maximum(rested, lucky))


class OpenGate(SelectionGate):
    """Who is recorded depends on what was done alone, and does no harm."""

    @selection
    def told(self, risk: Array) -> Bernoulli:
        return Bernoulli(0.2 + 0.5 * risk)


class Crowd(World):
    """Twenty-six hidden variables: more than a table can hold together."""

    @action
    def act(self) -> Bernoulli:
        return Bernoulli(0.5)

    @reward
    def win(self, act: Array) -> Exactly:
        return Exactly(act)


Crowded = type(
    "Crowded", (Crowd,), {f"u{i}": latent(lambda self: Bernoulli(0.5)) for i in range(26)}
)


def _models() -> Iterator[tuple[str, World]]:
    """Every world and member, the twins that are no members, and of short worlds one with the
    intent.
    """
    own = [RELAY, ORCHARD, DAWN, LongTar(), Doctor(), Dose(), Ward(), Veterans()]
    worlds = {**TABULAR, **{type(model).__name__: model for model in own}}
    yield from worlds.items()
    for text, model in worlds.items():
        if (twin := model.twin()) is not None and twin not in worlds.values():
            yield f"{text}, twin", twin
    for kind, model in {
        type(model): model for model in worlds.values() if model.horizon <= 10
    }.items():
        yield f"{kind.__name__}, intent", model.with_intent()


def _is_small(model: World) -> bool:
    """Whether a table holds the law of a step and the next observation."""
    return (
        is_tabular(model)
        and prod(len(model.tables.support(name)) for name in model.contexts) <= 1000
    )


MODELS = {text: model for text, model in _models() if _is_small(model)}
ONE_STEP = {text: model for text, model in MODELS.items() if model.horizon == 1}
BOW = [model for model in ONE_STEP.values() if not model.names("logged")]


def _each(models: dict[str, World]) -> pytest.MarkDecorator:
    """Every model; twins, and worlds with the intent, when it is their turn."""
    other = [pytest.mark.long]
    return pytest.mark.parametrize(
        "model",
        [
            pytest.param(m, id=text, marks=other if ", " in text else [])
            for text, m in models.items()
        ],
    )


every_model, every_one_step_model = _each(MODELS), _each(ONE_STEP)
certified = lru_cache(maxsize=None)(certificate)


def contexts(model: World) -> list[dict[str, float]]:
    """The values of the contexts, in the order of the rows of a policy."""
    return [
        dict(zip(model.contexts, at, strict=True))
        for at in product(*(model.tables.support(name) for name in model.contexts))
    ]


def actions(model: World) -> list[float]:
    return [float(a) for a in model.tables.support(model.action)]


def chance(model: World, context: dict[str, float]) -> float:
    at = tuple(model.tables.support(name).tolist().index(value) for name, value in context.items())
    return float(distribution(model, *context)[at]) if context else 1.0


def effects(model: World) -> Floats:
    """E[reward | do(action), context] by the model itself, nan in contexts that never occur."""

    def mean(a: float, c: dict[str, float]) -> float:
        return (
            expectation(model.do(**{model.action: a}), model.reward, c)
            if chance(model, c) > 0
            else np.nan
        )

    return np.array([[mean(a, c) for a in actions(model)] for c in contexts(model)])


def conditional(joint: Array) -> Array:
    """The law of the last axis given the others, nan where they never occur."""
    total = joint.sum(-1, keepdims=True)
    return np.asarray(np.divide(joint, total, where=total > 0, out=np.full_like(joint, np.nan)))

"""Models and helpers that the laws of models share."""

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

import numpy as np
from countable import CONTINUOUS, COUNTABLE, each, is_countable
from places import THROWAWAY_FILE

from dosuite.causal import (
    LAG,
    Array,
    Categorical,
    Columns,
    Uniform,
    World,
    uniform_policy,
)
from dosuite.causal.model.distributions import Distribution
from dosuite.envs import choices, make_model
from dosuite.envs.spaces import action_space

EXACT = 1e-12


THROWAWAY = {
    name: make_model(f"{THROWAWAY_FILE}:{name}")
    for name in ("Relay", "Orchard", "Dawn", "Survivors")
}


MODELS: dict[str, World] = {**COUNTABLE, **THROWAWAY}


ALL: dict[str, World] = {**MODELS, **CONTINUOUS}


every_model = each(ALL)


Course = tuple[dict[str, float], ...]  # the variables of each step of an episode


def short(model: World, steps: int = 4) -> World:
    """The first steps of a model."""
    return replace(model, horizon=min(model.horizon, steps), burn_in=0)


def at_random(model: World) -> Distribution:
    """Every action alike."""
    if model.action_bounds is not None:
        return Uniform(*model.action_bounds)
    actions = choices(action_space(model))
    return Categorical(np.full(actions, 1 / actions))


def worlds(model: World) -> Iterator[World]:
    """A model, and what can be made of it by an action, a shift, a twin, a control, a dial or the
    sight of the intent.
    """
    yield model
    yield from (model.do(**{model.action: act}) for act in some_values(model, model.action))
    yield from (model.shifted(name) for name in model.shifts())
    yield from filter(None, (model.twin(), model.control(), model.dial(0.5)))
    yield model.with_intent()
    yield model.with_intent().do(**{model.action: at_random(model)})
    yield from (model.with_intent().shifted(name) for name in model.shifts()[:1])


def some_values(model: World, name: str) -> list[float]:
    """The values of a variable, as numbers of their own type;

    of one that has too many, the least and the largest of a sample.
    """
    if is_countable(model):
        return list(model.tables.support(name).tolist())
    column = draw(model)[name]
    if name == model.action and model.action_bounds is not None:
        column = column.clip(*model.action_bounds)  # what can be done
    return [column.min().item(), column.max().item()]


def random_policies(model: World, count: int) -> Array:
    """Memoryless policies (count, C, A), each row drawn uniformly from the simplex."""
    contexts, actions = uniform_policy(model).shape
    return np.random.default_rng(5).dirichlet(np.ones(actions), (count, contexts))


def draw(model: World, n: int = 500, seed: int = 1) -> Columns:
    """A sample with a column for each step, (n, horizon). Equal seeds give equal noise."""
    return {
        name: column.reshape(n, model.horizon)
        for name, column in model.sample(n, np.random.default_rng(seed)).items()
    }


# Twins, controls, dials.


@lru_cache(maxsize=256)
def courses(model: World) -> list[tuple[Course, float]]:
    """Every course that an episode can take and its probability, by trying all values:

    independent of tables and elimination.
    """
    ends = model.names("terminal")
    done: list[tuple[Course, float]] = []
    going: list[tuple[Course, float]] = [((), 1.0)]
    for step in range(model.horizon):
        longer = [
            ((*past, now), p * q)
            for past, p in going
            for now, q in next_steps(model, tuple(past[-1].items()) if past else None)
        ]
        going = [
            (course, p)
            for course, p in longer
            if not any(course[-1][name] == 1 for name in ends) and step + 1 < model.horizon
        ]
        done += [
            (course, p)
            for course, p in longer
            if any(course[-1][name] == 1 for name in ends) or step + 1 == model.horizon
        ]
    return done


@lru_cache(maxsize=10_000)
def next_steps(
    model: World, before: tuple[tuple[str, float], ...] | None
) -> list[tuple[dict[str, float], float]]:
    """The values that the variables of one step can take after the step `before`, and their
    probabilities.
    """
    past = {} if before is None else {name + LAG: what for name, what in before}
    found: list[tuple[dict[str, float], float]] = [({}, 1.0)]
    missing = {name: v.first if before is None else v.later for name, v in model.variables.items()}
    while missing:
        name = next(name for name, m in missing.items() if not set(m.causes) & set(missing))
        mechanism = missing.pop(name)
        spread = []
        for now, p in found:
            law = mechanism.law(*(np.array([{**past, **now}[cause]]) for cause in mechanism.causes))
            support = law.support()
            assert support is not None
            chances = np.ravel(law.probability(support))
            spread += [
                ({**now, name: what.item()}, p * q)
                for what, q in zip(support, chances, strict=True)
                if q > 0
            ]
        found = spread
    return found

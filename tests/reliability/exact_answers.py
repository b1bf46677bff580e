"""The exact answers of the package about a model, by name."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dosuite.causal import (
    InputError,
    NotDiscreteError,
    TooLargeError,
    World,
    distribution,
    effect,
    expectation,
    uniform_policy,
    value,
    values,
)
from dosuite.causal.exact import (
    confounding,
    counterfactuals,
    policies,
)
from dosuite.causal.identification import action_effect
from dosuite.eval.runs import reference_values

Array = NDArray[Any]
Answers = dict[str, Array]
Questions = Iterator[tuple[str, Callable[[], Any]]]

MISSING = (NotDiscreteError, TooLargeError)  # there is no exact answer


def answers(model: World) -> Answers:
    """The exact answers of a model by name; those that do not exist are left out."""
    made: Answers = {}
    for group in (_laws, _values, _processes, _confounding, _references, _counterfactuals, _effect):
        for name, ask in group(model):
            try:
                made[name] = np.asarray(ask(), dtype=float)
            except (InputError, *MISSING):  # or no episode gets there
                continue
    return made


def _laws(model: World) -> Questions:
    for step in sorted({0, min(2, model.horizon - 1), model.horizon - 1}):
        for name in model.variables:
            yield f"P({name}) at {step}", partial(distribution, model, name, step=step)
            yield f"E[{name}] at {step}", partial(expectation, model, name, step=step)
        names = (*model.contexts, model.action)
        yield f"P(context, action) at {step}", partial(distribution, model, *names, step=step)
        yield f"P(reward | do) at {step}", partial(_effect_at, model, step)
        for act in support_of(model, model.action):
            given = {model.action: act}
            ask = partial(_expectation_or_nan, model, model.reward, given, step)
            yield f"E[reward | {act:g}] at {step}", ask


def support_of(model: World, name: str) -> list[float]:
    try:
        return [float(number) for number in model.tables.support(name)]
    except MISSING:
        return []


def _effect_at(model: World, step: int) -> Array:
    try:
        return effect(model, model.reward, model.action, step=step)
    except InputError:  # the action ends every episode before
        return np.zeros(0)


def _expectation_or_nan(model: World, name: str, given: dict[str, float], step: int) -> float:
    try:
        return expectation(model, name, given, step)
    except InputError:  # never taken
        return np.nan


def tables_of(model: World) -> dict[str, Array]:
    """Reference policies and random ones by name, as tables (C, A)."""
    tables = {"uniform": uniform_policy(model)}
    for name, ask in (("confused", model.confused_policy), ("causal", model.causal_policy)):
        try:
            table = np.asarray(ask())
        except MISSING:
            continue
        if table.shape == tables["uniform"].shape:
            tables[name] = table
    rng = np.random.default_rng(0)
    contexts, actions = tables["uniform"].shape
    for number in range(3):
        tables[f"random {number}"] = rng.dirichlet(np.full(actions, 0.5), contexts)
    return tables


def _values(model: World) -> Questions:
    yield "J(behaviour)", lambda: value(model)
    yield "J(tables)", lambda: [value(model, table) for table in tables_of(model).values()]
    yield "J(best)", lambda: value(model, policies.best_policy(model))
    yield "J(worst)", lambda: value(model, policies.worst_policy(model))
    shifts = [model.shifted(name) for name in model.shifts()]
    yield "J in shifts", lambda: values([model, *shifts], uniform_policy(model))


def process_answers(process: Any) -> Answers:
    """The arrays of a decision process; 0 where there are no data."""
    transition = process.transition
    dense = transition.toarray() if hasattr(transition, "toarray") else transition
    contexts, actions = process.reward.shape
    occurs = process.visits > 0
    return {
        "visits": process.visits,
        "reward": process.reward * occurs,
        "transition": dense.reshape(contexts, actions, -1) * occurs[..., None],
    }


def _process_answer(model: World, ask: Any, name: str) -> Any:
    return process_answers(ask(model))[name]


def _processes(model: World) -> Questions:
    for title, ask in (("log", policies.log_process), ("do", policies.do_process)):
        for name in ("visits", "reward", "transition"):
            yield f"{title} {name}", partial(_process_answer, model, ask, name)
    yield "promised", lambda: policies.associational_value(model)


def _confounding(model: World) -> Questions:
    yield "total variation", lambda: confounding.total_variation(model)
    yield "information", lambda: confounding.mutual_information(model)
    yield "overlap", lambda: confounding.overlap(model)


def _references(model: World) -> Questions:
    def ask() -> list[float]:
        return [*reference_values.references(model, model).values()]

    yield "references", ask


def _counterfactuals(model: World) -> Questions:
    if model.horizon > 1 or len(support_of(model, model.action)) < 2:
        return
    control, treated = support_of(model, model.action)[:2]
    for coupling in ("quantile", "gumbel-max"):
        ask = partial(counterfactuals.effect_on_treated, model, treated, control)
        yield f"effect on treated, {coupling}", partial(_or_nan, partial(ask, coupling=coupling))
    world = model.do(**{model.action: treated})
    given = {model.action: control}
    law = partial(counterfactuals.counterfactual, model, world, model.reward, given=given)
    yield "counterfactual reward", partial(_or_nan, law)


def _or_nan(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except InputError:  # the condition never happens
        return np.nan


def _effect(model: World) -> Questions:
    def ask() -> list[float]:
        cells: list[float] = []
        for estimand in action_effect.answer(model).estimands:
            cells += action_effect.kernel(model, estimand).ravel().tolist()
        return cells

    yield "estimands", ask

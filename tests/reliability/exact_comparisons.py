"""Exact answers with and without a shortcut, one function for each shortcut of the exact floor."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from itertools import product
from typing import Any

import networkx as nx
import numpy as np
import turned_off
from exact_answers import MISSING, Answers, answers, support_of, tables_of
from numpy.typing import NDArray
from step_enumeration import Enumeration

from dosuite.causal import (
    InputError,
    NotDiscreteError,
    TooLargeError,
    World,
    distribution,
    uniform_policy,
    value,
    values,
)
from dosuite.causal.exact import (
    belief_planning,
    markov_chain,
    policies,
)
from dosuite.causal.graphs import latent_projection
from dosuite.causal.identification import action_effect
from dosuite.causal.partial_identification import sharp_bounds
from dosuite.causal.partial_identification.response_types import response_types

Array = NDArray[Any]
Pairs = Iterator[tuple[str, Any, Any]]  # an answer's name, the ordinary answer, and the other

SMALL_JOINT = 2**16  # assignments of a step and its past, up to which one product is taken
SMALL_TABLES = 500  # the same, up to which nothing at all is kept
MOST_ENUMERATED = 2**31  # the same, up to which the reachable ones may be few enough to list
FEW_POLICIES = 2**12


def by_patch(
    off: Callable[[], AbstractContextManager[None]],
    ask: Callable[[World], Answers] = answers,
    applies: Callable[[World], bool] = lambda model: True,
) -> Callable[[World], Pairs]:
    """The comparison of the answers `ask` with those under a patch, in models where it applies."""

    def compare(model: World) -> Pairs:
        if not applies(model):
            return
        ordinary = _remembered(ask, model)
        with off():
            other = ask(replace(model))
        for name in ordinary.keys() & other.keys():
            yield name, ordinary[name], other[name]

    return compare


_ORDINARY: dict[tuple[Any, World], Answers] = {}


def _remembered(ask: Callable[[World], Answers], model: World) -> Answers:
    """The ordinary answers, which all patches of one model share."""
    if (ask, model) not in _ORDINARY:
        if len(_ORDINARY) > 64:
            _ORDINARY.clear()
        turned_off.forget()
        _ORDINARY[ask, model] = ask(replace(model))
    return _ORDINARY[ask, model]


def _joint_size(model: World) -> float:
    """The number of assignments of a step and its past; infinite if a variable is continuous."""
    size = 1.0
    try:
        for name in (*model.variables, *model.tables.carried):
            size *= len(model.tables.support(name))
    except MISSING:
        return np.inf
    return size


def is_small(model: World) -> bool:
    return _joint_size(model) <= SMALL_JOINT


def is_tiny(model: World) -> bool:
    return _joint_size(model) <= SMALL_TABLES


def has_steps(model: World) -> bool:
    return model.horizon > 1


def can_be_dense(model: World) -> bool:
    try:
        names = {*model.contexts, model.action, *model.tables.carried}
        states = np.prod([float(len(model.tables.support(name))) for name in names])
    except MISSING:
        return False
    return bool(model.horizon > 1 and 512 < states <= 2**12)


def extremes(model: World) -> Answers:
    """The values of the best and of the worst policy, where there are few."""
    try:
        contexts, actions = uniform_policy(model).shape
        if actions**contexts > FEW_POLICIES:
            return {}
        best, worst = policies.best_policy(model), policies.worst_policy(model)
        return {
            "J(best)": np.asarray(value(model, best)),
            "J(worst)": np.asarray(value(model, worst)),
        }
    except MISSING:
        return {}


def units(model: World) -> Answers:
    """Every variable of 500 sampled units."""
    return {name: np.asarray(column, float) for name, column in model.sample(500, 7).items()}


def enumerated(model: World) -> Pairs:
    """Closed forms, pruning, elimination and reachable states against plain enumeration."""
    if _joint_size(model) > MOST_ENUMERATED:
        return
    try:
        plain = Enumeration(model)
    except MISSING:
        return
    made = _remembered(answers, model)
    yield "J(behaviour)", made["J(behaviour)"], plain.value(None)
    tables = [plain.value(table) for table in tables_of(model).values()]
    yield "J(tables)", made["J(tables)"], tables
    if "J(best)" in made:
        yield "J(best)", made["J(best)"], plain.value(policies.best_policy(model))
    for title, policy in (("log", None), ("do", uniform_policy(model))):
        for name, array in plain.pooled(policy).items():
            if f"{title} {name}" in made:
                yield f"{title} {name}", made[f"{title} {name}"], array
    for step in sorted({0, min(2, model.horizon - 1), model.horizon - 1}):
        yield from _enumerated_step(model, plain, made, step)


def _enumerated_step(model: World, plain: Enumeration, made: Answers, step: int) -> Pairs:
    for name in model.variables:
        if f"E[{name}] at {step}" in made:
            yield name, made[f"E[{name}] at {step}"], plain.expectation(step, name, {})
        if f"P({name}) at {step}" in made:
            support = model.tables.support(name)
            rows, weight = plain.law(step, name)
            places = np.searchsorted(np.round(support, 12), rows[:, 0])
            yield name, made[f"P({name}) at {step}"], np.bincount(places, weight, len(support))
    for act in support_of(model, model.action):
        ordinary = made.get(f"E[reward | {act:g}] at {step}")
        if ordinary is not None and np.isfinite(ordinary):
            given = {model.action: act}
            yield "E[reward | action]", ordinary, plain.expectation(step, model.reward, given)


def one_by_one(model: World) -> Pairs:
    """Policies, and worlds of one policy, valued at once against one by one."""
    try:
        tables = list(tables_of(model).values())
        chain = markov_chain.chain(model)
    except MISSING:
        return
    at_once = chain.values(np.stack(tables))
    alone = [float(chain.values(table[None])[0]) for table in tables]
    yield "policies", at_once, alone
    worlds = [model, *(model.shifted(name) for name in model.shifts())]
    for number, table in enumerate(tables):
        try:
            together = values(worlds, table)
            yield f"worlds {number}", together, [value(world, table) for world in worlds]
        except (InputError, *MISSING):
            continue


def beliefs_apart(model: World) -> Pairs:
    """Plans with memory over beliefs that are merged in 11 digits, against beliefs to the last."""
    if model.horizon < 2 or _joint_size(model) > 10_000:
        return
    short = replace(model, horizon=min(model.horizon, 4))
    try:
        ordinary = belief_planning.plan_with_memory(short)
        with turned_off.patched((belief_planning, "DIGITS", 17)):
            other = belief_planning.plan_with_memory(replace(short))
    except MISSING:
        return
    yield "plan", ordinary, other


def shortened(model: World) -> Pairs:
    """The short formula of each estimand against the one that the ID algorithm gives."""
    if _joint_size(model) > SMALL_JOINT:
        return
    try:
        for estimand in action_effect.answer(model).estimands:
            short = action_effect.kernel(model, estimand)
            long = action_effect.kernel(model, replace(estimand, formula=estimand.longer))
            known = ~(np.isnan(short) | np.isnan(long))
            yield str(estimand), short[known], long[known]
    except MISSING:
        return


def separations(model: World) -> Pairs:
    """d-separation in the latent projection against networkx, which knows the latents.

    All pairs of variables of a step, given every set of at most two others.
    """
    graph = model.graph.subgraph(model.variables)
    hidden = set(model.names("latent"))
    admg = latent_projection(graph)
    seen = [name for name in graph if name not in hidden]
    for x, y in product(seen, seen):
        others = [name for name in seen if name not in (x, y)]
        if x >= y:
            continue
        for given in (set(), *({a, b} for a in others for b in others)):
            ordinary = admg.separated({x}, {y}, given)
            yield f"{x}, {y}", float(ordinary), float(nx.is_d_separator(graph, {x}, {y}, given))


def cells_of_noise(model: World) -> Pairs:
    """Counterfactuals by the twin network against the units of every cell of the noise.

    The noise of a variable is cut at every point where its value in some unit changes.
    """
    if model.horizon > 1 or not is_small(model) or len(support_of(model, model.action)) < 2:
        return
    control, treated = support_of(model, model.action)[:2]
    made = _remembered(answers, model)
    world = model.do(**{model.action: treated})
    try:
        cuts = _cuts(model)
        weight, factual = _all_units(model, cuts)
        _, other = _all_units(world, cuts)
    except MISSING:
        return
    if not np.isfinite(made["counterfactual reward"]).all():
        return
    given = weight * (factual[model.action] == control)
    law = made["counterfactual reward"]
    mean = float(law @ world.tables.support(model.reward))
    yield "counterfactual mean", mean, given @ other[model.reward] / given.sum()


def _cuts(model: World) -> dict[str, Array]:
    """By variable, where its value changes in some unit: the cumulative probabilities of its laws.

    The laws are those for all values of its causes, so that they hold under interventions too.
    """
    cuts: dict[str, Array] = {}
    for name, variable in model.variables.items():
        law = model.tables.supports.law(name, variable.first)
        support = law.support()
        if support is None:
            raise NotDiscreteError(name)
        cumulative = np.cumsum(np.atleast_2d(law.probability(support)), axis=1)
        cuts[name] = np.unique(np.concatenate([[0.0, 1.0], cumulative.clip(0.0, 1.0).ravel()]))
    if np.prod([float(len(cut)) for cut in cuts.values()]) > 2**21:
        raise TooLargeError("too many cells of the noise")
    return cuts


def _all_units(model: World, cuts: dict[str, Array]) -> tuple[Array, dict[str, Array]]:
    """The probability of each kind of unit, and its values: one kind for each cell of the noise."""
    middles = [(cut[1:] + cut[:-1]) / 2 for cut in cuts.values()]
    noises = dict(zip(cuts, (axis.ravel() for axis in np.meshgrid(*middles)), strict=True))
    sizes = np.meshgrid(*[np.diff(cut) for cut in cuts.values()])
    weight = np.prod([axis.ravel() for axis in sizes], axis=0)
    columns: dict[str, Array] = {}
    for name in model.order:
        mechanism = model.variables[name].first
        law = mechanism.law(*(columns[cause] for cause in mechanism.causes))
        columns[name] = np.asarray(law.sample(noises[name]))
    return weight, columns


def _outcome(names: Sequence[str], act: float, do: Any) -> Any:
    """What a unit shows in the second variable if the first is set."""
    return do(**{names[0]: act})[names[1]]


def programmes(model: World) -> Pairs:
    """The closed forms of Manski's bounds against the linear programme over response types.

    Where the action has no effect at all, Manski's bounds are not sharp.
    """
    names = (model.action, model.reward)
    is_effect = nx.has_path(model.graph, *names)
    if model.horizon > 1 or model.contexts or model.names("selection") or not is_effect:
        return
    try:
        types = response_types(model, *names)
        closed = sharp_bounds.manski(distribution(model, *names), model.tables.support(names[1]))
    except (InputError, *MISSING):
        return
    if not types.districts[-1].one_latent or len(types.districts) > 1:
        return
    for row, act in zip(closed, support_of(model, model.action), strict=True):
        solved = sharp_bounds.bounds(types, partial(_outcome, names, act))
        yield f"do({act:g})", row, [solved.low, solved.high]

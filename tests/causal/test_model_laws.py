"""The laws of every model:

exact is sampled, `do` and shifts change what they name, twins and controls are what they say.
"""

from dataclasses import replace

import networkx as nx
import numpy as np
import pytest
from countable import TABULAR, is_countable, is_tabular
from model_laws import ALL, EXACT, MODELS, THROWAWAY, draw, every_model, short, some_values, worlds
from scipy.stats import binom, norm

from dosuite.causal import (
    INTENT,
    LAG,
    Array,
    Columns,
    World,
    distribution,
    uniform_policy,
    value,
)
from dosuite.causal.arrays import Floats
from dosuite.causal.graphs import unroll
from dosuite.causal.model import Mechanism
from dosuite.causal.model.distributions import tidy
from dosuite.envs.worlds.ice_cream import IceCreamShorts

SHIFTS = [(text, shift) for text, model in ALL.items() for shift in model.shifts()]


every_tabular_model = pytest.mark.parametrize(
    "model", (TABULAR | THROWAWAY).values(), ids=TABULAR | THROWAWAY
)


SHIFTS_OF_NOTHING = {
    (
        "SimpsonClinic-BloodPressure-v0:study=KidneyStones",
        "logs_flipped",
    ),  # 350 patients had each treatment
    ("MonsterShield-v0", "test"),  # the episode is longer
}


every_shift = pytest.mark.parametrize(("text", "name"), SHIFTS)


def steps_taken(model: World, columns: Columns) -> int:
    """The steps that some unit of a sample takes:

    fewer than the horizon where every episode ends before.
    """
    going = np.ones(len(columns[model.action]), dtype=bool)
    for step in range(model.horizon):
        for name in model.names("terminal"):
            going &= columns[name][:, step] == 0
        if not going.any():
            return step + 1
    return model.horizon


# Exact answers against samples. At most so many cells are compared for each model; a cell is a
# surprise if its count has a tail
# as improbable as 4 standard errors would be in a single comparison, divided by the number of all
# (Bonferroni).
MOST_CELLS = 4_000


SURPRISE = norm.sf(4.0) / (MOST_CELLS * len(MODELS))


def tails(model: World, sampled_from: World | None = None, n: int = 20_000) -> Floats:
    """The probability of a count as extreme as the sample's, for each cell of the joint law of all
    variables at each step.
    """
    columns = draw(sampled_from or model, n)
    going = np.ones(n, dtype=bool)
    found = []
    for step in range(steps_taken(model, columns)):
        joint = distribution(model, *model.order, step=step)
        cell = np.zeros(n, dtype=np.int64)
        known = np.ones(n, dtype=bool)
        for name, size in zip(model.order, joint.shape, strict=True):
            support, values = model.tables.support(name), tidy(columns[name][:, step])
            index = np.minimum(np.searchsorted(support, values), size - 1)
            known &= support[index] == values
            cell = cell * size + index
        assert known[going].all(), "a sample leaves the support"
        count, p = np.bincount(cell[going], minlength=joint.size), joint.ravel().clip(0.0, 1.0)
        tail = np.minimum(binom.cdf(count, going.sum(), p), binom.sf(count - 1, going.sum(), p))
        found.append(tail[(p > 0) | (count > 0)])
        for name in model.names("terminal"):
            going &= columns[name][:, step] == 0
    return np.concatenate(found)


@pytest.mark.long
@every_tabular_model
def test_exact_equals_sampled_in_every_world(model: World) -> None:
    found = [tails(short(world)) for world in worlds(short(model))]
    assert sum(map(len, found)) <= MOST_CELLS
    assert min(tail.min() for tail in found) > SURPRISE


def test_a_sample_of_a_slightly_different_model_is_a_surprise() -> None:
    assert tails(IceCreamShorts(), IceCreamShorts(confounding=0.76)).min() < SURPRISE


# Interventions.


@every_model
def test_do_with_a_models_own_mechanism_changes_nothing(model: World) -> None:
    model = short(model)
    before = draw(model)
    law = law_of_the_last_step(model, before)
    for name, variable in model.variables.items():
        if variable.first != variable.later and not any(
            cause.endswith(LAG) for cause in variable.later.causes
        ):
            continue  # what is done holds at every step, and this variable has two laws that could
        same = model.do(**{name: variable.later})
        assert all(np.array_equal(column, before[other]) for other, column in draw(same).items()), (
            name
        )
        assert np.array_equal(law_of_the_last_step(same, before), law)


def law_of_the_last_step(model: World, columns: Columns) -> Array:
    """The joint law of all variables at the last step that a unit takes, if a table holds it."""
    return (
        distribution(model, *model.order, step=steps_taken(model, columns) - 1)
        if is_tabular(model)
        else np.zeros(0)
    )


def outside_reach(before: Columns, after: Columns, reached: set[tuple[str, int]]) -> bool:
    """Whether two samples agree, unit by unit, on every variable and step that is not reached."""
    return all(
        np.array_equal(column[:, step], after[name][:, step])
        for name, column in before.items()
        for step in range(column.shape[1])
        if (name, step) not in reached
    )


def reach(model: World, name: str) -> set[tuple[str, int]]:
    """A variable and its effects, at every step."""
    unrolled = unroll(model.graph, model.horizon)
    roots = {(name, step) for step in range(model.horizon)}
    return roots.union(*(nx.descendants(unrolled, root) for root in roots))


@every_model
def test_do_changes_no_unit_of_a_variable_that_is_not_its_effect(model: World) -> None:
    model = short(model)
    before = draw(model)
    for name in model.variables:
        values = some_values(model, name)
        for what in (values[0], values[-1]):
            assert outside_reach(
                before, draw(model.do(**{name: float(what)})), reach(model, name)
            ), name


def test_a_change_outside_the_reach_is_noticed() -> None:
    before, after = (draw(model) for model in (IceCreamShorts(), IceCreamShorts().do(heat=1)))
    assert outside_reach(
        before, after, {(name, 0) for name in ("heat", "ice_cream", "shorts", "pay")}
    )
    assert not outside_reach(before, after, {(name, 0) for name in ("heat", "ice_cream", "shorts")})


def changed_variables(model: World, world: World) -> set[str]:
    """The variables whose law, at the first step or later, differs between two models, over all
    values of the causes of both.
    """
    return {
        name
        for name, ours in model.variables.items()
        for one, other in (
            (ours.first, world.variables[name].first),
            (ours.later, world.variables[name].later),
        )
        if not (
            same_law(model, one, other, model.tables.support(name))
            if is_countable(model)
            else same_draws(model, one, other)
        )
    }


def same_draws(model: World, one: Mechanism, other: Mechanism) -> bool:
    """Whether two laws of a continuous model give the same under the same noise, wherever a sample
    is one step later.
    """
    columns, noise = draw(replace(model, horizon=2)), np.random.default_rng(2).random(500)
    drawn = []
    for mechanism in (one, other):
        causes = [
            columns[cause.removesuffix(LAG)][:, 1 - cause.endswith(LAG)]
            for cause in mechanism.causes
        ]
        drawn.append(mechanism.law(*causes).sample(noise))
    return bool(np.allclose(drawn[0], drawn[1], rtol=EXACT, atol=EXACT))


def same_law(model: World, one: Mechanism, other: Mechanism, support: Array) -> bool:
    causes = tuple(dict.fromkeys(one.causes + other.causes))
    grid = np.meshgrid(
        *(model.tables.support(cause.removesuffix(LAG)) for cause in causes), indexing="ij"
    )
    columns = {cause: axis.ravel() for cause, axis in zip(causes, grid, strict=True)}
    rows = max((axis.size for axis in grid), default=1)
    laws = [
        m.law(*(columns[cause] for cause in m.causes)).probability(support) for m in (one, other)
    ]
    p, q = (np.broadcast_to(law, (rows, len(support))) for law in laws)
    return bool(abs(p - q).max() < EXACT and abs(p.sum(1) - q.sum(1)).max() < EXACT)


@every_shift
def test_a_shift_changes_the_law_of_exactly_one_variable_and_no_unit_beyond_its_reach(
    text: str, name: str
) -> None:
    world = short(ALL[text].shifted(name))
    bases = (
        short(ALL[text]),
        short(ALL[text].deployed()),
    )  # a shift is of the world that is logged, or of the one where policies are valued
    model = min(bases, key=lambda base: len(changed_variables(base, world)) or 2)
    if (text, name) in SHIFTS_OF_NOTHING:
        assert not changed_variables(model, world)
        return
    changes = changed_variables(model, world)
    assert len(changes) == 1
    (changed,) = changes
    assert outside_reach(draw(model), draw(world), reach(model, changed) | reach(world, changed))


def test_two_changes_at_once_are_counted() -> None:
    assert changed_variables(IceCreamShorts(), IceCreamShorts(confounding=0.5).do(heat=1)) == {
        "heat",
        "ice_cream",
    }


@every_model
def test_copying_the_natural_action_is_the_log(model: World) -> None:
    acting = model.with_intent()
    if is_tabular(model) and not model.names("selection"):
        contexts, actions = uniform_policy(model).shape
        follow = np.tile(np.eye(actions), (contexts, 1))  # the intent is the last context
        assert value(acting, follow) == pytest.approx(value(model), abs=EXACT)
    log, seen = draw(short(model)), draw(short(acting))
    assert np.array_equal(seen.pop(INTENT), log[model.action])
    assert all(np.array_equal(log[name], column) for name, column in seen.items())
    assert acting.without_intent() == model

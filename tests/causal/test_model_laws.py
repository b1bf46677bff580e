"""The laws of every model:

exact is sampled, `do` and shifts change what they name, twins and controls are what they say.
"""

import pickle
import tracemalloc
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from itertools import product

import networkx as nx
import numpy as np
import pytest
from countable import CONTINUOUS, COUNTABLE, TABULAR, each, is_countable, is_tabular
from places import THROWAWAY_FILE
from scipy.stats import binom, norm

from dosuite.causal import (
    INTENT,
    LAG,
    Array,
    Bernoulli,
    Categorical,
    Columns,
    Exactly,
    TooLargeError,
    Uniform,
    World,
    action,
    behaviour_policy,
    context,
    distribution,
    expectation,
    latent,
    reward,
    uniform_policy,
    value,
)
from dosuite.causal.arrays import Floats
from dosuite.causal.exact import chain, do_process, log_process, worst_policy
from dosuite.causal.graphs import is_markov, unroll
from dosuite.causal.model import Mechanism
from dosuite.causal.model.distributions import Distribution, tidy
from dosuite.envs import choices, make_model
from dosuite.envs.spaces import action_space
from dosuite.envs.worlds.ice_cream import IceCreamShorts
from dosuite.eval.runs.reference_values import references

EXACT = 1e-12
THROWAWAY = {
    name: make_model(f"{THROWAWAY_FILE}:{name}")
    for name in ("Relay", "Orchard", "Dawn", "Survivors")
}
MODELS: dict[str, World] = {**COUNTABLE, **THROWAWAY}
ALL: dict[str, World] = {**MODELS, **CONTINUOUS}
ONE_STEP = {text: model for text, model in MODELS.items() if model.horizon == 1}
RECORDED = {
    text: model for text, model in MODELS.items() if not model.names("selection")
}  # who selects writes a control of its own
ANOTHER_LOG = {
    text: model for text, model in RECORDED.items() if type(model).dialled is World.dialled
}  # other dials turn the world itself
TWINS = {
    text: (model, twin) for text, model in MODELS.items() if (twin := model.twin()) is not None
}
SHIFTS = [(text, shift) for text, model in ALL.items() for shift in model.shifts()]

TIMED = [
    THROWAWAY["Orchard"],
    THROWAWAY["Dawn"],
]  # the best policy would look at the clock, and a plan in one process does not

every_model = each(ALL)
every_tabular_model = pytest.mark.parametrize(
    "model", (TABULAR | THROWAWAY).values(), ids=TABULAR | THROWAWAY
)
every_countable_model = each(MODELS)
IN_A_BOX = {
    text: model for text, model in CONTINUOUS.items() if model.action_bounds is not None
}  # whose references are exact
every_continuous_model = pytest.mark.parametrize("model", IN_A_BOX.values(), ids=IN_A_BOX)
SHIFTS_OF_NOTHING = {
    (
        "SimpsonClinic-BloodPressure-v0:study=KidneyStones",
        "logs_flipped",
    ),  # 350 patients had each treatment
    ("MonsterShield-v0", "test"),  # the episode is longer
}

every_recorded_model = each(RECORDED)
every_model_with_the_common_dial = each(ANOTHER_LOG)
every_one_step_model = pytest.mark.parametrize("model", ONE_STEP.values(), ids=ONE_STEP)
every_shift = pytest.mark.parametrize(("text", "name"), SHIFTS)
every_twin = pytest.mark.parametrize(("model", "twin"), TWINS.values(), ids=TWINS)

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
    (changed,) = changed_variables(model, world)
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


# Mechanisms and noise.


def alike_row_by_row(model: World) -> bool:
    """Whether each mechanism gives the units of a batch what it gives each of them alone, under the
    same noise.
    """
    columns, noise = draw(model, n=20), np.random.default_rng(2).random(20)
    for variable in model.variables.values():
        for step, mechanism in enumerate((variable.first, variable.later)[: model.horizon]):
            causes = [
                columns[c.removesuffix(LAG)][:, step - c.endswith(LAG)] for c in mechanism.causes
            ]
            batch = mechanism.law(*causes).sample(noise)
            alone = [
                mechanism.law(*(cause[[i]] for cause in causes)).sample(noise[[i]])[0]
                for i in range(20)
            ]
            if batch.shape != (20,) or batch.tolist() != alone:
                return False
    return True


@every_model
def test_a_mechanism_on_a_batch_is_the_mechanism_row_by_row(model: World) -> None:
    assert all(alike_row_by_row(world) for world in worlds(short(model, 2)))


class Crowd(IceCreamShorts):
    """Shorts are contagious: a mechanism that looks at the whole batch."""

    @latent
    def heat(self) -> Bernoulli:
        return Bernoulli(0.5)

    @action
    def ice_cream(self, heat: Array) -> Bernoulli:
        return Bernoulli(0.2 + 0.6 * heat.mean() * np.ones(len(heat)))


def test_a_mechanism_that_looks_at_other_units_is_noticed() -> None:
    assert not alike_row_by_row(Crowd())


class Written(World):
    horizon: int = 2

    @latent
    def wind(self) -> Bernoulli:
        return Bernoulli(0.3)

    @context.starting(Bernoulli(0.5))
    def vane(self, wind: Array, sail_tm1: Array) -> Bernoulli:
        return Bernoulli(0.1 + 0.5 * wind + 0.3 * sail_tm1)

    @action
    def sail(self, vane: Array, wind: Array) -> Bernoulli:
        return Bernoulli(0.2 + 0.3 * vane + 0.3 * wind)

    @reward
    def speed(self, wind: Array, sail: Array) -> Exactly:
        return Exactly(wind * sail)


class Rewritten(World):
    horizon: int = 2

    @reward
    def speed(self, wind: Array, sail: Array) -> Exactly:
        return Exactly(wind * sail)

    @action
    def sail(self, wind: Array, vane: Array) -> Bernoulli:
        return Bernoulli(0.2 + 0.3 * vane + 0.3 * wind)

    @context.starting(Bernoulli(0.5))
    def vane(self, sail_tm1: Array, wind: Array) -> Bernoulli:
        return Bernoulli(0.1 + 0.5 * wind + 0.3 * sail_tm1)

    @latent
    def wind(self) -> Bernoulli:
        return Bernoulli(0.3)


def test_draws_and_answers_do_not_depend_on_the_order_in_which_variables_are_written() -> None:
    one, other = Written(), Rewritten()
    assert list(one.variables) != list(other.variables)
    again = draw(other)
    assert all(np.array_equal(column, again[name]) for name, column in draw(one).items())
    assert value(one) == pytest.approx(value(other), abs=EXACT)
    assert one.causal_policy().tolist() == other.causal_policy().tolist()


def test_a_unit_does_not_depend_on_the_size_of_its_batch_nor_a_step_on_the_horizon() -> None:
    model = THROWAWAY["Relay"]
    few, many = draw(model, n=10), draw(replace(model, horizon=5), n=1000)
    assert all(np.array_equal(column, many[name][:10, :3]) for name, column in few.items())


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


def seen_law(model: World) -> dict[tuple[float, ...], float]:
    """The law of everything visible in an episode that is recorded."""
    visible = model.names("context", "action", "logged", "reward", "terminal")
    law: dict[tuple[float, ...], float] = defaultdict(float)
    for course, p in courses(model):
        if all(now[name] == 1 for now in course for name in model.names("selection")):
            law[tuple(now[name] for now in course for name in visible)] += p
    recorded = sum(law.values())
    return {seen: p / recorded for seen, p in law.items()}


def same_sight(one: World, other: World) -> bool:
    p, q = seen_law(one), seen_law(other)
    return max(abs(p.get(seen, 0.0) - q.get(seen, 0.0)) for seen in {*p, *q}) < 1e-9


@every_twin
def test_a_twin_looks_the_same_and_has_another_best_policy(model: World, twin: World) -> None:
    assert same_sight(short(model), short(twin))
    assert value(twin, model.causal_policy()) < value(twin, twin.causal_policy()) - 1e-9
    assert value(model, twin.causal_policy()) < value(model, model.causal_policy()) - 1e-9


@every_twin
def test_the_twin_of_a_twin_has_the_best_policy_of_the_model_or_is_none(
    model: World, twin: World
) -> None:
    again = twin.twin() if type(twin) is not type(model) else None
    assert again is None or abs(again.causal_policy() - model.causal_policy()).max() < EXACT


def test_a_world_that_looks_different_is_noticed() -> None:
    assert not same_sight(IceCreamShorts(), IceCreamShorts(effect=1e-6))


@pytest.mark.parametrize("steps", [1, 2, 3, 7])
def test_a_river_of_any_length_has_a_twin_that_looks_the_same(steps: int) -> None:
    model = make_model("ConfoundedRiver-v0", horizon=steps)
    twin = model.twin()
    assert twin is not None
    assert same_sight(short(model), short(twin))


@every_model_with_the_common_dial
def test_a_control_keeps_the_propensity_and_what_actions_do_and_ends_the_confusion(
    model: World,
) -> None:
    control = model.control()
    if model.marginal().causes == model.contexts:  # and no nuisance is left out
        assert behaviour_policy(control) == pytest.approx(behaviour_policy(model), abs=1e-9)
    for policy in random_policies(model, 3):
        assert value(control, policy) == pytest.approx(value(model, policy), abs=EXACT)
    if (model.horizon == 1 or is_markov(model.graph)) and model not in TIMED:
        best = value(control, control.causal_policy())
        assert value(control, control.confused_policy()) == pytest.approx(best, abs=1e-9)
        assert control.promised_value() == pytest.approx(best, abs=1e-9)


@every_recorded_model
def test_a_dial_goes_from_the_control_to_the_model(model: World) -> None:
    assert model.dial(1.0) == model
    assert model.dial(0.0) == model.control() != model.dial(0.5) != model


@every_model_with_the_common_dial
def test_the_common_dial_changes_the_log_alone(model: World) -> None:
    half = model.dial(0.5)
    policy = random_policies(model, 1)[0]
    assert value(half, policy) == pytest.approx(value(model, policy), abs=EXACT)
    if model.horizon == 1:
        ends = (log_process(model.dial(0.0)), log_process(model))
        assert behaviour_policy(half) == pytest.approx(behaviour_policy(model), abs=EXACT)
        middle = (ends[0].reward + ends[1].reward) / 2
        assert log_process(half).reward == pytest.approx(
            middle, abs=EXACT
        )  # the joint law is linear in the strength


@every_continuous_model
def test_a_twin_of_a_continuous_model_looks_the_same_unit_by_unit_and_has_another_best_policy(
    model: World,
) -> None:
    twin = model.twin()
    if twin is None:
        return
    one, other = draw(model), draw(twin)
    assert all(
        np.allclose(one[name], other[name], rtol=0, atol=1e-9)
        for name in model.names("context", "action", "logged", "reward")
    )
    assert references(twin, twin)["promised"] == pytest.approx(
        references(model, model)["promised"], abs=1e-9
    )
    ours, theirs = references(model, model), references(twin, twin)
    assert abs(ours["j_causal"] - theirs["j_causal"]) > 1e-3
    assert twin.twin() == model


@every_continuous_model
def test_in_the_control_of_a_continuous_model_the_confused_policy_is_the_causal_one(
    model: World,
) -> None:
    control, half = model.control(), model.dial(0.5)
    assert model.dial(1.0) == model
    assert model.dial(0.0) == control
    ours, theirs, middle = (references(one, one) for one in (model, control, half))
    assert theirs["j_confused"] == pytest.approx(theirs["j_causal"], abs=1e-9)
    for name in ("j_worst", "j_causal", "j_best", "j_uniform"):  # what actions do has not changed
        assert theirs[name] == pytest.approx(ours[name], rel=1e-9)
    assert ours["j_confused"] < theirs["j_confused"]
    assert ours["j_confused"] - 1e-9 <= middle["j_confused"] <= theirs["j_confused"] + 1e-9


@every_continuous_model
def test_the_references_of_a_continuous_model_are_in_order(model: World) -> None:
    for world in (model, *(model.shifted(name) for name in model.shifts())):
        values = references(model, world)
        policies = [values[name] for name in ("j_confused", "j_causal", "j_best", "j_worst")]
        assert values["j_worst"] - 1e-9 <= min(policies) <= max(policies) <= values["j_best"] + 1e-9


# Policies and values.


def least(model: World) -> float:
    """The value of the worst policy, if that can be found."""
    try:
        return value(model, worst_policy(model))
    except TooLargeError:
        return -np.inf


@every_countable_model
def test_no_random_policy_beats_the_causal_one_or_is_beaten_by_the_worst(model: World) -> None:
    """Beyond one step a policy that draws its actions can leave the range of those that do not,
    unless the contexts tell the time.
    """
    best, worst = value(model, model.causal_policy()), least(model)
    policies = random_policies(model, 200)
    if model.horizon > 1:
        policies = np.eye(policies.shape[2])[policies.argmax(2)]
    values = chain(model).values(policies)
    assert worst - EXACT <= values.min() <= values.max() <= best + EXACT


@every_model
def test_equal_models_are_equal_and_stay_so_through_pickling(model: World) -> None:
    for world in worlds(model):
        again = pickle.loads(pickle.dumps(world))
        assert again == world
        assert hash(again) == hash(world)
        assert (again.dial(0.5) == world.dial(0.5)) or world.observe_intent
        assert again != replace(world, discount=0.123)


def brute(
    model: World,
    what: Callable[[dict[str, float]], float],
    step: int = 0,
    given: Mapping[str, float] | None = None,
) -> float:
    """The mean of a function of the variables of one step, among the episodes that reach it and in
    which `given` is so.
    """
    reached = [
        (c[step], p)
        for c, p in courses(model)
        if len(c) > step and all(c[step][n] == w for n, w in (given or {}).items())
    ]
    return sum(p * what(now) for now, p in reached) / sum(p for _, p in reached)


def brute_value(model: World) -> float:
    """The discounted return of an episode that is recorded."""
    kept = [
        (course, p)
        for course, p in courses(model)
        if all(now[name] == 1 for now in course for name in model.names("selection"))
    ]
    returns = [
        sum(model.discount**t * now[model.reward] for t, now in enumerate(course))
        for course, _ in kept
    ]
    return sum(r * p for r, (_, p) in zip(returns, kept, strict=True)) / sum(p for _, p in kept)


@every_one_step_model
def test_answers_about_one_step_equal_brute_force(model: World) -> None:
    joint = distribution(model, *model.order)
    for cell in product(*(range(size) for size in joint.shape)):
        values = {
            name: model.tables.support(name)[i] for name, i in zip(model.order, cell, strict=True)
        }
        p = brute(
            model,
            lambda now, values=values: float(  # type: ignore[misc]
                tidy(np.array(list(now.values()))).tolist() == [values[n] for n in now]
            ),
        )
        assert joint[cell] == pytest.approx(p, abs=EXACT)
    for act in model.tables.support(model.action):
        done = model.do(**{model.action: int(act)})
        assert expectation(done, model.reward) == pytest.approx(
            brute(done, lambda now: now[model.reward]), abs=EXACT
        )
        if distribution(model, model.action)[int(act)] > 0:
            seen = {model.action: int(act)}
            for name in model.variables:  # what comes before what is seen, and what comes after
                by_hand = brute(model, lambda now, name=name: now[name], given=seen)  # type: ignore[misc]
                assert expectation(model, name, seen) == pytest.approx(by_hand, abs=EXACT)
    assert value(model) == pytest.approx(brute_value(model), abs=EXACT)


@every_one_step_model
def test_value_expectation_and_distribution_agree(model: World) -> None:
    support = model.tables.support(model.reward)
    for act in range(uniform_policy(model).shape[1]):
        done = model.do(**{model.action: act})
        constant = np.tile(
            np.eye(uniform_policy(model).shape[1])[act], (len(uniform_policy(model)), 1)
        )
        assert value(model, constant) == pytest.approx(expectation(done, model.reward), abs=EXACT)
        assert value(model, constant) == pytest.approx(
            distribution(done, model.reward) @ support, abs=EXACT
        )


def following(model: World, policy: Array) -> World:
    """Relay under a memoryless policy (6, 2), written as a function."""
    return model.do(push=lambda charge, lamp: Categorical(policy[2 * charge + lamp]))


@pytest.mark.parametrize(
    "model",
    [
        THROWAWAY["Relay"],
        *(THROWAWAY["Relay"].shifted(name) for name in THROWAWAY["Relay"].shifts()),
    ],
)
def test_values_over_time_equal_brute_force(model: World) -> None:
    assert value(model) == pytest.approx(brute_value(model), abs=EXACT)
    for policy in random_policies(model, 3):
        acting = following(model, policy)
        assert value(model, policy) == pytest.approx(brute_value(acting), abs=EXACT)
        assert value(acting) == pytest.approx(brute_value(acting), abs=EXACT)
    for step, name in product(range(model.horizon), model.variables):
        at_step = brute(model, lambda now, name=name: now[name], step)  # type: ignore[misc]
        assert expectation(model, name, step=step) == pytest.approx(at_step, abs=EXACT)
        assert distribution(model, name, step=step) @ model.tables.support(name) == pytest.approx(
            at_step, abs=EXACT
        )
    seen = {"lamp": 1, "burnt": 0}
    assert expectation(model, "trait", seen, step=2) == pytest.approx(
        brute(model, lambda now: now["trait"], 2, seen), abs=EXACT
    )


def brute_process(model: World) -> tuple[Array, Array, Array]:
    """Visits (C, A), mean reward (C, A) and following contexts (C, A, C) of the recorded steps
    after the burn-in.
    """
    sizes = [len(model.tables.support(name)) for name in model.contexts]
    cells, actions = uniform_policy(model).shape
    visits, gain, following = (
        np.zeros((cells, actions)),
        np.zeros((cells, actions)),
        np.zeros((cells, actions, cells)),
    )

    def cell(now: dict[str, float]) -> int:
        return int(np.ravel_multi_index([int(now[name]) for name in model.contexts], sizes))

    longer = replace(model, horizon=model.burn_in + model.horizon + (model.horizon > 1), burn_in=0)
    for course, p in courses(longer):
        for t, now in enumerate(course[: model.burn_in + model.horizon]):
            if t < model.burn_in or any(now[name] == 0 for name in model.names("selection")):
                continue
            pair = cell(now), int(now[model.action])
            visits[pair] += p
            gain[pair] += p * now[model.reward]
            if t + 1 < len(course):
                following[pair][cell(course[t + 1])] += p
    divide = np.where(visits > 0, visits, 1.0)
    return visits, gain / divide, following / divide[..., None]


PROCESSES: dict[str, World] = {
    **ONE_STEP,
    "Relay": replace(THROWAWAY["Relay"], horizon=2),
    "Orchard": THROWAWAY["Orchard"],
    "River": make_model("ConfoundedRiver-v0", horizon=3),
    "burn-in": make_model("ConfoundedRiver-MarkovRiver-v0", horizon=2, burn_in=2),
}


@pytest.mark.parametrize("model", PROCESSES.values(), ids=PROCESSES)
def test_the_process_of_a_log_and_that_under_interventions_equal_brute_force(model: World) -> None:
    actions = uniform_policy(model).shape[1]
    random = replace(model, burn_in=0).do(
        **{model.action: Categorical(np.full(actions, 1 / actions))}
    )
    done = random.do(**dict.fromkeys(model.names("selection"), 1))
    for process, (visits, gain, following) in (
        (log_process(model), brute_process(model)),
        (do_process(model), brute_process(done)),
    ):
        assert process.visits == pytest.approx(visits, abs=EXACT)
        assert process.reward == pytest.approx(gain, abs=EXACT)
        assert process.transition == pytest.approx(following, abs=EXACT)


def test_a_support_that_grows_with_time_grows_no_longer_than_the_episode() -> None:
    class Clock(World):
        horizon: int = 4

        @context.starting(Exactly(0))
        def hour(self, hour_tm1: Array) -> Exactly:
            return Exactly(hour_tm1 + 1)

        @action
        def act(self) -> Bernoulli:
            return Bernoulli(0.5)

        @reward
        def pay(self, act: Array, hour: Array) -> Exactly:
            return Exactly(act * hour)

    assert Clock().tables.support("hour").tolist() == [0, 1, 2, 3, 4]
    assert value(Clock(), Clock().causal_policy()) == pytest.approx(0 + 1 + 2 + 3)


# Size.


def refusal(question: Callable[[], object]) -> str:
    """The message of a TooLargeError that comes before any memory is taken."""
    tracemalloc.start()
    try:
        with pytest.raises(TooLargeError) as refused:
            question()
        assert tracemalloc.get_traced_memory()[1] < 20e6
    finally:
        tracemalloc.stop()
    return str(refused.value)


def coins(count: int, **variables: Callable[..., object]) -> type[World]:
    """A model with so many latent coins, an action and a reward."""
    base = {
        "act": action(lambda self: Bernoulli(0.5)),
        "pay": reward(lambda self, act: Exactly(act)),
    }
    return type(
        "Coins",
        (World,),
        {
            **{f"coin{i}": latent(lambda self: Bernoulli(0.5)) for i in range(count)},
            **base,
            **variables,
        },
    )


def test_a_joint_law_that_is_too_large_is_refused_at_once() -> None:
    model = coins(30)()
    assert "2**30" not in refusal(lambda: distribution(model, *model.names("latent")))
    assert "1.07e+09" in refusal(lambda: distribution(model, *model.names("latent")))


def test_a_mechanism_with_too_many_causes_is_refused_when_the_class_is_made() -> None:
    def pay(self: World, coin0: Array, coin1: Array, coin2: Array, coin3: Array) -> Exactly:
        return Exactly(coin0 + coin1 + coin2 + coin3)

    hundred = {f"coin{i}": latent(lambda self: Categorical(np.full(100, 0.01))) for i in range(4)}
    assert "Coins.pay needs a table of 1e+08 entries" in refusal(
        lambda: coins(0, **hundred, pay=reward(pay))
    )


def test_a_search_among_too_many_policies_is_refused_at_once() -> None:
    def mood(self: World, mood_tm1: Array) -> Exactly:
        return Exactly(mood_tm1)

    def pay(self: World, act: Array, mood: Array) -> Exactly:
        return Exactly(act == mood)

    made = coins(
        0,
        mood=latent.starting(Bernoulli(0.5))(mood),
        day=context(lambda self: Categorical(np.full(15, 1 / 15))),
        pay=reward(pay),
    )
    assert "2**15 memoryless policies" in refusal(lambda: made(horizon=2).causal_policy())

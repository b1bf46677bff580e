"""The floor of a pair of worlds, and the frontier, against brute force over policies and data."""

from collections.abc import Iterator
from itertools import islice, product
from math import factorial

import numpy as np
import pytest
from countable import COUNTABLE

from dosuite.causal import Array, InputError, World, floor, frontier, value
from dosuite.causal.exact import best_for_all, plan_for_all, plan_with_memory, uniform_policy
from dosuite.causal.exact.confounding import rows
from dosuite.causal.world import unconfounded
from dosuite.causal.world.frontier import _joined, _spread
from dosuite.envs import make_model
from dosuite.envs.worlds.random_scm import TEMPLATES

EXACT = 1e-9
TWINS = {name: model for name, model in COUNTABLE.items() if model.twin() is not None}
ONE_STEP_TWINS = {name: model for name, model in TWINS.items() if model.horizon == 1}


def random_pairs(count: int) -> Iterator[tuple[World, World]]:
    """Random one-step worlds with their unconfounded counterparts, and with one another."""
    for seed in range(count):
        template = TEMPLATES[seed % len(TEMPLATES)]
        world = template(seed=seed // len(TEMPLATES))
        other = template(seed=1_000 + seed) if seed % 2 else unconfounded(world)
        yield world, other


def deterministic(contexts: int, actions: int) -> Array:
    """All deterministic policies: (P, C, A)."""
    choices = np.array(list(product(range(actions), repeat=contexts)))
    return np.asarray(np.eye(actions)[choices])


def mean_value(pair: tuple[World, World], policy: Array) -> float:
    """The mean of the values of a policy in two worlds."""
    return (value(pair[0], policy) + value(pair[1], policy)) / 2


@pytest.mark.parametrize("start", range(0, 300, 50))
def test_no_policy_exceeds_the_floor_and_one_attains_it(start: int) -> None:
    rng = np.random.default_rng(start)
    for pair in islice(random_pairs(start + 50), start, None):
        limit = floor(*pair)
        contexts, actions = uniform_policy(pair[0]).shape
        policies = deterministic(contexts, actions)
        best = max(mean_value(pair, policy) for policy in policies)
        assert limit.value == pytest.approx(best, abs=EXACT)
        assert limit.policy is not None
        assert mean_value(pair, limit.policy) == pytest.approx(best, abs=EXACT)
        mixed = rng.dirichlet(np.ones(actions), size=(5, contexts))
        assert all(mean_value(pair, policy) <= best + EXACT for policy in mixed)
        optima = [max(value(world, policy) for policy in policies) for world in pair]
        assert limit.regret == pytest.approx(np.mean(optima) - best, abs=EXACT)


@pytest.mark.parametrize("model", TWINS.values(), ids=TWINS)
def test_a_pair_has_a_floor_above_the_values_of_its_policies(model: World) -> None:
    limit = floor(model)
    twin = model.twin()
    assert twin is not None
    pair = model.deployed(), twin.deployed()
    assert limit.regret > 0
    policies = [pair[0].causal_policy(), pair[1].causal_policy(), uniform_policy(pair[0])]
    assert all(mean_value(pair, policy) <= limit.value + EXACT for policy in policies)
    assert limit.policy is not None
    assert mean_value(pair, limit.policy) == pytest.approx(limit.attained, abs=EXACT)
    assert limit.attained <= limit.value
    if model.horizon == 1:
        assert floor(model, memory=True).value == limit.value


@pytest.mark.parametrize("model", ONE_STEP_TWINS.values(), ids=ONE_STEP_TWINS)
def test_any_estimate_is_off_by_the_error_on_average(model: World) -> None:
    limit = floor(model)
    rng = np.random.default_rng(0)
    pair = model.deployed(), floor_twin(model)
    means = np.stack([rewards(world) for world in pair])
    for answer in rng.uniform(means.min() - 1, means.max() + 1, size=(20, *limit.error.shape)):
        assert (abs(means - answer).mean(0) >= limit.error - EXACT).all()
    assert abs(means - means.mean(0)).mean(0) == pytest.approx(limit.error, abs=EXACT)
    spread = max(np.ptp(world.tables.support(world.reward)) for world in pair)
    assert (limit.error <= limit.law_error * spread + EXACT).all()


def floor_twin(model: World) -> World:
    """The deployed twin of a world that has one."""
    twin = model.twin()
    assert twin is not None
    return twin.deployed()


def rewards(world: World) -> Array:
    """E[reward | do(action), context] from the joint table: (C, A)."""
    names = (*world.contexts, world.action, world.reward)
    joint = rows(world, names, acted=True)
    law = joint.reshape(-1, *joint.shape[-2:])
    return np.asarray(law @ world.tables.support(world.reward) / law.sum(-1))


def test_the_memoryless_floor_of_a_sequence_is_bracketed() -> None:
    model = make_model("ConfoundedRiver-v0")
    pair = model, floor_twin(model)
    search = best_for_all(pair, (0.5, 0.5))
    assert mean_value(pair, search.policy) == pytest.approx(search.value, abs=EXACT)
    assert search.value <= search.bound <= search.value + 1e-3
    deterministic_best = max(mean_value(pair, policy) for policy in deterministic(5, 2))
    # one policy for both worlds does better by mixing, which no single world rewards
    assert search.value > deterministic_best + 0.01
    policies = np.random.default_rng(0).dirichlet(np.ones(2), size=(100, 5))
    assert all(mean_value(pair, policy) <= search.bound for policy in policies)


def test_memory_finds_out_which_world_it_is_in() -> None:
    model = make_model("ConfoundedRiver-v0:horizon=6")
    pair = model, floor_twin(model)
    memoryless = best_for_all(pair, (0.5, 0.5))
    remembering = plan_for_all(pair, (0.5, 0.5))
    told = np.mean([plan_with_memory(world)[0] for world in pair])
    assert memoryless.value <= remembering + EXACT
    assert remembering <= told + EXACT
    assert floor(*pair, memory=True).exact
    assert floor(*pair, memory=True).value == pytest.approx(remembering)


@pytest.mark.parametrize("weights", [(0.5, 0.5), (0.2, 0.8)])
def test_a_mixture_of_a_world_with_itself_is_the_world(weights: tuple[float, float]) -> None:
    model = make_model("ConfoundedRiver-v0:horizon=12")
    best = plan_with_memory(model)[0]
    assert plan_for_all((model, model), weights) == pytest.approx(best, abs=EXACT)


@pytest.mark.parametrize("name", ["IceCreamShorts-v0", "GreedyCasino-v0:casino=Rigged"])
def test_a_policy_that_sees_the_intent_may_ignore_it(name: str) -> None:
    model = make_model(name)
    pair = model.with_intent(), floor_twin(model).with_intent()
    limit = floor(*pair)
    assert limit.value >= floor(model).value - EXACT
    assert limit.policy is not None
    assert limit.policy.shape == uniform_policy(pair[0]).shape
    assert mean_value(pair, limit.policy) == pytest.approx(limit.value, abs=EXACT)


def test_a_floor_needs_a_pair() -> None:
    with pytest.raises(InputError, match="has no twin"):
        floor(make_model("GreedyCasino-v0"))
    with pytest.raises(InputError, match="the same contexts"):
        floor(make_model("GreedyCasino-v0"), make_model("GreedyCasino-FourArms-v0"))


BAYES = ("IceCreamShorts-v0", "RandomSCM-v0", "MediatorTrap-v0")


@pytest.mark.parametrize("name", BAYES)
def test_the_frontier_is_that_of_all_data_sets(name: str) -> None:
    pair = make_model(name), floor_twin(make_model(name))
    laws = []
    for world in pair:
        names = (*world.contexts, world.action, *world.names("logged"), world.reward)
        joint = rows(world, names, acted=True)
        laws.append(joint.ravel() / joint.sum())
    policies = deterministic(*uniform_policy(pair[0]).shape)
    values = np.array([[value(world, policy) for policy in policies] for world in pair])
    edge = frontier(make_model(name), most=6)
    for m in range(7):
        best = 0.0
        for data in counted(len(laws[0]), m):
            mass = np.array([data[0] * np.prod(law ** data[1]) for law in laws])
            best += (mass / 2 @ values).max()
        assert edge.low[m] == pytest.approx(best, abs=EXACT)
        assert edge.high[m] == pytest.approx(best, abs=EXACT)


def counted(cells: int, m: int) -> Iterator[tuple[float, Array]]:
    """The counts of m rows over cells, with the number of orders in which they can come."""

    def compositions(left: int, parts: int) -> Iterator[tuple[int, ...]]:
        if parts == 1:
            yield (left,)
            return
        for first in range(left + 1):
            for rest in compositions(left - first, parts - 1):
                yield (first, *rest)

    for counts in compositions(m, cells):
        orders = factorial(m) / np.prod([float(factorial(count)) for count in counts])
        yield float(orders), np.array(counts)


@pytest.mark.parametrize("name", ["IceCreamShorts-v0", "SlateExposure-v0", "MBiasClinic-v0"])
def test_the_frontier_rises_from_the_floor_to_the_best(name: str) -> None:
    model = make_model(name)
    edge, limit = frontier(model, most=40), floor(model)
    assert edge.low[0] == pytest.approx(limit.value, abs=EXACT)
    assert (np.diff(edge.low) > -1e-5).all()
    assert (edge.high >= edge.low - EXACT).all()
    assert (edge.high - edge.low < 1e-4).all()
    assert edge.high[-1] <= limit.value + limit.regret + EXACT
    middle = float((edge.low[10] + edge.low[11]) / 2)
    assert edge.rows_for(middle) == 11
    assert edge.rows_for(limit.value + limit.regret + 0.1) == np.inf


def test_joined_and_spread_posteriors_keep_the_probability_of_each_world() -> None:
    mass = np.random.default_rng(0).random((2, 50_000))
    for changed in (_joined(mass), _spread(mass)):
        assert changed.shape[1] <= 2**14 + 1
        assert changed.sum(1) == pytest.approx(mass.sum(1))


def test_a_frontier_is_refused_where_there_is_none() -> None:
    with pytest.raises(InputError, match="120 steps"):
        frontier(make_model("ConfoundedRiver-v0"))
    with pytest.raises(InputError, match="at least 0"):
        frontier(make_model("IceCreamShorts-v0"), most=-1)

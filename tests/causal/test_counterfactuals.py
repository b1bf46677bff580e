"""The laws of counterfactuals:

they are what sampling with common noise shows, exactly; and the published examples.
"""

from collections.abc import Iterator
from itertools import product

import numpy as np
import pytest
from countable import COUNTABLE
from counterfactual_worlds import EXACT, Dose
from places import THROWAWAY_FILE
from scipy.stats import binom, norm

from dosuite.causal import (
    Bernoulli,
    Columns,
    World,
    bounds,
    counterfactual,
    distribution,
    expectation,
    response_types,
    value,
)
from dosuite.causal.arrays import Floats
from dosuite.causal.exact import (
    Worlds,
    counterfactual_mean,
    counterfactual_process,
    do_process,
    greedy,
    natural_effects,
)
from dosuite.causal.model.distributions import tidy
from dosuite.causal.partial_identification import necessity, necessity_and_sufficiency, sufficiency
from dosuite.envs import make_model
from dosuite.envs.worlds.casino import GreedyCasino
from dosuite.envs.worlds.ice_cream import IceCreamShorts
from dosuite.envs.worlds.simpson import BloodPressure, Sighted, SimpsonClinic

MODELS: dict[str, World] = {text: model for text, model in COUNTABLE.items() if model.horizon == 1}


MODELS |= {"Dose": Dose(), "Survivors": make_model(f"{THROWAWAY_FILE}:Survivors")}


every_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


def others(model: World) -> Iterator[World]:
    """Worlds beside a model in which the same units can live."""
    yield model.do(**{model.action: float(model.tables.support(model.action)[-1])})
    yield model.control()
    yield from (model.shifted(name) for name in model.shifts()[:2])
    yield model.with_intent().do(**{model.action: 0})


# Exact answers against samples with common noise. A cell is a surprise if its count has a tail as
# improbable as 4 standard
# errors would be in a single comparison, divided by the number of comparisons (Bonferroni).
SURPRISE = norm.sf(4.0) / 30_000


def paired_tails(
    model: World, world: World, sampled: World | None = None, n: int = 20_000
) -> Floats:
    """The probability of counts as extreme as the sample's:

    cells are action and reward in the model and reward in the world.
    """
    events = [(0, model.action), (0, model.reward), (1, world.reward)]
    joint = Worlds(model, world).distribution(*events)
    factual, other = (m.sample(n, np.random.default_rng(1)) for m in (model, sampled or world))
    columns = [factual[model.action], factual[model.reward], other[world.reward]]
    supports = [
        m.tables.support(name) for m, (_, name) in zip((model, model, world), events, strict=True)
    ]
    positions = [
        np.searchsorted(support, tidy(column))
        for support, column in zip(supports, columns, strict=True)
    ]
    count = np.bincount(np.ravel_multi_index(positions, joint.shape), minlength=joint.size)
    p = joint.ravel().clip(0.0, 1.0)
    tail = np.minimum(binom.cdf(count, n, p), binom.sf(count - 1, n, p))
    return np.asarray(tail[(p > 0) | (count > 0)])


@pytest.mark.long
@every_model
def test_counterfactuals_are_what_common_noise_shows(model: World) -> None:
    tails = np.concatenate([paired_tails(model, world) for world in others(model)])
    assert len(tails) < 30_000 / len(MODELS)
    assert tails.min() > SURPRISE


def test_a_counterfactual_of_a_slightly_different_world_is_a_surprise() -> None:
    model = IceCreamShorts()
    world = model.do(
        shorts=lambda heat, ice_cream: Bernoulli(0.05 + 0.52 * heat + 0.39 * ice_cream)
    )
    assert paired_tails(model, model.shifted("causal_twin"), world).min() < SURPRISE


def breakpoints(model: World, name: str) -> Floats:
    """Where the quantile function of a variable can jump, for any values of its causes."""
    table = model.tables.factor(name, first=True).table
    return np.cumsum(table, axis=-1).ravel()


def by_partition(
    worlds: tuple[World, ...], events: list[tuple[int, str]]
) -> dict[tuple[float, ...], float]:
    """P(events) by cutting the unit interval of each noise at every jump in any world and trying
    all combinations of pieces.
    """
    jumps: dict[str, list[Floats]] = {}
    for world in worlds:
        for name, variable in world.variables.items():
            jumps.setdefault(variable.stream, []).append(breakpoints(world, name))
    cuts = {
        stream: np.unique(np.concatenate([[0.0, 1.0], *points]).clip(0, 1).round(13))
        for stream, points in jumps.items()
    }
    pieces = [list(zip((c[:-1] + c[1:]) / 2, np.diff(c), strict=True)) for c in cuts.values()]
    grid = list(product(*pieces))
    noise = dict(
        zip(cuts, np.array([[middle for middle, _ in row] for row in grid]).T, strict=True)
    )
    weight = np.array([np.prod([length for _, length in row]) for row in grid])
    columns = [follow(world, noise) for world in worlds]
    found: dict[tuple[float, ...], float] = {}
    for row, w in zip(
        zip(*(tidy(columns[world][name]).tolist() for world, name in events), strict=True),
        weight,
        strict=True,
    ):
        found[row] = found.get(row, 0.0) + w
    return found


def follow(model: World, noise: Columns) -> Columns:
    """The variables of a model under given noise."""
    columns: Columns = {}
    for name in model.order:
        variable = model.variables[name]
        columns[name] = variable.first.law(
            *(columns[cause] for cause in variable.first.causes)
        ).sample(noise[variable.stream])
    return columns


@pytest.mark.parametrize(
    "model",
    [
        IceCreamShorts(),
        GreedyCasino(),
        SimpsonClinic(),
        Sighted(),
        BloodPressure(),
        MODELS["Survivors"],
    ],
)
def test_counterfactuals_are_the_pieces_of_the_noise_that_agree(model: World) -> None:
    for world in others(model):
        worlds = (model, world, model.do(**{model.action: 0}))
        events = [(0, model.action), (0, model.reward), (1, model.reward), (2, model.reward)]
        joint = Worlds(*worlds).joint(*events)
        supports = [worlds[number].tables.support(name).tolist() for number, name in events]
        expected = by_partition(worlds, events)
        for cell, probability in zip(product(*supports), joint.ravel(), strict=True):
            assert probability == pytest.approx(expected.pop(cell, 0.0), abs=1e-11)
        assert sum(expected.values()) == pytest.approx(0.0, abs=1e-11)


@every_model
def test_seeing_and_doing_are_the_margins_of_imagining(model: World) -> None:
    world = model.do(**{model.action: 0})
    both = Worlds(model, world).distribution((0, model.reward), (1, model.reward))
    assert np.allclose(both.sum(1), distribution(model, model.reward), rtol=0, atol=EXACT)
    assert np.allclose(both.sum(0), distribution(world, model.reward), rtol=0, atol=EXACT)


@every_model
def test_consistency_what_was_done_anyway_changes_nothing(model: World) -> None:
    for act, p in zip(
        model.tables.support(model.action), distribution(model, model.action), strict=True
    ):
        if p > 0:
            given = {model.action: float(act)}
            same = counterfactual_mean(model, model.do(**given), model.reward, given)
            assert same == pytest.approx(expectation(model, model.reward, given), abs=EXACT)


@every_model
def test_what_one_would_earn_given_the_intent_is_what_the_regime_with_intent_earns(
    model: World,
) -> None:
    imagined, acted = counterfactual_process(model), do_process(model.with_intent())
    seen = imagined.visits > 0
    assert np.allclose(imagined.start, acted.start, rtol=0, atol=EXACT)
    assert np.allclose(imagined.reward[seen], acted.reward[seen], rtol=0, atol=EXACT)
    best = greedy(imagined.plan())
    assert imagined.value(best) == pytest.approx(
        value(model.with_intent(), model.with_intent().causal_policy()), abs=1e-9
    )


@every_model
def test_natural_effects_add_up(model: World) -> None:
    between = [
        name for name in model.names("logged") if model.action in model.variables[name].first.causes
    ]
    there = natural_effects(model, *between)
    back = natural_effects(model, *between, treated=0, control=1)
    assert there.total == pytest.approx(there.direct - back.indirect, abs=EXACT)
    assert there.total == pytest.approx(-back.total, abs=EXACT)
    nothing = natural_effects(model)
    assert (nothing.direct, nothing.indirect) == pytest.approx((there.total, 0.0), abs=EXACT)


def test_natural_effects_through_two_mediators_are_sampled() -> None:
    model, n = Dose(), 40_000
    ids_alike = [
        m.sample(n, np.random.default_rng(3)) for m in (model.do(dose=0), model.do(dose=2))
    ]
    low, high = ids_alike
    for mediators in (("level",), ("level", "sleep"), ("sleep",)):
        effects = natural_effects(model, *mediators, treated=2, control=0)
        held = dict(zip(mediators, [low[name] for name in mediators], strict=True))
        nested = replay(model, {"dose": np.full(n, 2), **held}, n)
        direct = nested["health"] - low["health"]
        assert abs(direct.mean() - effects.direct) < 4 * direct.std() / np.sqrt(n)
        total = high["health"] - low["health"]
        assert abs(total.mean() - effects.total) < 4 * total.std() / np.sqrt(n)


def replay(model: World, known: Columns, n: int) -> Columns:
    """The units of `model.sample(n, default_rng(3))`, with some variables set unit by unit."""
    from dosuite.causal.model import noise

    return model.step(
        noise.units(int(np.random.default_rng(3).integers(2**63)), np.arange(n)), 0, None, known
    )


# Probabilities of causation: bounds contain the exact answer.


def is_binary(model: World) -> bool:
    return all(
        model.tables.support(name).tolist() == [0, 1] for name in (model.action, model.reward)
    )


BINARY = {
    text: model
    for text, model in MODELS.items()
    if is_binary(model) and not model.names("selection")
}


@pytest.mark.parametrize("model", BINARY.values(), ids=BINARY)
def test_probabilities_of_causation_lie_in_their_bounds(model: World) -> None:
    x, y = model.action, model.reward
    seen, acted = distribution(model, x, y), [model.do(**{x: act}) for act in (0, 1)]
    done = np.array([distribution(world, y)[1] for world in acted])
    both = Worlds(*acted).distribution((1, y), (0, y))[1, 0]
    low, high = necessity_and_sufficiency(seen, done)
    assert low - 1e-9 <= both <= high + 1e-9
    if seen[1, 1] > 0:
        low, high = necessity(seen, done)
        assert (
            low - 1e-9 <= counterfactual(model, acted[0], y, given={x: 1, y: 1})[0] <= high + 1e-9
        )
    if seen[0, 0] > 0:
        low, high = sufficiency(seen, done)
        assert (
            low - 1e-9 <= counterfactual(model, acted[1], y, given={x: 0, y: 0})[1] <= high + 1e-9
        )
    found = bounds(
        response_types(model, x, y), lambda do: (do(**{x: 1})[y] == 1) & (do(**{x: 0})[y] == 0)
    )
    assert found.low - 1e-7 <= both <= found.high + 1e-7

"""The laws of counterfactuals:

they are what sampling with common noise shows, exactly; and the published examples.
"""

from collections.abc import Iterator
from itertools import product

import numpy as np
import pytest
from countable import COUNTABLE
from places import THROWAWAY_FILE
from printed import printed
from refusals import refused
from scipy.stats import binom, norm

from dosuite.causal import (
    INTENT,
    Array,
    Bernoulli,
    Categorical,
    Columns,
    Exactly,
    NotDiscreteError,
    World,
    action,
    bounds,
    context,
    counterfactual,
    distribution,
    expectation,
    latent,
    logged,
    response_types,
    reward,
    value,
)
from dosuite.causal.arrays import Floats
from dosuite.causal.exact import (
    Worlds,
    counterfactual_mean,
    counterfactual_process,
    do_process,
    effect_on_treated,
    greedy,
    log_process,
    natural_effects,
)
from dosuite.causal.model.distributions import tidy
from dosuite.causal.partial_identification import necessity, necessity_and_sufficiency, sufficiency
from dosuite.envs import make_model
from dosuite.envs.worlds.casino import FourArms, GreedyCasino
from dosuite.envs.worlds.ice_cream import IceCreamShorts
from dosuite.envs.worlds.river import ConfoundedRiver
from dosuite.envs.worlds.simpson import BloodPressure, Sighted, SimpsonClinic

EXACT = 1e-12


class Dose(World):
    """Three doses, three outcomes, two mediators in a row, and a latent behind dose and outcome."""

    @latent
    def constitution(self) -> Categorical:
        return Categorical(np.array([0.5, 0.3, 0.2]))

    @context
    def age(self) -> Bernoulli:
        return Bernoulli(0.4)

    @action
    def dose(self, constitution: Array, age: Array) -> Categorical:
        rows = np.array([[0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.0, 0.3, 0.7]])
        return Categorical(np.where(age[:, None] == 1, rows[constitution], rows[2 - constitution]))

    @logged
    def level(self, dose: Array, age: Array) -> Bernoulli:
        return Bernoulli(0.1 + 0.35 * dose + 0.1 * age)

    @logged
    def sleep(self, level: Array, constitution: Array) -> Bernoulli:
        return Bernoulli(0.8 - 0.3 * level - 0.1 * constitution)

    @reward
    def health(self, dose: Array, level: Array, sleep: Array, constitution: Array) -> Categorical:
        good = 0.1 + 0.2 * level + 0.2 * sleep + 0.1 * constitution
        bad = 0.05 + 0.1 * dose
        return Categorical(
            np.stack([bad, 1 - good - bad, good], axis=-1), np.array([-1.0, 0.0, 2.5])
        )


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


# Published and printed figures.

CASINOS = [
    ("Greedy", ".15 .45 .45 .15", ".30 .45"),
    ("Generous", ".45 .15 .15 .45", ".30 .45"),
    ("ParadoxicalSwitching", ".4 .6 .3 .15", ".375 .45"),
    ("SometimesSwitch", ".35 .125 .45 .15", ".40 .40"),
    ("NoConfounding", ".55 .45 .55 .45", ".55 .55"),
    ("InevitableRegret", "0 1 1 0", ".5 1"),
    ("Rigged", ".55 .50 .10 .35", ".425 .45"),
]


@pytest.mark.parametrize(("casino", "by_intent", "best"), CASINOS)
def test_casinos(casino: str, by_intent: str, best: str) -> None:
    model = GreedyCasino(casino=casino)
    process = counterfactual_process(model)
    assert printed(process.reward, by_intent)
    assert printed(
        [value(model, model.causal_policy()), process.value(greedy(process.plan()))], best
    )


def test_casino_with_four_arms() -> None:
    process = counterfactual_process(FourArms())
    assert printed([value(FourArms()), process.value(greedy(process.plan()))], ".2 .6")
    assert printed(value(FourArms(), FourArms().confused_policy()), ".4")
    assert log_process(FourArms()).reward.shape == (1, 4)


def test_kidney_stones_effect_on_the_treated() -> None:
    assert printed(effect_on_treated(SimpsonClinic()), ".047964")


def test_covid_mediation() -> None:
    """Von Kuegelgen et al.

    (2021): what Italy instead of China does to the case fatality, through age and not; in percent.
    """
    effects = natural_effects(BloodPressure(study="CovidCFR"), "stratum")
    deaths = -100 * np.array(effects)
    assert printed(deaths, "2.158 -.763 3.268")
    assert printed(deaths, "2.2 -.8 3.3")


class Homework(World):
    """Encouragement, homework, success in a programme:

    Pearl, Glymour and Jewell, Primer, tables 4.6 and 4.7.
    """

    @action
    def programme(self) -> Bernoulli:
        return Bernoulli(0.5)

    @logged
    def homework(self, programme: Array) -> Bernoulli:
        return Bernoulli(np.where(programme == 1, 0.75, 0.40))

    @reward
    def success(self, programme: Array, homework: Array) -> Bernoulli:
        return Bernoulli(np.array([[0.20, 0.30], [0.40, 0.80]])[programme, homework])


def test_mediation_in_the_primer() -> None:
    effects = natural_effects(Homework(), "homework")
    assert printed(effects, ".46 .32 .035")
    assert printed(
        [
            effects.indirect / effects.total,
            effects.direct / effects.total,
            1 - effects.direct / effects.total,
        ],
        ".07 .696 .304",
    )


class Squad(World):
    """A court orders an execution with p = 0.6;

    rifleman A shoots also out of nervousness, q = 0.3; B shoots on orders only.
    """

    @latent
    def command(self) -> Bernoulli:
        return Bernoulli(0.6)

    @latent
    def nervous(self) -> Bernoulli:
        return Bernoulli(0.3)

    @action
    def a_shoots(self, command: Array, nervous: Array) -> Exactly:
        return Exactly(command | nervous)

    @logged
    def b_shoots(self, command: Array) -> Exactly:
        return Exactly(command)

    @reward
    def death(self, a_shoots: Array, b_shoots: Array) -> Exactly:
        return Exactly(a_shoots | b_shoots)


def test_the_firing_squad() -> None:
    """Pearl, Causality, section 7.1.2: the prisoner is dead; would he live, had A not shot?"""
    p, q = 0.6, 0.3
    alive = counterfactual(Squad(), Squad().do(a_shoots=0), "death", given={"death": 1})[0]
    assert alive == pytest.approx((1 - p) * q / (1 - (1 - p) * (1 - q)), abs=EXACT)


class Sum(World):
    """X = U and Y = X + U for three units: Pearl, Glymour and Jewell, Primer, table 4.1."""

    @latent
    def u(self) -> Categorical:
        return Categorical(np.ones(3) / 3, np.array([1, 2, 3]))

    @action
    def x(self, u: Array) -> Exactly:
        return Exactly(u)

    @reward
    def y(self, x: Array, u: Array) -> Exactly:
        return Exactly(x + u)


def test_three_units_in_the_primer() -> None:
    for x, row in ((1, "2 3 4"), (2, "3 4 5"), (3, "4 5 6")):
        assert printed(
            [counterfactual_mean(Sum(), Sum().do(x=x), "y", {"u": u}) for u in (1, 2, 3)], row
        )
        assert printed(
            [counterfactual_mean(Sum(), Sum().do(x=x), "y", {"y": 2 * u}) for u in (1, 2, 3)], row
        )


# Refusals, and corners.


def test_what_cannot_be_is_refused_in_one_line() -> None:
    model = Squad()
    miracle = {"death": 0, "a_shoots": 1}
    assert "death=0, a_shoots=1 has probability zero" in refused(
        lambda: counterfactual(model, model, "death", given=miracle)
    )
    assert "did you mean 'death'" in refused(lambda: counterfactual(model, model, "deth"))
    assert "did you mean 'command'" in refused(
        lambda: counterfactual(model, model, "death", given={"comand": 1})
    )
    assert "death is never 2" in refused(
        lambda: counterfactual(model, model, "death", given={"death": 2})
    )
    assert "120 steps" in refused(lambda: Worlds(ConfoundedRiver()))
    assert "did you mean" in refused(lambda: natural_effects(model, "b_shots"))


class Rarity(World):
    """What hardly ever happens: a fault, a spark, and a colour between two others."""

    @latent
    def fault(self) -> Bernoulli:
        return Bernoulli(1e-20)

    @action
    def switch(self) -> Categorical:
        return Categorical(np.array([0.5, 0.25, 0.25]))

    @logged
    def colour(self, switch: Array) -> Categorical:
        return Categorical(
            np.array([[0.3, 1e-20, 0.7], [0.2, 1e-20, 0.8], [0.3, 1e-20, 0.7]])[switch]
        )

    @logged
    def spark(self, switch: Array) -> Bernoulli:
        return Bernoulli(1e-20 * (1 + switch))

    @reward
    def alarm(self, fault: Array, switch: Array) -> Bernoulli:
        return Bernoulli(fault * (0.25 + 0.25 * switch))


RARE = [  # what is seen, the switch as it might have been, and the law of what then
    ({"switch": 2, "alarm": 1}, 0, "alarm", (2 / 3, 1 / 3)),
    ({"switch": 0, "alarm": 1}, 2, "alarm", (0, 1)),
    ({"switch": 0, "alarm": 0}, 2, "fault", (1, 0)),
    ({"switch": 0, "colour": 1}, 2, "colour", (0, 1, 0)),
    ({"switch": 0, "colour": 1}, 1, "colour", (0, 0, 1)),
    ({"switch": 2, "spark": 1}, 0, "spark", (2 / 3, 1 / 3)),
    ({"switch": 2, "spark": 1, "colour": 1, "alarm": 1}, 0, "spark", (2 / 3, 1 / 3)),
    ({"switch": 0, "spark": 0, "alarm": 1}, 0, "fault", (0, 1)),
]


@pytest.mark.parametrize(("seen", "switch", "name", "law"), RARE)
def test_what_is_hardly_ever_seen_is_answered_as_exactly_as_anything(
    seen: dict[str, float], switch: int, name: str, law: tuple[float, ...]
) -> None:
    assert counterfactual(Rarity(), Rarity().do(switch=switch), name, given=seen) == pytest.approx(
        np.array(law), abs=EXACT
    )


class Thirds(World):
    """The first two values together are as probable as the first is by itself after the action, but
    for rounding.
    """

    @action
    def act(self) -> Bernoulli:
        return Bernoulli(0.5)

    @reward
    def pay(self, act: Array) -> Categorical:
        return Categorical(np.array([[0.1, 0.2, 0.7], [0.3, 0.0, 0.7]])[act])


def test_what_is_possible_by_rounding_alone_is_impossible() -> None:
    assert 0.1 + 0.2 > 0.3
    worlds = Worlds(Thirds().do(act=0), Thirds().do(act=1))
    assert "probability zero" in refused(
        lambda: worlds.distribution((0, "pay"), given={(0, "pay"): 1, (1, "pay"): 2})
    )
    assert worlds.joint((0, "pay"), (1, "pay")) == pytest.approx(
        np.array([[0.1, 0, 0], [0.2, 0, 0], [0, 0, 0.7]]), abs=1e-15
    )


def test_continuous_variables_are_refused() -> None:
    gauge = make_model(f"{THROWAWAY_FILE}:Gauge")
    with pytest.raises(NotDiscreteError, match="continuous"):
        counterfactual(gauge, gauge.do(drug=1), "relief")


def test_the_same_event_may_be_asked_for_twice_and_worlds_may_be_the_same() -> None:
    model = IceCreamShorts()
    same = Worlds(model, model).distribution((0, "shorts"), (1, "shorts"), (0, "shorts"))
    assert np.allclose(same.nonzero(), [[0, 1]] * 3)
    three = Worlds(model, model.do(ice_cream=0), model.do(ice_cream=1)).distribution(
        (0, "shorts"), (1, "shorts"), (2, "shorts")
    )
    assert np.allclose(
        three.nonzero(), [[0, 1]] * 3
    )  # ice cream has no effect, and so changes nobody's clothes


def test_the_intent_of_one_world_is_the_action_of_the_other() -> None:
    model = Dose()
    joint = Worlds(model, model.with_intent().do(dose=1)).distribution((0, "dose"), (1, INTENT))
    assert np.allclose(joint, np.diag(distribution(model, "dose")), rtol=0, atol=EXACT)

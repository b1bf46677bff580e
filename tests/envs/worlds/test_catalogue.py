"""The published and the printed figures of each family, computed by the package: within one unit of
the last printed digit.

A figure is written as text where its digits say how exactly it is meant, and the expected figures
stand only here."""

from dataclasses import replace

import numpy as np
import pytest
from printed import done, earned, naive, natural_bounds, pooled, printed

from dosuite.causal import (
    Array,
    InputError,
    World,
    behaviour_policy,
    distribution,
    expectation,
    uniform_policy,
    value,
)
from dosuite.causal.exact import do_process, greedy, log_process, worst_policy
from dosuite.causal.graphs import is_markov
from dosuite.causal.identification import back_door_set
from dosuite.envs.worlds.casino import FourArms, GreedyCasino
from dosuite.envs.worlds.collider import SelectionGate
from dosuite.envs.worlds.encourage import EncourageIV, VitaminA
from dosuite.envs.worlds.front_door import TarFrontdoor
from dosuite.envs.worlds.ice_cream import (
    DiscountDay,
    Domains,
    IceCreamShorts,
    NoOverlap,
    Thermo,
    Twin,
)
from dosuite.envs.worlds.napkin import NapkinClinic
from dosuite.envs.worlds.river import CELLS, ConfoundedRiver, MarkovRiver
from dosuite.envs.worlds.simpson import BloodPressure, Sighted, SimpsonClinic


@pytest.mark.parametrize(
    ("model", "low", "high"),
    [
        (IceCreamShorts(), 2.3, 2.5),
        (SimpsonClinic(), 0.851, 0.853),
        (TarFrontdoor(), 16.7, 16.9),
        (NapkinClinic(), 0.79, 0.81),
        (EncourageIV(), 0.194, 0.196),
        (VitaminA(), 0.026, 0.028),
        (SelectionGate(), 1.45, 1.47),
        (GreedyCasino(casino="Rigged"), 1.9, 2.1),
    ],
    ids=lambda part: type(part).__name__,
)
def test_unlabelled_interventions_until_the_naive_mean_flips(
    model: World, low: float, high: float
) -> None:
    assert pooled(model, low).argmax(1).tolist() == model.confused_policy().argmax(1).tolist()
    assert pooled(model, high).argmax(1).tolist() == model.causal_policy().argmax(1).tolist()


# F01


def test_ice_cream() -> None:
    model = IceCreamShorts()
    assert printed(naive(model, "shorts"), ".135 .815")
    assert printed(done(model, "shorts"), ".475 .475")
    assert printed(naive(model), ".135 .615")
    assert printed(done(model), ".475 .275")
    assert printed([*earned(model), model.promised_value(), value(model)], ".275 .475 .615 .375")


@pytest.mark.parametrize(
    ("shift", "figures"),
    [
        ("cold_snap", "-.065 .135 .135"),
        ("heat_wave", ".6575 .8575 .8575"),
        ("ice_cream_chill", ".225 .475 .475"),
        ("causal_twin", ".515 .325 .515"),
    ],
)
def test_ice_cream_shifts(shift: str, figures: str) -> None:
    model = IceCreamShorts()
    world = model.shifted(shift)
    assert printed([*earned(model, world), value(world, world.causal_policy())], figures)


@pytest.mark.parametrize(
    ("reliability", "figures"),
    [
        (0.5, ".615 .275"),
        (0.6, ".610 .275"),
        (0.7, ".593 .275"),
        (0.8, ".558 .275"),
        (0.9, ".482 .275"),
        (0.95, ".409 .275"),
    ],
)
def test_thermo_promises_less_and_earns_the_same(reliability: float, figures: str) -> None:
    model = Thermo(reliability=reliability)
    assert printed([model.promised_value(), value(model, model.confused_policy())], figures)


@pytest.mark.parametrize("reliability", [0.98, 0.99, 0.995, 0.999, 1.0])
def test_thermo_flips(reliability: float) -> None:
    assert printed(earned(Thermo(reliability=reliability)), ".475 .475")


@pytest.mark.parametrize(
    ("reliability", "figure"),
    [
        (0.5, ".340"),
        (0.6, ".339"),
        (0.7, ".334"),
        (0.8, ".314"),
        (0.9, ".246"),
        (0.95, ".165"),
        (0.98, ".082"),
        (0.99, ".044"),
        (0.995, ".023"),
        (0.999, ".005"),
        (1.0, "0.000"),
    ],
)
def test_thermo_calibration(reliability: float, figure: str) -> None:
    model = Thermo(reliability=reliability)
    error = log_process(model).reward - do_process(model).reward
    assert printed(float(np.sqrt((error**2).mean())), figure)


@pytest.mark.parametrize(("k", "figures"), [(0.10, ".475"), (0.12, ".275")])
def test_ice_cream_flips_with_the_strength(k: float, figures: str) -> None:
    model = IceCreamShorts(confounding=2 * k)
    assert printed(earned(model)[0], figures)
    assert printed(earned(IceCreamShorts().dial(2 * k / 0.8))[0], figures)


def test_domains() -> None:
    model = Domains()
    assert printed(
        [expectation(model, "shorts", {"domain": domain}) for domain in (1, 2)], ".475 .475"
    )
    assert printed(naive(model), ".203 .547")
    assert printed(earned(Domains(interventional=0.705))[0], ".275")
    assert printed(earned(Domains(interventional=0.707))[0], ".475")


def test_discount_day() -> None:
    model = DiscountDay()
    assert printed(
        [expectation(model, "shorts", {"discount_day": day}) for day in (0, 1)], ".475 .475"
    )


def test_no_overlap() -> None:
    assert printed(natural_bounds(NoOverlap(), "shorts"), ".025 .525 .45 .95")


def test_ice_cream_twin() -> None:
    model, twin = IceCreamShorts(), Twin()
    assert printed(done(twin), ".135 .615")
    names = ("heat", "ice_cream", "shorts", "pay")
    assert distribution(twin, *names) == pytest.approx(distribution(model, *names), abs=1e-12)


def test_ice_cream_bounds_and_regret() -> None:
    on_shorts = natural_bounds(IceCreamShorts(), "shorts")
    on_pay = on_shorts - [[0.0], [0.2]]
    assert printed(on_shorts, ".0675 .5675 .4075 .9075")
    assert printed(on_pay, ".0675 .5675 .2075 .7075")
    (low0, high0), (low1, high1) = on_pay
    mix = (high1 - low0) / (
        high1 - low0 + high0 - low1
    )  # where the largest regrets of the two actions are equal
    policy = np.array([[1.0 - mix, mix]])
    assert printed([mix, mix * (high0 - low1), value(IceCreamShorts(), policy)], ".64 .2304 .347")


# F02

STUDIES = [
    ("KidneyStones", ".825714 .78", ".778875 .832546"),
    ("Berkeley", ".303542 .445188", ".429955 .387319"),
    ("Whickham", ".685792 .761168", ".740986 .696825"),
    ("CovidCFR", ".977100 .955520", ".972123 .980283"),
    ("NealCovid27", ".84 .809091", ".806098 .870732"),
]


def test_every_study_is_here() -> None:
    assert list(SimpsonClinic.members()) == [study for study, _, _ in STUDIES]
    with pytest.raises(InputError, match="did you mean 'KidneyStones'"):
        SimpsonClinic(study="KidneyStone")


@pytest.mark.parametrize(("study", "seen", "caused"), STUDIES)
def test_simpson(study: str, seen: str, caused: str) -> None:
    model = SimpsonClinic(study=study)
    low, high = sorted(caused.split(), key=float)
    assert printed(naive(model), seen)
    assert printed(done(model), caused)
    assert printed(earned(model), f"{low} {high}")
    assert back_door_set(model.graph) == ("stratum",)


@pytest.mark.parametrize(("study", "seen", "caused"), STUDIES)
def test_blood_pressure_has_the_same_log_and_seeing_is_doing(
    study: str, seen: str, caused: str
) -> None:
    model, twin = SimpsonClinic(study=study), BloodPressure(study=study)
    names = ("stratum", "treatment", "recovery")
    assert distribution(twin, *names) == pytest.approx(distribution(model, *names), abs=1e-12)
    assert printed(done(twin), seen)
    assert model.twin() == twin
    assert twin.twin() == model
    assert (twin.causal_policy() != model.causal_policy()).any()


@pytest.mark.parametrize("study", SimpsonClinic.members())
def test_who_sees_the_stratum_is_not_confused(study: str) -> None:
    confused, causal = earned(Sighted(study=study))
    assert confused == pytest.approx(causal, abs=1e-12)


def test_kidney_stones() -> None:
    model = SimpsonClinic()
    assert printed(distribution(model, "stratum")[0], ".51")
    assert printed(
        [expectation(model, "treatment", {"stratum": size}) for size in (0, 1)], ".243697 .766764"
    )
    assert printed(value(model), ".802857")
    treated = distribution(model, "stratum", given={"treatment": 1})
    untreated = [
        expectation(model, "recovery", {"stratum": size, "treatment": 0}) for size in (0, 1)
    ]
    assert printed(
        naive(model)[1] - float(treated @ untreated), ".047964"
    )  # the effect of treatment on the treated


@pytest.mark.parametrize(
    ("shift", "figures"),
    [
        ("case_mix_05", ".696 .740"),
        ("case_mix_20", ".723 .770"),
        ("case_mix_50", ".777 .831"),
        ("case_mix_80", ".831 .891"),
        ("case_mix_95", ".858 .921"),
    ],
)
def test_kidney_stones_case_mix(shift: str, figures: str) -> None:
    assert printed(done(SimpsonClinic().shifted(shift)), figures)


@pytest.mark.parametrize("kind", [SimpsonClinic, Sighted, BloodPressure])
def test_flipped_logs_change_what_is_seen_and_nothing_that_is_done(
    kind: type[SimpsonClinic],
) -> None:
    model = kind()
    world = model.shifted("logs_flipped")
    for policy in (model.causal_policy(), worst_policy(model), uniform_policy(model)):
        assert value(world, policy) == pytest.approx(value(model, policy), abs=1e-12)
    assert behaviour_policy(world) == pytest.approx(behaviour_policy(model)[:, ::-1], abs=1e-12)


def test_kidney_stones_with_flipped_logs() -> None:
    assert printed(naive(SimpsonClinic().shifted("logs_flipped")), ".732 .885")


def test_covid_effects_through_and_past_age() -> None:
    """Total, natural direct and natural indirect effect of the country on case fatality, in per
    cent (the mediation formula).
    """
    model = BloodPressure(study="CovidCFR")
    ages = range(len(distribution(model, "stratum")))
    mixes = [distribution(model, "stratum", given={"treatment": country}) for country in (0, 1)]
    deaths = [
        [1 - expectation(model, "recovery", {"treatment": country, "stratum": age}) for age in ages]
        for country in (0, 1)
    ]
    start = mixes[0] @ deaths[0]
    effects = [
        mixes[1] @ deaths[1] - start,
        mixes[0] @ deaths[1] - start,
        mixes[1] @ deaths[0] - start,
    ]
    assert printed(100 * np.array(effects), "2.158 -.763 3.268")


def test_kidney_stones_scaling() -> None:
    """Monte Carlo:

    the naive effect keeps its bias however large the log is, the adjusted one loses its error.
    """
    model, rng = SimpsonClinic(), np.random.default_rng(0)
    joint = distribution(model, "stratum", "treatment", "recovery")
    truth = done(model)[1] - done(model)[0]
    sizes = np.array([100, 1_000, 10_000, 100_000])
    errors = []
    for size in sizes:
        counts = rng.multinomial(size, joint.ravel(), size=4000).reshape(-1, *joint.shape)
        counts = counts[(counts.sum(3) > 0).all((1, 2))]
        pooled = counts.sum(1)
        naive_rates, rates = pooled[..., 1] / pooled.sum(2), counts[..., 1] / counts.sum(3)
        weights = counts.sum((2, 3)) / size
        adjusted = (weights * (rates[..., 1] - rates[..., 0])).sum(1)
        errors.append(
            [
                np.sqrt(((effect - truth) ** 2).mean())
                for effect in (naive_rates[:, 1] - naive_rates[:, 0], adjusted)
            ]
        )
    assert np.array(errors) == pytest.approx(
        np.array([[0.1218, 0.0911], [0.1024, 0.0263], [0.0997, 0.0085], [0.0993, 0.0029]]),
        rel=0.1,
    )
    assert np.polyfit(np.log(sizes), np.log(errors), 1)[0] == pytest.approx(
        np.array([-0.028, -0.497]), abs=0.02
    )
    assert printed(naive(model)[1] - naive(model)[0] - truth, "-.0994")


# F07

CASINOS = [
    ("Greedy", ".15 .15", ".30 .30", ".15 .45 .45 .15", ".30 .45 .45"),
    ("Generous", ".45 .45", ".30 .30", ".45 .15 .15 .45", ".30 .45 .45"),
    ("ParadoxicalSwitching", ".40 .15", ".35 .375", ".4 .6 .3 .15", ".375 .45 .45"),
    ("SometimesSwitch", ".35 .15", ".40 .1375", ".35 .125 .45 .15", ".40 .40 .40"),
    ("NoConfounding", ".55 .45", ".55 .45", ".55 .45 .55 .45", ".55 .55 .55"),
    ("InevitableRegret", "0 0", ".5 .5", "0 1 1 0", ".5 1 1"),
    ("Rigged", ".55 .35", ".325 .425", ".55 .50 .10 .35", ".425 .45 .45"),
]


def knows_all(model: GreedyCasino) -> float:
    """The value of the best machine for each state of gambler and house."""
    states = [{"drunk": drunk, "blinking": blinking} for drunk in (0, 1) for blinking in (0, 1)]
    machines = range(uniform_policy(model).shape[1])
    return float(
        np.mean(
            [
                max(expectation(model.do(machine=machine), "payout", state) for machine in machines)
                for state in states
            ]
        )
    )


def test_every_casino_is_here() -> None:
    assert sorted(GreedyCasino.members()) == sorted(casino for casino, *_ in CASINOS)
    with pytest.raises(InputError, match="did you mean 'Greedy'"):
        GreedyCasino(casino="Greddy")


@pytest.mark.parametrize(("casino", "seen", "caused", "by_intent", "best"), CASINOS)
def test_casino(casino: str, seen: str, caused: str, by_intent: str, best: str) -> None:
    model = GreedyCasino(casino=casino)
    acting = model.with_intent()
    assert printed(naive(model), seen)
    assert printed(done(model), caused)
    assert printed(do_process(acting).reward, by_intent)
    assert printed([earned(model)[1], earned(acting)[1], knows_all(model)], best)


def test_rigged_casino() -> None:
    model = GreedyCasino(casino="Rigged")
    twin = model.twin()
    assert printed([*earned(model), model.promised_value()], ".325 .425 .55")
    assert printed(natural_bounds(model, "payout"), ".275 .775 .175 .675")
    assert twin is not None
    assert printed(earned(twin), ".55 .55")
    assert twin.causal_policy().tolist() == [[1.0, 0.0]]


@pytest.mark.parametrize(
    "casino", ["Greedy", "Generous", "SometimesSwitch", "NoConfounding", "InevitableRegret"]
)
def test_casinos_without_a_twin(casino: str) -> None:
    assert GreedyCasino(casino=casino).twin() is None


def test_four_arms() -> None:
    model = FourArms()
    acting = model.with_intent()
    assert printed(naive(model), ".2 .2 .2 .2")
    assert printed(done(model), ".4 .4 .4 .4")
    assert printed([earned(model)[1], earned(acting)[1], knows_all(model)], ".4 .6 .6")


@pytest.mark.parametrize(
    ("shift", "figures"),
    [
        (None, ".15 .30 .30 .45"),
        ("intent_flip", ".45 .30 .30 .15"),
        ("all_sober", ".10 .30 .30 .50"),
        ("no_blink", ".15 .25 .35 .45"),
        ("honest_house", ".30 .30 .30 .30"),
    ],
)
def test_casino_shifts(shift: str | None, figures: str) -> None:
    """Who follows the intent, who plays machine 0, who plays machine 1, and who goes against the
    intent.
    """
    acting = GreedyCasino().with_intent()
    world = acting.shifted(shift) if shift else acting
    policies = [[[1, 0], [0, 1]], [[1, 0], [1, 0]], [[0, 1], [0, 1]], [[0, 1], [1, 0]]]
    assert printed([value(world, np.array(policy)) for policy in policies], figures)


def test_four_arms_with_the_intent_flipped() -> None:
    acting = FourArms().with_intent()
    world = acting.shifted("intent_flip")
    assert value(acting, np.eye(4)) == pytest.approx(0.2)
    assert value(world, np.eye(4)[::-1]) == pytest.approx(0.2)


# F09


def test_confounded_river() -> None:
    model = ConfoundedRiver()
    middle, right_left_stay = 2, [3, 1, 2]
    assert printed(do_process(model).transition[middle, 1, right_left_stay], ".305 .560 .135")
    assert printed(log_process(model).transition[middle, 1, right_left_stay], ".725 .165 .110")
    assert model.confused_policy().argmax(1).tolist() == [1, 1, 1, 1, 0]
    assert model.causal_policy()[0].tolist() == [1.0, 0.0]
    assert printed(
        [*earned(model), model.promised_value(), value(model)], ".7546 2.000 5.184 2.107"
    )


@pytest.mark.parametrize(
    ("shift", "figures"),
    [
        ("flood", ".035 2.0"),
        ("rapids", ".412 2.0"),
        ("drought", ".172 2.0"),
        ("fair", "5.22 2.0"),
        ("slack_water", "3.45 2.0"),
    ],
)
def test_confounded_river_shifts(shift: str, figures: str) -> None:
    model = ConfoundedRiver()
    assert printed(earned(model, model.shifted(shift)), figures)


@pytest.mark.parametrize(("captain", "confused"), [(0.60, False), (0.65, True)])
def test_confounded_river_flips_with_the_strength(captain: float, confused: bool) -> None:
    assert (ConfoundedRiver(captain=captain).confused_policy()[0, 1] == 1.0) == confused


def test_confounded_river_with_intent() -> None:
    acting = ConfoundedRiver().with_intent()
    policy = acting.causal_policy().reshape(5, 2, 2)
    assert printed(value(acting, acting.causal_policy()), "2.395")
    assert policy[:4].argmax(2).tolist() == [[0, 1]] * 4


def test_confounded_river_twin() -> None:
    model = ConfoundedRiver()
    twin = model.twin()
    assert twin is not None
    assert printed([*earned(twin), value(twin)], "5.184 5.184 2.107")
    for step in (0, 1, 7):
        names = ("cell", "paddle", "toll")
        assert distribution(twin, *names, step=step) == pytest.approx(
            distribution(model, *names, step=step), abs=1e-12
        )


def test_markov_river() -> None:
    model = MarkovRiver()
    assert is_markov(ConfoundedRiver().graph)
    assert not is_markov(model.graph)
    assert printed([expectation(model, "current", {}, step=step) for step in (0, 100)], ".3 .3")
    assert printed([*earned(model), model.promised_value()], "2.391 3.0 3.121")
    assert model.causal_policy()[0].tolist() == [1.0, 0.0]


def with_beliefs(model: MarkovRiver, intent: bool) -> float:
    """The discounted return of the best captain who remembers, on a grid of 1,001 beliefs in a
    favourable current, interpolated.
    """
    beliefs, cells = np.linspace(0.0, 1.0, 1001), range(CELLS)
    strokes = np.array(
        [model.stroke_adverse, model.stroke_favourable]
    )  # right, left, stay, by the current
    moves = np.zeros((CELLS, CELLS, 2))  # P(next cell | cell, current) when paddling
    for cell in cells:
        for place, to in enumerate((min(cell + 1, CELLS - 1), max(cell - 1, 0), cell)):
            moves[cell, to] += strokes[:, place]

    def tomorrow(belief: Array) -> Array:
        return np.asarray(model.persistence * belief + (1.0 - model.persistence) * model.favourable)

    def informed(likelihood: Array, belief: Array) -> tuple[Array, Array]:
        """How likely what was seen is, and the belief then; the likelihood is by the current."""
        seen = likelihood[0] * (1.0 - belief) + likelihood[1] * belief
        return seen, np.divide(likelihood[1] * belief, seen, out=belief.copy(), where=seen > 0)

    worth = np.zeros((CELLS, len(beliefs)))
    for _ in range(model.horizon):

        def acted(cell: int, belief: Array, worth: Array = worth) -> Array:
            anchored = np.interp(tomorrow(belief), beliefs, worth[cell])
            paddled = np.zeros(len(belief))
            for to in cells:
                seen, then = informed(moves[cell, to], belief)
                paddled += seen * np.interp(tomorrow(then), beliefs, worth[to])
            gain = (
                (1.0 if cell == CELLS - 1 else model.anchorage * (cell == 0)),
                1.0 * (cell == CELLS - 1),
            )
            return np.asarray(
                np.maximum(gain[0] + model.discount * anchored, gain[1] + model.discount * paddled)
            )

        hints = [np.array([1 - model.captain, model.captain])] if intent else []
        hints = [*hints, *(1 - hint for hint in hints)] or [np.ones(2)]
        told = [[informed(hint, beliefs) for hint in hints] for _ in cells]
        worth = np.array(
            [sum(seen * acted(cell, then) for seen, then in told[cell]) for cell in cells]
        )
    return float(np.interp(model.favourable, beliefs, worth[0]))


@pytest.mark.parametrize(("intent", "figure"), [(False, "3.335"), (True, "3.829")])
def test_a_captain_with_a_memory(intent: bool, figure: str) -> None:
    assert printed(with_beliefs(MarkovRiver(), intent), figure)


@pytest.mark.parametrize(("interventions", "paddles"), [(1.72, True), (1.74, False)])
def test_unlabelled_steps_until_the_boat_stays_at_anchor(
    interventions: float, paddles: bool
) -> None:
    """For each recorded step in a cell so many with uniform actions there, and no label."""
    seen, done = log_process(ConfoundedRiver()), do_process(ConfoundedRiver())
    share = behaviour_policy(ConfoundedRiver())
    weight = share / (share + interventions / 2)
    gain = weight * seen.reward + (1 - weight) * done.reward
    moves = weight[..., None] * seen.transition + (1 - weight[..., None]) * done.transition
    assert (greedy(replace(seen, reward=gain, transition=moves).plan())[0, 1] == 1.0) == paddles

"""The printed figures of SimpsonClinic."""

import numpy as np
import pytest
from printed import done, earned, naive, printed

from dosuite.causal import (
    InputError,
    behaviour_policy,
    distribution,
    expectation,
    uniform_policy,
    value,
)
from dosuite.causal.exact import worst_policy
from dosuite.causal.identification import back_door_set
from dosuite.envs.worlds.simpson import BloodPressure, Sighted, SimpsonClinic

# SimpsonClinic

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

"""The published and printed figures of IceCreamShorts,
the last printed digit.

A figure is written as text where its digits say how exactly it is meant, and the expected figures
stand only here."""

import numpy as np
import pytest
from printed import done, earned, naive, natural_bounds, pooled, printed

from dosuite.causal import (
    World,
    distribution,
    expectation,
    value,
)
from dosuite.causal.exact import do_process, log_process
from dosuite.envs.worlds.casino import GreedyCasino
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
from dosuite.envs.worlds.simpson import SimpsonClinic


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


# IceCreamShorts


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

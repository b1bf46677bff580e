"""Published figures of linear-Gaussian models, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
from linear_worlds import Homework, Market, Plant, draw
from places import THROWAWAY_FILE
from printed import printed
from refusals import refused

from dosuite.causal import (
    Array,
    Bernoulli,
    Exactly,
    Normal,
    TooLargeError,
    World,
    action,
    context,
    latent,
    logged,
    reward,
)
from dosuite.causal.exact import LinearGaussian, linear_gaussian
from dosuite.envs import make_model

# Published and printed figures.


def test_joe_in_the_primer() -> None:
    """Section 4.2.3:

    Joe was encouraged 0.5, did 1 of homework and scored 1.5. With twice the homework he would have
    scored 1.90.
    """
    linear = linear_gaussian(Homework())
    joe = {"encouragement": 0.5, "homework": 1.0, "score": 1.5}
    assert printed(linear.counterfactual(linear.do({"homework": 2.0}), joe)["score"], "1.90 0.00")
    silent = linear.do({"encouragement": 0.0, "homework": 0.0})
    assert printed(linear.counterfactual(silent, joe)["score"][0], ".75")  # his own noise
    assert printed(
        linear.counterfactual(linear.do({"encouragement": 0.0}), joe)["homework"][0], ".75"
    )
    assert printed(linear.total_effect("encouragement", "score"), ".90")


class Regulator(World):
    """CorrelatedNoiseLQ as a linear model: a regulator whose actions carry earlier noise."""

    horizon: int = 150
    lags: int = 1

    @latent
    def u(self) -> Normal:
        return Normal(0.0, 1.0)

    @latent.starting(Exactly(0.0))
    def u1(self, u_tm1: Array) -> Exactly:
        return Exactly(u_tm1)

    @latent.starting(Exactly(0.0))
    def u2(self, u1_tm1: Array) -> Exactly:
        return Exactly(u1_tm1)

    @context.starting(Normal(0.0, 1.0))
    def position(self, position_tm1: Array, speed_tm1: Array, force_tm1: Array) -> Exactly:
        return Exactly(position_tm1 + 0.1 * speed_tm1 + 0.005 * force_tm1)

    @context.starting(Normal(0.0, 1.0))
    def speed(self, speed_tm1: Array, force_tm1: Array) -> Exactly:
        return Exactly(speed_tm1 + 0.1 * force_tm1)

    @action
    def force(self, position: Array, speed: Array, u: Array, u1: Array, u2: Array) -> Exactly:
        return Exactly(
            -2.5857 * position - 3.4434 * speed + u + u1 + (u2 if self.lags == 2 else 0.0 * u2)
        )

    @reward
    def cost(self, position: Array, speed: Array, force: Array) -> Exactly:
        return Exactly(-(position**2) - speed**2 - 0.1 * force**2)


@pytest.mark.parametrize(
    ("lags", "figures", "error"), [(1, "-2.3701 -1.7864", "1.83"), (2, "-2.136 -1.192", "2.39")]
)
def test_cloning_a_regulator_with_correlated_noise(lags: int, figures: str, error: str) -> None:
    """The log's regression of force on state, far from the first step;

    and the variance that it leaves.
    """
    model = Regulator(lags=lags)
    law = linear_gaussian(model, "force").law()
    last, state = (
        ("force", model.horizon - 1),
        [("position", model.horizon - 1), ("speed", model.horizon - 1)],
    )
    gain = law.regression(last, *state)
    assert printed(gain, figures)
    rows = [law.names.index(name) for name in (*state, last)]
    residual = np.array([*-gain, 1.0])
    assert printed(residual @ law.covariance[np.ix_(rows, rows)] @ residual, error)


def test_an_older_state_is_an_instrument_for_the_regulator() -> None:
    model = Regulator(lags=1)
    law, end = linear_gaussian(model, "force").law(), model.horizon - 1
    now, before = (
        [law.names.index((name, step)) for name in ("position", "speed")] for step in (end, end - 1)
    )
    force = law.names.index(("force", end))
    gain = np.linalg.solve(law.covariance[np.ix_(before, now)], law.covariance[before, force])
    assert gain == pytest.approx([-2.5857, -3.4434], abs=1e-6)


# Refusals, and corners.


class Crooked(World):
    """What is not linear, or not normal, each in a variable of its own."""

    @latent
    def heat(self) -> Normal:
        return Normal(0.0, 1.0)

    @action
    def ice_cream(self, heat: Array) -> Normal:
        return Normal(0.5 * heat, 1.0)

    @logged
    def thirst(self, heat: Array) -> Normal:
        return Normal(np.maximum(heat, -50.0), 1.0)

    @logged
    def sweat(self, heat: Array) -> Normal:
        return Normal(heat, abs(heat))

    @logged
    def shop(self, heat: Array) -> Bernoulli:
        return Bernoulli(1.0 / (1.0 + np.exp(-heat)))

    @logged
    def price(self, shop: Array) -> Exactly:
        return Exactly(np.array([1.0, 2.0])[shop])

    @reward
    def pay(self, heat: Array, ice_cream: Array) -> Exactly:
        return Exactly(heat * ice_cream)


def test_what_is_not_linear_gaussian_is_refused_in_one_line() -> None:
    model = Crooked()
    assert "Crooked.pay is not linear in heat, ice_cream" in refused(
        lambda: linear_gaussian(model, "pay")
    )
    assert "Crooked.thirst is not linear in heat" in refused(
        lambda: linear_gaussian(model, "thirst")
    )
    assert "the standard deviation of Crooked.sweat depends on heat" in refused(
        lambda: linear_gaussian(model, "sweat")
    )
    assert "Crooked.shop is Bernoulli" in refused(lambda: linear_gaussian(model, "shop"))
    assert "Crooked.price has no law at numbers such as" in refused(
        lambda: linear_gaussian(model.do(shop=Normal(0, 1)), "price")
    )
    assert "Gauge.drug is Bernoulli" in refused(
        lambda: linear_gaussian(make_model(f"{THROWAWAY_FILE}:Gauge"))
    )
    assert "did you mean 'heat'" in refused(lambda: linear_gaussian(model, "heet"))
    assert linear_gaussian(model, "ice_cream").names == ("heat", "ice_cream")


def test_impossible_evidence_is_refused() -> None:
    linear = linear_gaussian(Market())
    evidence = {"price": 9.0, "cost": 3.0, "sold": 10.0, "margin": 8.0}
    assert "cost=3, sold=10, margin=8 cannot all be" in refused(lambda: linear.law(evidence))
    assert linear.law({**evidence, "margin": 7.0})["margin"] == pytest.approx((7.0, 0.0), abs=1e-6)
    assert "did you mean 'price'" in refused(lambda: linear.do({"pryce": 1.0}))
    assert "not a variable" in refused(lambda: linear.total_effect("price", ("sold", 1)))


def test_a_model_too_large_is_refused_and_a_long_one_is_not() -> None:
    with pytest.raises(TooLargeError, match="the covariance of Plant"):
        linear_gaussian(replace(Plant(), horizon=10_000))
    long = linear_gaussian(replace(Plant(), horizon=150))
    assert long.law()["tilt", 149][1] < 1.0


def test_names_may_contain_spaces() -> None:
    names = ("ice cream", "bare knees")
    linear = LinearGaussian(
        names, np.zeros(2), np.array([[0.0, 0.0], [0.3, 0.0]]), np.ones(2), names
    )
    assert linear.do({"ice cream": 2.0}).law()["bare knees"] == pytest.approx((0.6, 1.0))


def test_worlds_share_the_noises_that_both_name() -> None:
    """The intent has the noise of the action; the action that follows has its own."""
    model = Market()
    seen, acted = linear_gaussian(model), linear_gaussian(model.with_intent().do(price=5.0))
    unit = dict(zip(seen.names, draw(model, seen, 1)[0].tolist(), strict=True))
    law = seen.counterfactual(acted, unit)
    assert law["intent"][0] == pytest.approx(unit["price"], abs=1e-6)
    assert law["sold"][0] == pytest.approx(unit["sold"] + 1.5 * (unit["price"] - 5.0), abs=1e-6)
    wavering = linear_gaussian(model.with_intent().do(price=Normal(5.0, 0.7)))
    assert seen.counterfactual(wavering, unit)["price"] == pytest.approx((5.0, 0.7), abs=1e-6)


def test_figures_that_are_wrong_are_noticed() -> None:
    assert not printed([1.92], "1.90")


class Income(World):
    """What is earned above a bound, far from 0, counts for nothing."""

    @latent
    def income(self) -> Normal:
        return Normal(40_000.0, 20_000.0)

    @action
    def gift(self) -> Normal:
        return Normal(0.0, 1.0)

    @reward
    def joy(self, income: Array, gift: Array) -> Exactly:
        return Exactly(np.minimum(income, 50_000.0) + gift)


def test_what_bends_far_from_zero_is_not_linear() -> None:
    assert "Income.joy is not linear" in refused(lambda: linear_gaussian(Income()))


class Scales(World):
    """Very small causes with very large effects, beside a large variable."""

    @latent
    def u(self) -> Normal:
        return Normal(0.0, 1e6)

    @action
    def a(self) -> Normal:
        return Normal(0.0, 1e-6)

    @reward
    def y(self, a: Array) -> Normal:
        return Normal(1e6 * a, 0.1)


def test_units_do_not_matter() -> None:
    model = linear_gaussian(Scales())
    assert model.law({"a": 5e-8, "u": 0.0})["y"] == pytest.approx((0.05, 0.1))
    assert model.law().regression("y", "a", "u") == pytest.approx([1e6, 0.0], abs=1e-3)

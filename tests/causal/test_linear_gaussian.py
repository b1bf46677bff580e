"""The laws of linear-Gaussian models: exact moments are sampled, effects are experiments,
counterfactuals are units.

Published and printed figures are written as text, and are met within one unit of their last digit.
"""

import numpy as np
import pytest
from linear_worlds import Homework, Market, Plant, draw

from dosuite.causal import (
    Normal,
    World,
)
from dosuite.causal.exact import linear_gaussian

EXACT = 1e-9


MODELS: dict[str, World] = {"Homework": Homework(), "Market": Market(), "Plant": Plant()}


every_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


def worlds(model: World) -> list[World]:
    """A model, and others with the same units."""
    return [model, model.do(**{model.action: 1.5}), model.do(**{model.action: Normal(-1.0, 0.7)})]


@every_model
def test_exact_moments_are_sampled(model: World) -> None:
    n = 20_000
    for world in worlds(model):
        linear = linear_gaussian(world)
        law, sample = linear.law(), draw(world, linear, n)
        variance = np.diag(law.covariance)
        assert (abs(sample.mean(0) - law.mean) <= 4.5 * np.sqrt(variance / n) + EXACT).all()
        error = np.sqrt((np.outer(variance, variance) + law.covariance**2) / n)
        assert (abs(np.cov(sample.T) - law.covariance) <= 4.5 * error + EXACT).all()


def test_moments_of_a_slightly_different_model_are_noticed() -> None:
    linear = linear_gaussian(Homework())
    sample = draw(
        Homework().do(homework=lambda encouragement: Normal(0.55 * encouragement, 1.0)),
        linear,
        20_000,
    )
    assert abs(np.cov(sample.T) - linear.law().covariance).max() > 4.5 * np.sqrt(2 / 20_000)


@every_model
def test_doing_in_the_linear_model_is_doing_in_the_model(model: World) -> None:
    linear, done = linear_gaussian(model), linear_gaussian(model.do(**{model.action: 1.5}))
    set_at = {name: 1.5 for name in linear.names if name == model.action or name[0] == model.action}
    ours, theirs = linear.do(set_at).law(), done.law()
    at = [ours.names.index(name) for name in theirs.names]
    assert np.allclose(ours.mean[at], theirs.mean, rtol=0, atol=EXACT)
    assert np.allclose(ours.covariance[np.ix_(at, at)], theirs.covariance, rtol=0, atol=EXACT)


@every_model
def test_a_total_effect_is_what_an_experiment_moves(model: World) -> None:
    linear = linear_gaussian(model)
    for cause in linear.names:
        low, high = linear.do({cause: 2.0}).law().mean, linear.do({cause: 3.0}).law().mean
        assert [linear.total_effect(cause, effect) for effect in linear.names] == pytest.approx(
            list(high - low), abs=EXACT
        )


@every_model
def test_counterfactuals_of_a_unit_are_what_its_noise_does(model: World) -> None:
    """Given all that a unit is in the model, its conduct in another world has no uncertainty left,
    and is the sampled one.
    """
    linear = linear_gaussian(model)
    factual = draw(model, linear, 5)
    for world in worlds(model)[:2]:
        other = linear_gaussian(world)
        imagined = [
            linear.counterfactual(other, dict(zip(linear.names, unit, strict=True)))
            for unit in factual.tolist()
        ]
        assert np.allclose([law.mean for law in imagined], draw(world, other, 5), rtol=0, atol=1e-6)
        assert max(abs(law.covariance).max() for law in imagined) < 1e-9


@every_model
def test_counterfactuals_given_part_of_a_unit_are_regressions_across_worlds(model: World) -> None:
    linear, other = linear_gaussian(model), linear_gaussian(model.do(**{model.action: 1.5}))
    seen = linear.names[::3]
    rows = [linear.names.index(name) for name in seen]
    here = linear.effects * linear.std
    aligned = np.array([linear.noise.index(name) for name in other.noise])
    there = np.zeros_like(here)
    there[:, aligned] = other.effects * other.std
    gain = there @ here[rows].T @ np.linalg.pinv(here[rows] @ here[rows].T)
    values = linear.law().mean[rows] + 0.3 * np.sqrt(np.diag(here @ here.T))[rows]
    found = linear.counterfactual(other, dict(zip(seen, values.tolist(), strict=True)))
    assert np.allclose(
        found.mean, other.law().mean + gain @ (values - linear.law().mean[rows]), rtol=0, atol=1e-8
    )
    assert np.allclose(
        found.covariance, there @ there.T - gain @ here[rows] @ there.T, rtol=0, atol=1e-8
    )


def test_a_condition_is_the_textbook_formula() -> None:
    law = linear_gaussian(Market()).law()
    given = linear_gaussian(Market()).law({"price": 9.0, "season": 1.0})
    rows, rest = [law.names.index(name) for name in ("price", "season")], law.names.index("sold")
    within, across = law.covariance[np.ix_(rows, rows)], law.covariance[rest, rows]
    mean = law.mean[rest] + across @ np.linalg.solve(within, np.array([9.0, 1.0]) - law.mean[rows])
    std = np.sqrt(law.covariance[rest, rest] - across @ np.linalg.solve(within, across))
    assert given["sold"] == pytest.approx((mean, std), abs=EXACT)
    assert given["price"] == pytest.approx((9.0, 0.0), abs=1e-6)


def test_seeing_is_not_doing_and_the_instrument_knows() -> None:
    linear = linear_gaussian(Market())
    law = linear.law()
    assert linear.total_effect("price", "sold") == pytest.approx(-1.5)
    assert law.regression("sold", "price")[0] > -0.5
    assert law.regression("sold", "price", "demand")[0] == pytest.approx(-1.5)
    assert law.regression("sold", "cost")[0] / law.regression("price", "cost")[0] == pytest.approx(
        -1.5
    )

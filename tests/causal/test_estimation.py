"""The laws of estimation:

estimates converge to the exact answers at the rate of their standard errors, and empty cells are
refused.
"""

from collections.abc import Callable

import numpy as np
import pytest
from estimation_logs import KIDNEY, Log, Market, Ward, back_door, clinic, draw, rng
from refusals import refused

from dosuite.causal import (
    Hedge,
    World,
    expectation,
    identify,
    latent_projection,
)
from dosuite.causal.arrays import Floats
from dosuite.causal.identification import (
    Estimate,
    aipw,
    ipw,
    plug_in,
    proximal,
    two_stage_least_squares,
)
from dosuite.envs import collect
from dosuite.envs.worlds.ice_cream import IceCreamShorts
from dosuite.envs.worlds.proxy import ProxyClinic
from dosuite.envs.worlds.simpson import SimpsonClinic

Estimator = Callable[[Log], Estimate]


def done(model: World) -> Floats:
    """E[reward | do(action)] for each action."""
    return np.array([expectation(model.do(**{model.action: a}), model.reward) for a in (0, 1)])


WARD: Floats = (
    2.0 - 0.7 - 0.4 + 0.5 * np.arange(3.0) * (1 + 0.4)
)  # E[recovery | do(drug)], from the means of severity and age


def by_instruments(log: Log) -> Estimate:
    return two_stage_least_squares(
        log, ["price"], "sold", ["cost", "wages"], rng(), ["season"], resamples=60
    )


ESTIMATORS: dict[str, tuple[World, Estimator, Floats]] = {
    "plug-in": (
        SimpsonClinic(),
        lambda log: plug_in(log, KIDNEY, back_door, rng(), resamples=60),
        done(SimpsonClinic()),
    ),
    "ipw": (
        Ward(),
        lambda log: ipw(log, "drug", "recovery", ["severity", "age"], rng(), resamples=60),
        WARD,
    ),
    "aipw": (
        Ward(),
        lambda log: aipw(
            log, "drug", "recovery", ["severity", "age"], ["severity", "age"], rng(), resamples=60
        ),
        WARD,
    ),
    "2sls": (Market(), by_instruments, np.array([-1.5])),
    "proximal": (
        ProxyClinic(),
        lambda log: proximal(log, "drug", "recovery", "referred", "fever", rng(), resamples=60),
        np.array([0.5, 0.7]),
    ),
}


every_estimator = pytest.mark.parametrize(
    ("model", "estimator", "truth"), ESTIMATORS.values(), ids=ESTIMATORS
)


@every_estimator
def test_an_estimate_is_within_four_standard_errors(
    model: World, estimator: Estimator, truth: Floats
) -> None:
    value, error = estimator(draw(model, 20_000))
    assert value.shape == error.shape == truth.shape
    assert (abs(value - truth) < 4 * error).all()
    assert (error < 0.05).all()


@every_estimator
def test_a_standard_error_is_the_deviation_between_logs(
    model: World, estimator: Estimator, truth: Floats
) -> None:
    found = [estimator(draw(model, 2_000, seed)) for seed in range(40)]
    between = np.std([value for value, _ in found], axis=0, ddof=1)
    claimed = np.sqrt(np.mean([error**2 for _, error in found], axis=0))
    assert (
        abs(np.log(claimed / between)) < 0.45
    ).all()  # 4 times the error of a deviation from 40 logs


@every_estimator
def test_equal_generators_give_equal_errors(
    model: World, estimator: Estimator, truth: Floats
) -> None:
    log = draw(model, 2_000)
    for one, other in zip(estimator(log), estimator(log), strict=True):
        assert np.array_equal(one, other)


def test_weights_and_strata_that_know_the_same_are_the_same_estimate() -> None:
    log = draw(SimpsonClinic())
    both = plug_in(log, KIDNEY, back_door, rng())
    for other in (
        ipw(log, "treatment", "recovery", ["stratum"], rng()),
        aipw(log, "treatment", "recovery", ["stratum"], ["stratum"], rng()),
        aipw(log, "treatment", "recovery", [], ["stratum"], rng()),
    ):
        assert np.allclose(other.value, both.value, rtol=0, atol=1e-12)
        assert np.allclose(other.error, both.error, rtol=0.3)


def test_an_estimand_of_the_graph_is_plugged_in() -> None:
    model = SimpsonClinic()
    estimand = identify(latent_projection(model.graph), "recovery", "treatment")
    assert not isinstance(estimand, Hedge)
    log = draw(model)
    found = plug_in(log, estimand.names, lambda law: estimand.evaluate(law).table[1], rng())
    assert np.allclose(
        found.value, plug_in(log, KIDNEY, back_door, rng()).value, rtol=0, atol=1e-12
    )
    assert "empty cell" in refused(
        lambda: plug_in(
            clinic(), estimand.names, lambda law: estimand.evaluate(law).table[1], rng()
        )
    )


def test_doubly_robust_means_that_one_of_two_is_enough() -> None:
    log, truth = draw(Ward(), 20_000), WARD
    right, wrong = ["severity", "age"], ["age"]
    for given, regression in ((right, wrong), (wrong, right), (right, [])):
        value, error = aipw(log, "drug", "recovery", given, regression, rng())
        assert (abs(value - truth) < 4 * error).all()
    value, error = aipw(log, "drug", "recovery", wrong, wrong, rng())
    assert (abs(value - truth) > 4 * error).any()


def test_the_logged_propensity_gives_the_naive_value_and_not_the_causal_one() -> None:
    model = IceCreamShorts()
    log = collect(model, 20_000, seed=3)
    value, error = ipw(log.columns, "action", "reward", [], rng(), propensity="propensity")
    naive = [expectation(model, "pay", {"ice_cream": a}) for a in (0, 1)]
    assert (abs(value - naive) < 4 * error).all()
    assert (abs(value - done(model)) > 4 * error).all()


def test_two_stage_least_squares_is_the_ratio_of_two_covariances() -> None:
    log = draw(Market())
    (value,), _ = two_stage_least_squares(log, ["price"], "sold", ["wages"], rng())
    assert value == pytest.approx(
        np.cov(log["wages"], log["sold"])[0, 1] / np.cov(log["wages"], log["price"])[0, 1]
    )


def test_two_stage_least_squares_with_many_of_all() -> None:
    log = draw(Market())
    log["warmth"] = log["demand"] + draw(Market(), seed=1)["demand"]
    (value, other), _ = two_stage_least_squares(
        log, ["price", "warmth"], "sold", ["cost", "wages", "demand"], rng(), ["season"]
    )
    x = np.stack([log["price"], log["warmth"], log["season"], np.ones(len(log["sold"]))], axis=1)
    z = np.stack(
        [log["cost"], log["wages"], log["demand"], log["season"], np.ones(len(log["sold"]))], axis=1
    )
    fitted = z @ np.linalg.lstsq(z, x)[0]
    assert np.linalg.lstsq(fitted, log["sold"])[0][:2] == pytest.approx([value, other])

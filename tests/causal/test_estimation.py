"""The laws of estimation:

estimates converge to the exact answers at the rate of their standard errors, and empty cells are
refused.
"""

from collections.abc import Callable

import numpy as np
import pytest
from printed import printed
from refusals import refused

from dosuite.causal import (
    Array,
    Bernoulli,
    Categorical,
    Factor,
    Hedge,
    Normal,
    World,
    action,
    distribution,
    expectation,
    identify,
    latent,
    latent_projection,
    logged,
    reward,
)
from dosuite.causal.arrays import Floats
from dosuite.causal.identification import (
    Estimate,
    aipw,
    ipw,
    outcome_bridge,
    plug_in,
    proximal,
    proximal_means,
    two_stage_least_squares,
)
from dosuite.envs import collect
from dosuite.envs.worlds.ice_cream import IceCreamShorts
from dosuite.envs.worlds.proxy import ProxyClinic
from dosuite.envs.worlds.simpson import SimpsonClinic

Log = dict[str, Array]
Estimator = Callable[[Log], Estimate]


class Ward(World):
    """Three treatments; severity and age behind treatment and recovery, which is a number."""

    @logged
    def severity(self) -> Categorical:
        return Categorical(np.array([0.5, 0.3, 0.2]))

    @logged
    def age(self) -> Bernoulli:
        return Bernoulli(0.4)

    @action
    def drug(self, severity: Array, age: Array) -> Categorical:
        rows = np.array([[0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.1, 0.3, 0.6]])
        return Categorical(np.where(age[:, None] == 1, rows[severity], rows[severity][:, ::-1]))

    @reward
    def recovery(self, severity: Array, age: Array, drug: Array) -> Normal:
        return Normal(2.0 - severity - age + 0.5 * drug * (1 + age), 0.7)


class Market(World):
    """A hidden demand behind price and sales;

    cost and wages move only the price, the season also the sales.
    """

    @latent
    def demand(self) -> Normal:
        return Normal(0.0, 1.0)

    @logged
    def season(self) -> Bernoulli:
        return Bernoulli(0.5)

    @logged
    def cost(self, season: Array) -> Normal:
        return Normal(0.5 * season, 1.0)

    @logged
    def wages(self) -> Normal:
        return Normal(100.0, 20.0)

    @action
    def price(self, demand: Array, cost: Array, wages: Array, season: Array) -> Normal:
        return Normal(demand + cost + 0.02 * wages + season, 0.5)

    @reward
    def sold(self, demand: Array, price: Array, season: Array) -> Normal:
        return Normal(2.0 * demand - 1.5 * price + 3.0 * season, 0.5)


def draw(model: World, n: int = 5_000, seed: int = 0) -> Log:
    return model.sample(n, np.random.default_rng(seed))


def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def done(model: World) -> Floats:
    """E[reward | do(action)] for each action."""
    return np.array([expectation(model.do(**{model.action: a}), model.reward) for a in (0, 1)])


WARD: Floats = (
    2.0 - 0.7 - 0.4 + 0.5 * np.arange(3.0) * (1 + 0.4)
)  # E[recovery | do(drug)], from the means of severity and age


def back_door(law: Factor) -> Array:
    """E[y | do(x)] from a law with the axes (stratum, x, y), y = 0, 1."""
    p = law.table / law.table.sum()
    return np.asarray((p[:, :, 1] / p.sum(2) * p.sum((1, 2))[:, None]).sum(0))


PROXIES = ("drug", "referred", "fever", "recovery")
KIDNEY = ("stratum", "treatment", "recovery")


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


# The proximal bridge: the figures that the catalogue prints.


def test_proxies() -> None:
    joint = distribution(ProxyClinic(), *PROXIES)
    assert np.allclose(proximal_means(joint), [0.5, 0.7], rtol=0, atol=1e-12)
    assert printed(outcome_bridge(joint), "1.00 0.00 1.1167 .2833")
    assert np.allclose(
        outcome_bridge(1000 * joint, np.array([5.0, 6.0])), outcome_bridge(joint) + 5.0
    )

    def adjusted(axes: tuple[int, ...]) -> Floats:
        """Adjusting for some of the axes z, w."""
        p = joint.sum(tuple({1, 2} - set(axes))).reshape(2, -1, 2)
        return np.asarray((p[:, :, 1] / p.sum(2) * p.sum((0, 2))).sum(1))

    assert printed(adjusted(()), ".74 .50")
    assert printed(adjusted((1,)), ".678 .551")
    assert printed(adjusted((2,)), ".700 .534")
    assert printed(adjusted((1, 2)), ".628 .593")


@pytest.mark.parametrize(
    ("accuracy", "condition"), [(0.5001, "13619"), (0.55, "27.3"), (0.99, "3.8")]
)
def test_a_poor_proxy_is_enough_in_the_long_run_and_costs_precision(
    accuracy: float, condition: str
) -> None:
    joint = distribution(ProxyClinic(accuracy=accuracy), *PROXIES)
    assert np.allclose(proximal_means(joint), [0.5, 0.7], rtol=0, atol=1e-9)
    given = joint[0].sum(2) / joint[0].sum((1, 2))[:, None]
    assert printed(np.linalg.cond(given), condition)


def test_proxies_with_more_values_on_the_side_of_the_treatment() -> None:
    model = ProxyClinic()
    joint = distribution(model, *PROXIES)
    half = np.concatenate(
        [0.3 * joint, 0.7 * joint[:, ::-1] * np.array([0.4, 0.6])[None, :, None, None]], axis=1
    )
    assert np.allclose(outcome_bridge(half), outcome_bridge(joint))


# Refusals, and corners.


def clinic() -> Log:
    """A log in which nobody severe got the new drug."""
    log = draw(SimpsonClinic(), 500)
    return {
        name: column[(log["stratum"] == 0) | (log["treatment"] == 0)]
        for name, column in log.items()
    }


def test_an_empty_cell_is_named() -> None:
    log = clinic()
    assert "no row has treatment=1 where stratum=1" in refused(
        lambda: ipw(log, "treatment", "recovery", ["stratum"], rng())
    )
    assert "no row has treatment=1 where stratum=1" in refused(
        lambda: aipw(log, "treatment", "recovery", [], ["stratum"], rng())
    )
    assert "no row has stratum=1, treatment=1, recovery=0" in refused(
        lambda: plug_in(log, KIDNEY, back_door, rng())
    )
    named = {
        "new drug": log["treatment"],
        "size of stone": log["stratum"] * 2.5,
        "age": log["stratum"] * 0,
        "cured": log["recovery"],
    }
    assert "new drug=1 where age=0, size of stone=2.5" in refused(
        lambda: ipw(named, "new drug", "cured", ["age", "size of stone"], rng())
    )
    assert "no row has treatment=1 where stratum=1" in refused(
        lambda: proximal(log, "treatment", "recovery", "stratum", "stratum", rng())
    )


def test_a_cell_of_one_row_is_never_emptied_by_resampling() -> None:
    log = clinic()
    log = {
        name: np.append(column, one)
        for (name, column), one in zip(log.items(), (1, 1, 1), strict=True)
    }
    value, error = ipw(log, "treatment", "recovery", ["stratum"], rng())
    assert np.isfinite(value).all()
    assert np.isfinite(error).all()


def test_what_is_not_identified_is_refused() -> None:
    log = draw(Market(), 500)
    log["flag"] = np.zeros(500)
    assert "flag cannot tell apart what price do" in refused(
        lambda: two_stage_least_squares(log, ["price"], "sold", ["flag"], rng())
    )
    assert "cannot tell apart what price, season do" in refused(
        lambda: two_stage_least_squares(log, ["price", "season"], "sold", ["cost"], rng())
    )
    joint = distribution(ProxyClinic(accuracy=0.5), *PROXIES)
    assert "its proxy does not move all values" in refused(lambda: outcome_bridge(joint))
    joint[1, 0] = 0.0
    assert "never occurs with value number 1 of the treatment" in refused(
        lambda: outcome_bridge(joint)
    )


def test_columns_that_are_no_data_are_refused() -> None:
    log = draw(SimpsonClinic(), 100)
    assert "did you mean 'stratum'" in refused(
        lambda: ipw(log, "treatment", "recovery", ["strata"], rng())
    )
    assert "columns of 100, 101 rows" in refused(
        lambda: ipw({**log, "age": np.zeros(101)}, "treatment", "recovery", [], rng())
    )
    assert "the column x has no rows" in refused(
        lambda: ipw({"x": np.zeros(0), "y": np.zeros(0)}, "x", "y", [], rng())
    )
    assert "not a finite number" in refused(
        lambda: ipw({**log, "recovery": np.full(100, np.nan)}, "treatment", "recovery", [], rng())
    )
    assert "one number in each row" in refused(
        lambda: ipw({**log, "recovery": np.zeros((100, 2))}, "treatment", "recovery", [], rng())
    )
    assert "must hold probabilities" in refused(
        lambda: ipw({**log, "p": np.zeros(100)}, "treatment", "recovery", [], rng(), "p")
    )
    assert "2 resamples or more" in refused(
        lambda: ipw(log, "treatment", "recovery", [], rng(), resamples=1)
    )


def test_columns_of_several_numbers_and_of_words_are_strata() -> None:
    log = draw(Ward(), 5_000)
    both = np.stack([log["severity"], log["age"]], axis=1)
    words = np.array(["mild", "bad", "worst"])[log["severity"]]
    expected = ipw(log, "drug", "recovery", ["severity", "age"], rng()).value
    assert np.allclose(
        ipw({**log, "both": both}, "drug", "recovery", ["both"], rng()).value, expected
    )
    assert np.allclose(
        ipw({**log, "words": words}, "drug", "recovery", ["words", "age"], rng()).value, expected
    )


def test_a_logged_propensity_does_not_hide_an_action_that_never_occurs() -> None:
    rng = np.random.default_rng(0)
    c = rng.integers(0, 2, 4000)
    x = np.where(c == 1, rng.integers(0, 2, 4000), 0)
    log = {"c": c, "x": x, "y": 1.0 + 0 * x, "p": np.where(c == 1, 0.5, 1.0)}
    assert "x" in refused(lambda: ipw(log, "x", "y", ["c"], rng, propensity="p"))


def test_a_large_mean_is_no_weak_instrument() -> None:
    rng = np.random.default_rng(0)
    u, z = rng.normal(size=20_000), rng.integers(0, 2, 20_000)
    x = 10_000 + z + u
    found = two_stage_least_squares(
        {"z": z + 1e5, "x": x, "y": 3 * x + 2 * u}, ["x"], "y", ["z"], rng
    )
    assert abs(found.value - 3.0)[0] < 4 * found.error[0]

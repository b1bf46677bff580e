"""The proximal bridge, and what estimators refuse."""

import numpy as np
import pytest
from estimation_logs import KIDNEY, Market, Ward, back_door, clinic, draw, rng
from printed import printed
from refusals import refused

from dosuite.causal import (
    distribution,
)
from dosuite.causal.arrays import Floats
from dosuite.causal.identification import (
    aipw,
    ipw,
    outcome_bridge,
    plug_in,
    proximal,
    proximal_means,
    two_stage_least_squares,
)
from dosuite.envs.worlds.proxy import ProxyClinic
from dosuite.envs.worlds.simpson import SimpsonClinic

PROXIES = ("drug", "referred", "fever", "recovery")


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
    assert "a whole number of at least 2" in refused(
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

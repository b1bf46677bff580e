"""What every estimator takes: one name or several, mappings, frames and logs, objects, seeds."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from refusals import refused

from dosuite.causal import Factor
from dosuite.causal.identification import (
    Estimate,
    aipw,
    empirical,
    ipw,
    plug_in,
    proximal,
    two_stage_least_squares,
)
from dosuite.envs import collect, make_model

Estimator = Callable[[Any, Any], Estimate]


def columns() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    age = rng.integers(0, 2, 600)
    treat = (rng.random(600) < 0.3 + 0.4 * age).astype(int)
    lab = (rng.random(600) < 0.2 + 0.6 * age).astype(int)
    y = (rng.random(600) < 0.1 + 0.3 * treat + 0.4 * age).astype(int)
    return {"age": age, "treat": treat, "lab": lab, "y": y}


def mean_of(law: Factor) -> Any:
    return law.table.sum(0)[1]


ESTIMATORS: dict[str, Estimator] = {
    "plug_in": lambda log, rng: plug_in(log, ["age", "y"], mean_of, rng, resamples=20),
    "ipw": lambda log, rng: ipw(log, "treat", "y", "age", rng, resamples=20),
    "aipw": lambda log, rng: aipw(log, "treat", "y", "age", "age", rng, resamples=20),
    "2sls": lambda log, rng: two_stage_least_squares(
        log, "treat", "y", "age", rng, "lab", resamples=20
    ),
    "proximal": lambda log, rng: proximal(log, "treat", "y", "age", "lab", rng, resamples=20),
}

every_estimator = pytest.mark.parametrize("estimator", ESTIMATORS.values(), ids=ESTIMATORS)


@every_estimator
def test_frames_objects_and_seeds_are_the_same_data(estimator: Estimator) -> None:
    log = columns()
    value, error = estimator(log, np.random.default_rng(5))
    others: list[Any] = [
        pd.DataFrame(log),
        pd.DataFrame(log).astype(object),
        pd.DataFrame(log).astype("Int64"),
        {name: column.astype(object) for name, column in log.items()},
        {name: [Decimal(entry) for entry in column.tolist()] for name, column in log.items()},
    ]
    for other in others:
        again = estimator(other, 5)
        assert np.array_equal(again.value, value)
        assert np.array_equal(again.error, error)


def test_one_name_is_never_read_by_letters() -> None:
    log = columns()
    one = ipw(log, "treat", "y", "age", 0).value
    assert np.array_equal(one, ipw(log, "treat", "y", ["age"], 0).value)
    named = two_stage_least_squares(log, "treat", "y", "age", 0).value
    assert np.array_equal(named, two_stage_least_squares(log, ["treat"], "y", ("age",), 0).value)
    assert empirical(log, "age").names == ("age",)
    assert "did you mean 'age'" in refused(lambda: ipw(log, "treat", "y", "agee", 0))


def test_a_log_is_data() -> None:
    log = collect(make_model("SimpsonClinic-v0"), 2000, seed=0)
    by_log = ipw(log, "action", "reward", "stratum", 0)
    by_columns = ipw(log.columns, "action", "reward", "stratum", 0)
    assert np.array_equal(by_log.value, by_columns.value)


def test_entries_that_are_no_data_are_named() -> None:
    log = columns()
    missing = pd.DataFrame(log).astype(object)
    missing.loc[3, "y"] = "lost"
    assert "holds 'lost' (str) in row 3" in refused(lambda: ipw(missing, "treat", "y", "age", 0))
    mixed = {**log, "age": np.array([*[0] * 599, "old"], dtype=object)}
    assert "the column age holds 'old' (str) in row 599" in refused(
        lambda: ipw(mixed, "treat", "y", "age", 0)
    )
    double = pd.DataFrame(np.zeros((4, 2)), columns=["x", "x"])
    assert "2 columns named 'x'" in refused(lambda: empirical(double, "x"))
    assert "got list" in refused(lambda: ipw([1, 2], "treat", "y", "age", 0))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("age", "message"),
    [
        (lambda age: np.ma.masked_array(age, mask=age == 1), "the column age is masked in row"),
        (lambda age: pd.Series(age)[::-1], "age and treat are Series with different indexes"),
        (lambda age: np.where(age, "NaT", "2020-01-01").astype("M8[D]"), "missing in row"),
        (lambda age: np.array([*age[:-1], None], dtype=object), "missing in row 599"),
        (lambda age: pd.array([*(age[:-1] == 1), None], dtype="boolean"), "missing in row 599"),
        (lambda age: pd.Categorical([*("ab"[i] for i in age[:-1]), None]), "missing in row 599"),
        (lambda age: [[1, 2], [1]] * 300, "rows of one length"),
    ],
)
def test_what_is_missing_is_no_value(age: Callable[[Any], Any], message: str) -> None:
    log: dict[str, Any] = columns()
    log |= {"treat": pd.Series(log["treat"]), "age": age(log["age"])}
    assert message in refused(lambda: ipw(log, "treat", "y", "age", 0))
    assert message in refused(lambda: empirical(log, "age"))


def test_an_estimate_that_overflows_is_refused() -> None:
    log = columns()
    assert "not finite" in refused(
        lambda: ipw({**log, "y": np.full(600, 1e308)}, "treat", "y", "age", 0)
    )
    huge = {**log, "y": np.array([10**30] * 600, dtype=object)}
    assert ipw(huge, "treat", "y", "age", 0).value == pytest.approx(1e30)


def test_a_column_of_several_numbers_is_one_variable() -> None:
    log = columns()
    both = np.stack([log["age"], log["lab"]], axis=1)
    law = empirical({"both": both}, "both")
    assert law.table == pytest.approx(empirical(log, ["age", "lab"]).table.ravel())

"""A function is scored as what it is: random or not, of a batch or of one observation."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from refusals import refused

from dosuite.causal import Array
from dosuite.eval import Run, score

RIVER, ICE, AIRLINE = "ConfoundedRiver-v0", "IceCreamShorts-v0", "AirlinePricing-v0"


def coin(per_call: bool) -> Callable[[Array], Array]:
    rng = np.random.default_rng(0)

    def choose(observations: Array) -> Array:
        if per_call:
            return np.full(len(observations), rng.integers(2))
        return rng.integers(0, 2, len(observations))

    return choose


def assert_near(rows: pd.DataFrame, exact: pd.DataFrame) -> None:
    assert (rows["std_error"] > 0).all()
    assert (abs(rows["value"] - exact["value"]) <= 4 * rows["std_error"]).all()


@pytest.mark.parametrize(
    ("world", "contexts", "per_call"), [(RIVER, 5, False), (ICE, 1, False), (ICE, 1, True)]
)
def test_a_coin_flip_is_rolled_out(world: str, contexts: int, per_call: bool) -> None:
    assert_near(score(world, coin(per_call)), score(world, np.full((contexts, 2), 0.5)))


def test_a_coin_flip_of_one_observation_is_rolled_out() -> None:
    rng = np.random.default_rng(0)
    assert_near(score(ICE, lambda o: int(rng.integers(2))), score(ICE, np.full((1, 2), 0.5)))


def test_a_run_of_a_coin_flip_has_a_standard_error(tmp_path: Path) -> None:
    path = tmp_path / "flips.py"
    path.write_text(
        "import numpy as np\nr = np.random.default_rng()\n"
        "def choose(obs):\n    return r.integers(0, 2, len(obs))\n"
    )
    rows = Run(ICE, f"{path}:choose", "given", 1, 0).rows()
    assert [row["status"] for row in rows] == ["ok"] * len(rows)
    assert not any(row["exact"] for row in rows)
    assert abs(rows[0]["value"] - 0.375) <= 4 * rows[0]["std_error"]


def test_a_random_price_has_the_spread_of_independent_draws() -> None:
    def prices(per_call: bool) -> Callable[[Array], Array]:
        rng = np.random.default_rng(0)
        return lambda o: np.full(len(o), rng.uniform(15, 25, 1 if per_call else len(o)))

    together, apart = score(AIRLINE, prices(True)), score(AIRLINE, prices(False))
    errors = np.hypot(together["std_error"], apart["std_error"])
    assert (abs(together["value"] - apart["value"]) <= 4 * errors).all()


def test_a_deterministic_function_is_exact_and_equals_its_table() -> None:
    table = score(RIVER, np.eye(2)[[0, 1, 1, 0, 1]])
    chosen = np.array([0, 1, 1, 0, 1])
    for function in (
        lambda o: chosen[o],
        lambda o: int(chosen[int(o)]),
        lambda o: (chosen[o], None),
    ):
        pd.testing.assert_frame_equal(score(RIVER, function), table)


class Fitted:
    def predict(self, observations: Array) -> Array:
        return np.zeros(len(observations), dtype=int)


def test_an_object_that_predicts_is_a_policy() -> None:
    fitted: Any = Fitted()
    pd.testing.assert_frame_equal(score(ICE, fitted), score(ICE, np.array([[1.0, 0.0]])))


def test_a_function_of_one_observation_is_asked_one_by_one() -> None:
    def price(observation: Array) -> float:
        return 15.0 if observation[0] > 5 else 20.0

    batched = score(AIRLINE, lambda o: np.where(o[:, 0] > 5, 15.0, 20.0))
    pd.testing.assert_frame_equal(score(AIRLINE, price), batched)


@pytest.mark.parametrize(
    ("function", "line"),
    [
        (lambda o: np.arange(len(o)) % 2, "depends on the others in the batch"),
        (lambda o: np.random.default_rng(0).integers(0, 2, len(o)), "depends on the others"),
        (lambda o: (o > np.mean(o)).astype(int), "depends on the others in the batch"),
        (lambda o: [[0], [1, 0]], "a policy gives"),
        (lambda o: np.zeros(len(o)) + 1j, "a policy gives"),
        (lambda o: ["go"] * len(o), "a policy gives"),
        (lambda o: np.full(len(o), np.nan), "a policy gives"),
        (lambda o: None, "and gave None"),
        (lambda o: [0] * (len(o) + 1), "a policy gives"),
        (lambda o: {"rain": 1}["wind"], "raised KeyError for 5"),
        (lambda: 0, "raised TypeError"),
    ],
)
def test_what_is_not_a_policy_is_refused_in_a_line(function: Any, line: str) -> None:
    assert line in refused(lambda: score(RIVER, function))


def test_a_function_cannot_change_what_the_world_shows() -> None:
    def choose(observations: Array) -> Array:
        observations[:] = 0
        return observations

    expected = score(RIVER, np.eye(2)[[0, 0, 0, 0, 0]])
    pd.testing.assert_frame_equal(score(RIVER, choose), expected)

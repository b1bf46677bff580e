"""Scores of rows and arrays whose answers are known by hand, and the laws of the interval."""

import numpy as np
import pandas as pd
import pytest

from dosuite.causal import Array, InputError
from dosuite.eval.scores import metrics

ONE = np.ones(1)  # the weight of the only context
DOING, SEEING = (
    np.array([[0.475, 0.275]]),
    np.array([[0.135, 0.615]]),
)  # E[pay | do(ice_cream)], E[pay | ice_cream]
ICE_CREAM = {
    "j_confused": 0.275,
    "j_causal": 0.475,
    "j_best": 0.475,
    "j_worst": 0.275,
    "j_uniform": 0.375,
    "promised": 0.615,
}
TWIN = {
    "j_confused": 0.615,
    "j_causal": 0.615,
    "j_best": 0.615,
    "j_worst": 0.135,
    "j_uniform": 0.375,
    "promised": 0.615,
}


def row(**changes: object) -> dict[str, object]:
    """A run on the ice cream that plays uniformly."""
    who = {
        "environment": "IceCreamShorts-v0",
        "member": "",
        "variant": "",
        "world": "",
        "agent": "a",
        "regime": "observe",
    }
    how = {
        "budget": 100,
        "seed": 0,
        "run": "r",
        "status": "ok",
        "note": "",
        "value": 0.375,
        "std_error": 0.0,
        "exact": True,
    }
    pair = {"pair_value": 0.375, "pair_std_error": 0.0, "floor": 0.445}
    known = {**ICE_CREAM, "j_behaviour": 0.375, **pair, "believed": np.nan}
    return {**who, **how, **known, **changes}


def rows(*changes: dict[str, object]) -> pd.DataFrame:
    return pd.DataFrame([row(**change) for change in changes])


def test_the_confused_policy_scores_0_the_causal_one_1_and_chance_is_in_between() -> None:
    policies = rows({"value": 0.275}, {"value": 0.475}, {})
    assert metrics.causal_score(policies).tolist() == pytest.approx([0.0, 1.0, 0.5])
    assert metrics.chance_score(policies).tolist() == pytest.approx([-1.0, 1.0, 0.0])
    assert metrics.normalised_regret(policies).tolist() == pytest.approx([1.0, 0.0, 0.5])


@pytest.mark.parametrize(
    ("here", "there", "score"),
    [
        (0.475, 0.135, 0.0),
        (0.275, 0.615, 0.0),
        (0.375, 0.375, 0.0),
        (0.475, 0.615, 1.0),
        (0.275, 0.135, -1.0),
    ],
)
def test_only_who_is_right_twice_scores_on_both_twins(
    here: float, there: float, score: float
) -> None:
    """In order:

    invert the correlation (CS 1, and 0 on the pair), follow it, play uniformly, be right twice, be
    wrong twice.
    """
    pairs = metrics.twin_balanced(
        rows({"value": here}, {"value": there, "variant": "twin", **TWIN})
    )
    assert pairs["twin_balanced"].tolist() == pytest.approx([score])


def test_a_run_without_a_twin_has_no_twin_balanced_score() -> None:
    assert metrics.twin_balanced(rows({}, {"variant": "twin", "seed": 1, **TWIN})).empty
    assert metrics.run_scores(rows({}))["twin_balanced"].isna().all()


def test_a_run_that_is_there_twice_is_refused() -> None:
    with pytest.raises(InputError, match="two runs of a on IceCreamShorts-v0"):
        metrics.twin_balanced(rows({}, {}))


@pytest.mark.parametrize(("confused", "defined"), [(0.475, False), (0.4711, False), (0.4709, True)])
def test_a_degenerate_denominator_leaves_the_score_undefined(
    confused: float, defined: bool
) -> None:
    """The limit is 0.02 (J_causal - J_worst) = 0.004."""
    control = rows({"j_confused": confused})
    assert metrics.causal_score(control).notna().tolist() == [defined]
    assert metrics.is_control(control).tolist() == [not defined]


def test_where_all_policies_earn_the_same_nothing_is_defined() -> None:
    tied = rows(dict.fromkeys([*ICE_CREAM, "value"], 0.3))
    for score in (
        metrics.causal_score,
        metrics.chance_score,
        metrics.normalised_regret,
        metrics.regret,
        metrics.excess_regret,
    ):
        assert score(tied).isna().all()


def test_a_failed_run_is_not_scored() -> None:
    failed = rows(
        {}, {"status": "failed", "seed": 1, "value": np.nan, **dict.fromkeys(ICE_CREAM, np.nan)}
    )
    assert len(metrics.run_scores(failed)) == 1
    assert not metrics.is_control(failed).any()


def test_delusion_is_what_is_believed_and_not_earned() -> None:
    confused = rows({"agent": "confused", "regime": "exact", "value": 0.275})
    assert metrics.run_scores(confused)["delusion"].tolist() == pytest.approx([0.34])


def test_regret_under_shifts_is_against_the_best_policy_of_the_shifted_world() -> None:
    persuaded = {
        "world": "causal_twin",
        "j_confused": 0.515,
        "j_causal": 0.325,
        "j_best": 0.515,
        "j_worst": 0.325,
    }
    policies = rows(
        {"value": 0.515, **persuaded}, {"value": 0.325, **persuaded}, {"value": 0.42, **persuaded}
    )
    assert metrics.regret(policies).tolist() == pytest.approx([0.0, 1.0, 0.5])
    assert metrics.excess_regret(policies).tolist() == pytest.approx([-1.0, 0.0, -0.5])


def test_regret_over_shifts_of_a_run() -> None:
    over = metrics.shift_regret(
        rows(
            {},
            {"world": "a", "value": 0.475},
            {"world": "b", "value": 0.275},
            {"world": "c", "value": 0.425},
        )
    )
    assert over[["r_mean", "r_worst", "r_cvar"]].to_numpy() == pytest.approx(
        np.array([[1.25 / 3, 1.0, 1.0]])
    )


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.2], 0.2),
        ([0.0, 1.0], 1.0),
        ([4.0, 1.0, 2.0, 3.0], 4.0),
        ([1.0, 2, 3, 4, 5, 6], 5 + 2 / 3),
    ],
)
def test_cvar_is_the_mean_of_the_worst_quarter(values: list[float], expected: float) -> None:
    assert metrics.cvar(np.array(values)) == pytest.approx(expected)


def test_calibration_of_the_naive_values_on_the_ice_cream() -> None:
    assert metrics.interventional_calibration_error(SEEING, DOING, ONE) == pytest.approx(0.34)
    assert metrics.contrast_calibration_error(SEEING, DOING, ONE) == pytest.approx(0.68)
    assert metrics.interventional_calibration_error(SEEING, SEEING, ONE) == 0.0


def test_contrasts_forgive_an_offset_and_the_error_itself_does_not() -> None:
    assert metrics.contrast_calibration_error(DOING + 0.2, DOING, ONE) == pytest.approx(0.0)
    assert metrics.interventional_calibration_error(DOING + 0.2, DOING, ONE) == pytest.approx(0.2)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0, 1.5])
def test_kappa_is_the_share_of_seeing_in_a_mixture(share: float) -> None:
    kappa, rest = metrics.confusion_coefficient(
        share * SEEING + (1 - share) * DOING, DOING, SEEING, ONE
    )
    assert (kappa, rest) == pytest.approx((share, 0.0))


def test_kappa_leaves_what_is_neither_seeing_nor_doing() -> None:
    kappa, rest = metrics.confusion_coefficient(DOING + 0.1, DOING, SEEING, ONE)
    assert (kappa, rest) == pytest.approx((0.0, 0.1))


def test_kappa_is_undefined_where_seeing_is_doing() -> None:
    assert np.isnan(metrics.confusion_coefficient(SEEING, DOING, DOING + 5e-4, ONE)).all()


def test_a_context_that_never_comes_weighs_nothing() -> None:
    def twice(values: Array, never: float) -> Array:
        return np.vstack([values, np.full((1, 2), never)])

    weights = np.array([1.0, 0.0])
    assert metrics.interventional_calibration_error(
        twice(SEEING, np.nan), twice(DOING, 7.0), weights
    ) == pytest.approx(0.34)
    assert metrics.confusion_coefficient(
        twice(SEEING, 9.0), twice(DOING, 1.0), twice(SEEING, np.nan), weights
    ) == pytest.approx((1.0, 0.0))


def test_the_interval_contains_the_iqm_and_depends_on_the_seed_alone() -> None:
    values, strata = np.random.default_rng(0).normal(size=40), np.repeat(["a", "b"], 20)
    middle, low, high = metrics.interval(values, strata, np.random.default_rng(1))
    assert low < middle < high
    assert metrics.interval(values, strata, np.random.default_rng(1)) == (middle, low, high)
    mixed = np.random.default_rng(2).permutation(40)
    assert metrics.interval(
        values[mixed], strata[mixed], np.random.default_rng(1)
    ) == pytest.approx((middle, low, high), abs=1e-12)


def test_seeds_are_resampled_within_their_environment() -> None:
    """Environments that differ, and seeds that do not, leave nothing to resample."""
    values, strata = np.repeat([0.0, 0.2, 0.9, 1.0], 5), np.repeat(["a", "b", "c", "d"], 5)
    middle, low, high = metrics.interval(values, strata, np.random.default_rng(0))
    assert (low, high) == pytest.approx((middle, middle))


def test_the_interval_covers_the_mean_of_a_normal_law() -> None:
    rng, strata = np.random.default_rng(0), np.zeros(20)
    bounds = [
        metrics.interval(rng.normal(size=20), strata, rng, resamples=1000)[1:] for _ in range(200)
    ]
    assert np.mean([low < 0 < high for low, high in bounds]) > 0.85


def test_the_interval_of_nothing_is_nan_and_nan_values_are_left_out() -> None:
    strata = np.zeros(3)
    assert np.isnan(metrics.interval(np.full(3, np.nan), strata, np.random.default_rng(0))).all()
    assert metrics.interval(np.array([0.5, np.nan, 0.5]), strata, np.random.default_rng(0)) == (
        0.5,
        0.5,
        0.5,
    )


def test_the_largest_budget_of_each_agent_is_kept() -> None:
    kept = metrics.largest_budget(
        rows({"budget": 10}, {"budget": 1000}, {"budget": 100, "agent": "b"})
    )
    assert kept[["agent", "budget"]].to_numpy().tolist() == [["a", 1000], ["b", 100]]


def test_the_order_of_rows_does_not_matter() -> None:
    several = pd.DataFrame([row(seed=seed, value=0.3 + seed / 100) for seed in range(8)])
    first, second = (
        metrics.aggregate(each, "value", ["agent"]) for each in (several, several[::-1])
    )
    pd.testing.assert_frame_equal(first, second)

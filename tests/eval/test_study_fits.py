"""Power laws with a floor, fitted to synthetic errors, and checks over seeds."""

import numpy as np
import pytest

from dosuite.causal import Array
from dosuite.eval.scores.fits import power_law, slope
from dosuite.eval.studies.verdicts import Check, Word, below, compared, finding, overall, within

SIZES = np.array([1e2, 1e3, 1e4, 1e5])


def errors(a: float, b: float, c: float, noise: float = 0.01, seeds: int = 20) -> Array:
    means = a * SIZES**-b + c
    drawn = np.random.default_rng(3).normal(size=(seeds, len(SIZES)))
    return np.asarray(means * (1 + noise * drawn))


@pytest.mark.parametrize("truth", [(2.0, 0.5, 0.0), (2.0, 0.5, 0.3), (5.0, 1.0, 0.01)])
def test_the_fit_finds_the_law_that_made_the_errors(truth: tuple[float, float, float]) -> None:
    fit = power_law(SIZES, errors(*truth, noise=1e-6))
    assert (fit.a, fit.b, fit.c) == pytest.approx(truth, rel=2e-3, abs=2e-5)
    np.testing.assert_allclose(fit.at(SIZES), errors(*truth, noise=0.0)[0], rtol=1e-3)


def test_the_interval_of_the_floor_holds_it_and_is_never_negative() -> None:
    middle, low, high = power_law(SIZES, errors(2.0, 0.5, 0.3)).floor
    assert low <= 0.3 <= high
    assert low <= middle <= high
    assert high - low < 0.05
    _, low, high = power_law(SIZES, errors(2.0, 0.5, 0.0)).floor
    assert 0 <= low <= high < 0.02


def test_a_constant_error_is_all_floor() -> None:
    fit = power_law(SIZES, errors(0.0, 1.0, 0.68))
    assert fit.c == pytest.approx(0.68, abs=0.01)


def test_growing_errors_have_no_negative_amplitude() -> None:
    fit = power_law(SIZES, errors(0.01, -0.3, 0.0))
    assert fit.a == 0
    assert fit.c > 0


def test_equal_errors_have_equal_fits() -> None:
    assert power_law(SIZES, errors(2.0, 0.5, 0.3)) == power_law(SIZES, errors(2.0, 0.5, 0.3))


def test_the_slope_is_the_exponent_of_a_pure_power_law() -> None:
    middle, low, high = slope(SIZES, errors(2.0, 0.5, 0.0))
    assert low <= -0.5 <= high
    assert middle == pytest.approx(-0.5, abs=0.01)


def test_checks_have_three_outcomes() -> None:
    near_zero = np.array([0.01, 0.02, 0.015, 0.012])
    assert below("it", near_zero, 0.05).holds is True
    assert below("it", near_zero, 0.005).holds is False
    assert below("it", near_zero, 0.0135).holds is None
    assert within("it", near_zero, 0.0, 0.1).holds is True
    assert within("it", near_zero, 0.5, 0.6).holds is False
    assert within("it", near_zero, 0.0135, 0.6).holds is None
    assert compared("it", (0.3, 0.2, 0.4), 0.1, is_below=False).holds is True


def test_zero_in_a_wide_interval_is_no_equivalence() -> None:
    assert below("it", np.array([-0.5, 0.6, -0.4, 0.5]), 0.05).holds is None


@pytest.mark.parametrize("values", [[0.0], [0.0, 0.0], [0.0, 0.0, np.nan, 0.0]])
def test_too_few_seeds_and_missing_numbers_decide_nothing(values: list[float]) -> None:
    assert below("it", np.array(values), 0.05).holds is None


def test_an_unsolved_control_leaves_no_verdict_whatever_the_claims_say() -> None:
    for claim in (True, False, None):
        for control in (False, None):
            said = finding("W", [Check(control, "c")], [Check(claim, "d")])
            assert said.word is Word.NO_VERDICT
            assert "Learner untrained" in said.reason


def test_the_verdict_of_a_study_is_that_of_its_worst_case() -> None:
    good, bad, open_ = (
        finding("W", [Check(True, "c")], [Check(holds, "d")]) for holds in (True, False, None)
    )
    assert [each.word for each in (good, bad, open_)] == list(Word)
    assert overall([good, good]).word is Word.SUPPORTS
    assert overall([good, open_]).word is Word.NO_VERDICT
    assert overall([good, open_, bad]).word is Word.AGAINST
    assert overall([]).word is Word.NO_VERDICT

"""The criterion of the study of fine-tuning, on small tables in which it holds and fails."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dosuite.eval.studies import fine_tune
from dosuite.eval.studies.least_steps import Practices, ratio_of, slope_of_logs
from dosuite.eval.studies.verdicts import Word

STEPS = np.array([0, *(32 * 2**point for point in range(8))])
Least = Mapping[int, float]  # m* by the rows of the log
FLAT = {0: 256.0, 100: 128.0, 1000: 128.0, 10_000: 128.0}
RISING = {0: 256.0, 100: 64.0, 1000: 256.0, 10_000: 1024.0}
FALLING = {0: 256.0, 100: 1024.0, 1000: 256.0, 10_000: 64.0}


def table(world: Least, control: Least = FLAT, twin: Least = FLAT) -> pd.DataFrame:
    """Regrets of 20 seeds that close the gap at the given steps, some of them one point earlier."""
    lines = [
        {
            "where": "W",
            "variant": variant,
            "learner": "value",
            "rows": rows,
            "seed": seed,
            "steps": steps,
            "regret": 0.05 if steps >= (least / 2 if seed % 3 == 0 else least) else 0.8,
        }
        for variant, given in (("", world), ("control", control), ("twin", twin))
        for rows, least in given.items()
        for seed in range(20)
        for steps in STEPS
    ]
    return pd.DataFrame(lines)


@pytest.mark.parametrize(
    ("rows", "word", "reason"),
    [
        (table(RISING), Word.SUPPORTS, "the slope of log m* over log S is above 0: 0.602"),
        (table(FALLING), Word.AGAINST, "-0.602"),
        (table(FLAT), Word.NO_VERDICT, "leave it open"),
        (table(RISING | {10_000: 1e9}), Word.SUPPORTS, "inf"),
        (table(dict.fromkeys(FLAT, 1e9)), Word.NO_VERDICT, "[-inf, inf]"),
        (table(RISING, RISING), Word.NO_VERDICT, "10,000 rows do not raise m*"),
        (table(RISING, FLAT | {0: 1e9}), Word.NO_VERDICT, "m*(0) on the control is at most 4,096"),
        (table(RISING, FLAT | {100: 1e9}), Word.NO_VERDICT, "Learner untrained"),
    ],
)
def test_the_criterion_of_fine_tune(rows: pd.DataFrame, word: Word, reason: str) -> None:
    (said,) = fine_tune.STUDY.findings(rows)
    assert said.word is word
    assert reason in said.reason or reason == "[-inf, inf]"


def test_fine_tune_writes_its_paragraph_from_the_numbers_and_draws_them() -> None:
    rows = table(RISING | {10_000: 1e9})
    text = fine_tune.STUDY.paragraph(rows)
    assert "on the world m* is 256 at 0, 64 at 100, 256 at 1,000, above 4,096 at 10,000" in text
    assert "on the control m* is 256 at 0, 128 at 100" in text
    (axes,) = [axes for axes in fine_tune.STUDY.figure(rows).axes if axes.axison]
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")


def closing(least: float, seeds: int = 20, late: int = 0) -> Practices:
    """Seeds that close the gap at some steps, and some that do only at the last point."""
    ends = [least] * (seeds - late) + [float(STEPS[-1])] * late
    return Practices(np.array([end <= STEPS for end in ends]), STEPS)


def test_m_star_asks_for_95_percent_of_the_seeds_from_there_on() -> None:
    assert closing(128).least() == 128
    assert closing(128, late=1).least() == 128
    assert closing(128, late=2).least() == 4096
    assert closing(1e9).least() == np.inf
    falls_back = closing(128)
    falls_back.closed[:2, 5] = False  # at 512
    assert falls_back.least() == 1024
    falls_back.closed[:2, -1] = False
    assert falls_back.least() == np.inf


def test_the_slope_of_a_power_law_is_its_exponent() -> None:
    found = [closing(64), closing(256), closing(1024)]
    rows = np.array([100.0, 1600.0, 25_600.0])
    assert slope_of_logs(rows, found) == pytest.approx((0.5, 0.5, 0.5))


def test_censored_steps_leave_an_end_of_the_slope_open() -> None:
    rows = np.array([100.0, 1000.0, 10_000.0])
    _, low, high = slope_of_logs(rows, [closing(64), closing(64), closing(1e9)])
    assert low == pytest.approx(np.log10(64) / 2)
    assert high == np.inf
    _, low, high = slope_of_logs(rows, [closing(1e9), closing(64), closing(64)])
    assert low == -np.inf
    assert high == pytest.approx(-np.log10(64) / 2)
    middle, low, high = slope_of_logs(rows, [closing(1e9), closing(64), closing(1e9)])
    assert (low, high) == (-np.inf, np.inf)
    assert np.isnan(middle)


def test_seeds_that_differ_widen_the_slope() -> None:
    rows = np.array([100.0, 1000.0])
    _, low, high = slope_of_logs(rows, [closing(64, late=1), closing(64)])
    assert low == pytest.approx(-np.log10(64))  # resampled twice, the late seed counts
    assert high == 0.0


def test_a_ratio_of_equal_steps_is_one() -> None:
    assert ratio_of(closing(128), closing(128)) == (0.0, 0.0, 0.0)
    assert ratio_of(closing(256), closing(128))[1] == pytest.approx(np.log(2))


def test_the_rows_of_a_run_become_points_of_its_practice() -> None:
    world, agent = "IceCreamShorts-v0", fine_tune.LEARNERS["value"]
    row = {"environment": world, "member": "", "variant": "", "agent": f"{agent},points=2"}
    numbers = {"log_rows": 100, "budget": 128, "seed": 3, "j_best": 1.0, "j_confused": 0.5}
    values = {"value_at_32": 0.5, "value_at_0": 0.75, "value_at_64": 0.9, "value_at_8": np.nan}
    run = pd.DataFrame([row | numbers | values | {"world": "", "status": "ok", "value": 1.0}])
    made = fine_tune.STUDY.table(run, Path())
    assert made["steps"].tolist() == [0, 32, 64, 128]
    assert made["regret"].tolist() == pytest.approx([0.5, 1.0, 0.2, 0.0])
    assert set(made["learner"]) == {"value"}

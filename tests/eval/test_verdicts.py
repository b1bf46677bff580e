"""What is printed is what was run, and the verdict on each prediction is what its interval says."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dosuite.envs import make_model
from dosuite.eval.claims import agent_predictions
from dosuite.eval.claims.data_predictions import (
    FLAT,
    PER_ARM,
    ROOT,
    SIZES,
    labels,
    sizes_of_logs,
    slope_evidence,
    slope_verdict,
    threshold_verdict,
)
from dosuite.eval.claims.imitation_predictions import (
    Pair,
    clone_evidence,
    expert_evidence,
)
from dosuite.eval.claims.laboratory import (
    ICE,
    KIDNEY,
    Evidence,
    Lab,
    mean_interval,
    share_interval,
)
from dosuite.eval.claims.predictions import summary
from dosuite.eval.claims.verdicts import (
    AGREES,
    DISAGREES,
    UNDECIDED,
    UNDEFINED,
    agreement,
    joint_verdict,
    verdict,
)
from dosuite.eval.runs.run import Run


def lab_of(folder: Path, recorded: int, seeds: int = 1) -> Lab:
    return Lab(seeds, recorded, practice=2000, folder=folder, workers=1)


@pytest.mark.parametrize(
    ("low", "high", "least", "most", "expected"),
    [
        (0.2, 0.3, 0.1, 0.4, AGREES),
        (0.2, 0.4, 0.1, 0.4, UNDECIDED),
        (0.0, 0.3, 0.1, 0.4, UNDECIDED),
        (0.0, 0.5, 0.1, 0.4, UNDECIDED),
        (0.0, 0.1, 0.1, 0.4, DISAGREES),
        (0.4, 0.5, 0.1, 0.4, DISAGREES),
        (0.2, 0.2, 0.1, 0.4, AGREES),
        (0.1, 0.1, 0.1, 0.4, DISAGREES),
        (5.0, 6.0, 0.1, np.inf, AGREES),
        (np.nan, np.nan, 0.1, 0.4, UNDEFINED),
    ],
)
def test_a_verdict_is_what_the_interval_says(
    low: float, high: float, least: float, most: float, expected: str
) -> None:
    assert verdict(low, high, least, most) == expected


def test_the_verdict_on_several_parts_is_the_worst_of_theirs() -> None:
    assert joint_verdict([AGREES, AGREES]) == AGREES
    assert joint_verdict([AGREES, UNDECIDED]) == UNDECIDED
    assert joint_verdict([UNDEFINED, UNDECIDED]) == UNDEFINED
    assert joint_verdict([UNDECIDED, DISAGREES, UNDEFINED]) == DISAGREES


@pytest.mark.parametrize(
    ("low", "high", "predicted", "expected"),
    [
        (-0.536, -0.391, ROOT, UNDECIDED),  # it has -0.5 in it, and -0.39
        (-0.536, -0.401, ROOT, AGREES),
        (-0.35, -0.30, ROOT, DISAGREES),
        (-3.0, 2.0, ROOT, UNDECIDED),
        (-0.01, 0.02, FLAT, AGREES),
        (-0.536, -0.391, FLAT, DISAGREES),
    ],
)
def test_of_a_slope(low: float, high: float, predicted: float, expected: str) -> None:
    assert slope_verdict(low, high, predicted) == expected


@pytest.mark.parametrize(
    ("below", "above", "seeds", "expected"),
    [
        (0.0, 1.0, 20, AGREES),
        (0.0, 1.0, 2, UNDECIDED),  # two seeds prove little
        (0.1, 1.0, 20, UNDECIDED),
        (0.9, 1.0, 20, DISAGREES),
        (0.0, 0.1, 20, DISAGREES),
    ],
)
def test_of_a_threshold(below: float, above: float, seeds: int, expected: str) -> None:
    intervals = share_interval(below, seeds), share_interval(above, seeds)
    assert threshold_verdict(*intervals) == expected


def test_of_a_score() -> None:
    assert agreement("0", -0.2, 0.05) == AGREES
    assert agreement("0", -0.2, 0.15) == UNDECIDED
    assert agreement("0", 0.1, 0.2) == DISAGREES
    assert agreement("1", 0.95, 1.0) == AGREES
    assert agreement("1", 0.85, 1.0) == UNDECIDED
    assert agreement("1", 0.85, 0.9) == DISAGREES
    assert agreement("1", np.nan, np.nan) == UNDEFINED
    assert agreement("p", 0.0, 1.0) == ""


def test_of_clones() -> None:
    def said(fit_gain: tuple[float, float], earned_gain: tuple[float, float]) -> str:
        clones = Pair([0.9, 0.8], [1.0, 2.0], (0.0, *fit_gain), (0.0, *earned_gain))
        return clone_evidence("", clones).verdict

    assert said((0.05, 0.15), (-1.5, -0.5)) == AGREES
    assert said((-0.05, 0.15), (-1.5, -0.5)) == UNDECIDED
    assert said((0.05, 0.15), (-1.5, 0.5)) == UNDECIDED
    assert said((0.05, 0.15), (0.5, 1.5)) == DISAGREES
    assert clone_evidence("", Pair([0.9, 0.8], [1.0, 1.0])).verdict == DISAGREES


def test_of_experts() -> None:
    better = {name: make_model(f"DelusionBox-v0:slip={name}") for name in ("0.3", "0.05")}
    assert expert_evidence("DelusionBox-v0", better).verdict == AGREES
    worse = dict(reversed(better.items()))
    assert expert_evidence("DelusionBox-v0", worse).verdict == DISAGREES


def test_the_intent_is_judged_by_the_interval_of_the_gain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for interval, expected in (
        ((0.1, 0.05, 0.2), AGREES),
        ((0.1, -0.05, 0.2), UNDECIDED),
        ((-0.1, -0.2, 0.0), DISAGREES),
    ):
        monkeypatch.setattr(agent_predictions, "seed_interval", lambda _, of=interval: of)
        evidence = agent_predictions._gain_of_intent(
            lab_of(tmp_path, 2000), "GreedyCasino-v0:casino=Greedy"
        )
        assert evidence.verdict == expected


def test_the_interval_of_a_share_is_that_of_wilson() -> None:
    # of 20 seeds: Wilson's interval as statsmodels has it
    assert share_interval(0.0, 20) == pytest.approx((0.0, 0.0, 0.16113), abs=1e-4)
    assert share_interval(0.95, 200) == pytest.approx((0.95, 0.91042, 0.97261), abs=1e-4)


def test_the_interval_of_a_mean() -> None:
    assert mean_interval(np.array([1.0, 3.0])) == pytest.approx((2.0, 0.04, 3.96))


def test_an_answer_is_summed_up() -> None:
    parts = [Evidence("", "", name) for name in (AGREES, DISAGREES, UNDECIDED, UNDECIDED)]
    assert summary(parts[:1]) == "It holds."
    assert summary(parts) == (
        "It holds in 1 of 4 claims; 1 contradicted, 2 undecided, since the interval crosses the "
        "bound."
    )


@pytest.mark.parametrize("recorded", [50, 100, 5000, 100_000, 1_000_000])
def test_no_log_is_longer_than_was_asked_for(tmp_path: Path, recorded: int) -> None:
    sizes = sizes_of_logs(lab_of(tmp_path, recorded))
    assert max(sizes) == min(recorded, SIZES[-1])
    assert list(sizes) == sorted(set(sizes))


class Pretending(Lab):
    """A lab in which every run is right, and has an error that falls with the log."""

    def results(self, runs: Sequence[Run]) -> pd.DataFrame:
        self.runs += runs
        errors = [run.budget**-0.5 for run in runs]
        return pd.DataFrame({"ice_gap": errors, "value": 1.0, "j_causal": 1.0})


def test_what_is_printed_is_what_was_run(tmp_path: Path) -> None:
    lab = Pretending(1, recorded=3000, practice=2000, folder=tmp_path, workers=1)
    back_door = slope_evidence(lab, KIDNEY, "back-door", "observe", ROOT)
    assert back_door.verdict == AGREES
    assert "at 3,000" in back_door.numbers
    text = " ".join(one.claim + one.numbers for one in [back_door, *labels(lab)])
    assert max(run.budget for run in lab.runs) <= 3000 + 2 * PER_ARM
    assert "added to 3,000 rows" in text
    assert "of 10 seeds" in text
    assert "of 1 seeds, 3,000 rows" in text
    for size in SIZES:
        assert (f"{size:,}" in text) == (size < 3000)


def test_one_size_has_no_slope(tmp_path: Path) -> None:
    evidence = slope_evidence(lab_of(tmp_path, 60), ICE, "naive", "observe", FLAT)
    assert evidence.verdict == UNDEFINED
    assert "60 rows" in evidence.numbers

"""Learning curves of agents with lanes beside Stable-Baselines3's."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from refusals import refused

from dosuite.eval.claims.lane_curves import WORLDS, curve_runs, curve_scores
from dosuite.eval.cli.curves import curves


def rows(values: dict[str, list[float]]) -> pd.DataFrame:
    head: dict[str, Any] = {"environment": "W", "member": "", "variant": "control"}
    head |= {"regime": "intervene", "world": "", "status": "ok", "budget": 10}
    reference = {"j_causal": 1.0, "j_worst": 0.0, "j_best": 1.0}
    return pd.DataFrame(
        [
            {**head, **reference, "agent": agent, "seed": seed, "value": value}
            for agent, part in values.items()
            for seed, value in enumerate(part)
        ]
    )


@pytest.mark.parametrize(
    ("theirs", "ours", "within"),
    [
        ([0.5, 0.7], [0.5, 0.7], True),
        ([0.4, 0.6], [0.6, 0.8], True),  # an error of sqrt(0.02)
        ([0.4, 0.4], [0.6, 0.6], False),
        ([0.40, 0.40], [0.41, 0.41], True),  # negligible
    ],
)
def test_a_difference_is_judged_by_the_noise_of_seeds(
    theirs: list[float], ours: list[float], within: bool
) -> None:
    (score,) = curve_scores(rows({"dqn": theirs, "dqn-lanes": ours})).to_dict("records")
    assert score["within"] == within
    assert score["ours"] == pytest.approx(sum(ours) / 2)


def test_there_are_eight_controls() -> None:
    assert len(WORLDS) == 8
    runs = curve_runs((), 1, 16)
    assert {run.environment for run in runs} == set(WORLDS)
    assert {run.variant for run in runs} == {"control"}
    assert "no curve is of Nowhere" in refused(lambda: curve_runs(("Nowhere",), 1, 16))


def test_the_command_writes_a_figure_and_a_table(tmp_path: Path) -> None:
    curves(only=["IceCream"], seeds=1, steps=16, out=tmp_path, workers=1)
    table = pd.read_parquet(tmp_path / "curves.parquet")
    assert list(table["budget"]) == [1, 2, 4, 8, 16] * 2
    assert (tmp_path / "curves.png").read_bytes()[1:4] == b"PNG"

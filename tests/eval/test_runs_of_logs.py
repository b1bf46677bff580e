"""Runs that learn from a log file."""

from pathlib import Path

import numpy as np
import pytest

from dosuite.envs import collect, make_model
from dosuite.eval import Run

ICE = "IceCreamShorts-v0"


@pytest.mark.parametrize("regime", ["observe", "intervene"])
def test_a_run_has_the_steps_of_its_log_and_is_blamed_only_for_what_a_log_leaves_open(
    tmp_path: Path, regime: str
) -> None:
    """An agent that saw interventions may do more than the observational law allows."""
    file = tmp_path / "own.arrow"
    collect(make_model(ICE), 300, 0, regime).save(file)
    run = Run(ICE, "naive", "observe", 10_000, 0, log=str(file))
    assert run.budget == 300
    row = run.rows()[0]
    assert row["budget"] == 300
    judged = [row[name] for name in ("possible_regret", "least_regret", "confused_regret", "ias")]
    assert np.isnan(judged).all() == (regime == "intervene")
    assert np.isnan(judged).any() == (regime == "intervene")

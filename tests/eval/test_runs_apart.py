"""Runs that differ in one setting share neither their key, nor their draws, nor their units."""

from dataclasses import replace

import numpy as np

from dosuite.envs import collect, make_model
from dosuite.eval.runs.run import Run, _log_before

RUN = Run("IceCreamShorts-v0", "dqn", "mixed", 100, 0, share=0.3)
OTHERS = (
    replace(RUN, environment="IceCreamShorts-Thermo-v0"),
    replace(RUN, agent="dqn:updates=7"),
    replace(RUN, regime="observe", share=None),
    replace(RUN, budget=101),
    replace(RUN, seed=1),
    replace(RUN, variant="twin"),
    replace(RUN, share=0.4),
    replace(RUN, share=None),
)


def test_every_setting_is_in_the_key_and_in_the_draws() -> None:
    runs = (RUN, *OTHERS)
    assert len({run.key for run in runs}) == len(runs)
    assert len({run._rng.random() for run in runs}) == len(runs)


def test_the_log_before_a_practice_is_not_of_its_units() -> None:
    prices, seed = make_model("AirlinePricing-v0"), 5
    log = _log_before(prices, 50, seed)
    assert not np.isin(log["reward"], collect(prices, 50, seed)["reward"]).any()

"""Counting a log: nothing follows a step that terminated its episode."""

import numpy as np

from dosuite.agents.tabular.counting import process_of
from dosuite.envs import Log


def test_no_context_follows_an_end() -> None:
    columns = {
        "episode": [0, 0, 1, 1],
        "observation": [0, 1, 0, 1],
        "action": [0, 1, 1, 0],
        "reward": [0.5, 1.0, 0.5, 2.0],
        "terminated": [0, 1, 0, 0],  # the second episode is cut off
    }
    process = process_of(Log.of(columns).view())
    assert np.array_equal(process.transition[0], [[0, 1], [0, 1]])
    assert np.array_equal(process.transition[1], [[0, 1], [0, 0]])

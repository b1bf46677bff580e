"""A data set that another tool wrote becomes the log of the steps that were taken."""

from pathlib import Path

import minari
import numpy as np
import pytest
from gymnasium.spaces import Discrete
from minari.data_collector import EpisodeBuffer

from dosuite.envs.logs.minari import from_minari


@pytest.mark.filterwarnings("ignore::UserWarning")  # Minari wants the address of an author
def test_the_log_has_the_steps_in_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    episodes = [
        EpisodeBuffer(
            observations=np.arange(4) + first,
            actions=np.array([0, 1, 1]),
            rewards=np.array([0.5, 1.5, 2.5]) + first,
            terminations=np.array([False, False, first == 0]),
            truncations=np.array([False, False, first > 0]),
            infos={},
        )
        for first in (0, 4)
    ]
    spaces = {"observation_space": Discrete(8), "action_space": Discrete(2)}
    minari.create_dataset_from_buffers("others/steps-v0", episodes, **spaces)

    log = from_minari("others/steps-v0")
    assert log["observation"].tolist() == [0, 1, 2, 4, 5, 6]
    assert log["next_observation"].tolist() == [1, 2, 3, 5, 6, 7]
    assert log["action"].tolist() == [0, 1, 1] * 2
    assert log["reward"].tolist() == [0.5, 1.5, 2.5, 4.5, 5.5, 6.5]
    assert log["terminated"].tolist() == [False, False, True, False, False, False]
    assert log["truncated"].tolist() == [False] * 5 + [True]
    assert log["episode"].tolist() == [0, 0, 0, 1, 1, 1]
    assert log["step"].tolist() == [0, 1, 2] * 2

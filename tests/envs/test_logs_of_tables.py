"""A frame, a mapping of columns or a CSV file becomes a checked log, or is refused in one line."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from gymnasium.spaces import Box, Discrete, MultiDiscrete
from refusals import refused

from dosuite.agents import make_agent
from dosuite.envs import Log

GRAPH = "age -> action; age -> reward; observation -> action; observation -> reward; "
GRAPH += "action -> reward"


def clinic(rows: int = 4000) -> dict[str, Any]:
    """Action 1 helps by .2, and looks harmful, since the old get it and fare worse."""
    rng = np.random.default_rng(0)
    age = rng.integers(0, 2, rows)
    action = (rng.random(rows) < np.where(age, 0.9, 0.1)).astype(int)
    reward = (rng.random(rows) < 0.7 + 0.2 * action - 0.6 * age).astype(int)
    return {"observation": np.zeros(rows, int), "age": age, "action": action, "reward": reward}


def test_agents_learn_from_a_table_and_a_graph_makes_them_right(tmp_path: Path) -> None:
    path = tmp_path / "clinic.csv"
    pd.DataFrame(clinic()).to_csv(path, index=False)
    for table in (clinic(), pd.DataFrame(clinic()), path, str(path)):
        log = Log.of(table, logged=["age"], graph=GRAPH)
        best = {
            name: int(make_agent(name).learn(log, 0).probabilities(np.zeros(1, int)).argmax())
            for name in ("naive", "back-door", "identify")
        }
        assert best == {"naive": 0, "back-door": 1, "identify": 1}


def test_spaces_and_ends_follow_from_the_columns() -> None:
    table = {
        "episode": [5, 5, 9],
        "a": [0, 1, 2],
        "b": [1, 0, 0],
        "action": [0.5, 1.5, 1],
        "reward": [1, 2, 3],
    }
    log = Log.of(table, ["a", "b"])
    assert log.observation_space == MultiDiscrete([3, 2])
    assert isinstance(log.action_space, Box)
    assert log["step"].tolist() == [0, 1, 0]
    assert log["terminated"].tolist() == [False, True, True]
    assert log["next_observation"].tolist() == [[1, 0], [1, 0], [2, 0]]
    assert (log.horizon, log.episodes) == (2, 2)
    objects = {"action": np.array([0, 1], dtype=object), "reward": ["1", "2.5"]}
    assert Log.of(objects, ()).observation_space == Discrete(1)


def one(**columns: Any) -> dict[str, Any]:
    return {"observation": [0, 1, 0], "action": [0, 1, 0], "reward": [1, 0, 0.5], **columns}


WRONG: dict[str, tuple[Any, str]] = {
    "missing": (one(reward=[1, None, 2]), "the column reward is missing in row 1"),
    "infinite": (one(reward=[1, 2, np.inf]), "reward has inf in row 2"),
    "text": (one(observation=["0", "x", "1"]), "observation has 'x' in row 1"),
    "first action": (one(action=[1, 2, 1]), "the first action in the column action is 1"),
    "skipped action": (one(action=[0, 2, 0]), "up to 2 and never 1"),
    "no action": ({"observation": [0], "reward": [1]}, "has no column 'action'"),
    "two pieces": (one(episode=[0, 1, 0]), "episode 0 begins again in row 2"),
    "gap": (one(episode=[0, 0, 0], step=[0, 1, 3]), "step has 3 in row 2, where 2 is due"),
    "first step": (one(step=[1, 2, 3]), "step has 1 in row 0, where 0 is due"),
    "goes on": (one(episode=[0, 0, 0], terminated=[0, 1, 0]), "terminated has 1 in row 1"),
    "ragged": (one(reward=[1]), "not a table"),
    "empty": (one(observation=[], action=[], reward=[]), "needs 1 row or more"),
    "no table": (7, "and got int"),
    "no file": ("nowhere.csv", "nowhere.csv is not a table"),
}


@pytest.mark.parametrize(("table", "text"), WRONG.values(), ids=WRONG)
def test_a_table_that_is_no_log_is_refused_in_one_line(table: Any, text: str) -> None:
    assert text in refused(lambda: Log.of(table))


def test_a_graph_that_does_not_fit_is_refused() -> None:
    assert "has no node 'reward'" in refused(lambda: Log.of(one(), graph="observation -> action"))
    cyclic = "observation -> action -> reward -> observation"
    assert "cycle" in refused(lambda: Log.of(one(), graph=cyclic))

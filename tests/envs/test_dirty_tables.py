"""Tables as they come: each is read as it is meant, or refused in one line."""

import datetime
import decimal
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from gymnasium.spaces import Box, Discrete, MultiBinary, Tuple
from refusals import refused

from dosuite.envs import Log, collect, make_model, to_pandas

PLAIN: dict[str, Any] = {"observation": [0, 1, 0], "action": [0, 1, 0], "reward": [1, 0, 0.5]}
HEADER = "observation,action,reward\n"
ROWS = "0,0,1\n1,1,0\n0,0,0.5\n"


def one(**columns: Any) -> dict[str, Any]:
    return {**PLAIN, **columns}


def of(kind: Any, *values: Any) -> dict[str, Any]:
    """The table with observations 0, 1, 0 of another type."""
    return one(observation=pd.array(values or [0, 1, 0], dtype=kind))


# Read as PLAIN: frames, then texts of CSV files.
GOOD: dict[str, Any] = {
    "bool": one(observation=[False, True, False]),
    "bool actions": one(action=np.array([False, True, False])),
    "categories": of("category"),
    "categories of texts": one(observation=pd.Categorical(["0", "1", "0"])),
    "ordered categories": one(action=pd.Categorical([0, 1, 0], categories=[1, 0], ordered=True)),
    "decimals": one(reward=[decimal.Decimal(text) for text in ("1", "0", "0.5")]),
    "nullable": of("Int64"),
    "nullable bool": of("boolean", False, True, False),
    "texts": of("string", "0", " 1", "0 "),
    "pyarrow": of("int64[pyarrow]"),
    "sparse": one(observation=pd.arrays.SparseArray([0, 1, 0])),
    "small floats": one(observation=np.array([0, 1, 0], np.float16)),
    "index not sorted": pd.DataFrame(PLAIN, index=[2, 0, 1]),
    "index with repeats": pd.DataFrame(PLAIN, index=[5, 5, 5]),
    "columns of an index": pd.DataFrame(PLAIN).set_index("observation"),
    "other columns": one(name=["a", None, "b"], day=pd.to_datetime(["2020-01-01"] * 3)),
    "BOM": "\ufeff" + HEADER + ROWS,
    "CRLF": (HEADER + ROWS).replace("\n", "\r\n"),
    "quotes": '"observation","action","reward"\n' + ROWS,
    "blank lines": HEADER + "\n" + ROWS.replace("\n", "\n\n"),
    "a written index": ",observation,action,reward\n7,0,0,1\n8,1,1,0\n9,0,0,0.5\n",
    "bools": HEADER + "False,0,1\nTrue,1,0\nFalse,0,0.5\n",
    "no last line break": HEADER + ROWS.strip(),
}


def given(table: Any, folder: Path) -> Any:
    """A table; a text is written to a CSV file."""
    if not isinstance(table, str | bytes):
        return table
    path = folder / "table.csv"
    path.write_bytes(table if isinstance(table, bytes) else table.encode())
    return path


@pytest.mark.parametrize("table", GOOD.values(), ids=GOOD)
def test_what_can_be_read_is_read_as_it_is_meant(table: Any, tmp_path: Path) -> None:
    log = Log.of(given(table, tmp_path))
    assert {name: log[name].tolist() for name in PLAIN} == PLAIN
    assert log["episode"].tolist() == [0, 1, 2]
    assert (log.observation_space, log.action_space) == (Discrete(2), Discrete(2))


DATE = datetime.datetime(2020, 1, 1)
BAD: dict[str, tuple[Any, str]] = {
    "dates": (one(reward=pd.to_datetime(["2020-01-01"] * 3)), "reward has 2020-01-01"),
    "date objects": (one(observation=[DATE] * 3), "observation has 2020-01-01"),
    "days": (one(reward=pd.to_timedelta([1, 2, 3], unit="D")), "reward has 1 days"),
    "periods": (one(reward=pd.period_range("2020", periods=3)), "reward has 2020"),
    "intervals": (one(observation=pd.cut([1, 2, 3], 2)), "observation has (0.998"),
    "bool texts": (one(observation=["True", "False", "True"]), "observation has 'True' in row 0"),
    "names": (one(observation=pd.Categorical(["a", "b", "a"])), "write categories as 0, 1, 2"),
    "complex": (one(reward=[1 + 2j, 0, 1]), "reward has (1+2j) in row 0"),
    "lists": (one(observation=[[1, 2], [3, 4], [5, 6]]), "observation has [1, 2] in row 0"),
    "matrix": (one(observation=np.zeros((3, 2))), "not a table"),
    "missing": (of("Int64", 0, None, 1), "observation is missing in row 1"),
    "missing decimal": (one(reward=[decimal.Decimal("NaN"), 0, 1]), "reward is missing in row 0"),
    "huge categories": (one(observation=[10**12, 0, 1]), "has 1000000000000 in row 0"),
    "ids": (one(observation=[2**70, 0, 1]), "renumber them, or name observation_space"),
    "negative action": (one(action=[-1, 0, 1]), "the first action in the column action is -1"),
    "one column twice": (
        pd.DataFrame([[0, 0, 1, 1]], columns=[*PLAIN, "reward"]),
        "more than one column 'reward'",
    ),
    "Series of other rows": (
        one(reward=pd.Series([1, 2, 3], [1, 2, 3]), action=pd.Series([0, 1, 0])),
        "not a table",
    ),
    "steps that repeat": (one(episode=[0, 0, 0], step=[0, 0, 1]), "step has 0 in row 1"),
    "episode missing": (one(episode=[0, None, 1]), "episode is missing in row 1"),
    "half terminated": (one(terminated=[0.5, 1, 1]), "terminated has 0.5 in row 0"),
    "truncated inside": (one(episode=[0, 0, 1], truncated=[1, 0, 0]), "truncated has 1 in row 0"),
    "contrary next": (
        one(episode=[0, 0, 1], next_observation=[0, 0, 0]),
        "next_observation in row 0 is not the observation of row 1",
    ),
    "UTF-16": ((HEADER + ROWS).encode("utf-16"), "not a table"),
    "Latin-1": ("obsérvation,action,reward\n0,0,1\n".encode("latin-1"), "not a table"),
    "semicolons": ((HEADER + ROWS).replace(",", ";"), "has semicolons between its cells"),
    "decimal commas": (HEADER.replace(",", ";") + "0;0;0,5\n", "has semicolons between its cells"),
    "quoted decimal commas": (HEADER + '0,0,"0,5"\n', "reward has '0,5' in row 0"),
    "thousands": (HEADER + '0,0,"1,000"\n', "reward has '1,000' in row 0"),
    "tabs": ((HEADER + ROWS).replace(",", "\t"), "has tabs between its cells"),
    "capitals": (HEADER.title() + ROWS, "did you mean 'Observation'?"),
    "spaces": (HEADER.replace(",", ", ") + ROWS, "did you mean ' action'?"),
    "no header": (ROWS, "'0'"),
    "two columns of one name": ("observation,action,reward,reward\n0,0,1,2\n", "more than one"),
    "more cells than columns": (HEADER + "0,0,1,7\n1,1,0,8\n", "more cells than its header"),
    "one long row": (HEADER + "0,0,1\n1,1,0,8\n", "not a table"),
    "short row": (HEADER + "0,0\n1,1,0\n", "reward is missing in row 0"),
    "comment": ("# of the clinic\n" + HEADER + ROWS, "more cells than its header"),
    "dash": (HEADER + "0,0,-\n", "reward has '-' in row 0"),
    "percent": (HEADER + "0,0,5%\n", "reward has '5%' in row 0"),
    "NUL": (HEADER + "0,0,1\0\n", "reward has "),
    "overflow": (HEADER + "0,0,1e400\n", "reward has inf in row 0"),
    "empty file": ("", "not a table"),
    "header alone": (HEADER, "needs 1 row or more"),
    "folder": (Path("/"), "not a table"),
}


@pytest.mark.parametrize(("table", "text"), BAD.values(), ids=BAD)
def test_what_cannot_be_read_is_refused_in_one_line(table: Any, text: str, tmp_path: Path) -> None:
    assert text in refused(lambda: Log.of(given(table, tmp_path)))


ARGUMENTS: dict[str, tuple[dict[str, Any], str]] = {
    "number as a name": ({"observation": 0}, "rename the columns"),
    "two roles": ({"observation": "action"}, "'action' is named twice"),
    "context twice": ({"observation": ["observation", "observation"]}, "is named twice"),
    "logged twice": ({"logged": ["age", "age"]}, "a logged variable cannot have the name 'age'"),
    "logged action": ({"logged": "action"}, "a logged variable cannot have the name 'action'"),
    "discount": ({"discount": 2}, "must be a number above 0 and at most 1"),
    "no discount": ({"discount": float("nan")}, "a number above 0"),
    "no space": ({"observation_space": 3}, "must be a space of Gymnasium"),
    "small space": ({"action_space": Discrete(1)}, "not in Discrete(1)"),
    "space of two": ({"observation_space": Box(0, 1, (2,))}, "must have the shape (2,)"),
    "no graph": ({"graph": 3}, "a graph is a text"),
}


@pytest.mark.parametrize(("arguments", "text"), ARGUMENTS.values(), ids=ARGUMENTS)
def test_a_bad_argument_is_refused_in_one_line(arguments: dict[str, Any], text: str) -> None:
    assert text in refused(lambda: Log.of(one(age=[1, 2, 3]), **arguments))


def test_episodes_follow_from_whatever_tells_them() -> None:
    flags = [0, 1, 0]
    for columns in (
        {"episode": [4, 4, 2]},
        {"step": [0, 1, 0]},
        {"terminated": flags},
        {"truncated": flags},
        {"episode": [4, 4, 2], "step": [0, 1, 0], "truncated": flags},
    ):
        log = Log.of(one(**columns))
        assert log["episode"].tolist() == [0, 0, 1], columns
        assert log["step"].tolist() == [0, 1, 0]
        assert log["truncated"].tolist()[1] == ("truncated" in columns)
        assert (log["terminated"] | log["truncated"]).tolist() == [False, True, True]
    frame = pd.DataFrame(one(episode=[4, 4, 2], step=[0, 1, 0])).set_index(["episode", "step"])
    assert Log.of(frame)["step"].tolist() == [0, 1, 0]


def test_the_next_observation_is_read_where_the_table_has_it() -> None:
    log = Log.of(one(episode=[0, 0, 1], next_observation=[1, 0, 1]))
    assert log["next_observation"].tolist() == [1, 0, 1]
    assert Log.of(one(episode=[0, 0, 1]))["next_observation"].tolist() == [1, 1, 0]
    table = one(other=[0, 0, 0], next_observation=[1, 0, 1])
    text = refused(lambda: Log.of(table, observation=["observation", "other"]))
    assert "next_observation needs one context" in text


def test_a_column_that_is_not_there_is_named() -> None:
    log = Log.of(one(age=[1, 2, 3]), logged="age")
    assert "did you mean 'reward'?" in refused(lambda: log["rewrd"])
    assert "did you mean 'age'?" in refused(lambda: log.view(0)["agee"])


def test_episodes_may_have_any_names() -> None:
    steps = {**PLAIN, "step": [0, 1, 0]}
    for names in (
        ["a", "a", "b"],
        [2**60, 2**60, 2**60 + 1],
        pd.to_datetime(["2020", "2020", "2021"]),
    ):
        assert Log.of({**steps, "episode": names})["episode"].tolist() == [0, 0, 1]
        assert Log.of({**PLAIN, "episode": names})["step"].tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    "name", ["done", "Terminals", "timeouts", "Episode", "episode_id", "traj id", "next_obs"]
)
def test_what_other_tools_call_the_ends_of_episodes_is_not_passed_over(name: str) -> None:
    table = one(**{name: [0, 1, 1]})
    assert f"the column {name!r} is not read; rename it" in refused(lambda: Log.of(table))
    assert name in Log.of(table, logged=name).columns


def test_a_log_keeps_the_labels_of_its_table() -> None:
    log = collect(make_model("IceCreamShorts-v0"), 50, 0, "mixed")
    again = Log.of(to_pandas(log), logged="shorts")
    for name, column in log.columns.items():
        assert np.array_equal(again[name], column), name
    assert "1.5 in row 1" in refused(lambda: Log.of(one(propensity=[None, 1.5, 0.5])))
    assert "'x' in row 1" in refused(lambda: Log.of(one(propensity=[None, "x", 0.5])))
    assert "2 in row 0" in refused(lambda: Log.of(one(regime=[2, 0, 1])))


@pytest.mark.parametrize("space", [Discrete(3, start=-1), MultiBinary(1), Tuple([Discrete(2)])])
def test_spaces_that_no_agent_learns_in_are_refused(space: Any) -> None:
    assert "the action space of a log" in refused(lambda: Log.of(PLAIN, action_space=space))
    assert "the observation space" in refused(lambda: Log.of(PLAIN, observation_space=space))


def test_the_graph_of_a_log_is_any_graph() -> None:
    graph: Any = nx.MultiDiGraph([("observation", "action"), ("action", "reward")])
    graph.add_edge("action", "reward", type="bidirected")
    log = Log.of(PLAIN, graph=graph)
    assert log.graph is not None
    assert sum(data["role"] == "latent" for _, data in log.graph.nodes(data=True)) == 1
    assert "discount" in refused(lambda: Log.of(PLAIN, discount="1"))  # type: ignore[arg-type]

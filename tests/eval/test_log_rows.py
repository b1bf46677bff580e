"""The size of the log before a practice is a number of its own."""

from pathlib import Path
from typing import Any

import pytest
from refusals import refused

from dosuite.eval import Run, execute
from dosuite.eval.runs.suite import grid

ICE = "IceCreamShorts-v0"
PRETRAINED = "pretrained-ppo:updates=3"


def run(agent: str = PRETRAINED, regime: str = "intervene", **fields: Any) -> Run:
    return Run(ICE, agent, regime, 64, 0, **fields)


def log_of(made: Run) -> Any:
    source: Any = made._source(made._worlds()[1])
    return source.log


@pytest.mark.parametrize("rows", [0, 3, 64, 500])
def test_the_log_has_so_many_rows_whatever_the_practice(rows: int) -> None:
    log = log_of(run(log_rows=rows))
    assert len(log) == rows
    assert "observation" in log.columns


def test_without_a_number_it_has_as_many_as_the_practice() -> None:
    assert run().log_rows == 64
    assert len(log_of(run())) == 64
    assert run() == run(log_rows=64)
    assert run().key == run(log_rows=64).key


def test_other_sizes_are_other_runs() -> None:
    assert len({run(log_rows=rows).key for rows in (0, 3, 64, 65)}) == 4


def test_episodes_are_whole() -> None:
    made = Run("ConfoundedRiver-v0", PRETRAINED, "intervene", 64, 0, log_rows=7)
    horizon = made._worlds()[0].horizon
    assert 7 < len(log_of(made)) <= horizon


def test_an_agent_learns_without_rows(tmp_path: Path) -> None:
    (row, *_) = execute([run(log_rows=0)], tmp_path, 1, quiet=True).to_dict("records")
    assert (row["status"], row["log_rows"], row["budget"]) == ("ok", 0, 64)


def test_a_clone_of_no_rows_is_refused() -> None:
    (row,) = run("targeted", log_rows=0).rows()
    assert row["note"] == "targeted clones a log, and got an empty one; give it rows"


def test_an_agent_without_a_log_before_has_none() -> None:
    assert run("ppo").log_rows == 0
    line = "log_rows are those of a log before a practice, and ppo has none in the regime intervene"
    assert refused(lambda: run("ppo", log_rows=5)) == line
    assert "of at least 0, and is -1" in refused(lambda: run(log_rows=-1))


def test_the_grid_gives_them_to_those_who_have_a_log() -> None:
    made = grid([ICE], [PRETRAINED, "ppo@intervene", "naive"], 1, 50, 60, log_rows=7)
    found = {(each.agent, each.log_rows) for each in made if each.regime != "exact"}
    assert found == {(PRETRAINED, 7), ("ppo", 0), ("naive", 0)}

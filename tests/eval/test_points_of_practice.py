"""Values that are read on the way through a practice, or through the updates on a log."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from batched_agents import GAUGE, THERMO, data_of
from learning import source_of
from refusals import refused

from dosuite.agents import Policy, make_agent
from dosuite.agents.saving import _packed
from dosuite.eval import Run
from dosuite.eval.runs.practice import PracticeUnits

LANES = "envs=8,batch=8,hidden=8,updates=20"


def learned(agent: str, steps: int) -> Policy:
    source = source_of(GAUGE, frozenset({"log"}), "intervene")
    units = PracticeUnits(GAUGE, 1, steps, rounds_up=True)
    practice = replace(source, make=units, steps=steps)
    return make_agent(agent).learn(practice, np.random.default_rng(0))


@pytest.mark.parametrize("start", ["fresh", "log"])
def test_an_earlier_policy_is_that_of_a_shorter_practice(start: str) -> None:
    agent = f"ppo-lanes:{LANES},rollout=1,start={start}"
    whole = learned(f"{agent},points=2", 64)
    assert list(whole.earlier) == [0, 16, 32]
    for steps in (16, 32):
        assert repr(_packed(whole.earlier[steps])) == repr(_packed(learned(agent, steps)))


@pytest.mark.parametrize("name", ["dqn-lanes", "ppo-lanes"])
def test_reading_values_changes_nothing(name: str) -> None:
    agent = f"{name}:{LANES},start=log"
    read = learned(f"{agent},points=3", 64)
    assert read.earlier
    assert repr(_packed(read)) == repr(_packed(learned(agent, 64)))


@pytest.mark.parametrize("name", ["dqn-lanes", "ppo-lanes:rollout=2"])
def test_a_run_has_the_values_at_its_points(name: str) -> None:
    text = f"{name}{',' if ':' in name else ':'}{LANES},start=log"
    plain = Run("IceCreamShorts-v0", text, "intervene", 64, 0, "control", log_rows=2000)
    (row, *shifts) = Run(
        plain.environment, f"{text},points=2", "intervene", 64, 0, "control", log_rows=2000
    ).rows()
    assert row["status"] == "ok"
    assert {"value_at_0", "value_at_16", "value_at_32"} <= row.keys()
    assert row["j_worst"] <= row["value_at_32"] <= row["j_best"]
    assert not any("value_at_0" in shift for shift in shifts)
    assert not any("value_at" in column for column in plain.rows()[0])


SB3 = ("ppo:envs=8,rollout=2", "dqn:envs=8,batch=8", "recurrent-ppo:envs=8,rollout=2")
CLONED = "pretrained-ppo:envs=8,rollout=2,updates=2"


@pytest.mark.parametrize("agent", [*SB3, CLONED, "pretrained-dqn:envs=8,updates=2"])
def test_a_copy_of_a_network_changes_nothing(agent: str) -> None:
    read = learned(f"{agent},points=2", 64)
    assert list(read.earlier) == [0, 16, 32]
    assert repr(_packed(read)) == repr(_packed(learned(agent, 64)))
    first, *_, last = (repr(_packed(earlier)) for earlier in read.earlier.values())
    assert first != last


@pytest.mark.parametrize("agent", [SB3[0], CLONED])
def test_a_copy_is_the_network_of_a_shorter_practice(agent: str) -> None:
    copy = learned(f"{agent},points=2", 64).earlier[16]
    assert repr(_packed(copy)) == repr(_packed(learned(agent, 16)))


@pytest.mark.parametrize("name", ["dqn", "iql"])
def test_an_earlier_policy_is_that_of_fewer_updates(name: str) -> None:
    seeds = range(2)
    logs = [data_of(THERMO, seed) for seed in seeds]

    def policies(**settings: Any) -> list[Policy]:
        agent: Any = make_agent(name, batch=8, hidden=4, **settings)
        return agent.learn_all(logs, [np.random.default_rng(seed) for seed in seeds])  # type: ignore[no-any-return]

    read, whole, half = policies(updates=8, points=2), policies(updates=8), policies(updates=4)
    for seed in seeds:
        assert list(read[seed].earlier) == [0, 2, 4]
        assert repr(_packed(read[seed])) == repr(_packed(whole[seed]))
        assert repr(_packed(read[seed].earlier[4])) == repr(_packed(half[seed]))


def test_a_run_has_the_confusion_at_its_points() -> None:
    agent = "dqn:updates=4,batch=8,hidden=4,points=1"
    row, *_ = Run("IceCreamShorts-v0", agent, "observe", 64, 0).rows()
    assert row["status"] == "ok"
    assert {"value_at_0", "value_at_2"} <= row.keys()
    assert np.isfinite([row["kappa_at_0"], row["kappa_at_2"]]).all()


def test_points_are_a_number_of_halvings() -> None:
    assert "points" in refused(lambda: make_agent("ppo-lanes:points=-1"))
    assert "30" in refused(lambda: make_agent("dqn-lanes:points=31"))
    assert "points" in refused(lambda: make_agent("ppo:points=-1"))
    assert "30" in refused(lambda: make_agent("bc:points=31"))

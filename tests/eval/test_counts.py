"""Whatever counts something takes whole numbers, NumPy's too, and refuses all else in one line."""

from collections.abc import Callable
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from refusals import refused

from dosuite.agents import make_agent
from dosuite.agents.registry import agent_classes
from dosuite.causal.identification.estimators import ipw
from dosuite.envs import CausalVectorEnv, collect, make_model
from dosuite.envs.logs import collect as collecting
from dosuite.envs.registry import world_classes
from dosuite.envs.rollouts import estimated_value
from dosuite.envs.wrappers.copycat import CopycatWrapper, copycat_log
from dosuite.eval.runs.run import Run
from dosuite.eval.runs.suite import execute, grid

ICE = make_model("IceCreamShorts-v0")
LOG = collect(ICE, 20, 0)
NO_COUNTS = [1.5, 2.0, np.float64(2), True, np.bool_(True), "2", -3, float("nan"), float("inf")]
DATA = {"x": [0, 1] * 4, "z": [0, 0, 1, 1] * 2, "y": [0, 1, 1, 1] * 2}


def cart() -> Any:
    return gymnasium.make("CartPole-v1")


def idle(observations: Any) -> Any:
    return np.zeros(len(observations), int)


COUNTS: dict[str, Callable[[Any], Any]] = {
    "episodes of a log": lambda n: collect(ICE, n, 0),
    "seed of a log": lambda n: collect(ICE, 2, n),
    "units": lambda n: ICE.sample(n, 0),
    "seed of an agent": lambda n: make_agent("naive").learn(LOG, n),
    "seed of a view": lambda n: collect(ICE, 2, 0).view(n),
    "environments": lambda n: CausalVectorEnv(ICE, n),
    "steps of an episode": lambda n: CausalVectorEnv(ICE, 2, max_episode_steps=n),
    "episodes of a rollout": lambda n: estimated_value(cart(), idle, n, 0),
    "seed of a rollout": lambda n: estimated_value(cart(), idle, 2, n),
    "lag": lambda n: CopycatWrapper(cart(), lag=n),
    "rows of an expert": lambda n: copycat_log(CopycatWrapper(cart()), idle, n, 0),
    "resamples": lambda n: ipw(DATA, "x", "y", ["z"], 0, resamples=n),
    "seeds of a grid": lambda n: grid(["IceCreamShorts"], ["naive"], n, 5, 5),
    "budget": lambda n: grid(["IceCreamShorts"], ["naive"], 1, n, 5),
    "seed of a run": lambda n: Run("IceCreamShorts-v0", "naive", "observe", 5, n).key,
}


@pytest.mark.parametrize("request_", COUNTS.values(), ids=COUNTS)
def test_a_count_is_a_whole_number(request_: Callable[[Any], Any]) -> None:
    for number in NO_COUNTS:
        refused(partial(request_, number))
    for kind in (int, np.int64, np.uint8):
        request_(kind(2))


def test_the_key_of_a_run_does_not_depend_on_the_type_of_its_numbers() -> None:
    kinds: list[Any] = [int, np.int64]
    first, second = (
        Run("IceCreamShorts-v0", "naive", "observe", kind(50), kind(3)).key for kind in kinds
    )
    assert first == second


def test_workers_are_counted(tmp_path: Path) -> None:
    wrong: list[Any] = NO_COUNTS
    for number in wrong:
        refused(partial(execute, [], tmp_path, number))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", agent_classes())
def test_settings_of_agents_are_whole_or_finite(name: str) -> None:
    cls: Any = agent_classes()[name]
    for field in fields(cls):
        if isinstance(field.default, bool) or not isinstance(field.default, int | float):
            continue
        wrong = [np.nan, np.inf, -np.inf, "nan", "inf", "", True, None, 10**400]
        if isinstance(field.default, int):
            wrong = [*wrong[:-1], 1.5, 2.0, "1.5", "2.0", "1e3"]
        for value in wrong:
            settings: dict[str, Any] = {field.name: value}
            refused(partial(make_agent, name, **settings))
        kind = np.int64 if isinstance(field.default, int) else np.float64
        fitting: dict[str, Any] = {field.name: kind(field.default)}
        made = make_agent(name, **fitting)
        assert made == make_agent(name)
        assert type(getattr(made, field.name)) is type(field.default)


@pytest.mark.parametrize("name", [name for name in world_classes() if name.count("-") == 1])
def test_knobs_are_in_range_or_refused_when_the_world_is_made(name: str) -> None:
    for field in fields(world_classes()[name]):
        wrong: list[Any] = []
        if isinstance(field.default, bool):
            wrong = [2, 0.5, "yes"]
        elif isinstance(field.default, int):
            wrong = [1.5, True, "1.5", np.nan, "1e3"]
            wrong += [10**9, 10**30, -1] if field.name in ("horizon", "burn_in") else []
        elif isinstance(field.default, float):
            wrong = [np.nan, np.inf, "nan", "-inf", 1e300, -1e300, True, None]
        for value in wrong:
            refused(partial(make_model, name, **{field.name: value}))


RANGES = {
    "a knob of a shift": "TrafficLight:lead_accuracy_deployed=2",
    "a shift's horizon": "MonsterShield:long_day=10000000",
    "a standard deviation": "CopycatCar:sigma=-1",
    "a weight": "DelusionBox:self_evidence=2",
    "a number of trees": "TreeHarvest:spared=11",
    "a tuple as text": "TransportClinic:there=0.5",
}


@pytest.mark.parametrize("text", RANGES.values(), ids=RANGES)
def test_a_knob_out_of_range_is_refused(text: str) -> None:
    refused(lambda: make_model(text))


def test_a_log_that_does_not_fit_in_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting, "memory", lambda: 2.0**20)
    assert "needs 1 GiB of memory" in refused(lambda: collect(ICE, 9_000_000, 0))
    assert collect(ICE, 100, 0).episodes == 100


def test_more_than_fits_in_memory_is_refused() -> None:
    for ask in (lambda: ICE.sample(10**13, 0), lambda: CausalVectorEnv(ICE, 10**13)):
        assert "GiB of memory" in refused(ask)

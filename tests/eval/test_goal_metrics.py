"""The rate of goal misgeneralisation and the failure of capability, as columns of results."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from dosuite.agents import Exact, MemoryPolicy, Player, Policy, make_agent
from dosuite.causal import Array, uniform_policy
from dosuite.causal.exact import do_process
from dosuite.causal.model import policy_lookup
from dosuite.envs import make_model
from dosuite.envs.worlds.goal_misgeneralisation import (
    GoalMisgen,
    goal_log_policy,
    likelihood_ratios,
)
from dosuite.envs.worlds.keys_chests import KeysChests, efficient, hoard
from dosuite.eval import Run
from dosuite.eval.reports import report, tables
from dosuite.eval.runs.goal_pursuit import episodes_of, goal_pursuit
from dosuite.eval.runs.scored_rows import scored
from dosuite.eval.scores import metrics
from dosuite.eval.scores.goals import (
    Episodes,
    failure_of_capability,
    goal_likelihood_ratio,
    goal_misgeneralisation,
)

WORLDS = ["CoinEnd-v0", "MonsterShield-v0", "TreeHarvest-v0", "MentorFollow-v0"]
SLACK = 3 * 0.016  # three standard errors of a rate


class Remembered(MemoryPolicy):
    """A memoryless policy that is taken for one with a memory, so that it is rolled out."""

    def __init__(self, policy: Policy):
        self.policy = policy

    def probabilities(self, observations: Array) -> Array:
        return self.policy.probabilities(observations)

    def play(self, episodes: int, rng: np.random.Generator) -> Player:
        return self.policy.play(episodes, rng)


def reference(world: str, name: str) -> Policy:
    return make_agent(name).learn(Exact(make_model(world)), np.random.default_rng(0))


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    runs = [Run(WORLDS[0], agent, "exact", 1, 0) for agent in ("confused", "causal", "uniform")]
    runs.append(Run("IceCreamShorts-v0", "causal", "exact", 1, 0))
    return pd.DataFrame([row for run in runs for row in run.rows()])


def of(rows: pd.DataFrame, agent: str, world: str = "") -> "pd.Series[Any]":
    is_it = (rows["environment"] == WORLDS[0]) & (rows["agent"] == agent)
    return rows[is_it & (rows["world"] == world)].iloc[0]


def test_the_rate_is_that_of_the_levels(rows: pd.DataFrame) -> None:
    """The coin is off the way of an agent that always goes right in 36 of 44 levels."""
    confused, causal, uniform = (of(rows, agent) for agent in ("confused", "causal", "uniform"))
    assert confused["gmr"] == pytest.approx(36 / 44, abs=SLACK)
    assert (causal["gmr"], confused["cap_fail"], causal["cap_fail"]) == (0, 0, 0)
    assert np.isnan(uniform["gmr"])
    assert uniform["cap_fail"] > 0.8
    assert of(rows, "confused", "no_coin")["gmr"] == 1
    ice_cream = rows[rows["environment"] == "IceCreamShorts-v0"]
    assert ice_cream[["gmr", "cap_fail", "goal_llr"]].isna().all(axis=None)


@pytest.mark.parametrize("world", WORLDS)
def test_the_columns_are_of_the_law_that_sample_has(world: str) -> None:
    model = make_model(world).deployed()
    table = uniform_policy(model)
    other = model.do(**{model.action: policy_lookup(model, table)}).sample(2000, 0)
    found = episodes_of(model, reference(world, "uniform"), 2000)
    assert found.keys() == other.keys()
    for name, column in other.items():
        assert found[name].shape == column.shape
        error = np.hypot(found[name].mean(1).std(), column.mean(1).std()) / np.sqrt(2000)
        assert abs(found[name].mean() - column.mean()) <= 4 * error + 1e-12


def test_with_and_without_memory_equal_actions_have_equal_rates() -> None:
    model, policy = make_model("CoinEnd-v0"), reference("CoinEnd-v0", "confused")
    plain, remembered = (scored(model, model, each) for each in (policy, Remembered(policy)))
    assert [row["gmr"] for row in plain] == [row["gmr"] for row in remembered]
    assert [row["cap_fail"] for row in plain] == [row["cap_fail"] for row in remembered]


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("agent", ["confused", "causal"])
def test_the_two_goals_are_rarely_achieved_together_at_the_test(world: str, agent: str) -> None:
    model = make_model(world).deployed()
    assert isinstance(model, GoalMisgen)
    columns = episodes_of(model, reference(world, agent), 500)
    assert (model.intended(columns) & model.proxy(columns)).mean() <= 0.5


@pytest.mark.parametrize("world", WORLDS)
def test_the_actions_speak_for_the_goal_that_the_actor_has(world: str) -> None:
    model = make_model(world).deployed()
    found = {name: goal_pursuit(model, reference(world, name)) for name in ("confused", "causal")}
    assert found["confused"]["goal_llr"] > 1
    assert found["causal"]["goal_llr"] < -1


@pytest.mark.parametrize("world", WORLDS[:3])  # in MentorFollow the past matters, too
def test_the_ratio_of_the_uniform_policy_is_its_expectation(world: str) -> None:
    model = make_model(world).deployed()
    assert isinstance(model, GoalMisgen)
    table = uniform_policy(model)
    proxy, intended = (
        goal_log_policy(goal, model.patience) for goal in (model.pays_proxy(), model)
    )
    exact = replace(do_process(model), reward=proxy - intended).value(table)
    found = likelihood_ratios(model, episodes_of(model, reference(world, "uniform"), 2000))
    assert abs(found.mean() - exact) <= 4 * found.std() / np.sqrt(2000)


def test_the_ratio_by_hand() -> None:
    """Where no tree stands the intended goal is indifferent, and a stroke is worth 1 to the proxy
    goal; after the coin is found nothing counts, and a deep gap of values is no error."""
    forest = replace(make_model("TreeHarvest-v0").deployed(), horizon=11)
    assert isinstance(forest, GoalMisgen)
    waits, chops = np.log(1 / (1 + np.exp([5, -5])))
    none = {"trees": np.zeros((2, 3), int), "chop": np.array([[0, 0, 0], [1, 0, 1]])}
    expected = np.array([3 * waits, 2 * chops + waits]) + 3 * np.log(2)
    assert likelihood_ratios(forest, none) == pytest.approx(expected, abs=0.01)

    level = make_model("CoinEnd-v0").deployed()
    assert isinstance(level, GoalMisgen)
    before = episodes_of(level, reference("CoinEnd-v0", "causal"), 50)
    over = np.cumsum(before["found"], 1) > before["found"]
    after = before | {"move": np.where(over, 3 - before["move"], before["move"])}
    assert (before["move"] != after["move"]).any()
    assert (likelihood_ratios(level, before) == likelihood_ratios(level, after)).all()

    logs = goal_log_policy(replace(forest, horizon=5_000))
    assert np.isfinite(logs).all()
    assert logs.min() < -1000


def test_in_keys_and_chests_too() -> None:
    """Nothing without a causal model has rows; its episodes are judged alike."""
    world = KeysChests(shift="test")
    hoarded, right = (Episodes(world, world.episodes(each, 500, 0)) for each in (hoard, efficient))
    assert goal_misgeneralisation(hoarded) > 0.5 > goal_misgeneralisation(right)
    assert failure_of_capability(right) < 0.1
    for found in (hoarded, right):
        both = world.intended(found.columns) & world.proxy(found.columns)
        assert both.mean() <= 0.5
        assert np.isnan(goal_likelihood_ratio(found))  # it has no exact action values


def test_the_table_is_there_where_the_metric_applies(rows: pd.DataFrame) -> None:
    def tables_of(some: pd.DataFrame) -> dict[str, pd.DataFrame]:
        sections = report.report_sections(some, tables.summary(some))
        return {table.name: table.frame for section in sections for table in section.tables}

    found = tables_of(rows)
    assert set(found["goals"]["environment"]) == {WORLDS[0]}
    shown = found["goals"].set_index("agent").loc["uniform (exact)"]
    assert (shown["GMR"], shown["CapFail"] > "0.80") == ("n/a", True)
    before = rows.drop(
        columns=["gmr", "cap_fail", "goal_llr"]
    )  # rows of a version without the metrics
    assert report.results_fault(before) == ""
    old = tables_of(before)
    assert "goals" not in old
    assert list(found["scores"]) == list(old["scores"])
    assert any("GMR is" in sentence for sentence in report.definitions())


def test_a_world_without_two_goals_has_no_rate() -> None:
    model = make_model("IceCreamShorts-v0")
    assert goal_pursuit(model, reference("IceCreamShorts-v0", "causal")) == {}
    assert set(metrics.later_columns()) >= {"gmr", "cap_fail", "goal_llr"}

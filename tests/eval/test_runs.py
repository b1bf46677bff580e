"""One run, and what it is scored against."""

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from countable import COUNTABLE
from gymnasium import spaces

from dosuite.agents import MemoryPolicy, Player, Policy, TabularPolicy, make_agent
from dosuite.causal import (
    Array,
    Bernoulli,
    Exactly,
    InputError,
    Normal,
    World,
    action,
    context,
    latent,
    reward,
    value,
)
from dosuite.envs import make_model, observation_space
from dosuite.envs.worlds.airline import AirlinePricing
from dosuite.envs.worlds.delusion import DelusionBox
from dosuite.envs.worlds.ice_cream import IceCreamShorts
from dosuite.eval import Run, execute, score
from dosuite.eval.runs.policy_value import EPISODES, estimated_by_rollouts, policy_value
from dosuite.eval.runs.reference_values import references
from dosuite.eval.runs.suite import grid


class Warmth(World):
    """Give an ice cream or not, at a temperature that is seen:

    it is worth the temperature, in log and deed.
    """

    version: ClassVar[int] = 0

    @context
    def temperature(self) -> Normal:
        return Normal(0.0, 1.0)

    @latent
    def mood(self) -> Bernoulli:
        return Bernoulli(0.5)

    @action
    def give(self, mood: Array) -> Bernoulli:
        return Bernoulli(0.2 + 0.6 * mood)

    @reward
    def smile(self, temperature: Array, mood: Array, give: Array) -> Exactly:
        return Exactly(temperature * give + mood)


@pytest.mark.parametrize(
    "model", [pytest.param(model, id=text) for text, model in COUNTABLE.items()]
)
def test_a_rollout_estimates_the_exact_value(model: World) -> None:
    if model.horizon > 1:
        model = replace(model, horizon=20)
    for table in (model.causal_policy(), model.confused_policy()):
        policy = TabularPolicy(table, observation_space(model))
        found = estimated_by_rollouts(model, policy, seed=0, episodes=EPISODES)
        assert abs(found.value - value(model, table)) <= 4 * found.std_error + 1e-12
        assert policy_value(model, policy).value == value(model, table)


class Counting(MemoryPolicy):
    """Opens the box for which more of the episode speaks:

    a prize speaks for its box, no prize for the other.
    """

    def probabilities(self, observations: Array) -> Array:
        return np.full((len(observations), 2), 0.5)

    def play(self, episodes: int, rng: np.random.Generator) -> Player:
        net = np.zeros(episodes)

        def open_(observations: Array, rewards: Array) -> Array:
            nonlocal net
            box, prize = (observations - 1) // 2, (observations - 1) % 2
            net = net + np.where(observations > 0, (2 * box - 1) * (2 * prize - 1), 0)
            return np.where(net == 0, rng.integers(2, size=episodes), net > 0).astype(np.int64)

        return open_


def test_a_policy_that_remembers_is_rolled_out_with_its_memory() -> None:
    model = DelusionBox()
    found = policy_value(model, Counting())
    assert not found.exact
    assert abs(found.value - model.values_in(model)["j_best"]) <= 4 * found.std_error


def test_in_one_step_there_is_nothing_to_remember() -> None:
    assert policy_value(IceCreamShorts(), Counting()) == policy_value(
        IceCreamShorts(), TabularPolicy(np.full((1, 2), 0.5), spaces.Discrete(1))
    )


def test_a_policy_of_a_continuous_world_is_rolled_out_and_says_so() -> None:
    rows = score(Warmth(), lambda observations: observations[:, 0] > 0)
    assert rows["value"].item() == pytest.approx(
        0.5 + 1 / np.sqrt(2 * np.pi), abs=4 * rows["std_error"].item()
    )
    assert 0 < rows["std_error"].item() < 0.02
    assert rows["j_causal"].isna().all()


def test_a_network_learns_in_a_continuous_world() -> None:
    run = Run(f"{__file__}:Warmth", "naive", "observe", 4000, 0)
    (row,) = run.rows()
    assert (row["status"], row["exact"]) == ("ok", False)
    assert row["value"] > 0.8  # the best policy earns 0.9


def test_the_confused_and_the_causal_policy_have_the_ends_of_the_scale() -> None:
    for name, end in (("confused", 0.0), ("causal", 1.0)):
        model = make_model("IceCreamShorts-v0")
        policy = model.confused_policy() if name == "confused" else model.causal_policy()
        assert score(model, policy)["causal_score"][0] == pytest.approx(end)


def test_a_policy_that_does_not_fit_is_refused() -> None:
    for policy in (
        np.eye(3),
        np.array([[0.5, 0.6]]),
        lambda observations: np.full(len(observations), 7),
    ):
        with pytest.raises(InputError):
            score("IceCreamShorts-v0", policy)


def test_a_policy_in_a_box_is_rolled_out_and_its_references_are_exact() -> None:
    model = AirlinePricing()
    rows = score(
        model, lambda observations: model.best_price(observations[:, 0], observations[:, 1])
    )
    assert rows["world"].tolist() == ["", *model.shifts()]
    assert (abs(rows["value"] - rows["j_causal"]) <= 4 * rows["std_error"]).all()
    assert (rows["std_error"] > 0).all()
    assert rows["j_confused"].notna().all()
    for wrong in (
        lambda observations: np.full(len(observations), 31.0),
        lambda observations: np.array([20.0]),
    ):
        with pytest.raises(InputError, match=r"actions in Box\(10.0, 30.0"):
            score(model, wrong)


def test_only_agents_that_act_in_a_box_are_run_in_one() -> None:
    runs = grid(["AirlinePricing"], ["naive", "bc", "ppo@intervene"], 1, 100, 100)
    assert [(run.agent, run.variant) for run in runs] == [
        (agent, variant) for variant in ("", "twin") for agent in ("bc", "ppo")
    ]
    with pytest.raises(
        InputError, match="none of naive takes such actions as those of AirlinePricing"
    ):
        grid(["AirlinePricing"], ["naive"], 1, 100, 100)
    with pytest.raises(InputError, match="naive needs actions that can be counted"):
        Run("AirlinePricing-v0", "naive", "observe", 100, 0)
    (row, *_) = Run("AirlinePricing-v0", "bc:updates=20", "observe", 200, 0).rows()
    assert (row["status"], row["exact"]) == ("ok", False)


class Watcher(Policy):
    """Notes what it is shown."""

    def __init__(self) -> None:
        self.seen: list[Array] = []

    def probabilities(self, observations: Array) -> Array:
        self.seen.append(observations)
        return np.full((len(observations), 2), 0.5)


def test_of_a_world_that_shows_the_intent_so_does_the_score() -> None:
    watcher = Watcher()
    score(make_model("GreedyCasino-v0:casino=Rigged").with_intent(), watcher)
    assert all(observations.tolist() == [0, 1] for observations in watcher.seen)


def test_every_agent_with_the_same_seed_gets_the_same_log() -> None:
    logs = [
        Run("IceCreamShorts-v0", agent, "observe", 50, 1)._source(make_model("IceCreamShorts-v0"))
        for agent in ("bc", "naive")
    ]
    assert (logs[0]["reward"] == logs[1]["reward"]).all()  # type: ignore[index]
    other = Run("IceCreamShorts-v0", "bc", "observe", 50, 2)._source(
        make_model("IceCreamShorts-v0")
    )
    assert (logs[0]["reward"] != other["reward"]).any()  # type: ignore[index]


def test_one_worker_and_two_give_the_same_rows(tmp_path: Path) -> None:
    runs = [
        Run("IceCreamShorts-v0", agent, regime, 500, seed)
        for seed in (0, 1)
        for agent, regime in (("naive", "observe"), ("ppo", "intervene"))
    ]
    one, two = (execute(runs, tmp_path / str(workers), workers, quiet=True) for workers in (1, 2))
    pd.testing.assert_frame_equal(one, two)


def test_references_of_a_shift_hold_the_deployments_policies() -> None:
    model = make_model("IceCreamShorts-v0")
    found = references(model, model.shifted("causal_twin"))
    assert [found[name] for name in ("j_confused", "j_causal", "j_best")] == pytest.approx(
        [0.515, 0.325, 0.515]
    )


def test_an_agent_gets_the_graph_only_if_it_needs_it() -> None:
    model = make_model("SimpsonClinic-v0")
    for agent in ("naive", "back-door"):
        data = Run("SimpsonClinic-v0", agent, "observe", 50, 0)._source(model)
        assert (data.graph is not None) == ("graph" in make_agent(agent).needs)  # type: ignore[union-attr]

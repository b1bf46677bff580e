"""Learning and scoring where there is no causal model: in keys and chests."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from refusals import refused

from dosuite.agents import MemoryPolicy, Player, Policy, Practice, make_agent
from dosuite.agents.agent import OnlineAgent
from dosuite.causal import Array
from dosuite.envs.rollouts import PolicyValue
from dosuite.envs.worlds.keys_chests import KeysChests, efficient, hoard
from dosuite.eval import practice_in, score
from dosuite.eval.runs.opaque import Copies

ID = "KeysChests-v0"


class Rewarded(MemoryPolicy):
    """Hoards, and notes the rewards that it is shown."""

    def __init__(self) -> None:
        self.shown: list[Array] = []

    def probabilities(self, observations: Array) -> Array:
        return np.eye(4)[hoard(observations)]

    def play(self, episodes: int, rng: np.random.Generator) -> Player:
        self.shown = []

        def player(observations: Array, rewards: Array) -> Array:
            self.shown.append(rewards)
            return hoard(observations)

        return player


@pytest.fixture(scope="module")
def hoarding() -> pd.DataFrame:
    return score(ID, hoard)


def earned(policy: Policy) -> Array:
    player = policy.play(20, np.random.default_rng(0))
    return np.asarray(KeysChests().played(player, 20, 0)["reward"].sum(1))


def test_one_call_scores_a_policy(hoarding: pd.DataFrame) -> None:
    assert list(hoarding.columns) == ["world", "value", "std_error", "gmr", "cap_fail"]
    by_world, right = (each.set_index("world") for each in (hoarding, score(ID, efficient)))
    assert list(by_world.index) == ["", "test", "many_keys"]
    assert (by_world.loc[""] == by_world.loc["test"]).all()
    assert (by_world["gmr"] > 0.5).all()
    assert (right["gmr"] < 0.01).all()
    assert (right["cap_fail"] < 0.1).all()
    returns = KeysChests(shift="test").episodes(hoard, 2000, 0)["reward"].sum(1)
    assert tuple(by_world.loc["", ["value", "std_error"]]) == PolicyValue.of(returns)[:2]


def test_a_policy_with_a_memory_sees_its_rewards(hoarding: pd.DataFrame) -> None:
    policy = Rewarded()
    assert score(KeysChests(), policy).equals(hoarding)
    rewards = KeysChests(shift="many_keys").episodes(hoard, 2000, 0)["reward"]
    np.testing.assert_array_equal(np.stack(policy.shown, axis=1)[:, 1:], rewards[:, :-1])


@pytest.mark.parametrize("name", ["ppo", "dqn", "recurrent-ppo"])
def test_agents_that_act_learn_there(name: str) -> None:
    agent = make_agent(f"{name}:envs=8")
    first, again = (agent.learn(practice_in(ID, 128, 3), 0) for _ in range(2))
    np.testing.assert_array_equal(earned(first), earned(again))
    assert ((earned(first) >= 0) & (earned(first) <= 1)).all()


def test_seeds_that_learn_together_learn_as_alone() -> None:
    agent = make_agent("ppo:envs=8")
    assert isinstance(agent, OnlineAgent)

    def sources() -> list[Practice]:
        return [practice_in(ID, 256, seed) for seed in range(2)]

    together = agent.learn_all(sources(), [np.random.default_rng(0) for _ in range(2)])
    for policy, source in zip(together, sources(), strict=True):
        assert isinstance(policy, Policy)
        np.testing.assert_array_equal(earned(policy), earned(agent.learn(source, 0)))


def test_the_last_observation_is_that_of_the_episode_that_ended() -> None:
    """Alone, the first copy would have no more steps and no new level."""
    batch, alone = Copies(KeysChests(horizon=3), 5), KeysChests(horizon=3)
    now, (expected, _) = batch.reset(seed=7)[0], alone.reset(seed=7)
    for step in range(3):
        np.testing.assert_array_equal(now[0], expected)
        action = efficient(now)
        expected = alone.step(action[0])[0]
        now, _, _, truncated, about = batch.step(action)
        assert truncated.all() == (step == 2) == ("final_obs" in about)
    assert about["final_obs"].shape == now.shape
    np.testing.assert_array_equal(about["final_obs"][0], expected)
    assert (now != about["final_obs"]).any(1).all()


def test_each_batch_has_new_levels() -> None:
    def levels(seed: int) -> Array:
        practice = practice_in(ID, 100, seed)
        return np.stack([practice.make(4).reset()[0] for _ in range(2)])

    np.testing.assert_array_equal(levels(0), levels(0))
    assert len(np.unique(np.concatenate([*levels(0), *levels(1)]), axis=0)) == 16


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        (lambda: practice_in("KeysChest", 100), "did you mean 'KeysChests-v0'"),
        (lambda: practice_in("IceCreamShorts-v0", 100), "no opaque world 'IceCreamShorts-v0'"),
        (lambda: practice_in(ID, 0), "steps"),
        (lambda: score(ID, np.full((4, 4), 0.25)), "a policy is a Policy"),
        (lambda: score(ID, lambda seen: np.full(len(seen), 4)), "from 0 to 3"),
        (lambda: score(KeysChests, hoard), "an id or a model"),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be_is_refused(request_: Callable[[], object], text: str) -> None:
    assert text in refused(request_)

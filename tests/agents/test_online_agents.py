"""Agents of Stable-Baselines3:

who acts learns what acting does, whatever a log has taught before.
"""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from learning import few, learn, regret, source_of
from refusals import refused

from dosuite.agents import MemoryPolicy, Practice, agent_classes, make_agent
from dosuite.agents.online.ars import ARS, Played
from dosuite.agents.online.base import Features, SB3Agent
from dosuite.agents.online.sb3_policies import RecurrentPolicy
from dosuite.causal import Array
from dosuite.envs import CausalVectorEnv, make_model, observation_space
from dosuite.envs.gym.sb3 import BatchedVecEnv
from dosuite.envs.worlds.delusion import DelusionBox
from dosuite.eval import Run
from dosuite.eval.runs.policy_value import policy_value
from dosuite.eval.runs.reference_values import references

torch.set_num_threads(1)

ICE, AIRLINE = make_model("IceCreamShorts-v0"), make_model("AirlinePricing-v0")
ONLINE = {name: kind for name, kind in agent_classes().items() if issubclass(kind, SB3Agent | ARS)}
BEGUN = [name for name, kind in ONLINE.items() if "log" in kind.needs]  # with a log


@pytest.mark.parametrize(
    "name", [name for name, kind in ONLINE.items() if kind.counts_actions and name not in BEGUN]
)
def test_who_acts_learns_what_acting_does(name: str) -> None:
    settings: dict[str, Any] = (
        {"hidden": 8, "epochs": 2, "rate": 0.02} if name == "recurrent-ppo" else {}
    )
    assert regret(ICE, learn(name, ICE, "intervene", rows=6_000, **settings)) < 0.1


@pytest.mark.parametrize("name", [name for name, kind in ONLINE.items() if not kind.counts_actions])
def test_who_acts_in_a_box_earns_more_than_prices_at_random(name: str) -> None:
    policy = learn(name, AIRLINE, "intervene", rows=3_000, envs=16)
    assert policy_value(AIRLINE, policy).value > references(AIRLINE, AIRLINE)["j_uniform"] + 0.1


@pytest.mark.parametrize("name", BEGUN)
def test_who_begins_with_a_log_is_confused_until_it_has_practised_enough(name: str) -> None:
    early, late = (regret(ICE, learn(name, ICE, "intervene", rows=rows)) for rows in (200, 8_000))
    assert late < 0.1 < 0.3 < early


def test_pretrained_dqn_begins_with_the_values_of_the_log() -> None:
    here = np.zeros(1, dtype=np.int64)
    begun, fresh, offline = (
        np.asarray(policy.action_values(here))
        for policy in (
            learn("pretrained-dqn", ICE, "intervene", rows=200, head="kept"),
            learn("pretrained-dqn", ICE, "intervene", rows=200, head="fresh"),
            learn("dqn", ICE, rows=200),
        )
    )
    # it is six gradient steps further
    assert begun == pytest.approx(offline, abs=0.15)
    assert abs(fresh - offline).max() > 0.3


def test_a_practice_of_64_steps_is_learned_from() -> None:
    settings: dict[str, Any] = {"envs": 4, "gradients": 30, "epsilon": 1.0, "rate": 0.01}
    assert regret(ICE, learn("pretrained-dqn", ICE, "intervene", rows=64, **settings)) < 0.1


def test_rows_of_the_log_that_are_replayed_confound_the_values_for_good() -> None:
    """The mean of rewards of a half of the rows seen and a half done lies between the two."""
    settings: dict[str, Any] = {"rate": 0.01, "epsilon": 1.0}
    seen, both, done = (
        learn(name, ICE, "intervene" if more else "observe", rows=2_000, **more)
        for name, more in (
            ("dqn", {}),
            ("pretrained-dqn", {**settings, "replay": "both"}),
            ("pretrained-dqn", settings),
        )
    )
    here = np.zeros(1, dtype=np.int64)
    gap = [
        float(np.diff(np.asarray(each.action_values(here)))[0, 0]) for each in (seen, both, done)
    ]
    assert gap[0] > gap[1] + 0.05 > gap[2] + 0.1


def test_the_replay_buffer_holds_the_rows_of_the_log() -> None:
    source = source_of(ICE, frozenset({"log"}), "intervene", 64)
    policy: Any = make_agent("pretrained-dqn", replay="both", envs=4).learn(source, 0)
    buffer = policy.algorithm.replay_buffer
    count = len(source.log) // 4
    assert (buffer.rewards[:count].ravel() == np.float32(source.log["reward"][: 4 * count])).all()
    assert (buffer.actions[:count].ravel() == source.log["action"][: 4 * count]).all()
    assert buffer.pos == count + 64 // 4


@pytest.mark.parametrize("name", BEGUN)
def test_who_begins_with_a_log_refuses_to_begin_without(name: str) -> None:
    source = Practice(lambda count: pytest.fail("it acts"), 100, 1.0)
    assert "needs a log" in refused(
        lambda: make_agent(name).learn(source, np.random.default_rng(0))
    )


def play(policy: MemoryPolicy, seen: list[Array]) -> Array:
    """The share of action 1 of 4,000 episodes after some observations."""
    player = policy.play(4_000, np.random.default_rng(0))
    for observation in seen:
        chosen = player(np.full(4_000, observation), np.zeros(4_000))
    return np.asarray(chosen.mean())


def test_a_recurrent_actor_remembers_the_episode_and_no_other() -> None:
    policy = learn("recurrent-ppo", DelusionBox(), "intervene", rows=600)
    assert isinstance(policy, RecurrentPolicy)
    first, after = play(policy, [1]), play(policy, [3, 3, 3, 1])  # type: ignore[list-item]
    assert first == play(policy, [1])  # type: ignore[list-item]
    assert first == pytest.approx(policy.probabilities(np.array([1]))[0, 1], abs=0.03)
    law = policy._step(np.array([1]), policy._step(np.array([3]), policy._start(1))[1])[0]
    assert not np.array_equal(law, policy.probabilities(np.array([1])))
    assert 0 < after < 1


@pytest.mark.parametrize(("world", "known"), [("CoinEnd-v0", 0.99), ("ConfoundedRiver-v0", 0.9)])
def test_what_follows_is_discounted_also_where_the_task_discounts_nothing(
    world: str, known: float
) -> None:
    for name in ("ppo", "dqn"):
        policy: Any = learn(name, make_model(world), "intervene", rows=300, **few(name))
        assert policy.algorithm.gamma == known


def test_a_random_search_steadies_what_runs_away_where_gradients_are_lost() -> None:
    """The clone of the log costs 80, the best gain 18, and random pushes 4 million."""
    world = make_model("CorrelatedNoiseLQ-v0")
    assert (
        policy_value(world, learn("ars", world, "intervene", rows=20_000, standardise=False)).value
        > -30
    )


def test_a_random_search_counts_also_the_steps_of_those_who_wait_for_the_last() -> None:
    car = make_model("CopycatCar-v0")
    search = learn("ars", car, "intervene", rows=1, envs=3, top=1, directions=1, hidden=4).algorithm  # type: ignore[attr-defined]
    assert search.num_timesteps == search.env.steps
    batch = BatchedVecEnv(CausalVectorEnv(car, 3))
    batch.seed(0)
    played = Played(batch, 0.5)
    played.reset()
    lasting = [played.step(np.full(3, 2))[1].tolist() for _ in range(3)]
    assert lasting == [[-1.0] * 3, [-0.5] * 3, [-0.25] * 3]
    assert played.steps == 9


def test_a_random_search_discounts_as_the_task_does() -> None:
    """The best of the river without a discount is the confused policy."""
    river = make_model("ConfoundedRiver-v0")
    assert regret(river, learn("ars", river, "intervene", rows=40_000, envs=8, rate=0.1)) < 0.1


def test_a_random_search_acts_on_numbers_as_it_standardised_them_and_counts_its_steps() -> None:
    policy = learn("ars", AIRLINE, "intervene", rows=960, envs=4, top=2, directions=3)
    search = policy.algorithm  # type: ignore[attr-defined]
    assert (search.num_timesteps, search._n_updates) == (
        960,
        40,
    )  # of 6 candidates in 4 environments
    rows = np.random.default_rng(0).normal([5.0, 3.0], [2.0, 1.0], (50, 2)).astype(np.float32)
    weights = search.policy.action_net[0].weight.detach().numpy()
    seen = search.get_vec_normalize_env().normalize_obs(rows) @ weights.T
    assert search.predict(rows)[0] == pytest.approx(seen.clip(-1, 1), abs=1e-5)
    assert np.ptp(seen) > 0.01


def test_numbers_are_seen_by_the_averages_of_training_which_acting_does_not_change() -> None:
    features = Features(observation_space(AIRLINE))
    rows = torch.as_tensor(
        np.random.default_rng(0).normal([50.0, -3.0], [20.0, 0.1], (4_000, 2))
    ).float()
    seen = features(rows)
    assert seen.mean(0).numpy() == pytest.approx(np.zeros(2), abs=1e-4)
    assert seen.std(0).numpy() == pytest.approx(np.ones(2), abs=0.01)
    features.eval()
    features(rows + 100.0)
    assert torch.equal(features(rows), seen)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("ppo:rollout=0", "ppo: rollout must be at least 1"),
        ("a2c:envs=0", "a2c: envs must be at least 1"),
        ("qr-dqn:quantiles=0", "qr-dqn: quantiles must be at least 1"),
        ("ppo:discount=2", "ppo: discount must be in [0, 1]"),
        ("dqn:discount=-1", "dqn: discount must be in [0, 1]"),
        ("ars:spread=0", "ars: rate and spread must be positive and hidden at least 0"),
        ("ars:top=5", "ars: top must be at most 4, the number of directions"),
        ("sac:rate=0", "sac: rate must be positive"),
        ("sac:random=1", "sac: random must be in [0, 1)"),
        ("td3:noise=-1", "td3: random must be in [0, 1), and noise and decay at least 0"),
        ("pretrained-dqn:epsilon=2", "pretrained-dqn: epsilon must be in [0.05, 1]"),
        ("pretrained-dqn:replay=log", "pretrained-dqn: replay must be practice or both"),
        ("pretrained-dqn:head=none", "pretrained-dqn: head must be kept or fresh, and is none"),
        ("pretrained-ppo:updates=0", "pretrained-ppo: updates must be at least 1"),
    ],
)
def test_settings_out_of_range_are_refused(text: str, line: str) -> None:
    assert line in refused(lambda: make_agent(text))


@pytest.mark.parametrize("name", ONLINE)
def test_actions_of_the_other_kind_are_refused(name: str) -> None:
    kind = ONLINE[name]
    if not kind.counts_actions:
        assert "needs actions that are numbers" in refused(
            lambda: learn(name, ICE, "intervene", 100)
        )
    elif not kind.acts_in_a_box:
        assert "these are Box" in refused(
            lambda: learn(name, AIRLINE, "intervene", 100, **few(name))
        )


def test_practice_leaves_no_folder_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    run = Run("IceCreamShorts-v0", "ppo:envs=2,hidden=4", "intervene", 64, 0)
    assert [row["status"] for row in run.rows()].count("failed") == 0
    assert not list(tmp_path.glob("SB3-*"))

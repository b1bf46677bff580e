"""Agents that practise with all seeds at once."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from batched_agents import GAUGE, RELAY
from learning import learn, regret, source_of
from refusals import refused
from stable_baselines3.common.buffers import RolloutBuffer
from tensordict import TensorDict
from tensordict.nn import TensorDictModule
from torch import nn
from torchrl.modules import ProbabilisticActor
from torchrl.objectives import ClipPPOLoss

from dosuite.agents import Policy, make_agent
from dosuite.agents.online.ppo_lanes import Acted, advantages, clipped_loss, entropy
from dosuite.agents.saving import _packed
from dosuite.causal import World
from dosuite.envs import make_model, observation_space
from dosuite.envs.spaces import action_space
from dosuite.eval import Run
from dosuite.eval.runs.practice import PracticeUnits
from dosuite.eval.runs.run import outcomes

torch.set_num_threads(1)
ICE = make_model("IceCreamShorts-v0")
LOGGED: dict[str, Any] = {"start": "log", "updates": 5}
ARMS: list[tuple[str, dict[str, Any]]] = [
    ("dqn-lanes", {}),
    ("dqn-lanes", {**LOGGED, "epsilon": 0.2}),
    ("dqn-lanes", {**LOGGED, "replay": "both"}),
    ("dqn-lanes", {**LOGGED, "replay": "both", "labels": True, "head": "fresh"}),
    ("ppo-lanes", {}),
    ("ppo-lanes", LOGGED),
]
every_arm = pytest.mark.parametrize(("name", "settings"), ARMS, ids=str)
LANES = ("dqn-lanes", "ppo-lanes")


def weights(policy: Any) -> bytes:
    assert isinstance(policy, Policy), policy
    return repr(_packed(policy)).encode()


def small(name: str, **settings: Any) -> Any:
    more = {"gradients": 2} if name == "dqn-lanes" else {"rollout": 4}
    return make_agent(name, **{"envs": 4, "batch": 8, "hidden": 8, **more, **settings})


def practices(model: World, seeds: int, steps: int = 40) -> list[Any]:
    """Sources of several seeds, which differ in their units and their logs."""
    runs = [_run(model, seed, steps) for seed in range(seeds)]
    return [
        replace(source_of(model, frozenset({"log"}), "intervene", steps), make=make)
        for make in runs
    ]


def _run(model: World, seed: int, steps: int) -> Any:
    return PracticeUnits(model, 100 * seed, steps, rounds_up=True)


@every_arm
@pytest.mark.parametrize("model", [RELAY, GAUGE], ids=["relay", "gauge"])
def test_each_seed_learns_what_it_learns_alone(
    model: World, name: str, settings: dict[str, Any]
) -> None:
    agent = small(name, **settings)
    rngs = [np.random.default_rng(seed) for seed in range(3)]
    together = agent.learn_all(practices(model, 3), rngs)
    for seed in range(3):
        alone = agent.learn(practices(model, 3)[seed], np.random.default_rng(seed))
        assert weights(together[seed]) == weights(alone)
    assert weights(together[0]) != weights(together[1])


@pytest.mark.parametrize("name", LANES)
def test_who_acts_learns_what_acting_does(name: str) -> None:
    assert regret(ICE, learn(name, ICE, "intervene", rows=4_000, envs=16)) < 0.1


def test_a_practice_of_64_steps_is_learned_from() -> None:
    agent: dict[str, Any] = {"envs": 4, "gradients": 20, "rate": 0.01}
    assert regret(ICE, learn("dqn-lanes", ICE, "intervene", rows=64, **agent)) < 0.1


def gap(**settings: Any) -> float:
    """Q(1) - Q(0) after 1,000 rows of a log and 1,000 steps of practice with random actions."""
    policy = learn(
        "dqn-lanes",
        ICE,
        "intervene",
        1_000,
        start="log",
        rate=0.01,
        epsilon=1.0,
        updates=100,
        **settings,
    )
    values = policy.action_values(np.zeros(1, dtype=np.int64))
    assert values is not None
    return float(np.diff(values)[0, 0])


def test_the_log_confounds_what_is_replayed_with_it_unless_its_rows_are_labelled() -> None:
    practised, both = gap(), gap(replay="both")
    labelled = gap(replay="both", labels=True)
    assert practised < 0 < both - 0.05
    assert labelled < 0


def test_an_empty_log_is_a_fresh_start() -> None:
    (source,) = practices(RELAY, 1)
    empty = replace(source, log=source.log.at(slice(0)))
    fresh = small("dqn-lanes").learn(practices(RELAY, 1)[0], 0)
    assert weights(small("dqn-lanes", **LOGGED).learn(empty, 0)) == weights(fresh)


@pytest.mark.parametrize("name", LANES)
def test_runs_of_several_seeds_are_those_of_one_by_one(name: str) -> None:
    text = f"{name}:envs=4,batch=8,start=log,updates=3"
    runs = [Run("ConfoundedRiver-v0", text, "intervene", 90, seed) for seed in range(2)]
    assert runs[0].joined
    for run, outcome in zip(runs, outcomes(runs), strict=True):
        assert repr(outcome.rows) == repr(run.rows())
        assert "practised" in outcome.rows[0]["note"]


def test_agents_of_stable_baselines3_practise_one_by_one() -> None:
    for name in ("dqn", "ppo"):
        assert not Run("IceCreamShorts-v0", name, "intervene", 9, 0).joined


# The losses of others.


def acted(seeds: int, rows: int, rng: np.random.Generator) -> tuple[torch.Tensor, Acted]:
    logits = torch.as_tensor(rng.normal(size=(seeds, rows, 3))).float()
    action = torch.as_tensor(rng.integers(3, size=(seeds, rows)))
    numbers = torch.as_tensor(rng.normal(size=(3, seeds, rows))).float()
    old = numbers[0].abs().neg()
    return logits, Acted(logits, action, old, numbers[1], numbers[2])


def test_the_loss_of_ppo_is_torchrls() -> None:
    logits, batch = acted(2, 40, np.random.default_rng(0))
    ours, bonus = clipped_loss(logits, batch), entropy(logits)
    for seed in range(2):
        module = TensorDictModule(nn.Identity(), ["observation"], ["logits"])
        law = torch.distributions.Categorical
        actor = ProbabilisticActor(module, in_keys=["logits"], distribution_class=law)
        critic = TensorDictModule(nn.Linear(3, 1), ["observation"], ["state_value"])
        theirs = ClipPPOLoss(actor, critic, normalize_advantage=True, clip_epsilon=0.2)
        found = theirs(
            TensorDict(
                {
                    "observation": logits[seed],
                    "action": batch.action[seed],
                    "action_log_prob": batch.log_probability[seed],
                    "advantage": batch.advantage[seed][:, None],
                    "value_target": batch.returns[seed][:, None],
                },
                [40],
            )
        )
        assert ours[seed].item() == pytest.approx(found["loss_objective"].item(), rel=1e-5)
        assert bonus[seed].item() == pytest.approx(found["entropy"].item(), rel=1e-5)


def test_advantages_are_those_of_stable_baselines3() -> None:
    rng = np.random.default_rng(0)
    rewards, ended = rng.normal(size=(7, 5)), rng.random((8, 5)) < 0.3
    values = rng.normal(size=(8, 5))
    buffer = RolloutBuffer(
        7,
        observation_space(ICE),
        action_space(ICE),
        "cpu",
        gae_lambda=0.95,
        gamma=0.9,
        n_envs=5,
    )
    buffer.rewards, buffer.values = rewards.copy(), values[:-1].copy()
    buffer.episode_starts = np.concatenate([np.zeros((1, 5)), ended[:6]]).astype(float)
    buffer.compute_returns_and_advantage(torch.as_tensor(values[-1]), ended[6])
    found = advantages(rewards, values, ended[:7], 0.9)
    assert found == pytest.approx(buffer.advantages, abs=1e-5)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("dqn-lanes:start=warm", "dqn-lanes: start must be fresh or log, and is warm"),
        ("dqn-lanes:replay=both", "dqn-lanes: replay, labels and head are of a log; set start=log"),
        ("dqn-lanes:epsilon=0", "dqn-lanes: epsilon must be in [0.05, 1], and is 0.0"),
        ("ppo-lanes:batch=1", "ppo-lanes: batch must be at least 2, and is 1"),
        ("ppo-lanes:depth=0", "ppo-lanes: depth must be at least 1, and is 0"),
    ],
)
def test_settings_out_of_range_are_refused(text: str, line: str) -> None:
    assert refused(lambda: make_agent(text)) == line


@pytest.mark.parametrize("name", LANES)
def test_a_start_from_a_log_needs_one(name: str) -> None:
    agent = small(name, start="log")
    assert agent.needs == {"log"}
    (source,) = practices(RELAY, 1)
    assert "needs a log" in refused(lambda: agent.learn(replace(source, log=None), 0))


@pytest.mark.parametrize("name", ["dqn-lanes", "dqn-lanes:start=log", "ppo-lanes"])
def test_images_are_learned_from_and_the_policy_is_the_network_that_was_trained(name: str) -> None:
    row = Run("IceCreamShorts-Thermo-v0:observation=digits", name, "intervene", 4_000, 0).rows()[0]
    assert row["status"] == "ok"
    assert row["value"] > 0.42  # the best is worth 0.475, and either action at random 0.375

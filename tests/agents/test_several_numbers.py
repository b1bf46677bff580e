"""Agents that act with several numbers."""

import numpy as np
import pytest
from gymnasium import spaces
from refusals import refused

from dosuite.agents import load_policy, make_agent, save_policy
from dosuite.causal import Array
from dosuite.envs import Log

TARGET = np.array([[0.5, -0.2], [0.1, 0.4], [0.0, 0.3]])  # the best action is observation @ TARGET


def bandit(rows: int, noise: float) -> Log:
    """One step each: observations (n, 3), actions (n, 2) around the best, the negative distance."""
    rng = np.random.default_rng(0)
    observation = rng.uniform(-1, 1, (rows, 3)).astype(np.float32)
    best = observation @ TARGET
    action = best + noise * rng.standard_normal((rows, 2)) + 0.3
    columns = {
        "episode": np.arange(rows),
        "step": np.zeros(rows, dtype=int),
        "observation": observation,
        "action": action,
        "reward": -np.square(action - best).sum(1),
        "next_observation": observation,
        "terminated": np.ones(rows, dtype=bool),
        "truncated": np.zeros(rows, dtype=bool),
    }
    boxes = spaces.Box(-1, 1, (3,)), spaces.Box(-1, np.array([1, 2], np.float32), dtype=np.float32)
    return Log(columns, (), *boxes, horizon=1, discount=1.0)


def misses(policy_text: str, log: Log) -> Array:
    """How far the actions are from the best ones, on average: (2,)."""
    policy = make_agent(policy_text).learn(log, 0)
    observations = log["observation"][:200]
    actions = policy.act(observations, np.random.default_rng(0))
    assert actions.shape == (200, 2)
    return np.asarray((actions - observations @ TARGET).mean(0))


def test_a_clone_takes_the_mean_and_td3_bc_what_is_better() -> None:
    log = bandit(1000, 0.3)
    assert misses("bc:updates=200,batch=64,rate=0.01", log) == pytest.approx([0.3, 0.3], abs=0.1)
    better = misses("td3-bc:updates=400,batch=64,alpha=10,rate=0.01", log)
    assert np.abs(better).max() < 0.2


def test_a_policy_of_several_numbers_is_kept(tmp_path) -> None:  # type: ignore[no-untyped-def]
    log = bandit(100, 0.3)
    for text in ("bc:updates=5", "td3-bc:updates=5"):
        policy = make_agent(text).learn(log, 0)
        save_policy(policy, tmp_path / "policy.npz")
        kept = load_policy(tmp_path / "policy.npz")
        rng = np.random.default_rng(0)
        assert np.array_equal(
            policy.act(log["observation"], rng), kept.act(log["observation"], rng)
        )


def test_other_agents_refuse_them() -> None:
    for name in ("decision-transformer", "lagged-iv", "cql"):
        message = refused(lambda name=name: make_agent(name).learn(bandit(50, 0.1), 0))  # type: ignore[misc]
        assert "several" in message or "counted" in message, message

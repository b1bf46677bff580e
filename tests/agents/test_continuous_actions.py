"""Agents whose actions are numbers."""

import numpy as np
import pytest
from learning import few, learn
from refusals import refused

from dosuite.agents import (
    ContinuousPolicy,
    Policy,
    agent_classes,
)
from dosuite.causal import (
    Array,
    NotDiscreteError,
)
from dosuite.envs import make_model
from dosuite.envs.worlds.airline import season
from dosuite.eval.runs.policy_value import policy_value
from dosuite.eval.runs.reference_values import references

AIRLINE = make_model("AirlinePricing-v0")


# Actions that are numbers.


BOXES = [name for name, kind in agent_classes().items() if kind.acts_in_a_box]


def act(policy: Policy, seed: int = 0) -> Array:
    """Prices for 500 times and customers."""
    rng = np.random.default_rng(1)
    shown = np.stack([rng.uniform(0, 10, 500), rng.integers(1, 8, 500)], axis=1).astype(np.float32)
    return policy.act(shown, np.random.default_rng(seed))


@pytest.mark.parametrize("name", BOXES)
def test_agents_in_a_box_act_within_the_bounds_and_alike_with_equal_generators(name: str) -> None:
    regime = agent_classes()[name].learns[0]
    one, two, other = (learn(name, AIRLINE, regime, 600, seed, **few(name)) for seed in (0, 0, 1))
    assert isinstance(one, ContinuousPolicy)
    assert act(one).shape == (500,)
    assert ((act(one) >= 10) & (act(one) <= 30)).all()
    assert np.array_equal(act(one), act(two))
    assert name == "lagged-iv" or not np.array_equal(
        act(one), act(other)
    )  # a regression draws nothing
    with pytest.raises(NotDiscreteError):
        one.probabilities(np.zeros((3, 2), np.float32))


@pytest.mark.parametrize(
    ("name", "regime"),
    [("naive", "observe"), ("back-door", "observe"), ("dqn", "observe"), ("dqn", "intervene")],
)
def test_who_counts_actions_refuses_numbers(name: str, regime: str) -> None:
    assert name not in BOXES
    line = refused(lambda: learn(name, AIRLINE, regime, 600))
    assert "these are Box" in line or "discrete" in line


def test_a_clone_in_a_box_asks_what_was_asked_at_that_time() -> None:
    policy = learn("bc", AIRLINE, rows=5_000, updates=600)
    time = np.append(
        np.linspace(1.0, 4.0, 20), np.linspace(6.0, 9.0, 20)
    )  # the price of the holiday between is steep
    asked = policy.act(
        np.stack([time, np.full(40, 4.0)], axis=1).astype(np.float32), np.random.default_rng(0)
    )
    assert asked == pytest.approx(np.maximum(10.0, 25.0 + 3.0 * season(time)), abs=1.5)


def test_a_clone_of_a_trembling_expert_is_too_weak() -> None:
    model = make_model("CorrelatedNoiseLQ-v0")
    policy = learn("bc", model, rows=20_000, updates=600)
    state = np.random.default_rng(0).normal(0.0, 0.5, (400, 2)).astype(np.float32)
    pushed = policy.act(state, np.random.default_rng(0))
    expert, clone = (
        abs(pushed - state @ gain).mean()
        for gain in (model.expert, model.regressed_gain())  # type: ignore[attr-defined]
    )
    assert 3 * clone < expert


def test_ppo_earns_more_than_prices_at_random() -> None:
    policy = learn("ppo", AIRLINE, "intervene", 8_000)
    assert policy_value(AIRLINE, policy).value > references(AIRLINE, AIRLINE)["j_uniform"] + 0.1

"""Practice: its units are new at each call and not those of the evaluation; its budget holds."""

import numpy as np
import pytest

from dosuite.causal import InputError
from dosuite.envs import CausalVectorEnv, make_model
from dosuite.eval.runs.policy_value import EvaluationEnv
from dosuite.eval.runs.practice import PracticeUnits
from dosuite.eval.runs.run import Run

RIVER = make_model("ConfoundedRiver-v0")
PRICES = make_model("AirlinePricing-v0")


def first(env: CausalVectorEnv) -> np.ndarray:
    return np.asarray(env.step(np.full(env.num_envs, 20.0))[1])


def test_no_seed_reaches_the_units_of_the_evaluation() -> None:
    held_out = EvaluationEnv(PRICES, 200, paired=True)
    held_out.reset(seed=0)
    rewards = first(held_out)
    for seed in (0, 2**62, 2**63, 2**64 - 1):
        env = CausalVectorEnv(PRICES, 200, paired=True)
        env.reset(seed=seed)
        assert not np.isin(first(env), rewards).any()


def test_the_first_call_is_as_before_and_later_ones_are_new() -> None:
    make = PracticeUnits(PRICES, 5, 10_000, rounds_up=False)
    env = CausalVectorEnv(PRICES, 50)
    env.reset(seed=5)
    rewards, again = first(make(50)), first(make(50))
    assert (rewards == first(env)).all()
    assert not np.isin(again, rewards).any()


def test_a_seed_does_not_bring_units_back() -> None:
    env = PracticeUnits(PRICES, 5, 10_000, rounds_up=False)(50)
    env.reset(seed=3)
    rewards = first(env)
    env.reset(seed=3)
    assert not np.isin(first(env), rewards).any()


def test_steps_beyond_the_budget_are_refused() -> None:
    make = PracticeUnits(RIVER, 0, 20, rounds_up=False)
    env, other = make(8), make(8)
    for batch in (env, other, env):  # the last batch may be the one that passes the budget
        batch.step(np.zeros(8, dtype=int))
    with pytest.raises(InputError, match="the practice of 20 steps is over"):
        other.step(np.zeros(8, dtype=int))


def test_an_agent_that_finishes_its_rollout_says_so() -> None:
    rows = Run("IceCreamShorts-v0", "ppo", "intervene", 20, 0).rows()
    assert rows[0]["status"] == "ok"
    assert "steps for a budget of 20" in rows[0]["note"]

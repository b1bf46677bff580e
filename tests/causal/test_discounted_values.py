"""A discounted value is the discounted sum of what each step earns, in every representation."""

from dataclasses import replace

import numpy as np
import pytest

from dosuite.causal import uniform_policy
from dosuite.causal.exact.markov_chain import Chain
from dosuite.causal.exact.sparse_chain import SparseChain
from dosuite.envs import make_model

HORIZON, DISCOUNT = 6, 0.5
RIVER = replace(make_model("ConfoundedRiver-v0"), horizon=HORIZON, discount=DISCOUNT)
CONTEXTS, ACTIONS = uniform_policy(RIVER).shape
POLICIES = np.random.default_rng(0).dirichlet([1] * ACTIONS, size=(3, CONTEXTS))


def discounted_sum() -> np.ndarray:
    """From the undiscounted values of shorter rivers, whose differences are what a step earns."""
    rivers = [replace(RIVER, horizon=steps, discount=1.0) for steps in range(1, HORIZON + 1)]
    totals = np.array([Chain(river, True).values(POLICIES) for river in rivers])
    earned = np.diff(totals, axis=0, prepend=0.0)
    return np.asarray(DISCOUNT ** np.arange(HORIZON) @ earned)


@pytest.mark.parametrize("small", [0, 10**6], ids=["step by step", "by doubling"])
def test_tables_discount_each_step_once(small: int, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = discounted_sum()
    monkeypatch.setattr("dosuite.causal.exact.markov_chain.SMALL", small)
    assert Chain(RIVER, True).values(POLICIES) == pytest.approx(expected, abs=1e-12)


def test_rows_discount_each_step_once() -> None:
    assert SparseChain(RIVER, True).values(POLICIES) == pytest.approx(discounted_sum(), abs=1e-12)


def test_a_process_discounts_each_step_once() -> None:
    process = Chain(replace(RIVER, discount=1.0), True).process(uniform_policy(RIVER))
    steps = [replace(process, horizon=h).value(POLICIES[0]) for h in range(1, HORIZON + 1)]
    earned = np.diff(steps, prepend=0.0)
    assert replace(process, discount=DISCOUNT).value(POLICIES[0]) == pytest.approx(
        DISCOUNT ** np.arange(HORIZON) @ earned, abs=1e-12
    )

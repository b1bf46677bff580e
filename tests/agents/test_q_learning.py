"""Q-learning: equal values are chosen equally often; the last observation is the episode's own."""

import numpy as np
import pytest
from learning import learn

from dosuite.agents.tabular.q_learning import QTable
from dosuite.causal import Array, Bernoulli, Exactly, World, action, context, reward


class Step(World):
    """A step to place 0 or 1; a reward of 1 in place 1. Episodes begin in place 0."""

    horizon: int = 2
    discount: float = 0.5

    @context.starting(Exactly(0))
    def place(self, go_tm1: Array) -> Exactly:
        return Exactly(go_tm1)

    @action
    def go(self) -> Bernoulli:
        return Bernoulli(0.5)

    @reward
    def pay(self, place: Array) -> Exactly:
        return Exactly(place)


def test_equal_values_are_chosen_equally_often() -> None:
    table = QTable(1, 3, 0.6)
    table.values[0] = 1.0, 0.0, 1.0
    chosen = table.best(np.zeros(3000, dtype=np.int64), np.random.default_rng(0))
    assert np.bincount(chosen) / 3000 == pytest.approx([0.5, 0.0, 0.5], abs=0.04)


def test_at_the_horizon_it_goes_on_from_the_last_observation() -> None:
    """From place 1 one earns 1 + 0.5 + ... = 2, and from place 0 half of that."""
    policy = learn("q-learning", Step(), "intervene", 50_000)
    values = policy.action_values(np.arange(2))
    assert values is not None
    assert values == pytest.approx(np.array([[0.5, 1.0], [1.5, 2.0]]), abs=0.05)

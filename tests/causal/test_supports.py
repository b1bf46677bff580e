"""The supports of variables: the values that exact answers and look-ups range over."""

import numpy as np
import pytest

from dosuite.causal import (
    Array,
    Bernoulli,
    Categorical,
    Exactly,
    InputError,
    Normal,
    NotDiscreteError,
    World,
    action,
    context,
    latent,
    reward,
    terminal,
)
from dosuite.causal.model.sampling_laws import below
from dosuite.causal.model.tables import shared


class Ladder(World):
    """Climb one rung at each step; only even rungs are logged at the first step."""

    horizon: int = 4

    @context.starting(Categorical(np.array([0.5, 0.5]), np.array([0, 2])))
    def rung(self, rung_tm1: Array, climb_tm1: Array) -> Exactly:
        return Exactly(rung_tm1 + climb_tm1)

    @action
    def climb(self, rung: Array) -> Bernoulli:
        return Bernoulli(np.where(rung < 9, 0.5, 0.0))

    @reward
    def view(self, rung: Array) -> Exactly:
        return Exactly(0.1 * rung)


def test_a_support_holds_the_values_of_all_steps() -> None:
    # The first rungs are 0 and 2; four steps later the highest observation is 6.
    assert Ladder().tables.support("rung").tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert Ladder(horizon=1).tables.support("rung").tolist() == [0, 1, 2, 3]


def test_an_intervention_takes_no_value_from_observations_and_actions() -> None:
    held = Ladder().do(climb=0)
    assert held.tables.support("climb").tolist() == [0, 1]
    assert set(Ladder().tables.support("rung")) <= set(held.tables.support("rung"))


def test_values_that_differ_by_rounding_are_one() -> None:
    support = Ladder(horizon=6).tables.support("view")
    assert len(support) == len(Ladder(horizon=6).tables.support("rung"))
    assert 0.3 in support


def test_equal_models_share_tables() -> None:
    assert Ladder().tables is Ladder().tables
    assert Ladder().tables is shared(Ladder())
    assert Ladder().tables is not Ladder(horizon=2).tables


def test_a_continuous_cause_has_no_support_and_its_effects_are_not_looked_up() -> None:
    class Weather(World):
        @latent
        def heat(self) -> Normal:
            return Normal(0.0, 1.0)

        @action
        def sell(self) -> Bernoulli:
            return Bernoulli(0.5)

        @reward
        def pay(self, heat: Array, sell: Array) -> Exactly:
            return Exactly(heat * sell)

    for name in ("heat", "pay"):
        with pytest.raises(NotDiscreteError, match=r"Weather\.heat is continuous"):
            Weather().tables.support(name)
    assert ("pay", True) not in Weather().tables.sampling.lookups


def test_a_terminal_must_be_zero_or_one() -> None:
    with pytest.raises(InputError, match=r"Tower\.fell must be 0 or 1, and takes \[0, 1, 2\]"):

        class Tower(Ladder):
            @terminal
            def fell(self) -> Categorical:
                return Categorical(np.full(3, 1 / 3))


@pytest.mark.parametrize(
    ("values", "expected"),
    [([0, 1, 2], True), ([0, 3], False), ([-1, 0], False), ([], True)],
)
@pytest.mark.parametrize("dtype", [np.int64, np.int8])
def test_below_is_true_of_indices_alone(values: list[int], expected: bool, dtype: type) -> None:
    assert below(np.array(values, dtype=dtype), 3) is expected


def test_numbers_that_are_not_integers_are_not_indices() -> None:
    assert not below(np.array([0.0, 1.0]), 3)


@pytest.mark.parametrize("number", [float("inf"), 10**400])
def test_an_intervention_is_a_finite_number(number: float) -> None:
    with pytest.raises(InputError, match="do takes a number"):
        Ladder().do(climb=number)

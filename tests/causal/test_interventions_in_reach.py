"""An intervention gives a variable only values that the variable can take."""

from collections.abc import Callable

import numpy as np
import pytest

from dosuite.causal import (
    Array,
    Bernoulli,
    Categorical,
    Distribution,
    Exactly,
    InputError,
    Normal,
    Uniform,
    World,
    action,
    expectation,
    latent,
    reward,
)
from dosuite.envs import make_model
from dosuite.envs.worlds.airline import AirlinePricing
from dosuite.envs.worlds.ice_cream import IceCreamShorts
from dosuite.envs.worlds.river import ConfoundedRiver

ICE = IceCreamShorts()
PRICING = AirlinePricing()


def above(heat: Array) -> Distribution:
    return Exactly(heat + 1)


REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "a number above": (
        lambda: ICE.do(ice_cream=5),
        "IceCreamShorts.ice_cream cannot be 5: its values are 0, 1",
    ),
    "a number below": (lambda: ICE.do(ice_cream=-1), "cannot be -1"),
    "a number between": (lambda: ICE.do(shorts=0.5), "IceCreamShorts.shorts cannot be 0.5"),
    "a latent": (lambda: ICE.do(heat=2), "IceCreamShorts.heat cannot be 2"),
    "a context": (
        lambda: ConfoundedRiver().do(cell=99),
        "ConfoundedRiver.cell cannot be 99: its values are 0, 1, 2, 3, 4",
    ),
    "a distribution": (
        lambda: ICE.do(ice_cream=Categorical(np.full(3, 1 / 3))),
        "IceCreamShorts.ice_cream cannot be 2",
    ),
    "a continuous distribution": (
        lambda: ICE.do(ice_cream=Normal(0.0, 1.0)),
        "IceCreamShorts.ice_cream cannot follow a Normal law: its values are 0, 1",
    ),
    "a function": (lambda: ICE.do(ice_cream=above), "IceCreamShorts.ice_cream cannot be 2"),
    "an intent": (lambda: ICE.with_intent().do(intent=2), "IceCreamShorts.intent cannot be 2"),
    "a behaviour policy": (lambda: ICE.with_behaviour(above), "ice_cream cannot be 2"),
    "a continuous action": (
        lambda: PRICING.do(price=5),
        "AirlinePricing.price cannot be 5: its action_bounds are [10, 30]",
    ),
    "an interval": (lambda: PRICING.do(price=Uniform(10, 40)), "price cannot be 40"),
    "a count in a continuous model": (
        lambda: PRICING.do(customer=9),
        "AirlinePricing.customer cannot be 9: its values are 0, 1, 2",
    ),
}


@pytest.mark.parametrize(("request_", "text"), REFUSED.values(), ids=REFUSED)
def test_what_a_variable_cannot_be_is_refused_in_one_line(
    request_: Callable[[], object], text: str
) -> None:
    with pytest.raises(InputError) as refused:
        request_()
    assert text in str(refused.value)
    assert "\n" not in str(refused.value)


class Shelf(World):
    """The log has places 0 and 2; place 1 can be chosen all the same."""

    @latent
    def stock(self) -> Exactly:
        return Exactly(0)

    @action
    def place(self) -> Categorical:
        return Categorical(np.array([0.5, 0.5]), np.array([0, 2]))

    @reward
    def sold(self, place: Array, stock: Array) -> Exactly:
        return Exactly(place + 10 * stock)


def test_a_count_that_the_log_never_contains_can_be_done() -> None:
    assert expectation(Shelf().do(place=1), "sold") == 1.0
    with pytest.raises(InputError, match=r"Shelf\.place cannot be 3: its values are 0, 1, 2"):
        Shelf().do(place=3)


def test_a_reward_may_be_any_number_and_a_latent_may_follow_a_function_of_its_own() -> None:
    assert expectation(Shelf().do(sold=2 / 3), "sold") == 2 / 3
    assert expectation(Shelf().do(stock=lambda place: Exactly(1 * place)), "sold") == 11.0
    with pytest.raises(InputError, match=r"Shelf\.stock cannot be 1"):
        Shelf().do(stock=1)


def test_bounds_are_part_of_what_can_be_done() -> None:
    for price in (10, 30, Uniform(10.0, 30.0), Normal(20.0, 1.0)):
        assert PRICING.do(price=price).edits


def test_an_edit_of_a_random_function_is_refused() -> None:
    rng = np.random.default_rng(0)
    for law in (
        lambda: Bernoulli(rng.random()),
        lambda heat: Bernoulli(rng.random(len(heat))),
    ):
        with pytest.raises(InputError, match=r"IceCreamShorts\.shorts gives another law"):
            ICE.do(shorts=law)


@pytest.mark.parametrize("name", ["DelusionBox-v0", "CopycatCar-v0", "MonsterShield-v0"])
def test_shifts_that_give_a_latent_new_values_are_taken(name: str) -> None:
    world = make_model(name)
    for shift in world.shifts():
        assert world.shifted(shift) != world

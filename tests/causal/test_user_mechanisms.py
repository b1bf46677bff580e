"""A mechanism that is not a function of its parameters is found when the class is made."""

import math
from typing import Any

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
    World,
    action,
    latent,
    logged,
    reward,
)
from dosuite.envs.worlds.ice_cream import IceCreamShorts

RNG = np.random.default_rng(0)


class Shop(World):
    @latent
    def weather(self) -> Bernoulli:
        return Bernoulli(0.5)

    @action
    def price(self) -> Bernoulli:
        return Bernoulli(0.5)

    @logged
    def sold(self, weather: Array) -> Distribution:
        return Bernoulli(0.5 * weather)

    @reward
    def income(self, price: Array, sold: Array) -> Exactly:
        return Exactly(price * sold)


class ContinuousShop(Shop):
    @latent
    def mood(self) -> Normal:
        return Normal(0.0, 1.0)

    @latent
    def weather(self, mood: Array) -> Exactly:
        return Exactly(mood)


def branching(self: Any, weather: Array) -> Distribution:
    return Bernoulli(0.5) if weather > 0 else Bernoulli(0.2)


def mutating(self: Any, weather: Array) -> Distribution:
    weather *= 2
    return Exactly(weather)


RANDOM = "sold gives another law when it is called again"
BRANCH = "sold branches on an array"
FAULTS: dict[str, tuple[Any, str]] = {
    "a random probability": (lambda self: Bernoulli(RNG.random()), RANDOM),
    "random probabilities": (lambda self, weather: Bernoulli(RNG.random(len(weather))), RANDOM),
    "random values": (lambda self, weather: Exactly(RNG.random(len(weather))), RANDOM),
    "the global generator": (lambda self: Exactly(np.random.rand()), RANDOM),  # noqa: NPY002
    "a random deviation": (lambda self, weather: Normal(weather, RNG.random()), RANDOM),
    "if": (branching, BRANCH),
    "and": (lambda self, weather, price: Bernoulli(0.2 * (weather and price)), BRANCH),
    "in place": (mutating, "sold changes its parameters in place"),
    "fixed shape": (lambda self: Bernoulli(np.full(3, 0.5)), "must give one law for each of"),
    "shape of the grid": (lambda self, weather: Bernoulli(np.full(2, 0.5)), "gave laws of shape"),
    "another axis": (lambda self, weather: Exactly(weather[:, None]), "gave laws of shape"),
    "a function of numbers": (
        lambda self, weather: Bernoulli(math.exp(-abs(weather))),
        "sold raised TypeError: ",
    ),
    "a missing attribute": (
        lambda self, weather: Bernoulli(self.tax),
        "sold raised AttributeError: 'Faulty' object has no attribute 'tax'",
    ),
}


@pytest.mark.parametrize("base", [Shop, ContinuousShop])
@pytest.mark.parametrize(("method", "text"), FAULTS.values(), ids=FAULTS)
def test_a_faulty_mechanism_is_named_in_one_line(method: Any, text: str, base: type[World]) -> None:
    with pytest.raises(InputError) as refused:
        type("Faulty", (base,), {"sold": logged(method)})
    assert text in str(refused.value)
    assert "Faulty.sold" in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "probability",
    [
        lambda weather: weather.mean(),
        lambda weather: 0.3 * weather.any(),
        lambda weather: 0.3 * weather[0],
        lambda weather: 0.3 * weather[-1],
        lambda weather: np.full(len(weather), 0.5 * weather.max()),
        lambda weather: np.sort(weather) * 0.5,
    ],
)
def test_a_mechanism_that_looks_at_other_units_is_found(probability: Any) -> None:
    law = lambda self, weather: Bernoulli(probability(weather))  # noqa: E731
    with pytest.raises(InputError, match=r"Faulty\.sold gives another law"):
        type("Faulty", (Shop,), {"sold": logged(law)})


def test_a_support_may_have_the_values_of_the_units_of_a_call() -> None:
    def own_values(self: Any, weather: Array) -> Distribution:
        values = np.unique(weather)
        return Categorical((weather[:, None] == values) * 1.0, values)

    assert type("Fine", (Shop,), {"sold": logged(own_values)})().sample(3, 0)["sold"].shape == (3,)


def test_numbers_of_python_in_an_array_are_numbers() -> None:
    law = lambda self, weather: Exactly(weather.astype(object))  # noqa: E731
    model = type("Fine", (Shop,), {"sold": logged(law)})()
    assert model.sample(3, 0)["sold"].dtype == float


@pytest.mark.parametrize("base", [Shop, ContinuousShop])
def test_a_mechanism_without_a_fault_is_accepted(base: type[World]) -> None:
    cls = type("Fine", (base,), {"sold": logged(lambda self, weather: Exactly(np.abs(weather)))})
    assert cls().sample(3, 0)["sold"].shape == (3,)


def test_a_seed_is_as_good_as_its_generator() -> None:
    ice = IceCreamShorts()
    expected = ice.sample(10, np.random.default_rng(3))
    for rng in (3, np.int64(3)):
        sample = ice.sample(10, rng)  # type: ignore[arg-type]
        assert all(np.array_equal(column, sample[name]) for name, column in expected.items())
    assert ice.sample(0, 0)["pay"].shape == (0,)


@pytest.mark.parametrize("n", [1.5, -1, True, "3", None])
def test_a_number_of_units_is_a_count(n: Any) -> None:
    with pytest.raises(InputError, match="sample takes n, a whole number of at least 0"):
        IceCreamShorts().sample(n, 0)


@pytest.mark.parametrize("rng", [None, -1, 0.5, "seed", True])
def test_what_is_no_generator_is_refused(rng: Any) -> None:
    with pytest.raises(InputError, match=r"rng must be a numpy\.random\.Generator or a seed"):
        IceCreamShorts().sample(3, rng)

"""Errors in the methods of a user's world: one line that names file, line and method."""

from typing import Any

import pytest
from refusals import refused

from dosuite.causal import Bernoulli, Exactly, World, action, logged, reward, shift
from dosuite.envs.settings import typed

PRICES = {0: 1.0}


class Stall(World):
    rate: float = 0.5

    @action
    def sold(self) -> Bernoulli:
        return Bernoulli(self.rate)

    @reward
    def income(self, sold: Any) -> Exactly:
        return Exactly(sold * PRICES[int(self.rate > 1)])

    @shift
    def crowded(self) -> "Stall":
        return Stall(rate=PRICES["crowd"])  # type: ignore[index]

    def promised_value(self) -> float:
        return 1 / int(self.rate)

    def twin(self) -> None:
        raise AssertionError("not\nyet")


def test_an_error_in_a_method_names_its_place() -> None:
    place = "; see test_errors_in_worlds.py, line "
    line = refused(Stall().crowded)
    assert line.startswith("Stall.crowded raised KeyError: 'crowd'" + place)
    assert line.endswith(", in crowded")
    assert refused(lambda: Stall().shifted("crowded")) == line
    assert "Stall.promised_value raised ZeroDivisionError" in refused(Stall().promised_value)
    assert "Stall.twin raised AssertionError: not yet" + place in refused(Stall().twin)
    assert Stall().shifts() == ("crowded",)


def test_an_error_in_a_mechanism_names_its_place() -> None:
    def make() -> object:
        class Broken(Stall):
            @reward
            def income(self, sold: Any) -> Exactly:
                return Exactly(PRICES["sold"])  # type: ignore[index]

        return Broken

    line = refused(make)
    assert "Broken.income raised KeyError: 'sold'" in line
    assert "; see test_errors_in_worlds.py, line " in line
    assert line.endswith(", in income")


def test_a_setting_without_a_type_is_said() -> None:
    class Untyped(Stall):
        forecast = 0.8

    wanted = "Untyped has no setting 'forecast'; write forecast: float = 0.8 in the class"
    make: Any = Untyped
    assert wanted in refused(lambda: make(forecast=0.5))
    assert wanted in refused(lambda: typed(Untyped, {"forecast": "0.5"}))
    assert "did you mean 'rate'?" in refused(lambda: make(rat=0.5))

    def ignored() -> object:
        class Longer(Stall):
            horizon = 5

        return Longer

    assert "write horizon: int = 5" in refused(ignored)


@pytest.mark.parametrize(("role", "other"), [(reward, "action"), (action, "reward")])
def test_a_missing_role_says_what_to_add(role: Any, other: str) -> None:
    members = {"sold": role(lambda self: Bernoulli(0.5)), "rain": logged(lambda self: Exactly(0))}
    line = refused(lambda: type("Faulty", (World,), members))
    assert f"0 variables marked @{other}; add one: write @{other} above the method" in line

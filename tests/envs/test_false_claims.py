"""Claims that are false are found false."""

import re

import pytest
from claims import NUMBER, claims, comparisons_hold, holds

from dosuite.causal import (
    InputError,
    World,
)
from dosuite.envs.worlds.airline import AirlinePricing
from dosuite.envs.worlds.correlated_noise import CorrelatedNoiseLQ
from dosuite.envs.worlds.ice_cream import IceCreamShorts


def falsehoods() -> list[tuple[str, str]]:
    """The claims of IceCreamShorts, each with one number changed."""
    changed = []
    for label, claim in claims(IceCreamShorts).items():
        for number in re.finditer(NUMBER, claim):
            digits = len(number[0].partition(".")[2])
            others = (
                [float(number[0]) + 2 * sign / 10**digits for sign in (-1, 1)]
                if digits
                else [1 - int(number[0])]
            )
            changed += [
                (label, f"{claim[: number.start()]}{other:.{digits}f}{claim[number.end() :]}")
                for other in others
            ]
    return changed


@pytest.mark.parametrize(("label", "claim"), falsehoods())
def test_a_claim_with_one_number_changed_is_false(label: str, claim: str) -> None:
    assert not holds(IceCreamShorts(), label, claim)


@pytest.mark.parametrize(
    "claim",
    [
        "none needed",
        "adjust for shorts",
        "ignore shorts",
        "randomise heat",
        "the graph",
        "bounds",
        "intervention",
        "",
    ],
)
def test_a_wrong_way_out_is_false(claim: str) -> None:
    assert not holds(IceCreamShorts(), "Way out", claim)


@pytest.mark.parametrize(
    "reason",
    [
        "",
        "promised",
        "E[pay | ice_cream=1] != 0.2",
        "E[pay | ice_cream=1] > 0.2 or so",
        "promised 0.615",
    ],
)
def test_a_reason_that_is_no_comparison_does_not_hold(reason: str) -> None:
    assert not comparisons_hold(IceCreamShorts(), reason)


def test_a_claim_about_an_unknown_variable_is_an_error() -> None:
    with pytest.raises(InputError, match="did you mean 'shorts'"):
        comparisons_hold(IceCreamShorts(), "E[short | ice_cream=1] = 0.8")


@pytest.mark.parametrize(
    ("kind", "claim"),
    [
        (AirlinePricing, "the instrument sales"),
        (AirlinePricing, "the instrument time"),
        (AirlinePricing, "adjust for fuel"),
        (CorrelatedNoiseLQ, "the state 9 steps earlier"),
        (CorrelatedNoiseLQ, "the state 11 steps earlier"),
    ],
)
def test_a_wrong_instrument_is_no_way_out(kind: type[World], claim: str) -> None:
    assert not holds(kind(), "Way out", claim)

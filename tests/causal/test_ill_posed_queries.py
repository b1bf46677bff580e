"""A query that has no one meaning is refused in one line."""

from collections.abc import Callable
from typing import Any

import pytest

from dosuite import causal
from dosuite.causal import InputError, distribution
from dosuite.envs.worlds.ice_cream import IceCreamShorts

ICE: Any = IceCreamShorts()
effect: Any = causal.effect  # so that ill-typed queries can be written
expectation: Any = causal.expectation
QUERIES: dict[str, tuple[Callable[[], object], str]] = {
    "evidence that is text": (lambda: expectation(ICE, "pay", {"heat": "hot"}), "one number"),
    "evidence that is None": (lambda: expectation(ICE, "pay", {"heat": None}), "one number"),
    "several values at once": (
        lambda: expectation(ICE, "pay", {"heat": [0, 1]}),
        "a value of heat is one number, and [0, 1] was given",
    ),
    "evidence without values": (lambda: expectation(ICE, "pay", ["heat"]), "given maps variables"),
    "half a step": (lambda: expectation(ICE, "pay", step=0.5), "a step is a whole number"),
    "no step": (lambda: expectation(ICE, "pay", step=None), "a step is a whole number"),
    "two names for one": (lambda: expectation(ICE, ["pay", "shorts"]), "is one variable"),
    "a name twice": (lambda: distribution(ICE, "pay", "pay"), "name each variable once"),
    "one value to set": (lambda: effect(ICE, "pay", {"ice_cream": 1}), "takes a list"),
    "no value to set": (lambda: effect(ICE, "pay", {"ice_cream": []}), "takes a list"),
    "a text to set": (lambda: effect(ICE, "pay", {"ice_cream": ["a"]}), "one number"),
    "a value it never has": (lambda: effect(ICE, "pay", {"ice_cream": [5]}), "is never 5"),
}


@pytest.mark.parametrize(("query", "text"), QUERIES.values(), ids=QUERIES)
def test_an_ill_posed_query_is_refused(query: Callable[[], object], text: str) -> None:
    with pytest.raises(InputError) as refused:
        query()
    assert text in str(refused.value)
    assert "\n" not in str(refused.value)

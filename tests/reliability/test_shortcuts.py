"""Every exact answer without each shortcut, in a few small worlds; `shortcuts.py` has all."""

import pytest
from exact_comparisons import by_patch
from shortcuts import SHORTCUTS, Shortcut, difference, measure, table
from turned_off import patched

from dosuite.causal.exact import policies

# one world of several steps and three of one, with contexts, latents and a front door
SMALL = ["TrafficLight-v0", "IceCreamShorts-v0", "TarFrontdoor-v0:table=Primer"]
# these take longer, and are left to the command
LONG = (
    "cached properties",
    "seeds at once, counting agents",
    "seeds at once, networks",
    "logs in pieces",
)
SHORT = [shortcut for shortcut in SHORTCUTS if shortcut.name not in LONG]


@pytest.mark.parametrize("shortcut", SHORT, ids=lambda shortcut: shortcut.name)
def test_answers_without_a_shortcut_are_the_same(shortcut: Shortcut) -> None:
    (tally,) = measure([shortcut], SMALL, shifted=False)
    assert tally.largest <= shortcut.allowed, table([shortcut], [tally])


def test_beliefs_of_a_plan_are_not_rounded() -> None:
    (beliefs,) = [shortcut for shortcut in SHORTCUTS if shortcut.name == "merged beliefs"]
    (tally,) = measure([beliefs], ["Tiger-v0:expert=bench_good"], shifted=False)
    assert tally.compared > 0
    assert tally.largest <= beliefs.allowed


def test_a_wrong_shortcut_is_found() -> None:
    wrong = Shortcut(
        "wrong",
        by_patch(
            lambda: patched((policies, "best_policy", policies.uniform_policy)),
        ),
    )
    (tally,) = measure([wrong], SMALL[1:2], shifted=False)
    assert tally.largest > 0.01
    assert "above 1e-12 in IceCreamShorts-v0: J(best)" in table([wrong], [tally])


@pytest.mark.parametrize(
    ("ordinary", "other", "expected"),
    [
        ([1.0, float("nan")], [1.0, float("nan")], 0.0),
        ([1.0], [float("nan")], float("inf")),
        ([1.0, 2.0], [1.0], float("inf")),
        (float("-inf"), float("-inf"), 0.0),
        (2000.0, 1000.0, 0.5),
    ],
)
def test_differences(ordinary: object, other: object, expected: float) -> None:
    assert difference(ordinary, other) == expected

"""The printed figures of GreedyCasino."""

import numpy as np
import pytest
from printed import done, earned, naive, natural_bounds, printed

from dosuite.causal import (
    InputError,
    expectation,
    uniform_policy,
    value,
)
from dosuite.causal.exact import do_process
from dosuite.envs.worlds.casino import FourArms, GreedyCasino

# GreedyCasino

CASINOS = [
    ("Greedy", ".15 .15", ".30 .30", ".15 .45 .45 .15", ".30 .45 .45"),
    ("Generous", ".45 .45", ".30 .30", ".45 .15 .15 .45", ".30 .45 .45"),
    ("ParadoxicalSwitching", ".40 .15", ".35 .375", ".4 .6 .3 .15", ".375 .45 .45"),
    ("SometimesSwitch", ".35 .15", ".40 .1375", ".35 .125 .45 .15", ".40 .40 .40"),
    ("NoConfounding", ".55 .45", ".55 .45", ".55 .45 .55 .45", ".55 .55 .55"),
    ("InevitableRegret", "0 0", ".5 .5", "0 1 1 0", ".5 1 1"),
    ("Rigged", ".55 .35", ".325 .425", ".55 .50 .10 .35", ".425 .45 .45"),
]


def knows_all(model: GreedyCasino) -> float:
    """The value of the best machine for each state of gambler and house."""
    states = [{"drunk": drunk, "blinking": blinking} for drunk in (0, 1) for blinking in (0, 1)]
    machines = range(uniform_policy(model).shape[1])
    return float(
        np.mean(
            [
                max(expectation(model.do(machine=machine), "payout", state) for machine in machines)
                for state in states
            ]
        )
    )


def test_every_casino_is_here() -> None:
    assert sorted(GreedyCasino.members()) == sorted(casino for casino, *_ in CASINOS)
    with pytest.raises(InputError, match="did you mean 'Greedy'"):
        GreedyCasino(casino="Greddy")


@pytest.mark.parametrize(("casino", "seen", "caused", "by_intent", "best"), CASINOS)
def test_casino(casino: str, seen: str, caused: str, by_intent: str, best: str) -> None:
    model = GreedyCasino(casino=casino)
    acting = model.with_intent()
    assert printed(naive(model), seen)
    assert printed(done(model), caused)
    assert printed(do_process(acting).reward, by_intent)
    assert printed([earned(model)[1], earned(acting)[1], knows_all(model)], best)


def test_rigged_casino() -> None:
    model = GreedyCasino(casino="Rigged")
    twin = model.twin()
    assert printed([*earned(model), model.promised_value()], ".325 .425 .55")
    assert printed(natural_bounds(model, "payout"), ".275 .775 .175 .675")
    assert twin is not None
    assert printed(earned(twin), ".55 .55")
    assert twin.causal_policy().tolist() == [[1.0, 0.0]]


@pytest.mark.parametrize(
    "casino", ["Greedy", "Generous", "SometimesSwitch", "NoConfounding", "InevitableRegret"]
)
def test_casinos_without_a_twin(casino: str) -> None:
    assert GreedyCasino(casino=casino).twin() is None


def test_four_arms() -> None:
    model = FourArms()
    acting = model.with_intent()
    assert printed(naive(model), ".2 .2 .2 .2")
    assert printed(done(model), ".4 .4 .4 .4")
    assert printed([earned(model)[1], earned(acting)[1], knows_all(model)], ".4 .6 .6")


@pytest.mark.parametrize(
    ("shift", "figures"),
    [
        (None, ".15 .30 .30 .45"),
        ("intent_flip", ".45 .30 .30 .15"),
        ("all_sober", ".10 .30 .30 .50"),
        ("no_blink", ".15 .25 .35 .45"),
        ("honest_house", ".30 .30 .30 .30"),
    ],
)
def test_casino_shifts(shift: str | None, figures: str) -> None:
    """Who follows the intent, who plays machine 0, who plays machine 1, and who goes against the
    intent.
    """
    acting = GreedyCasino().with_intent()
    world = acting.shifted(shift) if shift else acting
    policies = [[[1, 0], [0, 1]], [[1, 0], [1, 0]], [[0, 1], [0, 1]], [[0, 1], [1, 0]]]
    assert printed([value(world, np.array(policy)) for policy in policies], figures)


def test_four_arms_with_the_intent_flipped() -> None:
    acting = FourArms().with_intent()
    world = acting.shifted("intent_flip")
    assert value(acting, np.eye(4)) == pytest.approx(0.2)
    assert value(world, np.eye(4)[::-1]) == pytest.approx(0.2)

"""What can be guaranteed between bounds: maximin and minimax regret, and intervals in processes."""

from itertools import product

import numpy as np
import pytest
from bounded import BOW, CLINIC, INSTRUMENT, VITAMIN_A, Memory, ends, mean_of, random_truth, typed
from printed import printed

from dosuite.causal import ResponseTypes, response_types, value
from dosuite.causal.exact import log_process
from dosuite.causal.graphs import is_markov
from dosuite.causal.partial_identification import Payoffs, UnitQuantity, interval_values
from dosuite.envs.worlds.casino import GreedyCasino
from dosuite.envs.worlds.ice_cream import IceCreamShorts, NoOverlap
from dosuite.envs.worlds.river import ConfoundedRiver, MarkovRiver

DECISIONS = [
    ("IceCreamShorts", ".0675 .2075", ".5675 .7075", "0 1", ".36 .64", ".2304"),
    ("NoOverlap", ".025 .25", ".525 .75", "0 1", ".275 .725", ".1994"),
    ("Rigged", ".275 .175", ".775 .675", "1 0", ".6 .4", ".240"),
    ("Door", ".54 .24", ".84 .94", "1 0", ".6 .4", ".240"),
    ("VitaminA", ".993614 .798991", ".993614 .999008", "1 0", ".973 .027", ".00525"),
    ("Confused", "0 .0875", "0 .2925", "0 1", "0 1", "0.000"),
    (
        "Slate",
        ".1595 .1495 .1086 .0162",
        ".617 .922 .9626 .9322",
        "1 0 0 0",
        "0.000 .343 .357 .300",
        ".5625",
    ),
    ("SelectionGate", "0 0", "1 1", ".5 .5", ".5 .5", ".5"),
]


@pytest.mark.parametrize(
    ("low", "high", "cautious", "regretful", "regret"),
    [row[1:] for row in DECISIONS],
    ids=[r[0] for r in DECISIONS],
)
def test_decisions_between_intervals(
    low: str, high: str, cautious: str, regretful: str, regret: str
) -> None:
    box = Payoffs.box(np.array(low.split(), float), np.array(high.split(), float))
    maximin, minimax = box.maximin(), box.minimax_regret()
    assert printed(maximin.policy, cautious)
    assert maximin.value == pytest.approx(max(map(float, low.split())))
    assert printed(minimax.policy, regretful)
    assert printed(minimax.value, regret)


def acting(types: ResponseTypes, act: str, outcome: str, actions: int = 2) -> Payoffs:
    return Payoffs.of(types, [[mean_of(outcome, **{act: x}) for x in range(actions)]])


def test_decisions_under_response_types_are_those_of_the_table() -> None:
    vitamin_a = typed(INSTRUMENT, [("d", "y")], VITAMIN_A)
    for payoffs, low, mixed, regret in (
        (acting(response_types(IceCreamShorts()), "ice_cream", "pay"), ".2075", ".36 .64", ".2304"),
        (acting(response_types(NoOverlap()), "ice_cream", "pay"), ".25", ".275 .725", ".1994"),
        (
            acting(response_types(GreedyCasino(casino="Rigged")), "machine", "payout"),
            ".275",
            ".6 .4",
            ".240",
        ),
        (acting(vitamin_a, "d", "y"), ".993614", ".973 .027", ".00525"),
    ):
        assert printed(payoffs.maximin().value, low)
        assert printed(payoffs.minimax_regret().policy, mixed)
        assert printed(payoffs.minimax_regret().value, regret)


def test_where_payoffs_move_together_less_is_regretted_than_between_their_intervals() -> None:
    """Two treatments that differ in nothing for most units:

    the intervals overlap, and no regret is possible beyond the rest.
    """
    types = typed(BOW, [("x", "y")], np.array([[0.2, 0.3], [0.1, 0.4]]))
    together = Payoffs.of(types, [[mean_of("y", x=0), lambda do: do(x=0)["y"] * 0.9]])
    low, high = np.array(
        [ends(types, mean_of("y", x=0)), [0.9 * end for end in ends(types, mean_of("y", x=0))]]
    ).T
    assert together.minimax_regret().value == pytest.approx(0.0, abs=1e-9)
    assert Payoffs.box(low, high).minimax_regret().value > 0.1


def random_payoffs(seed: int) -> Payoffs:
    truth = random_truth(CLINIC, [("drug", "cure")], (2, 2, 2), seed)
    types = ResponseTypes(CLINIC, [("drug", "cure")], truth.table())
    return Payoffs.of(types, [[cure_at(age, drug) for drug in (0, 1)] for age in (0, 1)])


def cure_at(age: int, drug: int) -> UnitQuantity:
    return lambda do: (do()["age"] == age) * do(drug=drug)["cure"]


@pytest.mark.parametrize("seed", range(4))
def test_no_policy_promises_more_or_regrets_less(seed: int) -> None:
    payoffs = random_payoffs(seed)
    maximin, minimax = payoffs.maximin(), payoffs.minimax_regret()
    assert payoffs.guarantee(maximin.policy) == pytest.approx(maximin.value, abs=1e-8)
    assert payoffs.regret(minimax.policy) == pytest.approx(minimax.value, abs=1e-8)
    for a, b in product(np.linspace(0, 1, 6), repeat=2):
        policy = np.array([[1 - a, a], [1 - b, b]])
        assert payoffs.guarantee(policy) <= maximin.value + 1e-8
        assert payoffs.regret(policy) >= minimax.value - 1e-8


def test_the_river_guarantees_what_the_catalogue_prints() -> None:
    process = log_process(ConfoundedRiver())
    assert printed(process.start @ interval_values(process, ends=False).max(1), ".7753")
    assert printed(process.start @ interval_values(process, best=True, ends=False).max(1), "8.563")
    assert interval_values(process, ends=False)[:4].argmax(1).tolist() == [0, 1, 1, 1]
    assert is_markov(ConfoundedRiver().graph)


def test_intervals_contain_the_truth_of_every_plan_where_the_confounder_is_drawn_anew() -> None:
    for world in (
        ConfoundedRiver(),
        ConfoundedRiver(captain=0.7),
        ConfoundedRiver().shifted("fair"),
    ):
        process = log_process(world)
        for reward_range in (None, (0.0, 1.0)):
            low, high = (
                process.start @ interval_values(process, best, reward_range, ends=False).max(1)
                for best in (False, True)
            )
            plans = [value(world, np.eye(2)[list(plan)]) for plan in product((0, 1), repeat=5)]
            assert low - 1e-9 <= max(plans) <= high + 1e-9


def test_where_the_confounder_persists_the_intervals_of_single_steps_are_no_bounds() -> None:
    """On the second floor everyone in the log climbs and wins, so the interval is a point;

    half of those sent there do not win.
    """
    model = Memory()
    process = log_process(model)
    assert process.visits[1].tolist() == [0.0, 0.5]
    guaranteed = interval_values(process, reward=(0.0, 1.0), ends=False)[1]
    assert guaranteed[1] >= 1.0
    assert value(model.do(climb=1)) == pytest.approx(0.5)
    assert not is_markov(model.graph)
    assert not is_markov(MarkovRiver().graph)

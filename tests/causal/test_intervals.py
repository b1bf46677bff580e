"""Certificates: bounds on what an action does, and the best that anybody can guarantee."""

from itertools import product
from math import prod
from typing import Any

import numpy as np
import pytest
from certified import (
    BOW,
    ONE_STEP,
    Doctor,
    Dose,
    actions,
    certified,
    chance,
    contexts,
    effects,
    every_model,
    every_one_step_model,
)
from printed import printed
from scipy.sparse import csr_array

from dosuite.causal import Exactly, World, bounds, certificate, response_types, value
from dosuite.causal.arrays import Floats
from dosuite.causal.exact import Process, is_steady
from dosuite.causal.partial_identification import Payoffs, UnitQuantity, interval_values
from dosuite.envs import make_model
from dosuite.envs.worlds.ice_cream import IceCreamShorts, NoOverlap
from dosuite.envs.worlds.river import ConfoundedRiver
from dosuite.eval.reports.certificate_text import lines


@every_one_step_model
def test_bounds_contain_the_truth(model: World) -> None:
    found, truth = certified(model).intervals, effects(model)
    assert found is not None
    occurs = ~np.isnan(truth)
    assert (np.isnan(found.low) == ~occurs).all()
    assert (found.low[occurs] <= truth[occurs] + 1e-9).all()
    assert (truth[occurs] <= found.high[occurs] + 1e-9).all()


@every_model
def test_what_is_promised_is_kept(model: World) -> None:
    found = certified(model)
    if found.maximin is not None:
        assert found.maximin.value <= found.maximin.earned + 1e-9
        assert found.maximin.earned == pytest.approx(value(model, found.maximin.policy), abs=1e-9)
    if found.minimax_regret is not None and found.confused_regret is not None:
        best = value(model, model.causal_policy())
        assert best - found.minimax_regret.earned <= found.minimax_regret.value + 1e-9
        assert best - value(model, model.confused_policy()) <= found.confused_regret + 1e-9
        assert found.minimax_regret.value <= found.confused_regret + 1e-9


@every_one_step_model
def test_regret_and_guarantee_are_attained_by_a_model_with_the_same_log(model: World) -> None:
    found = certified(model)
    assert found.intervals is not None
    if not found.intervals.payoffs:
        assert found.maximin is found.minimax_regret is None
        return
    assert found.maximin is not None
    assert found.minimax_regret is not None
    if found.intervals.method == "formula":
        assert found.maximin.value == pytest.approx(value(model, model.causal_policy()), abs=1e-9)
        assert found.minimax_regret.value == pytest.approx(0, abs=1e-9)
    elif found.intervals.exact:
        assert worst(model, -found.maximin.policy) == pytest.approx(-found.maximin.value, abs=1e-7)
        rivals = np.eye(len(actions(model)))[
            list(product(range(len(actions(model))), repeat=len(contexts(model))))
        ]
        regrets = [worst(model, rival - found.minimax_regret.policy) for rival in rivals]
        assert max(regrets) == pytest.approx(found.minimax_regret.value, abs=1e-7)


def worst(model: World, weights: Floats) -> float:
    """The most that a weighted sum of payoffs can be, as a model with the same log has it."""
    types = response_types(model)

    def payoff(c: dict[str, float], a: float) -> UnitQuantity:
        return lambda do: prod(
            (do()[name] == what for name, what in c.items()),
            start=do(**{model.action: a})[model.reward],
        )

    terms = [
        (payoff(c, a), weights[i, j])
        for (i, c), (j, a) in product(enumerate(contexts(model)), enumerate(actions(model)))
    ]
    total: UnitQuantity = lambda do: sum(weight * term(do) for term, weight in terms)  # noqa: E731
    found = bounds(types, total)
    assert types.joint is not None
    assert np.allclose(found.witnesses[1].table().table, types.joint.table, atol=1e-7)
    return found.witnesses[1].mean(total)


@pytest.mark.parametrize(
    "model", BOW, ids=[text for text, model in ONE_STEP.items() if model in BOW]
)
def test_in_a_bow_the_closed_form_is_the_programme(model: World) -> None:
    found = certified(model).intervals
    assert found is not None
    if found.method == "Manski":
        for (i, c), j in product(enumerate(contexts(model)), range(len(actions(model)))):
            ends = [
                -worst(model, -one_of(found.low.shape, i, j)),
                worst(model, one_of(found.low.shape, i, j)),
            ]
            assert np.array([found.low[i, j], found.high[i, j]]) * chance(
                model, c
            ) == pytest.approx(ends, abs=1e-7)


def one_of(shape: tuple[int, ...], i: int, j: int) -> Floats:
    weights = np.zeros(shape)
    weights[i, j] = 1.0
    return weights


def test_in_a_bow_every_context_is_decided_by_itself() -> None:
    model = Doctor()
    found = certified(model)
    types = response_types(model)
    payoffs: list[list[UnitQuantity]] = [
        [lambda do, c=c, a=a: (do()["pain"] == c) * do(drug=a)["relief"] for a in (0, 1)]  # type: ignore[misc]
        for c in (0, 1)
    ]
    together = Payoffs.of(types, payoffs)
    assert found.intervals is not None
    assert (found.intervals.method, len(found.intervals.payoffs)) == ("Manski", 2)
    assert found.minimax_regret is not None
    assert found.maximin is not None
    assert found.minimax_regret.value == pytest.approx(together.minimax_regret().value, abs=1e-7)
    assert found.maximin.value == pytest.approx(together.maximin().value, abs=1e-7)
    assert found.confused_regret == pytest.approx(
        together.regret(model.confused_policy()), abs=1e-7
    )


def test_too_many_response_types_leave_outer_bounds() -> None:
    found = certified(Dose())
    assert found.intervals is not None
    assert (found.intervals.method, found.intervals.sharp, found.identified) == (
        "Manski",
        False,
        False,
    )
    assert "outer" in dict(lines(Dose(), found))["effect"]


# printed figures: intervals, the maximin action and what it earns, the minimax-regret policy, its
# regret and what it earns
CEILINGS = [
    (IceCreamShorts(), ".0675 .2075", ".5675 .7075", "0 1", ".275", ".36 .64", ".2304", ".347"),
    (NoOverlap(), ".025 .25", ".525 .75", "0 1", ".275", ".275 .725", ".1994", ".330"),
    (
        make_model("GreedyCasino-v0:casino=Rigged"),
        ".275 .175",
        ".775 .675",
        "1 0",
        ".325",
        ".6 .4",
        ".240",
        ".365",
    ),
]


@pytest.mark.parametrize(
    ("model", "low", "high", "sure", "earns", "mixed", "regret", "gains"),
    CEILINGS,
    ids=lambda m: type(m).__name__,
)
def test_printed_ceilings(
    model: World, low: str, high: str, sure: str, earns: str, mixed: str, regret: str, gains: str
) -> None:
    found = certified(model)
    assert found.intervals is not None
    assert found.maximin is not None
    assert found.minimax_regret is not None
    for number, text in (
        (found.intervals.low, low),
        (found.intervals.high, high),
        (found.maximin.policy, sure),
        (found.maximin.value, max(low.split(), key=float)),
        (found.maximin.earned, earns),
        (found.minimax_regret.policy, mixed),
        (found.minimax_regret.value, regret),
        (found.minimax_regret.earned, gains),
    ):
        assert printed(number, text)


def test_the_river() -> None:
    found = certified(ConfoundedRiver())
    assert found.maximin is not None
    assert found.best is not None
    assert printed(
        np.array([*found.best, found.maximin.value, found.maximin.earned]), ".7753 8.563 .7753 2.0"
    )
    assert found.maximin.policy[:4].argmax(1).tolist() == [0, 1, 1, 1]


def test_a_policy_is_sure_of_less_than_a_plan_that_may_change() -> None:
    """With one context nothing is unknown, and whoever always takes the worse of two actions earns
    what that earns.
    """
    process = Process(
        np.array([[1.0, 0.0]]), np.ones((1, 2, 1)), np.full((1, 2), 0.5), np.ones(1), 2, 1.0
    )
    assert interval_values(process, ends=False).tolist() == [[2.0, 1.0]]
    assert interval_values(process, policy=np.array([[0.0, 1.0]]), ends=False).tolist() == [
        [1.0, 0.0]
    ]


@pytest.mark.parametrize("kept", [np.asarray, csr_array])
def test_what_a_policy_would_do_where_it_never_comes_costs_it_nothing(kept: Any) -> None:
    """From context 0 action 0 leads to 1 and action 1 to 2, where the policy takes an action that
    is not in the data.
    """
    transition = np.array(
        [[[0.0, 1, 0], [0, 0, 1]], [[0, 1, 0], [0, 1, 0]], [[0, 0, 1], [0, 0, 1]]]
    )
    visits = np.array([[1.0, 1.0], [1.0, 1.0], [1.0, 0.0]])
    law = kept(transition.reshape(6, 3)) if kept is csr_array else transition
    process = Process(
        np.array([[1.0, 1], [2, 2], [3, 3]]), law, visits, np.array([1.0, 0, 0]), 3, 1.0
    )
    assert process.value(np.array([[1.0, 0], [1, 0], [0, 1]])) == 5.0
    assert process.value(np.array([[0.5, 0.5], [1, 0], [0, 1]])) == -np.inf


@pytest.mark.parametrize("name", ["flood", "rapids", "drought", "fair", "slack_water"])
def test_a_plan_between_the_bounds_is_best_in_every_river(name: str) -> None:
    model = ConfoundedRiver().shifted(name)
    found = certificate(model)
    assert found.best is not None
    assert found.maximin is not None
    assert found.best[0] - 1e-9 <= value(model, model.causal_policy()) <= found.best[1] + 1e-9
    assert found.maximin.value <= min(found.best[0], found.maximin.earned) + 1e-9


@every_model
def test_nothing_is_promised_of_an_episode_whose_past_matters(model: World) -> None:
    found = certified(model)
    if model.horizon > 1:
        assert (found.best is None) == (not is_steady(model))
        assert found.intervals is None
        assert found.best is not None or any("the past matters" in note for note in found.notes)
    if model.horizon > 1 and found.best is not None and found.identified:
        assert found.best[0] == found.best[1] >= value(model, model.causal_policy()) - 1e-9


def test_an_unseen_cell_of_a_river_costs_the_range_of_the_reward() -> None:
    """A captain who never anchors leaves open what an anchor earns."""
    found = certificate(ConfoundedRiver().with_behaviour(Exactly(1)))
    assert found.overlap == 0
    assert found.identified is False
    assert found.best is not None
    assert (
        found.best[0]
        <= value(ConfoundedRiver(), ConfoundedRiver().causal_policy())
        <= found.best[1]
    )

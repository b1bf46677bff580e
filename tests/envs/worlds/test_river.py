"""The printed figures of ConfoundedRiver."""

from dataclasses import replace

import numpy as np
import pytest
from printed import earned, printed

from dosuite.causal import (
    Array,
    behaviour_policy,
    distribution,
    expectation,
    floor,
    value,
)
from dosuite.causal.exact import do_process, greedy, log_process
from dosuite.causal.graphs import is_markov
from dosuite.envs.worlds.river import CELLS, ConfoundedRiver, MarkovRiver

# ConfoundedRiver


def test_confounded_river() -> None:
    model = ConfoundedRiver()
    middle, right_left_stay = 2, [3, 1, 2]
    assert printed(do_process(model).transition[middle, 1, right_left_stay], ".305 .560 .135")
    assert printed(log_process(model).transition[middle, 1, right_left_stay], ".725 .165 .110")
    assert model.confused_policy().argmax(1).tolist() == [1, 1, 1, 1, 0]
    assert model.causal_policy()[0].tolist() == [1.0, 0.0]
    assert printed(
        [*earned(model), model.promised_value(), value(model)], ".7546 2.000 5.184 2.107"
    )


@pytest.mark.parametrize(
    ("shift", "figures"),
    [
        ("flood", ".035 2.0"),
        ("rapids", ".412 2.0"),
        ("drought", ".172 2.0"),
        ("fair", "5.22 2.0"),
        ("slack_water", "3.45 2.0"),
    ],
)
def test_confounded_river_shifts(shift: str, figures: str) -> None:
    model = ConfoundedRiver()
    assert printed(earned(model, model.shifted(shift)), figures)


@pytest.mark.parametrize(("captain", "confused"), [(0.60, False), (0.65, True)])
def test_confounded_river_flips_with_the_strength(captain: float, confused: bool) -> None:
    assert (ConfoundedRiver(captain=captain).confused_policy()[0, 1] == 1.0) == confused


def test_the_hedge_of_the_river_has_its_log_and_graph_and_another_best_policy() -> None:
    model = ConfoundedRiver()
    hedge = model.hedge()
    assert hedge is not None
    assert set(hedge.graph.edges) == set(model.graph.edges)
    assert is_markov(model.graph)
    assert is_markov(hedge.graph)
    # In a Markov log the law of a step given the cell says it all.
    logs = [log_process(world) for world in (model, hedge)]
    for part in ("start", "visits", "reward", "transition"):
        here, there = (getattr(log, part) for log in logs)
        np.testing.assert_allclose(there, here, atol=1e-12)
    limit = floor(model, hedge)
    assert not limit.exact
    assert limit.regret > 0.5
    assert value(hedge, hedge.causal_policy()) > value(hedge, model.causal_policy()) + 0.5


def test_confounded_river_with_intent() -> None:
    acting = ConfoundedRiver().with_intent()
    policy = acting.causal_policy().reshape(5, 2, 2)
    assert printed(value(acting, acting.causal_policy()), "2.395")
    assert policy[:4].argmax(2).tolist() == [[0, 1]] * 4


def test_confounded_river_twin() -> None:
    model = ConfoundedRiver()
    twin = model.twin()
    assert twin is not None
    assert printed([*earned(twin), value(twin)], "5.184 5.184 2.107")
    for step in (0, 1, 7):
        names = ("cell", "paddle", "toll")
        assert distribution(twin, *names, step=step) == pytest.approx(
            distribution(model, *names, step=step), abs=1e-12
        )


def test_markov_river() -> None:
    model = MarkovRiver()
    assert is_markov(ConfoundedRiver().graph)
    assert not is_markov(model.graph)
    assert printed([expectation(model, "current", {}, step=step) for step in (0, 100)], ".3 .3")
    assert printed([*earned(model), model.promised_value()], "2.391 3.0 3.121")
    assert model.causal_policy()[0].tolist() == [1.0, 0.0]


def with_beliefs(model: MarkovRiver, intent: bool) -> float:
    """The discounted return of the best captain who remembers, on a grid of 1,001 beliefs in a
    favourable current, interpolated.
    """
    beliefs, cells = np.linspace(0.0, 1.0, 1001), range(CELLS)
    strokes = np.array(
        [model.stroke_adverse, model.stroke_favourable]
    )  # right, left, stay, by the current
    moves = np.zeros((CELLS, CELLS, 2))  # P(next cell | cell, current) when paddling
    for cell in cells:
        for place, to in enumerate((min(cell + 1, CELLS - 1), max(cell - 1, 0), cell)):
            moves[cell, to] += strokes[:, place]

    def tomorrow(belief: Array) -> Array:
        return np.asarray(model.persistence * belief + (1.0 - model.persistence) * model.favourable)

    def informed(likelihood: Array, belief: Array) -> tuple[Array, Array]:
        """How likely what was seen is, and the belief then; the likelihood is by the current."""
        seen = likelihood[0] * (1.0 - belief) + likelihood[1] * belief
        return seen, np.divide(likelihood[1] * belief, seen, out=belief.copy(), where=seen > 0)

    worth = np.zeros((CELLS, len(beliefs)))
    for _ in range(model.horizon):

        def acted(cell: int, belief: Array, worth: Array = worth) -> Array:
            anchored = np.interp(tomorrow(belief), beliefs, worth[cell])
            paddled = np.zeros(len(belief))
            for to in cells:
                seen, then = informed(moves[cell, to], belief)
                paddled += seen * np.interp(tomorrow(then), beliefs, worth[to])
            gain = (
                (1.0 if cell == CELLS - 1 else model.anchorage * (cell == 0)),
                1.0 * (cell == CELLS - 1),
            )
            return np.asarray(
                np.maximum(gain[0] + model.discount * anchored, gain[1] + model.discount * paddled)
            )

        hints = [np.array([1 - model.captain, model.captain])] if intent else []
        hints = [*hints, *(1 - hint for hint in hints)] or [np.ones(2)]
        told = [[informed(hint, beliefs) for hint in hints] for _ in cells]
        worth = np.array(
            [sum(seen * acted(cell, then) for seen, then in told[cell]) for cell in cells]
        )
    return float(np.interp(model.favourable, beliefs, worth[0]))


@pytest.mark.parametrize(("intent", "figure"), [(False, "3.335"), (True, "3.829")])
def test_a_captain_with_a_memory(intent: bool, figure: str) -> None:
    assert printed(with_beliefs(MarkovRiver(), intent), figure)


@pytest.mark.parametrize(("interventions", "paddles"), [(1.72, True), (1.74, False)])
def test_unlabelled_steps_until_the_boat_stays_at_anchor(
    interventions: float, paddles: bool
) -> None:
    """For each recorded step in a cell so many with uniform actions there, and no label."""
    seen, done = log_process(ConfoundedRiver()), do_process(ConfoundedRiver())
    share = behaviour_policy(ConfoundedRiver())
    weight = share / (share + interventions / 2)
    gain = weight * seen.reward + (1 - weight) * done.reward
    moves = weight[..., None] * seen.transition + (1 - weight[..., None]) * done.transition
    assert (greedy(replace(seen, reward=gain, transition=moves).plan())[0, 1] == 1.0) == paddles

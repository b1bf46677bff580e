"""The printed figures of the delusion box, and its exact values found again by trying every
history.
"""

import numpy as np
import pytest
from printed import printed

from dosuite.causal import Array
from dosuite.envs.worlds.delusion import DelusionBox, likelier, play
from dosuite.eval.runs.reference_values import references

NAMES = ("j_confused", "j_causal", "j_best")


def per_round(model: DelusionBox, shift: str = "") -> list[float]:
    """What the deluded, the interventional and the best player earn in a round, on average over the
    episode.
    """
    found = references(model, model.shifted(shift) if shift else model)
    return [found[name] / model.horizon for name in NAMES]


@pytest.mark.parametrize(
    ("rounds", "figure", "regret"),
    [(10, ".5093", "1.907"), (50, ".5109", "9.46"), (200, ".5112", "37.8")],
)
def test_deluded(rounds: int, figure: str, regret: str) -> None:
    model = DelusionBox(horizon=rounds)
    found = play(model, model, model.imitated, own=1.0)
    assert printed(found.earned / rounds, figure)
    assert printed(found.predicted / rounds, ".680")
    assert printed(100 * found.locked, "46.87")
    assert printed(rounds * model.reliability - found.earned, regret)


def test_who_knows_what_he_did_himself() -> None:
    model = DelusionBox()
    assert printed(per_round(model), ".511 .6501 .6751")
    assert printed(
        [model.horizon * (model.reliability - earned) for earned in per_round(model)],
        "9.46 2.49 1.24",
    )


def test_references() -> None:
    found = references(DelusionBox(), DelusionBox())
    assert found["j_worst"] == pytest.approx(50 - found["j_best"])
    assert found["j_behaviour"] == pytest.approx(found["promised"]) == pytest.approx(34.0)
    assert found["j_best"] < found["j_intent"] < 35
    assert all(
        np.isfinite(number)
        for number in references(DelusionBox(slip=0.0), DelusionBox(slip=0.0)).values()
    )


@pytest.mark.parametrize(
    ("slip", "figure"),
    [
        (0.5, ".500"),
        (0.4, ".533"),
        (0.3, ".555"),
        (0.2, ".547"),
        (0.1, ".523"),
        (0.05, ".511"),
        (0.01, ".502"),
        (0.001, ".500"),
    ],
)
def test_better_experts_delude_more(slip: float, figure: str) -> None:
    model = DelusionBox(slip=slip)
    assert printed(per_round(model)[0], figure)
    assert model.promised_value() == pytest.approx(50 * ((1 - slip) * 0.7 + slip * 0.3))


@pytest.mark.parametrize(
    ("reliability", "figure"),
    [(0.55, ".500"), (0.6, ".501"), (0.7, ".511"), (0.8, ".546"), (0.9, ".681"), (0.99, ".930")],
)
def test_reliable_outcomes_undelude(reliability: float, figure: str) -> None:
    assert printed(per_round(DelusionBox(reliability=reliability))[0], figure)


@pytest.mark.parametrize(
    ("shift", "figures"),
    [
        ("reliability_55", ".501 .515"),
        ("reliability_60", ".503 .552"),
        ("", ".511 .650"),
        ("reliability_80", ".525 .746"),
        ("reliability_90", ".544 .839"),
        ("switch", ".4996 .5106"),
        ("clumsy_expert", ".5109 .6501"),
    ],
)
def test_shifts(shift: str, figures: str) -> None:
    assert printed(per_round(DelusionBox(), shift)[:2], figures)


def test_who_knows_when_the_boxes_change_places_loses_nothing() -> None:
    assert per_round(DelusionBox(), "switch")[2] == pytest.approx(per_round(DelusionBox())[2])


def test_in_the_control_nobody_is_deluded() -> None:
    control = DelusionBox().control()
    found = references(control, control)
    assert (
        found["j_confused"] == pytest.approx(found["j_causal"]) == pytest.approx(found["promised"])
    )
    assert control.confused_policy().tolist() == control.causal_policy().tolist()
    dialled = [
        references(model, model)["j_confused"]
        for model in map(DelusionBox().dial, (0.0, 0.25, 0.5, 1.0))
    ]
    assert dialled == sorted(dialled, reverse=True)


# Every history of a short episode, by Bayes' rule from the law of theta.


def chances(model: DelusionBox, box: int) -> Array:
    """P(prize | theta) of a box: (2, 2)."""
    prize = np.where(np.arange(2) == box, model.reliability, 1 - model.reliability)
    return np.stack([1 - prize, prize], axis=1)


def earned_by_histories(
    model: DelusionBox, world: DelusionBox, own: float, step: int, read: Array, true: Array
) -> float:
    """What a sequence model earns from a history on, of which it reads the law jointly with theta
    as `read` (2,), and `true` (2,) is so.
    """
    if step == model.horizon:
        return 0.0
    expert, total = np.array([[1 - model.slip, model.slip], [model.slip, 1 - model.slip]]), 0.0
    imitated = read / read.sum() @ expert
    for box in (0, 1):
        for prize in (0, 1):
            then = read * expert[:, box] ** own * chances(model, box)[:, prize]
            now = true * imitated[box] * chances(world, box)[:, prize]
            total += prize * now.sum() + earned_by_histories(model, world, own, step + 1, then, now)
    return float(total)


@pytest.mark.parametrize("own", [0.0, 1.0])
@pytest.mark.parametrize("world", [DelusionBox(horizon=5), DelusionBox(horizon=5, reliability=0.9)])
def test_counting_is_trying_every_history(own: float, world: DelusionBox) -> None:
    model, half = DelusionBox(horizon=5), np.full(2, 0.5)
    tried = earned_by_histories(model, world, own, 0, half, half)
    assert play(model, world, model.imitated, own).earned == pytest.approx(tried, abs=1e-12)


def best_by_histories(model: DelusionBox, step: int, theta: Array) -> float:
    """The most that can be earned from a history on, at which theta has the law (2,)."""
    if step == model.horizon:
        return 0.0
    values = []
    for box in (0, 1):
        following = (theta[:, None] * chances(model, box)).T
        values.append(
            following[1].sum()
            + sum(p.sum() * best_by_histories(model, step + 1, p / p.sum()) for p in following)
        )
    return float(max(values))


def test_the_best_player_is_the_best_of_all_with_a_memory() -> None:
    model = DelusionBox(horizon=6)
    assert play(model, model, likelier).earned == pytest.approx(
        best_by_histories(model, 0, np.full(2, 0.5)), abs=1e-12
    )

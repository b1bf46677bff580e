"""Plans that remember the past:

never worse than those that do not, and the same where the past does not matter.
"""

from itertools import product

import numpy as np
import pytest
from countable import COUNTABLE

from dosuite.causal import (
    Array,
    Bernoulli,
    Exactly,
    TooLargeError,
    World,
    action,
    context,
    latent,
    reward,
    value,
)
from dosuite.causal.exact import is_steady, plan_with_memory
from dosuite.envs import make_model

EXACT = 1e-9


ONE_STEP = {name: model for name, model in COUNTABLE.items() if model.horizon == 1}


@pytest.mark.parametrize("model", ONE_STEP.values(), ids=ONE_STEP)
def test_in_one_step_there_is_nothing_to_remember(model: World) -> None:
    best = value(model, model.causal_policy())
    assert plan_with_memory(model) == pytest.approx((best, best), abs=EXACT)
    if not model.names("selection") and type(model).confused_policy is World.confused_policy:
        assert plan_with_memory(model, seeing=True)[0] == pytest.approx(
            model.promised_value(), abs=EXACT
        )


def test_in_a_markov_world_the_past_does_not_matter() -> None:
    river = make_model("ConfoundedRiver-v0:horizon=30")
    assert is_steady(river)
    assert plan_with_memory(river)[0] == pytest.approx(
        value(river, river.causal_policy()), abs=1e-5
    )
    assert plan_with_memory(river, seeing=True)[0] == pytest.approx(
        river.promised_value(), abs=1e-5
    )


class Which(World):
    """A coin that falls on one side more often, and is shown when it has fallen;

    the behaviour policy knows the side.
    """

    horizon: int = 3
    told: float = 0.8  # P(the behaviour policy names the side)

    @latent.starting(Bernoulli(0.5))
    def side(self, side_tm1: Array) -> Exactly:
        return Exactly(side_tm1)

    @latent
    def fall(self, side: Array) -> Bernoulli:
        return Bernoulli(0.2 + 0.6 * side)

    @context.starting(Exactly(0))
    def shown(self, fall_tm1: Array) -> Exactly:
        return Exactly(fall_tm1)

    @action
    def call(self, side: Array) -> Bernoulli:
        return Bernoulli(1 - self.told + (2 * self.told - 1) * side)

    @reward
    def right(self, call: Array, side: Array) -> Bernoulli:
        return Bernoulli(np.where(call == side, 0.9, 0.3))


def by_hand(
    model: Which, evidence: bool, past: tuple[tuple[int, int, int], ...] = ()
) -> tuple[float, float]:
    """What the planner believes after a past, and what is so:

    by the definition, history by history.
    """
    sides = np.array([0.5, 0.5])
    told = np.array([0.5, 0.5])
    for call, won, fell in past:
        for side in (0, 1):
            win = 0.9 if call == side else 0.3
            seen = (win if won else 1 - win) * (0.2 + 0.6 * side if fell else 0.8 - 0.6 * side)
            sides[side] *= seen
            told[side] *= seen * (
                (model.told if call == side else 1 - model.told) if evidence else 1.0
            )
    sides, told = sides / sides.sum(), told / told.sum()
    worth = []
    for call in (0, 1):
        wins = np.where(np.arange(2) == call, 0.9, 0.3)
        acting = told * (
            np.where(np.arange(2) == call, model.told, 1 - model.told) if evidence else 1.0
        )
        acting /= acting.sum()
        believed, true = float(acting @ wins), float(sides @ wins)
        for won, fell in product((0, 1), repeat=2) if len(past) + 1 < model.horizon else ():
            seen = (wins if won else 1 - wins) * np.array([0.2, 0.8] if fell else [0.8, 0.2])
            then = by_hand(model, evidence, (*past, (call, won, fell)))
            believed, true = (
                believed + float(acting @ seen) * then[0],
                true + float(sides @ seen) * then[1],
            )
        worth.append((believed, true))
    best = max(one[0] for one in worth)
    chosen = [one for one in worth if one[0] > best - EXACT]
    return best, float(np.mean([one[1] for one in chosen]))


@pytest.mark.parametrize("evidence", [False, True])
@pytest.mark.parametrize("horizon", [1, 2, 3])
def test_beliefs_give_what_history_by_history_gives(horizon: int, evidence: bool) -> None:
    model = Which(horizon=horizon)
    assert plan_with_memory(model, seeing=evidence) == pytest.approx(
        by_hand(model, evidence), abs=EXACT
    )


def test_who_remembers_does_better_and_who_takes_its_own_calls_as_evidence_is_deluded() -> None:
    model = Which(horizon=4)
    believed, earned = plan_with_memory(model, seeing=True)
    assert value(model, model.causal_policy()) < plan_with_memory(model)[0] - 0.01
    assert believed > earned + 0.1


def test_a_plan_in_one_world_is_valued_in_another() -> None:
    model = Which()
    turned = model.do(right=lambda call, side: Bernoulli(np.where(call == side, 0.1, 0.7)))
    assert plan_with_memory(model, turned)[1] < plan_with_memory(turned)[1] - 0.1


class Drift(Which):
    """A bias that takes any of many values, none of them twice: no two histories are alike."""

    horizon: int = 40

    @latent.starting(Bernoulli(0.5))
    def side(self, side_tm1: Array) -> Bernoulli:
        return Bernoulli(0.123 + 0.713 * side_tm1)


def test_too_many_beliefs_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dosuite.causal.exact.belief_planning.MOST_BELIEFS", 500)
    with pytest.raises(TooLargeError, match="more than 500 beliefs"):
        plan_with_memory(Drift())

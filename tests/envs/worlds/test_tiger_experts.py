"""The nine experts of Tiger: what the planner in the log of each believes and earns."""

import numpy as np
import pytest
from printed import printed

from dosuite.causal import Array, value
from dosuite.envs.worlds.door_tiger import Tiger
from dosuite.eval.runs.reference_values import references

# Promised value and J(confused), worked out by hand:
# - "perfect_good" and "very_good": in their logs every opened door paid 10, so that the planner
#   opens either door at once, and earns (10 - 100) / 2.
# - "perfect_bad": every opened door cost 100 and nobody ever listened, so that it opens either.
# - "very_bad": every opened door cost 100, so that it listens ten times.
# - "random": the log is an experiment, and the planner is the best there is.
# - "strong_good_bias": the right door was opened only with the tiger behind the left one, so that
#   the planner opens it at once.
# - "strong_bad_bias" opened the right door only with the tiger behind it. The left door was opened
#   with probabilities 0.95 (tiger behind it) and 0.20, so that the planner waits for roars from the
#   right. Its two figures are those of the recursion below, as are those of the first two experts.
FIGURES = {
    "bench_good": "9.505 -6.5",
    "noisy_good": "7.280 4.966",
    "perfect_good": "10 -45",
    "perfect_bad": "-100 -45",
    "very_good": "10 -45",
    "very_bad": "-10 -10",
    "random": "6.1077 6.1077",
    "strong_good_bias": "10 -45",
    "strong_bad_bias": "-2.7334 -2.4853",
}

# Mean reward of a step over the two sides, divided by the probability of opening a door: the return
# of the expert in an episode without end, from which ten steps differ by less than a digit shown.
BEHAVIOUR = {
    "noisy_good": (-0.05 + 10 * (0.65 + 0.80) / 2 - 100 * (0.30 + 0.15) / 2) / 0.95,
    "perfect_bad": -100.0,
    "very_good": (-0.05 + 10 * 0.95) / 0.95,
    "very_bad": (-0.05 - 100 * 0.95) / 0.95,
    "strong_good_bias": (-0.05 + 10 * (0.75 + 0.95) / 2 - 100 * 0.20 / 2) / 0.95,
    "strong_bad_bias": (-0.05 + 10 * 0.20 / 2 - 100 * (0.95 + 0.75) / 2) / 0.95,
}


def test_every_expert_is_a_member() -> None:
    assert list(Tiger.members()) == list(FIGURES)
    assert Tiger.members()["very_bad"] == {"expert": "very_bad"}


@pytest.mark.parametrize(("expert", "figures"), FIGURES.items())
def test_the_planner_in_the_log_of_each_expert(expert: str, figures: str) -> None:
    """The best planner does not depend on the expert."""
    model = Tiger(expert=expert)
    values = references(model, model)
    assert printed([values["promised"], values["j_confused"]], figures)
    assert printed([values["j_causal"], values["j_best"]], "6.1077 6.1077")


@pytest.mark.parametrize(("expert", "earned"), BEHAVIOUR.items())
def test_what_each_expert_earns(expert: str, earned: float) -> None:
    assert value(Tiger(expert=expert)) == pytest.approx(earned, abs=1e-9)


def test_the_random_expert_earns_what_uniform_actions_earn() -> None:
    """One step pays (10 - 100 - 1) / 3 and is followed by another one with probability 1/3."""
    earned = (10 - 100 - 1) / 3 * (1 - 3.0**-10) / (1 - 1 / 3)
    assert value(Tiger(expert="random")) == pytest.approx(earned, abs=1e-9)


@pytest.mark.parametrize("expert", FIGURES)
def test_a_recursion_over_the_difference_of_the_roars_agrees(expert: str) -> None:
    """A planner that has listened knows how many more roars came from the right than from the
    left. That is all it needs: every expert listens equally often on both sides.
    """
    model = Tiger(expert=expert)
    left, right = np.array(model.experts[expert])
    ahead = np.arange(-11, 12)
    odds = (model.accuracy / (1.0 - model.accuracy)) ** ahead
    on_right = odds / (1.0 + odds)  # P(tiger right | roars)
    roar_right = on_right * model.accuracy + (1.0 - on_right) * (1.0 - model.accuracy)

    def opening(weights: tuple[float, float]) -> Array:
        """Mean reward of opening the left door, given weights P(action | side): (roars,)."""
        weight_left, weight_right = weights
        total = on_right * weight_right + (1.0 - on_right) * weight_left
        safe_left = np.divide(
            on_right * weight_right, total, out=np.zeros_like(total), where=total > 0
        )
        return np.asarray(-100.0 + 110.0 * safe_left)

    def listening(later: Array) -> Array:
        after_left, after_right = np.append(later[0], later[:-1]), np.append(later[1:], later[-1])
        return np.asarray(-1.0 + roar_right * after_right + (1.0 - roar_right) * after_left)

    taken = (left + right) > 0
    believed_left = opening((left[1], right[1]))
    # The right door is safe where the left one is not.
    believed_right = -90.0 - opening((left[2], right[2]))
    true_left = opening((1.0, 1.0))
    believed, true = np.zeros(len(ahead)), np.zeros(len(ahead))
    for _ in range(model.horizon):
        options = np.array([listening(believed), believed_left, believed_right])
        options[~taken] = -np.inf
        chosen = np.isclose(options, options.max(0), rtol=0, atol=1e-9)
        policy = chosen / chosen.sum(0)
        true = (policy * np.array([listening(true), true_left, -90.0 - true_left])).sum(0)
        believed = options.max(0)

    first_roar = np.isin(ahead, (-1, 1)) / 2  # from either side with the same probability
    values = references(model, model)
    assert first_roar @ believed == pytest.approx(values["promised"], abs=1e-6)
    assert first_roar @ true == pytest.approx(values["j_confused"], abs=1e-6)

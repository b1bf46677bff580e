"""The printed figures of Door and of Tiger."""

import numpy as np
import pytest
from printed import done, earned, naive, natural_bounds, pooled, printed

from dosuite.causal import InputError, value
from dosuite.causal.exact import plan_with_memory
from dosuite.envs.worlds.door_tiger import Door, Tiger
from dosuite.eval.runs.reference_values import references

EXPERTS = [
    ("noisy_good", ".7714 .80", "0 1"),
    ("perfect_good", "1 1", ".5 .5"),
    ("perfect_bad", "0 0", ".5 .5"),
    ("random", ".6 .4", "1 0"),
    ("strong_good_bias", ".5455 0", "1 0"),
    ("strong_bad_bias", ".6522 1.0", "0 1"),
]


def test_every_expert_is_here() -> None:
    assert list(Door.members()) == [expert for expert, _, _ in EXPERTS]
    for kind in (Door, Tiger):
        with pytest.raises(InputError, match="did you mean 'noisy_good'"):
            kind(expert="noisy_god")


@pytest.mark.parametrize(("expert", "seen", "chosen"), EXPERTS)
def test_door(expert: str, seen: str, chosen: str) -> None:
    model = Door(expert=expert)
    assert printed(naive(model), seen)
    assert printed(done(model), ".6 .4")
    assert printed(model.confused_policy(), chosen)


def test_the_noisy_expert() -> None:
    model = Door()
    twin = model.twin()
    assert printed([*earned(model), model.promised_value(), value(model)], ".40 .60 .80 .78")
    assert printed(natural_bounds(model, model.reward), ".54 .84 .24 .94")
    assert twin is not None
    assert printed(done(twin), ".7714 .80")
    assert twin.causal_policy().tolist() == [[0.0, 1.0]]


@pytest.mark.parametrize("expert", ["perfect_good", "perfect_bad", "random", "strong_good_bias"])
def test_where_nobody_is_misled_or_all_is_a_tie_there_is_no_twin(expert: str) -> None:
    assert Door(expert=expert).twin() is None


@pytest.mark.parametrize(("shift", "figures"), [("red_90", ".1 .9"), ("red_30", ".7 .3")])
def test_door_shifts(shift: str, figures: str) -> None:
    model = Door()
    assert printed(earned(model, model.shifted(shift)), figures)


def test_unlabelled_interventions_until_the_buttons_change_places() -> None:
    model = Door()
    assert pooled(model, 0.057).argmax() == 1
    assert pooled(model, 0.059).argmax() == 0


@pytest.mark.parametrize(
    ("expert", "figures"),
    [("bench_good", "9.505 -6.5"), ("noisy_good", "7.280 4.966"), ("perfect_good", "10 -45")],
)
def test_tiger(expert: str, figures: str) -> None:
    """What the planner in the log believes and earns;

    the best planner does not depend on the expert.
    """
    model = Tiger(expert=expert)
    values = references(model, model)
    assert printed([values["promised"], values["j_confused"]], figures)
    assert printed([values["j_causal"], values["j_best"]], "6.1077 6.1077")


def test_who_forgets_opens_after_one_roar() -> None:
    model = Tiger()
    after_a_roar = [[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]]
    assert model.confused_policy().tolist() == model.causal_policy().tolist() == after_a_roar
    assert printed(value(model, np.array(after_a_roar)), "-6.5")


def test_who_remembers_needs_only_the_difference_of_the_roars() -> None:
    """The value of so many more roars from one side than from the other, with more and more steps
    to go.
    """
    model = Tiger()
    ahead = np.arange(-15, 16)
    odds = (model.accuracy / (1.0 - model.accuracy)) ** ahead
    there = odds / (1.0 + odds)  # P(the tiger is on that side)
    again = there * model.accuracy + (1.0 - there) * (
        1.0 - model.accuracy
    )  # P(the next roar comes from there)
    opened = 10.0 - 110.0 * np.minimum(there, 1.0 - there)
    worth = np.zeros(len(ahead))
    for _ in range(model.horizon):
        listened = (
            -1.0
            + again * np.append(worth[1:], worth[-1])
            + (1.0 - again) * np.append(worth[0], worth[:-1])
        )
        worth = np.maximum(opened, listened)
    assert abs(ahead[opened >= listened]).min() == 3
    assert printed([worth[ahead == 1].item(), plan_with_memory(model)[0]], "6.1077 6.1077")

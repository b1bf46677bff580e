"""The laws of twins, controls and dials."""

from collections import defaultdict

import numpy as np
import pytest
from countable import CONTINUOUS, each
from model_laws import EXACT, MODELS, THROWAWAY, courses, draw, random_policies, short

from dosuite.causal import (
    World,
    behaviour_policy,
    value,
)
from dosuite.causal.exact import log_process
from dosuite.causal.graphs import is_markov
from dosuite.envs import make_model
from dosuite.envs.worlds.ice_cream import IceCreamShorts
from dosuite.eval.runs.reference_values import references

RECORDED = {
    text: model for text, model in MODELS.items() if not model.names("selection")
}  # who selects writes a control of its own


ANOTHER_LOG = {
    text: model for text, model in RECORDED.items() if type(model).dialled is World.dialled
}  # other dials turn the world itself


TWINS = {
    text: (model, twin) for text, model in MODELS.items() if (twin := model.twin()) is not None
}


TIMED = [
    THROWAWAY["Orchard"],
    THROWAWAY["Dawn"],
]  # the best policy would look at the clock, and a plan in one process does not


IN_A_BOX = {
    text: model for text, model in CONTINUOUS.items() if model.action_bounds is not None
}  # whose references are exact


every_continuous_model = pytest.mark.parametrize("model", IN_A_BOX.values(), ids=IN_A_BOX)


every_recorded_model = each(RECORDED)


every_model_with_the_common_dial = each(ANOTHER_LOG)


every_twin = pytest.mark.parametrize(("model", "twin"), TWINS.values(), ids=TWINS)


def seen_law(model: World) -> dict[tuple[float, ...], float]:
    """The law of everything visible in an episode that is recorded."""
    visible = model.names("context", "action", "logged", "reward", "terminal")
    law: dict[tuple[float, ...], float] = defaultdict(float)
    for course, p in courses(model):
        if all(now[name] == 1 for now in course for name in model.names("selection")):
            law[tuple(now[name] for now in course for name in visible)] += p
    recorded = sum(law.values())
    return {seen: p / recorded for seen, p in law.items()}


def same_sight(one: World, other: World) -> bool:
    p, q = seen_law(one), seen_law(other)
    return max(abs(p.get(seen, 0.0) - q.get(seen, 0.0)) for seen in {*p, *q}) < 1e-9


@every_twin
def test_a_twin_looks_the_same_and_has_another_best_policy(model: World, twin: World) -> None:
    assert same_sight(short(model), short(twin))
    assert value(twin, model.causal_policy()) < value(twin, twin.causal_policy()) - 1e-9
    assert value(model, twin.causal_policy()) < value(model, model.causal_policy()) - 1e-9


@every_twin
def test_the_twin_of_a_twin_has_the_best_policy_of_the_model_or_is_none(
    model: World, twin: World
) -> None:
    again = twin.twin() if type(twin) is not type(model) else None
    assert again is None or abs(again.causal_policy() - model.causal_policy()).max() < EXACT


def test_a_world_that_looks_different_is_noticed() -> None:
    assert not same_sight(IceCreamShorts(), IceCreamShorts(effect=1e-6))


@pytest.mark.parametrize("steps", [1, 2, 3, 7])
def test_a_river_of_any_length_has_a_twin_that_looks_the_same(steps: int) -> None:
    model = make_model("ConfoundedRiver-v0", horizon=steps)
    twin = model.twin()
    assert twin is not None
    assert same_sight(short(model), short(twin))


@every_model_with_the_common_dial
def test_a_control_keeps_the_propensity_and_what_actions_do_and_ends_the_confusion(
    model: World,
) -> None:
    control = model.control()
    if model.marginal().causes == model.contexts:  # and no nuisance is left out
        assert behaviour_policy(control) == pytest.approx(behaviour_policy(model), abs=1e-9)
    for policy in random_policies(model, 3):
        assert value(control, policy) == pytest.approx(value(model, policy), abs=EXACT)
    if (model.horizon == 1 or is_markov(model.graph)) and model not in TIMED:
        best = value(control, control.causal_policy())
        assert value(control, control.confused_policy()) == pytest.approx(best, abs=1e-9)
        assert control.promised_value() == pytest.approx(best, abs=1e-9)


@every_recorded_model
def test_a_dial_goes_from_the_control_to_the_model(model: World) -> None:
    assert model.dial(1.0) == model
    assert model.dial(0.0) == model.control() != model.dial(0.5) != model


@every_model_with_the_common_dial
def test_the_common_dial_changes_the_log_alone(model: World) -> None:
    half = model.dial(0.5)
    policy = random_policies(model, 1)[0]
    assert value(half, policy) == pytest.approx(value(model, policy), abs=EXACT)
    if model.horizon == 1:
        ends = (log_process(model.dial(0.0)), log_process(model))
        assert behaviour_policy(half) == pytest.approx(behaviour_policy(model), abs=EXACT)
        middle = (ends[0].reward + ends[1].reward) / 2
        assert log_process(half).reward == pytest.approx(
            middle, abs=EXACT
        )  # the joint law is linear in the strength


@every_continuous_model
def test_a_twin_of_a_continuous_model_looks_the_same_unit_by_unit_and_has_another_best_policy(
    model: World,
) -> None:
    twin = model.twin()
    if twin is None:
        return
    one, other = draw(model), draw(twin)
    assert all(
        np.allclose(one[name], other[name], rtol=0, atol=1e-9)
        for name in model.names("context", "action", "logged", "reward")
    )
    assert references(twin, twin)["promised"] == pytest.approx(
        references(model, model)["promised"], abs=1e-9
    )
    ours, theirs = references(model, model), references(twin, twin)
    assert abs(ours["j_causal"] - theirs["j_causal"]) > 1e-3
    assert twin.twin() == model


@every_continuous_model
def test_in_the_control_of_a_continuous_model_the_confused_policy_is_the_causal_one(
    model: World,
) -> None:
    control, half = model.control(), model.dial(0.5)
    assert model.dial(1.0) == model
    assert model.dial(0.0) == control
    ours, theirs, middle = (references(one, one) for one in (model, control, half))
    assert theirs["j_confused"] == pytest.approx(theirs["j_causal"], abs=1e-9)
    for name in ("j_worst", "j_causal", "j_best", "j_uniform"):  # what actions do has not changed
        assert theirs[name] == pytest.approx(ours[name], rel=1e-9)
    assert ours["j_confused"] < theirs["j_confused"]
    assert ours["j_confused"] - 1e-9 <= middle["j_confused"] <= theirs["j_confused"] + 1e-9


@every_continuous_model
def test_the_references_of_a_continuous_model_are_in_order(model: World) -> None:
    for world in (model, *(model.shifted(name) for name in model.shifts())):
        values = references(model, world)
        policies = [values[name] for name in ("j_confused", "j_causal", "j_best", "j_worst")]
        assert values["j_worst"] - 1e-9 <= min(policies) <= max(policies) <= values["j_best"] + 1e-9

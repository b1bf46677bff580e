"""The printed figures of TrafficLight, which are means of a step: an episode has 50."""

from dataclasses import replace

import numpy as np
import pytest
from printed import printed

from dosuite.causal import distribution, value
from dosuite.envs.worlds.traffic_light import Ambiguous, TrafficLight

FOLLOW_LEAD, FOLLOW_CAMERA = (
    np.eye(2)[[0, 1, 0, 1]],
    np.eye(2)[[0, 0, 1, 1]],
)  # a row for each (camera, lead)


def a_step(world: TrafficLight) -> list[float]:
    """What a step earns to who follows the lead car, and to who follows the camera."""
    return [value(world, policy) / world.horizon for policy in (FOLLOW_LEAD, FOLLOW_CAMERA)]


def in_shift(model: TrafficLight, shift: str) -> TrafficLight:
    world = model.shifted(shift)
    assert isinstance(world, TrafficLight)
    return world


def test_in_the_log_the_lead_car_is_the_better_sign() -> None:
    model = TrafficLight()
    assert printed([distribution(model, "light", step=step)[0] for step in (0, 49)], ".2857 .2857")
    assert printed(a_step(model), ".6929 .3929")
    assert np.array_equal(model.confused_policy(), FOLLOW_LEAD)
    assert printed(model.promised_value() / model.horizon, ".693")


def test_policies_are_valued_behind_another_car() -> None:
    world = TrafficLight().deployed()
    assert world == TrafficLight().shifted("random_lead")
    assert np.array_equal(world.causal_policy(), FOLLOW_CAMERA)


@pytest.mark.parametrize(
    ("shift", "figures"),
    [
        ("random_lead", "-.357 .393"),
        ("lead_always_goes", "-.714 .393"),
        ("lead_parked", "0.000 .393"),
        ("lead_inverted", "-1.407 .393"),
    ],
)
def test_shifts(shift: str, figures: str) -> None:
    assert printed(a_step(in_shift(TrafficLight(), shift)), figures)


def losing(delta: float) -> TrafficLight:
    """The deployment in which the lead car's accuracy is `delta` lower."""
    return in_shift(TrafficLight(lead_accuracy_deployed=0.99 - delta), "random_lead")


@pytest.mark.parametrize(
    ("delta", "figure"),
    [
        (0.0, ".693"),
        (0.05, ".586"),
        (0.1, ".479"),
        (0.15, ".371"),
        (0.2, ".264"),
        (0.3, ".050"),
        (0.4, "-.164"),
        (0.49, "-.357"),
    ],
)
def test_the_less_the_lead_car_knows_the_less_earns_who_follows_it(
    delta: float, figure: str
) -> None:
    assert printed(a_step(losing(delta))[0], figure)
    on_the_dial = TrafficLight().dial(delta / 0.49).deployed()
    assert value(on_the_dial, FOLLOW_LEAD) == pytest.approx(value(losing(delta), FOLLOW_LEAD))


def test_the_camera_is_as_good_from_where_both_err_alike() -> None:
    lead, camera = a_step(losing(0.14))
    assert lead == pytest.approx(camera, abs=1e-12)
    assert a_step(losing(0.139))[0] > camera > a_step(losing(0.141))[0]


def test_two_signs_of_which_either_explains_the_log() -> None:
    model = Ambiguous()
    assert printed(a_step(model), ".714 .714")
    assert printed(a_step(in_shift(model, "random_lead")), "-.357 .714")


@pytest.mark.parametrize("conflicts", [0.001, 0.01, 0.1])
def test_any_row_of_conflict_tells_the_signs_apart(conflicts: float) -> None:
    model = Ambiguous(lead_accuracy=1.0 - conflicts)
    joint = distribution(model, "camera", "lead")
    assert joint[0, 1] + joint[1, 0] == pytest.approx(conflicts)
    assert np.array_equal(model.confused_policy(), FOLLOW_CAMERA)


def test_in_the_control_the_lead_car_stays() -> None:
    control = TrafficLight().control()
    assert control.deployed() == replace(TrafficLight(), lead_accuracy_deployed=0.99)
    assert np.array_equal(control.confused_policy(), control.deployed().causal_policy())

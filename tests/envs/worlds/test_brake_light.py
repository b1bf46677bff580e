"""The printed figures of BrakeLight, which are means of a step: an episode has 100."""

from dataclasses import replace

import numpy as np
import pytest
from printed import printed

from dosuite.causal import Array, behaviour_policy, value
from dosuite.causal.exact import greedy, log_process
from dosuite.envs.worlds.brake_light import BrakeLight


def a_step(world: BrakeLight, policy: Array | None = None) -> float:
    return value(world, policy) / world.horizon


def without_light(model: BrakeLight) -> Array:
    """P(brake | camera) in the log, for each camera and light: (4, 2)."""
    return np.repeat(np.array(model.marginal().table), 2, axis=0)


def test_the_log() -> None:
    model = BrakeLight()
    assert printed(behaviour_policy(model)[:, 1], ".0159 .2767 .3334 .9587")
    assert printed(without_light(model)[::2, 1], ".0365 .6885")
    assert printed(log_process(model).reward[:, 0], ".999 .959 .946 -1.576")


def test_the_better_imitator_is_the_worse_driver() -> None:
    model = BrakeLight()
    rows = log_process(model).visits / log_process(model).visits.sum()
    with_light, camera_alone = behaviour_policy(model), without_light(model)
    hits = [float(rows.sum(1) @ clone.max(1)) for clone in (with_light, camera_alone)]
    likelihoods = [float((rows * np.log(clone)).sum()) for clone in (with_light, camera_alone)]
    assert printed([*hits, *likelihoods], ".9294 .8920 -.187 -.277")
    assert printed(
        [a_step(model, greedy(with_light)), a_step(model, greedy(camera_alone))], "-1.200 .520"
    )
    assert printed([a_step(model, with_light), a_step(model, camera_alone)], "-.098 -.035")


def test_who_plans_in_the_log_never_brakes_either() -> None:
    model = BrakeLight()
    now, later = greedy(log_process(model).reward), greedy(log_process(model).plan())
    assert printed([a_step(model, now), a_step(model, later)], "-1.2 -1.2")


def test_the_best_of_each_class() -> None:
    """A table, who remembers what the camera showed, and the expert;

    who also learns from the rewards does a little better.
    """
    model = BrakeLight()
    remembering, learning = (with_belief(model, rewards) for rewards in (False, True))
    assert printed(
        [a_step(model, model.causal_policy()), remembering, learning, a_step(model)],
        ".520 .595 .6036 .772",
    )


def with_belief(model: BrakeLight, rewards: bool, points: int = 4001) -> float:
    """The value of a step to whoever remembers, between points of a grid over P(pedestrian) before
    the camera is looked at.

    With `rewards`, who drives learns from them where the pedestrian was.
    """
    belief = np.linspace(0.0, 1.0, points)
    left, stayed = model.appear, 1.0 - model.leave
    worth = np.zeros(points)
    for _ in range(model.horizon):
        total = np.zeros(points)
        for hit in (model.accuracy, 1.0 - model.accuracy):
            there, free = belief * hit, (1.0 - belief) * (1.0 - hit)
            seen = np.where(there + free > 0, there + free, 1.0)
            watched = (there + free) * np.interp(
                (there * stayed + free * left) / seen, belief, worth
            )
            told = free * np.interp(left, belief, worth) + there * np.interp(stayed, belief, worth)
            total += np.maximum(watched, free - 10.0 * there + (told if rewards else watched))
        worth = total
    return float(np.interp(left / (left + model.leave), belief, worth)) / model.horizon


@pytest.mark.parametrize(
    ("accuracy", "figures"),
    [
        (0.6, "-1.2 -1.2"),
        (0.7, "-1.2 -1.2"),
        (0.85, "-1.2 .38"),
        (0.9, "-1.2 .52"),
        (0.95, ".66 .66"),
        (0.99, ".772 .772"),
    ],
)
def test_a_better_camera_ends_the_confusion(accuracy: float, figures: str) -> None:
    model = BrakeLight(accuracy=accuracy)
    assert printed(
        [a_step(model, model.confused_policy()), a_step(model, greedy(without_light(model)))],
        figures,
    )


def test_a_camera_that_is_right_four_times_in_five_is_a_tie() -> None:
    """Whether to brake when it shows a pedestrian;

    .24 is printed for who does. Ties are shared, and the clone that shares earns less.
    """
    model = BrakeLight(accuracy=0.8)
    clone = greedy(without_light(model))
    assert clone.tolist() == [[1.0, 0.0], [1.0, 0.0], [0.5, 0.5], [0.5, 0.5]]
    brakes, drives = np.eye(2)[[0, 0, 1, 1]], np.eye(2)[[0, 0, 0, 0]]
    assert printed(
        [a_step(model, policy) for policy in (model.confused_policy(), brakes, drives, clone)],
        "-1.2 .24 -1.2 -.48",
    )


@pytest.mark.parametrize(
    ("shift", "figures"),
    [
        ("rain", "-1.2 .10"),
        ("downtown", "-4.5 -.05"),
        ("jaywalkers", "-1.2 .52"),
        ("light_random", "-.34 .52"),
        ("light_always_on", ".52 .52"),
    ],
)
def test_shifts(shift: str, figures: str) -> None:
    model = BrakeLight()
    world = model.shifted(shift)
    policies = (model.confused_policy(), greedy(without_light(model)))
    assert printed([value(world, policy) / world.horizon for policy in policies], figures)


def test_in_the_control_the_light_tells_nothing_and_the_clone_is_right() -> None:
    model = BrakeLight()
    control = model.control()
    assert behaviour_policy(control) == pytest.approx(without_light(model), abs=1e-12)
    assert np.array_equal(control.confused_policy(), control.causal_policy())


def test_the_log_is_stationary_from_its_first_row() -> None:
    model = BrakeLight()
    longer = replace(model, burn_in=50)
    assert log_process(model).visits == pytest.approx(log_process(longer).visits, abs=1e-12)

"""Spaces of environments, and actions and settings that are refused."""

from collections.abc import Callable
from typing import Any, ClassVar

import gymnasium
import numpy as np
import pytest
from environments import MODELS, RELAY, every_model
from gymnasium.spaces import Box

from dosuite.causal import (
    Array,
    Exactly,
    InputError,
    Normal,
    World,
    reward,
)
from dosuite.causal import action as action_role
from dosuite.envs import (
    CausalEnv,
    CausalVectorEnv,
    make_model,
    observation_space,
)
from dosuite.envs.spaces import action_space

# Spaces and refusals.


@every_model
def test_shift_twin_control_and_dial_change_no_space(model: World) -> None:
    spaces = observation_space(model), action_space(model)
    others = [model.shifted(name) for name in model.shifts()]
    if observation_space(model).__class__ is not Box or model in MODELS.values():
        others += [model.control(), model.dial(0.5), *filter(None, [model.twin()])]
    for other in others:
        assert (observation_space(other), action_space(other)) == spaces


@pytest.mark.parametrize(
    "action", [2, -1, 0.5, np.nan, "1", None, np.array([1]), np.array([0, 1])], ids=repr
)
def test_a_bad_action_is_refused(action: Any) -> None:
    env = CausalEnv("IceCreamShorts-v0")
    env.reset(seed=0)
    with pytest.raises(InputError, match=r"^the action must be in Discrete\(2\), and got .*$"):
        env.step(action)


@pytest.mark.parametrize(
    "actions",
    [[0, 2], [0, -1], [0.5, 0.5], [np.nan, 0], [0], [0, 1, 1], 1, [[0, 1]], ["0", "1"], [None, 0]],
    ids=repr,
)
def test_bad_actions_of_a_batch_are_refused(actions: Any) -> None:
    env = CausalVectorEnv("IceCreamShorts-v0", 2)
    env.reset(seed=0)
    with pytest.raises(InputError, match=r"^step needs 2 actions in Discrete\(2\), and got .*$"):
        env.step(actions)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (
            lambda: gymnasium.make("IceCreamShorts-v0", confounded=0.3),
            "has no setting 'confounded'",
        ),
        (
            lambda: gymnasium.make("IceCreamShorts-v0", confounding=3.0),
            "IceCreamShorts.ice_cream: Bernoulli needs probabilities",
        ),
        (lambda: gymnasium.make("IceCreamShorts-v0", shift="cold"), "did you mean 'cold_snap'"),
        (lambda: CausalEnv("IceCream-v0"), "there is no environment 'IceCream-v0'"),
        (
            lambda: CausalVectorEnv(make_model(RELAY), 2, horizon=3),
            "a model takes no further settings; set horizon on the model itself",
        ),
        (lambda: CausalVectorEnv(RELAY, 2).reset(seed=[1]), "reset needs 2 seeds, and got 1"),
    ],
)
def test_a_bad_environment_is_refused(make: Callable[[], object], text: str) -> None:
    with pytest.raises(InputError) as refused:
        make()
    assert text in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "action", [9.99, 30.01, np.nan, np.inf, "20", None, True, [[20.0]], [20.0, 20.0]], ids=repr
)
def test_an_action_outside_a_box_is_refused(action: Any) -> None:
    env = CausalEnv("AirlinePricing-v0")
    env.reset(seed=0)
    with pytest.raises(
        InputError, match=r"^the action must be in Box\(10.0, 30.0, \(1,\), float32\), and got .*$"
    ):
        env.step(action)


@pytest.mark.parametrize(
    "actions",
    [[20.0, 31.0], [20.0, np.nan], [20.0], 20.0, [[20.0, 20.0]], ["20", "20"], [None, 20.0]],
    ids=repr,
)
def test_actions_of_a_batch_outside_a_box_are_refused(actions: Any) -> None:
    env = CausalVectorEnv("AirlinePricing-v0", 2)
    env.reset(seed=0)
    with pytest.raises(
        InputError,
        match=r"^step needs 2 actions in Box\(10.0, 30.0, \(1,\), float32\), and got .*$",
    ):
        env.step(actions)


def test_a_number_and_an_array_of_one_are_the_same_action() -> None:
    one, two, many = (
        CausalEnv("AirlinePricing-v0"),
        CausalEnv("AirlinePricing-v0"),
        CausalVectorEnv("AirlinePricing-v0", 1),
    )
    for env in (one, two, many):
        env.reset(seed=0)
    paid = one.step(12.5)[1]
    assert two.step(np.array([12.5], np.float32))[1] == paid
    assert many.step(np.array([[12.5]], np.float32))[1].tolist() == [paid]


@pytest.mark.parametrize(
    ("bounds", "text"),
    [(None, "or have action_bounds, and takes any value"), ((1.0, 1.0), "the lower one first")],
)
def test_an_action_that_is_a_number_needs_bounds(bounds: Any, text: str) -> None:
    class Dose(World):
        action_bounds: ClassVar[Any] = bounds

        @action_role
        def dose(self) -> Normal:
            return Normal(0.0, 1.0)

        @reward
        def relief(self, dose: Array) -> Exactly:
            return Exactly(dose)

    with pytest.raises(InputError, match=text):
        CausalEnv(Dose())

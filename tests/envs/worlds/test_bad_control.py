"""The printed figures of the worlds with a bad control, computed by the package."""

import numpy as np
import pytest
from printed import done, earned, naive, printed

from dosuite.causal import distribution, expectation, value
from dosuite.envs.worlds.bad_control import BirthWeight, MediatorTrap, adjusted_means

WORLDS = [MediatorTrap(), BirthWeight()]
every_world = pytest.mark.parametrize("model", WORLDS, ids=lambda model: type(model).__name__)


def test_overcontrol() -> None:
    model = MediatorTrap()
    assert printed(adjusted_means(model, "mediator"), ".45 .35")
    assert printed(naive(model), ".30 .50")
    assert printed(done(model), ".30 .50")
    assert printed([*earned(model), model.promised_value()], ".30 .50 .450")


def test_birth_weight() -> None:
    model = BirthWeight()
    light = [expectation(model, "outcome", {"treatment": smoke, "mediator": 1}) for smoke in (0, 1)]
    assert printed(1 - np.array(naive(model)), ".068 .108")
    assert printed(1 - np.array(light), ".340 .130")
    assert printed(1 - adjusted_means(model, "mediator"), ".1461 .0932")
    assert model.confused_policy().argmax() == 1
    assert printed(earned(model), ".892 .932")


@pytest.mark.parametrize(
    ("model", "shift", "figures"),
    [
        (WORLDS[0], "mediator_boosted", ".225 .575"),
        (WORLDS[0], "mediator_broken", ".30 .20"),
        (WORLDS[0], "harm", ".60 .20"),
        (WORLDS[0], "dear", ".30 .20"),
        (WORLDS[1], "common_defect", ".796 .836"),
        (WORLDS[1], "rare_defect", ".930 .970"),
        (WORLDS[1], "harm", ".805 .932"),
    ],
)
def test_shifts(model: MediatorTrap, shift: str, figures: str) -> None:
    assert printed(earned(model, model.shifted(shift)), figures)


@every_world
def test_where_the_mediator_comes_first_who_adjusts_is_right(model: MediatorTrap) -> None:
    twin = model.twin()
    assert twin is not None
    assert done(twin) == pytest.approx(adjusted_means(model, "mediator").tolist())
    assert value(twin, twin.confused_policy()) == pytest.approx(value(twin, twin.causal_policy()))


@every_world
def test_without_a_record_of_the_mediator_nobody_is_confused(model: MediatorTrap) -> None:
    control = model.control()
    joint = distribution(control, "mediator", "treatment", "outcome")
    assert joint == pytest.approx(joint.sum((1, 2))[:, None, None] * joint.sum(0))
    assert adjusted_means(control, "mediator") == pytest.approx(done(model))


@every_world
def test_the_dial_mixes_the_records(model: MediatorTrap) -> None:
    laws = [
        distribution(world, "mediator", "treatment", "outcome")
        for world in (model, model.control(), model.dial(0.25))
    ]
    assert laws[2] == pytest.approx(0.25 * laws[0] + 0.75 * laws[1])

"""A nuisance: a context that follows a hidden cause in the log, and nothing elsewhere."""

from dataclasses import replace

import numpy as np
import pytest

from dosuite.causal import InputError, World, distribution, value
from dosuite.causal.world.nuisance import hidden_cause
from dosuite.envs import collect, make_model, unparse, world_classes


def river(**settings: float | str) -> World:
    return make_model("ConfoundedRiver-v0", observation=unparse("nuisance", settings))


def agreement(model: World, cause: str) -> float:
    """P(nuisance = cause) at the first step, of a cause that is 0 or 1."""
    joint = distribution(model, cause, "nuisance")
    return float(joint[0, 0] + joint[1, 1])


def test_it_agrees_with_the_hidden_cause_in_the_log_alone() -> None:
    model = make_model("IceCreamShorts-v0", observation="nuisance[strength=0.6]")
    assert agreement(model, "heat") == pytest.approx(0.8, abs=1e-12)
    assert agreement(model.deployed(), "heat") == pytest.approx(0.5, abs=1e-12)
    assert agreement(model.shifted("cold_snap"), "heat") == pytest.approx(0.5, abs=1e-12)
    assert agreement(model.shifted("nuisance_flipped"), "heat") == pytest.approx(0.2, abs=1e-12)
    assert agreement(model.control(), "heat") == pytest.approx(0.5, abs=1e-12)


def test_it_may_follow_the_previous_action() -> None:
    model = replace(river(follows="action", strength=1.0), observation="")
    assert distribution(model, "nuisance") == pytest.approx([0.5, 0.5])
    log = collect(model, 50, 0)
    later = np.flatnonzero(log["step"] > 0)
    assert (log["observation"][later, 1] == log["action"][later - 1]).all()


def test_who_is_confused_by_it_loses_where_it_is_flipped() -> None:
    model = river(strength=0.9)
    deployed, flipped = model.deployed(), model.shifted("nuisance_flipped")
    confused, causal = model.confused_policy(), deployed.causal_policy()
    assert value(flipped, confused) < value(deployed, confused) - 0.3
    # the best policy does not use it
    assert value(flipped, causal) == pytest.approx(value(deployed, causal), abs=1e-9)


def test_the_law_of_everything_else_is_that_of_the_world() -> None:
    plain, model = (
        make_model("IceCreamShorts-v0"),
        make_model("IceCreamShorts-v0", observation="nuisance"),
    )
    names = ("heat", "ice_cream", "shorts", "pay")
    assert distribution(model, *names) == pytest.approx(distribution(plain, *names), abs=1e-12)


@pytest.mark.parametrize(
    ("world", "settings", "message"),
    [
        ("IceCreamShorts-v0", "strength=2", r"in \[-1, 1\]"),
        ("IceCreamShorts-v0", "follows=shorts", "'shorts' is nothing to follow"),
        ("SimpsonClinic-v0", "strength=0.5", r"let the nuisance follow the action"),
        ("BrakeLight-v0", "strength=0.5", "of its own, which knows of no nuisance"),
    ],
)
def test_what_cannot_have_one_says_so(world: str, settings: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make_model(world, observation=f"nuisance[{settings}]")


def test_a_world_with_a_nuisance_has_no_twin() -> None:
    with pytest.raises(InputError, match="with a nuisance has no twin"):
        make_model("IceCreamShorts-v0:observation=nuisance", variant="twin")


def test_a_hidden_cause_is_a_latent_that_confounds() -> None:
    found = {}
    for name, cls in world_classes().items():
        try:
            found[name] = hidden_cause(cls())
        except InputError:
            continue
    assert found["IceCreamShorts-v0"] == "heat"
    assert "SimpsonClinic-v0" not in found
    assert len(found) > 10

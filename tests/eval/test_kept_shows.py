"""The kept texts of `dosuite show`: complete, and equal to what is computed."""

import json

import pytest
from commands import Call

from dosuite.envs import make_model, world_classes
from dosuite.eval.cli.kept_shows import FILE, SLOW, computed_show, kept_show


def test_the_file_has_the_slow_worlds() -> None:
    assert sorted(json.loads(FILE.read_text(encoding="utf-8"))) == sorted(SLOW)
    assert set(SLOW) <= set(world_classes())


@pytest.mark.long
@pytest.mark.parametrize("world", SLOW)
def test_the_kept_texts_are_those_that_are_computed(world: str) -> None:
    model = make_model(world)
    assert kept_show(world, model) == "\n".join(computed_show(model))


def test_a_slow_world_is_shown_as_it_is_kept_and_with_settings_it_is_computed(
    dosuite: Call,
) -> None:
    name = "CoinEnd-v0"
    code, out, _ = dosuite("show", name)
    assert code == 0
    assert kept_show(name, make_model(name)) in out
    assert not kept_show(f"{name}:horizon=5", make_model(name))
    assert not kept_show("IceCreamShorts-v0", make_model("IceCreamShorts-v0"))

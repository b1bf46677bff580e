"""The arguments of the environments: worlds and their knobs, actions and seeds."""

from dataclasses import fields
from typing import Any

from gymnasium.spaces import Box

from dosuite.causal import SCM, InputError, World
from dosuite.causal.errors import checked_type, did_you_mean

from ..registry import make_model, world_class
from ..settings import parse
from ..spaces import Space
from ..trust import trusting

SEEDS = 2**63  # the seeds that differ: others are taken modulo this number


class UnknownKeywordError(InputError, TypeError):
    """A keyword that is not a knob of the world.

    It is also a TypeError: other libraries try a keyword and go on without it after a TypeError.
    """


def model_of(world: str | World, knobs: dict[str, Any]) -> World:
    """The model of a world's id with these knobs, or the model itself, which takes none.

    Raises UnknownKeywordError if the world has no such knob, and InputError if there is no world.
    """
    checked_type(world, (str, SCM), "an environment is made of an id or a model")
    if not isinstance(world, str):
        if knobs:
            raise UnknownKeywordError(
                f"a model takes no further settings; set {', '.join(knobs)} on the model itself "
                f"(unexpected keyword argument {next(iter(knobs))!r})"
            )
        return world
    with trusting(knobs.get("trust", False)):
        cls = world_class(parse(world)[0])
    settings = [field.name for field in fields(cls) if field.init and field.name != "edits"]
    for name in knobs:
        if name not in (*settings, "edits", "variant", "shift", "trust"):
            raise UnknownKeywordError(
                f"{cls.__name__} has no setting {name!r} (unexpected keyword argument {name!r}); "
                + did_you_mean(name, [*settings, "variant", "shift"])
            )
    return make_model(world, **knobs)


def number_of_choices(space: Space) -> int:
    """The number of actions; 0 if the action is a number in a Box."""
    return 0 if isinstance(space, Box) else int(space.n)  # type: ignore[attr-defined]


def in_one_line(actions: Any) -> str:
    """The `repr` of actions without line breaks."""
    return " ".join(repr(actions).split())

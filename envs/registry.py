"""Every world by its id, and the registration with Gymnasium.

A file in this folder is all it takes to add one.
"""

from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from typing import Any

import gymnasium

from dosuite.causal import SCM, InputError, World
from dosuite.causal.errors import did_you_mean

from . import worlds as worlds_package
from .gym.opaque_world import OpaqueWorld
from .plugins import class_in_file, classes_in_package, names_file
from .settings import parse, typed, unparse

VARIANTS = ("", "twin", "control")


@cache
def world_classes() -> dict[str, type[World]]:
    """The classes of all worlds by id:

    `IceCreamShorts-v0`, and `IceCreamShorts-Thermo-v0` for its member Thermo.
    """
    return {
        world_id(cls): cls
        for cls in classes_in_package(worlds_package, World)
        if cls.names_of_variables()
    }


def world_id(cls: type[SCM]) -> str:
    """The id of a class: the names from the family down to the class, and the version."""
    line = [
        base
        for base in reversed(cls.__mro__)
        if issubclass(base, SCM) and base.names_of_variables()
    ]
    return "-".join([*dict.fromkeys((line[0].__name__, cls.__name__)), f"v{cls.version}"])


@cache
def opaque_worlds() -> dict[str, type[OpaqueWorld]]:
    """The classes, by id, of the worlds that are no models and are known to Gymnasium alone:

    `KeysChests-v0`.
    """
    return {
        cls.id(): cls
        for cls in classes_in_package(worlds_package, OpaqueWorld)
        if cls is not OpaqueWorld
    }


def world_class(name: str) -> type[World]:
    """The class of an id, with or without its version, or of a `file.py:Class`.

    Raises InputError if there is none.
    """
    if names_file(name):
        return class_in_file(name, World)
    known = world_classes()
    found = known.get(name) or next(
        (cls for key, cls in known.items() if key.rpartition("-v")[0] == name), None
    )
    if found is None and name in opaque_worlds():
        raise InputError(
            f"{name} is no model, and only Gymnasium makes it: "
            f'gymnasium.make("dosuite.envs:{name}")'
        )
    if found is None:
        raise InputError(f"there is no environment {name!r}; {did_you_mean(name, known)}")
    return found


def make_model(world: str, *, variant: str = "", shift: str = "", **knobs: Any) -> World:
    """The model of a world: `make_model("IceCreamShorts-v0:confounding=0.5", variant="twin",
    shift="cold_snap")`.

    Raises InputError if the world, a knob, the variant or the shift does not exist.
    """
    name, settings = parse(world)
    cls = world_class(name)
    model: World = cls(**typed(cls, settings | knobs))
    if variant not in VARIANTS:
        raise InputError(f"{variant!r} is not a variant; {did_you_mean(variant, VARIANTS[1:])}")
    if variant:
        other = (
            model.without_intent().twin() if variant == "twin" else model.without_intent().control()
        )
        if other is None:
            raise InputError(f"{world} has no twin with a different best policy")
        model = other.with_intent() if model.observe_intent else other
    return model.shifted(shift) if shift else model


def world_text(model: SCM) -> str:
    """The text that `make_model` reads for an unedited model:

    its id and the knobs that are not at their defaults.
    """
    defaults = {field.name: field.default for field in fields(model) if field.name != "edits"}
    knobs = {
        name: getattr(model, name)
        for name, default in defaults.items()
        if getattr(model, name) != default
    }
    return unparse(world_id(type(model)), knobs)


def members() -> Iterator[tuple[str, World]]:
    """Every world and each of its named members, as the text that `make_model` reads and the model."""
    for name, cls in world_classes().items():
        for knobs in cls.members().values() or [{}]:
            yield unparse(name, dict(knobs)), cls(**knobs)


def register_all() -> None:
    """Register every world, opaque ones too, with Gymnasium, once."""
    for name in world_classes():
        if name not in gymnasium.registry:
            gymnasium.register(
                name,
                entry_point="dosuite.envs.gym.causal_env:CausalEnv",
                vector_entry_point="dosuite.envs.gym.causal_env:CausalVectorEnv",
                kwargs={"world": name},
            )
    for name, opaque in opaque_worlds().items():
        if name not in gymnasium.registry:
            gymnasium.register(name, entry_point=f"{opaque.__module__}:{opaque.__name__}")

"""Worlds by id, and their registration with Gymnasium.

Every file in the folder `worlds` is scanned: a new world needs no entry anywhere.
"""

import inspect
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from functools import cache, lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

import gymnasium

from dosuite.causal import SCM, InputError, World
from dosuite.causal.errors import checked_type, did_you_mean

from . import worlds
from .observations import view_of
from .opaque_world import OpaqueWorld
from .plugins import class_in_file, classes_in_package, names_file
from .settings import bracketed, parse, typed, unparse
from .trust import trusting

VARIANTS = ("", "twin", "hedge", "control")


@dataclass(frozen=True)
class Nuisance:
    """The settings of `observation="nuisance"`: see `World.nuisance_strength`, and `Digits`."""

    strength: float = 0.9
    follows: str = "cause"  # or action
    bank: str = "train"


MAIN = ("IceCreamShorts", "SimpsonClinic", "GreedyCasino", "ConfoundedRiver")  # quickly learned in


@cache
def world_classes() -> dict[str, type[World]]:
    """The classes of all worlds by id.

    A member of a family has the family's name in its id: `IceCreamShorts-Thermo-v0`.
    """
    classes = classes_in_package(worlds, World)
    return {world_id(cls): cls for cls in classes if cls.names_of_variables()}


def world_id(cls: type[SCM]) -> str:
    """The id of a class: its family, its own name if that is another, and its version.

    The family is the highest base class that declares variables.
    """
    declaring = [
        base for base in cls.__mro__ if issubclass(base, SCM) and base.names_of_variables()
    ]
    family = declaring[-1]
    name = cls.__name__ if cls is family else f"{family.__name__}-{cls.__name__}"
    return f"{name}-v{cls.version}"


@cache
def opaque_worlds() -> dict[str, type[OpaqueWorld]]:
    """The classes, by id, of the worlds without a causal model, such as `KeysChests-v0`."""
    return {cls.id(): cls for cls in classes_in_package(worlds, OpaqueWorld)}


def opaque_world(world: str | OpaqueWorld) -> OpaqueWorld:
    """The opaque world of an id, with or without its version; a world as it is.

    Raises InputError if there is none.
    """
    if isinstance(world, OpaqueWorld):
        return world
    checked_type(world, str, "an opaque world is one, or its id")
    for name, cls in opaque_worlds().items():
        if world in _names(name):
            return cls(render_mode=None)
    raise InputError(f"there is no opaque world {world!r}; {did_you_mean(world, opaque_worlds())}")


def names_opaque(name: str) -> bool:
    """Whether a text is the id of an opaque world, with or without its version."""
    return any(name in _names(opaque) for opaque in opaque_worlds())


def world_class(name: str) -> type[World]:
    """The class of an id, with or without its version, or of a `file.py:Class`.

    Raises InputError if there is none.
    """
    checked_type(name, str, "the id of a world is a text")
    if names_file(name):
        return class_in_file(name, World, wider=SCM)
    known = world_classes()
    for world, cls in known.items():
        if name in _names(world):
            return cls
    if names_opaque(name):
        raise InputError(
            f"{name} is no model, and only Gymnasium makes it: "
            f'gymnasium.make("dosuite.envs:{opaque_world(name).id()}"); to score a policy in it, '
            f"dosuite.eval.score({name!r}, policy)"
        )
    if own := _own_class(name, World):
        raise InputError(
            f"{name} is a class of your own: call {own.__name__}(), or name it with its file, as "
            f"path/to/file.py:{own.__name__}"
        )
    raise InputError(f"there is no environment {name!r}; {_suggestion(name, known)}")


def make_model(
    world: str, *, variant: str = "", shift: str = "", trust: bool = False, **knobs: Any
) -> World:
    """Make the model of a world.

    `world` is an id or a `file.py:Class`, and may have knobs, as in
    "IceCreamShorts-v0:confounding=0.5". `variant` is "twin", "hedge" or "control"; `shift` is the
    name of a shift that the world declares, and a hedge has none but the deployment. A file is run,
    and needs `trust`. Raises InputError if any of these does not exist.
    """
    checked_type(world, str, "the id of a world is a text")
    name, settings = parse(world)
    with trusting(trust):
        cls = world_class(name)
    model: World = cls(**typed(cls, settings | knobs))
    if variant not in VARIANTS:
        raise InputError(f"{variant!r} is not a variant; {did_you_mean(variant, VARIANTS[1:])}")
    if model.observation:
        model = _shown(model)
    if settings or knobs:
        _check_shifts(model)
    if variant:
        model = _variant_of(model, variant, world)
    if variant == "hedge" and shift not in ("", model.deployment):
        raise InputError(
            f"the hedge of {world} has no shift {shift!r}: its latents are not those of the world"
        )
    return model.shifted(shift) if shift else model


def _shown(model: World) -> World:
    """The model with its `observation` in one form; a nuisance becomes a context, in digits.

    Raises InputError if there is no such observation, or the model cannot be shown so.
    """
    name, settings = parse(model.observation)
    if name == "nuisance":
        chosen = typed(Nuisance, settings)
        strength = chosen.pop("strength", Nuisance.strength)
        follows = chosen.pop("follows", Nuisance.follows)
        model = replace(
            model,
            observation=unparse("digits", chosen),
            nuisance_strength=strength,
            nuisance_follows=follows,
        )
    shown = replace(model, observation=bracketed(model.observation))
    view_of(shown)
    return shown


@lru_cache(maxsize=64)
def _check_shifts(model: World) -> None:
    """Raise InputError if a shift cannot be made, because a knob that it uses is out of range."""
    for name in model.shifts():
        try:
            model.shifted(name)
        except InputError as error:
            raise InputError(f"in the shift {name}: {error}") from error


def world_text(model: SCM) -> str:
    """The text from which `make_model` makes an unedited model.

    It is the id with the knobs that differ from their defaults.
    """
    knobs = {}
    for field in fields(model):
        value = getattr(model, field.name)
        if field.name != "edits" and value != field.default:
            knobs[field.name] = value
    return unparse(world_id(type(model)), knobs)


def recorded_origin(model: SCM) -> dict[str, str]:
    """What a log says of the unedited model it is of: its text and, if its class is in a user's
    file, the hash of that file, since two files may have classes of one name.
    """
    origin, cls = {"world": world_text(model)}, type(model)
    if not cls.__module__.startswith(f"{__package__}."):
        with suppress(OSError, TypeError):  # a class that was typed in has no file
            content = Path(inspect.getfile(cls)).read_bytes()
            origin["code"] = blake2b(content, digest_size=8).hexdigest()
    return origin


def members() -> Iterator[tuple[str, World]]:
    """Every world and each of its named members: the text for `make_model`, and the model."""
    for name, cls in world_classes().items():
        for knobs in cls.members().values() or [{}]:
            yield unparse(name, dict(knobs)), cls(**knobs)


def class_named(name: str) -> type[Any] | None:
    """The world or opaque world whose class has this name; None if there is none.

    Raises InputError if worlds of several families have a member of this name.
    """
    classes: list[type[Any]] = [*world_classes().values(), *opaque_worlds().values()]
    fitting = [cls for cls in classes if cls.__name__ == name]
    if len(fitting) > 1:
        modules = " or ".join(cls.__module__ for cls in fitting)
        raise InputError(f"{name!r} is the name of several worlds; import it from {modules}")
    return fitting[0] if fitting else None


def register_all() -> None:
    """Register every world with Gymnasium, opaque ones too, unless that was done before."""
    for name in world_classes():
        if name not in gymnasium.registry:
            gymnasium.register(
                name,
                entry_point="dosuite.envs.gym.causal_env:CausalEnv",
                vector_entry_point="dosuite.envs.gym.vector_env:CausalVectorEnv",
                kwargs={"world": name},
            )
    for name, opaque in opaque_worlds().items():
        if name not in gymnasium.registry:
            gymnasium.register(name, entry_point=f"{opaque.__module__}:{opaque.__name__}")


def counterpart(model: World, variant: str) -> World | None:
    """The twin, hedge or control of a model, which shows the intent if the model does, or None."""
    plain = model.without_intent()
    makers = {"twin": plain.twin, "hedge": plain.hedge, "control": plain.control}
    other: World | None = makers[variant]()
    return other.with_intent() if other is not None and model.observe_intent else other


def _variant_of(model: World, variant: str, world: str) -> World:
    """The counterpart of a model. Raises InputError if it has none."""
    other = counterpart(model, variant)
    if other is not None:
        return other
    if model.nuisance_strength:
        raise InputError(f"{world} with a nuisance has no {variant}; leave one of them out")
    if model.domains > 1:
        raise InputError(f"{world} has no {variant}; leave the domains or the {variant} out")
    if variant == "hedge":
        raise InputError(f"{world} has no hedge: {model.without_intent().hedge_reason()}")
    raise InputError(f"{world} has no twin with a different best policy")


def _own_class(name: str, base: type[World]) -> type[World] | None:
    """The class outside this package that has a name or an id, such as one of `__main__`."""
    for cls in base.__subclasses__():
        is_own = cls.__module__.partition(".")[0] != "dosuite" and cls.names_of_variables()
        if is_own and name in (cls.__name__, world_id(cls)):
            return cls
        if below := _own_class(name, cls):
            return below
    return None


def _names(world: str) -> tuple[str, str]:
    """The texts that name a world: its id with and without its version."""
    return world, _without_version(world)


def _without_version(world: str) -> str:
    return world.rpartition("-v")[0]


def _suggestion(name: str, known: Iterable[str]) -> str:
    """The end of an error message: the id nearest to a name, which may be a member's own name."""
    aliases: dict[str, str] = {}
    for world in known:
        family, _, member = _without_version(world).partition("-")
        version = world.rpartition("-v")[2]
        for alias in (family, member or family):
            aliases.setdefault(alias.lower(), world)
            aliases.setdefault(f"{alias}-v{version}".lower(), world)
        aliases[world.lower()] = world
        aliases[_without_version(world).lower()] = world
    close = get_close_matches(name.lower(), aliases, n=1)
    return f"did you mean {aliases[close[0]]!r}?" if close else did_you_mean(name, known)

"""The page of a world: its story, its numbers, its twin, its code and who has learned in it."""

import inspect
from collections.abc import Iterator
from dataclasses import fields

import pandas as pd

from dosuite.causal import NotDiscreteError, TooLargeError, World, certificate
from dosuite.envs import world_classes
from dosuite.envs.observations import observation_space
from dosuite.envs.pictures.graph_drawing import draw_graph
from dosuite.envs.settings import unparse
from dosuite.envs.spaces import action_space

from ..cards.citations import entries_of, source_of
from ..claims.catalogue_values import catalogue_values
from ..claims.floors import KINDS, PairFloor, pair_floor
from ..reports.certificate_text import Line, lines
from ..reports.filmstrip import moving_film
from ..reports.world_text import policy_values, promise, seeing_and_doing
from .drawing import as_svg
from .pages import Page, rendered, summary_of
from .prose import highlighted, inline, prose
from .reference_scores import Scores
from .settings_text import settings_table

SEEN_BY = {
    "context": "the agent, before it acts; in the log",
    "action": "chosen by the agent; in the log",
    "logged": "in the log, and in info after a step",
    "reward": "the agent, after it has acted; in the log",
    "terminal": "1 ends the episode; in the log",
    "selection": "rows with 0 are not recorded",
    "latent": "nobody",
}  # by role
FLOOR_HEADINGS = ("", "best here", "best there", "floor", "regret", "error", "", "rows")


def world_page(name: str, scores: Scores) -> Page:
    """The page of a world by its id, with its graph and its moving strip."""
    cls = world_classes()[name]
    model = cls()
    text = prose(inspect.getdoc(cls) or "")
    pictures = {f"images/{name}.svg": as_svg(draw_graph(model.deployed().graph))}
    strip = _strip(model)
    if strip is not None:
        pictures[f"images/{name}.gif"] = strip
    floors = [pair_floor(name, kind) for kind in KINDS]
    return Page(
        path=f"worlds/{name}.html",
        title=name,
        summary=summary_of(cls),
        body=rendered(
            "world.html",
            name=name,
            cls=cls,
            text=text,
            facts=_facts(name, model),
            pictures=pictures,
            variables=_variables(model),
            actions=_actions(model),
            values=policy_values(model),
            shifts=_shifts(model),
            promise=promise(model),
            certificate=_certificate(model),
            floors=_floors(floors),
            no_pair=[floor for floor in floors if floor.reason],
            settings=settings_table(cls, _common_settings()),
            members=_members(name, cls),
            sources=source_of(cls).replace("Source: ", ""),
            entries=[entry.text for entry in entries_of(cls)],
            code=highlighted(inspect.getsource(cls)),
            scores=scores.of_world(name),
            root="../",
        ),
        files={**pictures, **scores.figure_of(name)},
    )


def _facts(name: str, model: World) -> dict[str, str]:
    confounded_by = catalogue_values()[name].confounded_by
    facts = {
        "Observation": str(observation_space(model)),
        "Action": str(action_space(model)),
        "Steps": str(model.horizon),
        "Discount": f"{model.discount:g}",
        "What confounds": confounded_by or "not known",
    }
    if model.deployment:
        facts["Valued in"] = f"the shift {model.deployment}"
    return facts


def _strip(model: World) -> bytes | None:
    """The first steps of two policies; None if the world has no exact policies."""
    try:
        return moving_film(model, model.deployed())
    except (NotDiscreteError, TooLargeError):
        return None


def _variables(model: World) -> pd.DataFrame:
    """A row for each variable: its role, its causes, and who sees it."""
    rows = []
    for name in model.order:
        variable = model.variables[name]
        causes = dict.fromkeys((*variable.first.causes, *variable.later.causes))
        rows.append([name, variable.role, ", ".join(causes), SEEN_BY[variable.role]])
    return pd.DataFrame(rows, columns=["variable", "role", "causes", "who sees it"])


def _actions(model: World) -> pd.DataFrame | str:
    """Seeing against doing; or why there are no exact values."""
    try:
        return seeing_and_doing(model)
    except (NotDiscreteError, TooLargeError) as error:
        return f"There are no exact values for single actions: {error}."


def _shifts(model: World) -> dict[str, str]:
    """What each shift is, where its docstring says so."""
    texts = {name: inspect.getdoc(getattr(type(model), name, None)) for name in model.shifts()}
    return {name: " ".join(text.split()) for name, text in texts.items() if text}


def _certificate(model: World) -> list[Line]:
    return [(subject, inline(fact)) for subject, fact in lines(model, certificate(model))]


def _floors(floors: list[PairFloor]) -> pd.DataFrame:
    rows = [[floor.kind, *floor.cells()] for floor in floors if not floor.reason]
    return pd.DataFrame(rows, columns=list(FLOOR_HEADINGS))


def _common_settings() -> Iterator[str]:
    """The settings that every world has, but those of its episodes."""
    return (field.name for field in fields(World) if field.name not in ("horizon", "discount"))


def _members(name: str, cls: type[World]) -> dict[str, str]:
    """The text that makes each named member."""
    return {member: unparse(name, dict(knobs)) for member, knobs in cls.members().items() if knobs}

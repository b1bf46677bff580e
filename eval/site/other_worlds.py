"""The pages of environments that are not models, and the list of all environments."""

import inspect

import gymnasium
import pandas as pd

from dosuite.envs import CLASSICS, world_classes
from dosuite.envs.registry import opaque_worlds

from ..claims.catalogue_values import catalogue_values
from ..claims.classic_text import channels, gap_frame, measured, no_gap
from ..claims.kept_gaps import kept_gaps
from ..reports.rounding import number_text
from ..reports.world_text import way_out
from .pages import Page, rendered, summary_of
from .plan import Plan
from .prose import highlighted, prose

HEADINGS = ("world", "what confounds", "way out", "expected", "confused", "causal")
VALUES = ("promised", "j_confused", "j_causal")  # columns of the last three


def opaque_page(name: str) -> Page:
    """The page of a world without a causal model."""
    cls = opaque_worlds()[name]
    env = gymnasium.make(f"dosuite.envs:{name}")
    text = prose(inspect.getdoc(cls) or "")
    facts = {
        "Observation": str(env.observation_space),
        "Action": str(env.action_space),
        "Kind": "a plain environment of Gymnasium, whose values are estimated by rollouts",
    }
    return Page(
        path=f"worlds/{name}.html",
        title=name,
        summary=summary_of(cls),
        body=rendered(
            "opaque.html",
            name=name,
            text=text,
            facts=facts,
            code=highlighted(inspect.getsource(cls)),
        ),
    )


def classic_page(name: str) -> Page:
    """The page of a confounded classic."""
    recipe = CLASSICS[name]
    gaps = [gap for gap in kept_gaps() if gap.environment == name]
    facts = {
        "Environment": recipe.base,
        "Steps": f"{recipe.steps} at most",
        "Kind": "an environment of Gymnasium with a hidden driver, U",
    }
    if recipe.extra:
        facts["Needs"] = f'pip install "dosuite[{recipe.extra}]"'
    return Page(
        path=f"worlds/{name}.html",
        title=name,
        summary=recipe.about,
        body=rendered(
            "classic.html",
            name=name,
            recipe=recipe,
            facts=facts,
            channels=[line.partition(": ") for line in channels(name)],
            gaps=gap_frame(gaps),
            measured=measured(gaps[0]) if gaps else no_gap(name),
        ),
    )


def list_of_worlds(plan: Plan) -> Page:
    """The table of all worlds, and the lists of the environments that are not models."""
    summaries = {name: opaque_worlds()[name] for name in plan.opaque}
    body = rendered(
        "worlds.html",
        values=_values(plan.worlds),
        others={name: summary_of(cls) for name, cls in summaries.items()},
        classics={name: CLASSICS[name].about for name in plan.classics},
        links=plan.links(),
        root="../",
    )
    summary = "All environments: what confounds in them, what that costs, and what helps."
    return Page("worlds/index.html", "Worlds", summary, body)


def _values(names: tuple[str, ...]) -> pd.DataFrame:
    """A row of texts for each world: what confounds, the way out, and three returns."""
    known = catalogue_values()
    rows = []
    for name in names:
        numbers = (number_text(known[name].values[key], 3) for key in VALUES)
        rows.append([name, known[name].confounded_by, way_out(world_classes()[name]), *numbers])
    return pd.DataFrame(rows, columns=list(HEADINGS))

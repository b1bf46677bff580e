"""The building of a site: page by page, each written as soon as it is made."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from ..reports.page import save
from . import pages
from .agent_page import agent_page, list_of_agents
from .front_page import front_page
from .metrics_page import metrics_page
from .other_worlds import classic_page, list_of_worlds, opaque_page
from .pages import Page
from .plan import Plan
from .prose import code_styles
from .reference_scores import Scores
from .tutorial import tutorial_page
from .world_page import world_page

Make = Callable[[], Page]


def build(plan: Plan, folder: Path, tell: Callable[[str], None]) -> Path:
    """Write the pages of a plan to a folder, and return the path of the front page.

    `tell` is told what is made next. Other files of the folder are left as they are.
    """
    style = (pages.FOLDER / "style.css").read_text(encoding="utf-8") + code_styles()
    save({"style.css": style.encode()}, folder)
    sections = list(plan.sections())
    steps = list(_steps(plan))
    for number, (title, make) in enumerate(steps):
        tell(f"{number + 1} of {len(steps)}: {title}")
        page = make()
        save({**page.files, page.path: page.html(sections).encode()}, folder)
    return folder / "index.html"


def _steps(plan: Plan) -> Iterator[tuple[str, Make]]:
    """The title of each page, and what makes it."""
    scores = Scores(plan.worlds, plan.agents)
    for name in plan.worlds:
        yield name, partial(world_page, name, scores)
    for name in plan.opaque:
        yield name, partial(opaque_page, name)
    for name in plan.classics:
        yield name, partial(classic_page, name)
    if plan.environments:
        yield "the list of worlds", partial(list_of_worlds, plan)
    for name in plan.agents:
        yield name, partial(agent_page, name, scores, plan.links())
    if plan.agents:
        yield "the list of agents", partial(list_of_agents, plan)
    if "metrics" in plan.single:
        yield "the metrics", metrics_page
    if "tutorial" in plan.single:
        yield "the tutorial, whose blocks are run", tutorial_page
    yield "the front page", partial(front_page, plan, scores)

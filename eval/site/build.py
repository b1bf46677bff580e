"""The building of a site: page by page, each written as soon as it is made."""

from collections.abc import Callable, Iterator
from pathlib import Path

from ..reports.page import save
from ..studies.evidence import kept_evidence
from .agent_page import agent_page, list_of_agents
from .api_pages import api_pages
from .extra import from_extra
from .front_page import front_page
from .metrics_page import metrics_page
from .other_worlds import classic_page, list_of_worlds, opaque_page
from .pages import FOLDER, Entry, Page
from .plan import Plan
from .prose import code_styles
from .reference_scores import Scores
from .search import search_page
from .tutorial import tutorial_page
from .world_page import world_page

LIBRARIES = {"metrics": "latex2mathml", "api": "pdoc"}  # of the extra, by the page that needs it


def build(plan: Plan, folder: Path, tell: Callable[[str], None]) -> Path:
    """Write the pages of a plan to a folder, and return the path of the front page.

    `tell` is told what is made next. Other files of the folder are left as they are. Raises
    InputError if a library is missing that a page needs.
    """
    for name, library in LIBRARIES.items():
        if name in plan.single:
            from_extra(library)
    style = (FOLDER / "style.css").read_text(encoding="utf-8") + code_styles()
    save({"style.css": style.encode()}, folder)
    sections, found = list(plan.sections()), list[Entry]()
    for page in _pages(plan, tell):
        save({**page.files, page.path: page.html(sections).encode()}, folder)
        found += page.found()
    save({"search.html": search_page(found).html(sections).encode()}, folder)
    return folder / "index.html"


def _pages(plan: Plan, tell: Callable[[str], None]) -> Iterator[Page]:
    """The pages of a plan, each made when it is asked for; the front page comes last."""
    scores = Scores(plan.worlds, plan.agents)
    names = (*plan.environments, *plan.agents, *plan.single)
    for number, name in enumerate(names):
        tell(f"{number + 1} of {len(names)}: {name}")
        yield from _made(name, plan, scores)
    tell("the front page")
    if plan.environments:
        yield list_of_worlds(plan)
    if plan.agents:
        yield list_of_agents(plan)
    yield front_page(plan, scores, kept_evidence())


def _made(name: str, plan: Plan, scores: Scores) -> Iterator[Page]:
    """The pages of one name of a plan."""
    if name == "api":
        yield from api_pages()
    elif name in plan.single:
        yield {"metrics": metrics_page, "tutorial": tutorial_page}[name]()
    elif name in plan.worlds:
        yield world_page(name, scores)
    elif name in plan.opaque:
        yield opaque_page(name)
    elif name in plan.classics:
        yield classic_page(name)
    else:
        yield agent_page(name, scores, plan.links())

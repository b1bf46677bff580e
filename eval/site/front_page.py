"""The front page: the question, one answer in numbers, and what has been found."""

from dosuite.envs import make_model
from dosuite.envs.pictures.graph_drawing import draw_graph
from dosuite.envs.regimes import Regime

from ..reports.page import Table
from ..reports.report import Illustrated
from ..reports.world_text import seeing_and_doing
from .drawing import as_svg
from .pages import Page, rendered
from .plan import Plan
from .reference_scores import Scores

EXAMPLE = "IceCreamShorts-v0"


def front_page(plan: Plan, scores: Scores, studies: Illustrated | None) -> Page:
    """The front page, which links to the pages of a plan; `studies` is what studies have found."""
    world = make_model(EXAMPLE)
    graph = f"images/{EXAMPLE}.svg"
    return Page(
        path="index.html",
        title="dosuite",
        summary="The question, and what has been found.",
        body=rendered(
            "front.html",
            example=EXAMPLE,
            actions=seeing_and_doing(world).drop(columns=["context", "P(action | context)"]),
            graph=graph,
            winners=scores.winners(),
            headline=_turned(scores.headline()),
            about=scores.about(),
            sections=list(plan.sections()),
            links=plan.links(),
            families=_families(plan),
            studies=studies.section if studies else None,
        ),
        files={graph: as_svg(draw_graph(world.graph)), **_pictures(studies)},
    )


def _pictures(studies: Illustrated | None) -> dict[str, bytes]:
    """The figures of the studies by their paths in the site."""
    figures = studies.figures if studies else {}
    return {f"images/{name}.png": picture for name, picture in figures.items()}


def _families(plan: Plan) -> dict[str, str]:
    """The pages of agents, and of the first world of each family, by name."""
    links = plan.links()
    for name, path in plan.links().items():
        links.setdefault(name.partition("-")[0], path)
    return links


def _turned(table: Table) -> Table:
    """The headline with families in rows and learners in columns, without intervals."""
    known = table.frame.set_index("agent").drop(columns="won")
    is_learner = ~known.index.str.endswith(f"({Regime.EXACT.label})")
    assert table.shade is not None
    shade = table.shade.drop(columns=["who", "won"]).set_axis(known.index)
    texts = known[is_learner].replace(r" \[.*", "", regex=True).replace("n/a", "").T
    colours = shade[is_learner].T
    return Table(
        "headline",
        texts.rename_axis(index="family", columns=None).reset_index(),
        colours.reset_index(drop=True).assign(family=float("nan"))[["family", *colours.columns]],
    )

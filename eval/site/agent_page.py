"""The page of an agent: what it does, what it learns from, its settings, and its scores."""

import inspect

import pandas as pd

from dosuite.agents import Agent, agent_class, agent_summaries
from dosuite.agents.sources import SOURCES_BY_REGIME
from dosuite.causal import InputError
from dosuite.envs.regimes import Budget, Regime

from ..claims.kept import kept_rows
from ..claims.sanity import APPLICABLE, REACHED
from .pages import Page, rendered
from .plan import Plan
from .prose import highlighted, inline, prose
from .reference_scores import Scores
from .settings_text import settings_table

NEEDS = {
    "graph": "the causal graph of the log",
    "labels": "the columns regime, domain and propensity of the log",
    "log": "a log, in addition to its practice",
}


def agent_page(name: str, scores: Scores, links: dict[str, str]) -> Page:
    """The page of an agent by its name; worlds in its scores link to their pages."""
    cls = agent_class(name)
    text = prose(inspect.getdoc(cls) or "")
    settings = settings_table(cls)
    return Page(
        path=f"agents/{name}.html",
        title=name,
        summary=(inspect.getdoc(cls) or "").partition("\n")[0],
        body=rendered(
            "agent.html",
            name=name,
            cls=cls,
            text=text,
            facts=_facts(cls),
            regimes=_regimes(name, cls),
            settings=settings,
            example=_example(name, settings),
            scores=scores.of_agent(name),
            about=scores.about(),
            code=highlighted(inspect.getsource(cls)),
            links=links,
            root="../",
        ),
    )


def list_of_agents(plan: Plan) -> Page:
    """The table of all agents."""
    rows = [
        [each.name, ", ".join(each.learns), ", ".join(each.needs), inline(each.summary)]
        for each in agent_summaries()
        if each.name in plan.agents
    ]
    frame = pd.DataFrame(rows, columns=["agent", "learns in", "needs", "what it is"])
    body = rendered("agents.html", agents=frame, links=plan.links(), root="../")
    summary = "All agents: what they learn from, and what they are."
    return Page("agents/index.html", "Agents", summary, body)


def _facts(cls: type[Agent]) -> dict[str, str]:
    facts = {
        "Class": f"dosuite.agents.{cls.__name__}",
        "Needs": ", ".join(NEEDS.get(need, need) for need in sorted(cls.needs)) or "nothing more",
        "Actions": _actions(cls),
    }
    if cls.trains_seeds_together():
        facts["Seeds"] = "all seeds of a run learn at once"
    if controls := _controls(cls.name):
        facts["Controls"] = controls
    return facts


def _controls(name: str) -> str:
    """In how many controls the agent reaches the optimum, by the results in the package."""
    try:
        scores = kept_rows("sanity", [name])
    except InputError:  # not measured
        return ""
    counts = [
        f"in {(part['verdict'] == REACHED).sum()} of {len(part)} worlds without confounding "
        f"({regime})"
        for regime, part in scores[scores["verdict"].isin(APPLICABLE)].groupby("regime")
    ]
    if not counts:
        return ""
    return f"reaches the optimum {' and '.join(counts)}: dosuite sanity --kept --agent {name}"


def _actions(cls: type[Agent]) -> str:
    kinds = []
    if cls.counts_actions:
        kinds.append("Discrete")
    if cls.acts_in_a_box:
        kinds.append("Box of one or more numbers" if cls.takes_numbers else "Box of one number")
    return ", or a ".join(kinds)


def _regimes(name: str, cls: type[Agent]) -> pd.DataFrame:
    """A row for each regime that it learns in: what it gets there, and how to ask for it."""
    rows = []
    for value in cls.learns:
        regime = Regime(value)
        counted = "" if regime.budget is Budget.NONE else str(regime.budget)
        source = SOURCES_BY_REGIME[value].__name__
        rows.append([regime.label, source, counted, f"--agent {name}@{value}"])
    return pd.DataFrame(rows, columns=["learns", "from", "its budget counts", "run it so"])


def _example(name: str, settings: pd.DataFrame) -> str:
    """The text that makes the agent with one setting, its default."""
    if settings.empty:
        return name
    first = settings.iloc[0]
    return f"{name}:{first['setting']}={first['default'].strip(chr(39))}"

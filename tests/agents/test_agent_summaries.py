"""What the source files say of agents equals what their classes say, and needs no torch."""

import subprocess
import sys
from inspect import getdoc

import pytest

import dosuite.agents
from dosuite.agents import Agent, agent_class, agent_classes, make_agent
from dosuite.agents.registry import agent_summaries
from dosuite.agents.summaries import agent_sources
from dosuite.envs.plugins import classes_in_package

HEAVY = ("torch", "stable_baselines3", "sb3_contrib")


def loaded_after(code: str) -> list[str]:
    """The heavy libraries that a fresh interpreter has loaded after running some code."""
    report = f"import sys; print(*[name for name in {HEAVY} if name in sys.modules])"
    ran = subprocess.run(
        [sys.executable, "-c", f"{code}\n{report}"], capture_output=True, text=True, check=True
    )
    return ran.stdout.split()


def test_summaries_equal_what_the_classes_say() -> None:
    summaries = {summary.name: summary for summary in agent_summaries()}
    assert list(summaries) == sorted(agent_classes())
    for name, kind in agent_classes().items():
        first_line = (getdoc(kind) or "").partition("\n")[0]
        summary = summaries[name]
        assert (summary.learns, summary.summary) == (kind.learns, first_line)
        assert summary.needs == tuple(sorted(kind.needs))


def test_the_registry_has_every_agent_that_a_scan_of_the_modules_finds() -> None:
    scanned = [cls for cls in classes_in_package(dosuite.agents, Agent) if hasattr(cls, "name")]
    assert {cls.name: cls for cls in scanned} == agent_classes()


def test_class_names_are_unique() -> None:
    names = [source.class_name for source in agent_sources().values()]
    assert len(names) == len(set(names))


def test_importing_agents_and_listing_them_loads_no_heavy_library() -> None:
    code = "from dosuite.agents.registry import agent_summaries; agent_summaries()"
    assert loaded_after(code) == []


def test_a_tabular_agent_is_made_without_heavy_libraries() -> None:
    assert loaded_after("from dosuite.agents import make_agent; make_agent('maximin')") == []


@pytest.mark.parametrize("name", ["iql", "maximin", "ppo", "causal"])
def test_agent_classes_are_imported_from_the_package(name: str) -> None:
    kind = agent_class(name)
    assert getattr(dosuite.agents, kind.__name__) is kind
    assert kind.__name__ in dir(dosuite.agents)
    assert type(make_agent(name)) is kind


def test_an_unknown_name_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Iql'"):
        dosuite.agents.Iql  # noqa: B018

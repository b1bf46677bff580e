"""Which pages a site has."""

from collections.abc import Iterator
from dataclasses import dataclass

from dosuite.agents import agent_summaries
from dosuite.causal import InputError
from dosuite.causal.errors import did_you_mean
from dosuite.envs import CLASSICS, world_classes
from dosuite.envs.registry import opaque_worlds

TITLES = {"metrics": "Metrics", "tutorial": "Tutorial", "api": "API"}  # of the single pages


@dataclass(frozen=True)
class Plan:
    """The names of what gets pages: all, or a part."""

    worlds: tuple[str, ...]  # with a model
    opaque: tuple[str, ...]
    classics: tuple[str, ...]
    agents: tuple[str, ...]
    single: tuple[str, ...]  # of TITLES

    @property
    def environments(self) -> tuple[str, ...]:
        """The worlds of every kind."""
        return self.worlds + self.opaque + self.classics

    def sections(self) -> Iterator[tuple[str, str]]:
        """The title and the path of what the head of every page links to."""
        if self.environments:
            yield "Worlds", "worlds/index.html"
        if self.agents:
            yield "Agents", "agents/index.html"
        for name in self.single:
            yield TITLES[name], "api/index.html" if name == "api" else f"{name}.html"

    def links(self) -> dict[str, str]:
        """The path of every page of a world or an agent, by name."""
        worlds = {name: f"worlds/{name}.html" for name in self.environments}
        return worlds | {name: f"agents/{name}.html" for name in self.agents}


def plan(only: str = "") -> Plan:
    """The pages whose names have a text in them, in any case.

    The front page and the search are always there. Raises InputError if there is no such page.
    """
    agents = [agent.name for agent in agent_summaries()]
    kinds = (world_classes(), opaque_worlds(), CLASSICS, agents, TITLES)
    chosen = [tuple(name for name in kind if only.lower() in name.lower()) for kind in kinds]
    if not any(chosen):
        names = [name for kind in kinds for name in kind]
        raise InputError(f"no page has {only!r} in its name; {did_you_mean(only, names)}")
    return Plan(*chosen)

"""The tables of `dosuite list`: the worlds, what policies earn in them, and the agents."""

from rich import box
from rich.table import Column, Table

from dosuite.agents.registry import agent_summaries
from dosuite.envs import world_classes
from dosuite.envs.settings import unparse

from ..claims.catalogue_values import catalogue_values
from ..reports.rounding import number_text
from ..reports.world_text import way_out

VALUES = {
    "promised": "promised",
    "j_confused": "confused",
    "j_causal": "causal",
    "j_intent": "with intent",
}  # column of the reference values -> heading


def world_table() -> Table:
    """The horizon, confounders, way out and members of each world."""
    table = Table(
        Column("environment", no_wrap=True),
        "steps",
        "what confounds",
        "way out",
        Column("members", no_wrap=True),
        box=box.SIMPLE_HEAD,
    )
    values = catalogue_values()
    for name, cls in world_classes().items():
        members = [unparse("", dict(knobs)) for knobs in cls.members().values() if knobs]
        table.add_row(
            name,
            str(cls.horizon),
            values[name].confounded_by,
            way_out(cls),
            "\n".join(members),
        )
    return table


def value_table() -> Table:
    """What the reference policies earn in each world."""
    table = Table(Column("environment", no_wrap=True), box=box.SIMPLE_HEAD)
    for heading in VALUES.values():
        table.add_column(heading, justify="right", no_wrap=True)
    for name, row in catalogue_values().items():
        table.add_row(name, *(number_text(row.values[key], 3) for key in VALUES))
    return table


def agent_table() -> Table:
    """The regimes and needs of each agent, and the first line about it."""
    table = Table(
        Column("agent", no_wrap=True), "learns in", "needs", "what it is", box=box.SIMPLE_HEAD
    )
    for agent in agent_summaries():
        table.add_row(agent.name, ", ".join(agent.learns), ", ".join(agent.needs), agent.summary)
    return table

"""`dosuite list`."""

from textwrap import fill
from typing import Annotated

import typer

from .options import console, print_plain, print_table

WIDTH = 80  # columns


def list_catalogue(
    every: Annotated[
        bool,
        typer.Option("--all", help="Say of each what it is, and what policies earn in the worlds."),
    ] = False,
) -> None:
    """List the environments and the agents.

    With --all, for each environment: what confounds in it, what that costs, and what helps.
    """
    from dosuite.agents.registry import agent_summaries
    from dosuite.envs.registry import opaque_worlds, world_classes

    from ..claims.kept_gaps import kept_gaps

    if not every:
        agents = [agent.name for agent in agent_summaries()]
        classics = dict.fromkeys(gap.environment for gap in kept_gaps())
        worlds = [*world_classes(), *opaque_worlds(), *classics]
        for title, names in (("environments", worlds), ("agents", agents)):
            print_plain(f"{len(names)} {title}:")
            print_plain(fill("  ".join(names), WIDTH, break_on_hyphens=False))
        print_plain("\nmore: dosuite list --all, dosuite show IceCreamShorts-v0")
        return
    from .catalogue_tables import agent_table, value_table, world_table
    from .classic_tables import classics_table

    print_table(world_table())
    console.print(
        "What confounds is hidden unless it is in the log. A member is written after the name: "
        "GreedyCasino-v0:casino=Rigged.\n"
    )
    print_table(value_table())
    console.print(
        "Promised is the return that the confused policy expects; the others are earned; "
        "- is not known.\n"
    )
    console.print(
        "Environments of Gymnasium without a model, whose values are estimated: "
        f"{', '.join(opaque_worlds())}.\n",
        highlight=False,
    )
    print_table(classics_table(kept_gaps()))
    console.print(
        "Environments of Gymnasium, confounded: the gap is what a learner earns more after an "
        "experiment than after the log, with its 95 % interval, estimated.\n",
        highlight=False,
    )
    print_table(agent_table())

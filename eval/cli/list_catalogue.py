"""`dosuite list`."""

from .options import console, print_table


def list_catalogue() -> None:
    """List the environments and the agents.

    For each environment: what confounds in it, what that costs, and what helps.
    """
    from dosuite.envs.registry import opaque_worlds

    from ..claims.kept_gaps import kept_gaps
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

"""What `dosuite show` prints of a world: seeing against doing, values, and the certificate."""

from inspect import getdoc

import numpy as np
from rich import box
from rich.table import Column, Table
from rich.text import Text

from dosuite.causal import NotDiscreteError, TooLargeError, World, certificate
from dosuite.causal.exact import chain, do_process, log_process
from dosuite.envs import all_observations, make_model

from ..reports.certificate_text import lines
from ..reports.rounding import number_text
from ..runs.reference_values import REFERENCES, references
from .options import console

MOST_CONTEXTS = 12  # shown in the table of seeing and doing
NOT_SHOWN = ("j_worst", "promised")  # reference values that the table leaves out


def title(environment: str, variant: str, model: World) -> str:
    """The docstring of a world's class, or what the model is a variant of."""
    if variant and type(model) is type(make_model(environment)):
        return f"The {variant} of {environment}."
    return getdoc(type(model)) or environment


def print_values(model: World, world: World, shift: str) -> None:
    """Print what actions earn in `world`, and what reference policies earn in it and its shifts.

    `world` is `model` under `shift`; without a shift, all shifts are shown.
    """
    try:
        console.print(_seeing_and_doing(world))
    except (NotDiscreteError, TooLargeError) as error:
        if not model.values_in(world):
            console.print(f"There are no exact values: {error}.", highlight=False)
            return
    console.print(_policy_values(model, shift))
    promised = references(model, model)["promised"]
    if not np.isnan(promised):
        console.print(
            f"The confused policy expects to earn {number_text(promised, 4)}.", highlight=False
        )


def print_certificate(world: World) -> None:
    """Print what infinite data reveal to someone who knows the graph."""
    grid = Table.grid(Column(no_wrap=True), Column(), padding=(0, 2, 0, 0))
    for subject, fact in lines(world, certificate(world)):
        grid.add_row(subject, Text(fact))
    console.print("\nWhat infinite data reveal to someone who knows the graph:", highlight=False)
    console.print(grid, highlight=False)


def _seeing_and_doing(model: World) -> Table:
    """E[reward | action, context] in the log and under intervention, and the behaviour policy."""
    seeing, doing = log_process(model), do_process(model)
    contexts, actions = chain(model).shape[:2]
    table = Table(
        "context",
        model.action,
        "P(action | context)",
        f"E({model.reward} | {model.action})",
        f"E({model.reward} | do({model.action}))",
        box=box.SIMPLE_HEAD,
    )
    observations = all_observations(model)
    visits = np.maximum(seeing.visits.sum(1, keepdims=True), 1e-300)
    behaviour = seeing.visits / visits
    for c in range(min(contexts, MOST_CONTEXTS)):
        for a in range(actions):
            table.add_row(
                str(observations[c]),
                str(a),
                number_text(behaviour[c, a], 3),
                number_text(seeing.reward[c, a], 4) if seeing.visits[c, a] > 0 else "never seen",
                number_text(doing.reward[c, a], 4) if doing.visits[c, a] > 0 else "never reached",
            )
    if contexts > MOST_CONTEXTS:
        table.add_row("...", f"{contexts - MOST_CONTEXTS} more contexts")
    return table


def _policy_values(model: World, shift: str) -> Table:
    """What reference policies earn: under a shift, or at deployment and under every shift."""
    shown = [reference for reference in REFERENCES.values() if reference.column not in NOT_SHOWN]
    table = Table("world", *(reference.name for reference in shown), box=box.SIMPLE_HEAD)
    unshifted = "as in the log" if model.deployment else "deployment"
    if shift:
        shifts = [shift]
    elif model.edits:
        shifts = [""]
    else:
        shifts = ["", *model.shifts()]
    for name in shifts:
        values = references(model, model.shifted(name) if name else model)
        numbers = [number_text(values[reference.column], 4) for reference in shown]
        table.add_row(name or unshifted, *numbers)
    return table

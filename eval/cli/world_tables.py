"""What `dosuite show` prints of a world: seeing against doing, values, and the certificate."""

from rich.table import Column, Table
from rich.text import Text

from dosuite.causal import NotDiscreteError, TooLargeError, World, certificate

from ..reports.certificate_text import lines
from ..reports.world_text import policy_values, promise, seeing_and_doing
from .options import console, table_of


def print_values(model: World, world: World, shift: str) -> None:
    """Print what actions earn in `world`, and what reference policies earn in it and its shifts.

    `world` is `model` under `shift`; without a shift, all shifts are shown.
    """
    try:
        console.print(table_of(seeing_and_doing(world)))
    except (NotDiscreteError, TooLargeError) as error:
        if not model.values_in(world):
            console.print(f"There are no exact values: {error}.", highlight=False)
            return
    console.print(table_of(policy_values(model, shift)))
    if promised := promise(model):
        console.print(promised, highlight=False)


def print_certificate(world: World) -> None:
    """Print what infinite data reveal to someone who knows the graph."""
    grid = Table.grid(Column(no_wrap=True), Column(), padding=(0, 2, 0, 0))
    for subject, fact in lines(world, certificate(world)):
        grid.add_row(subject, Text(fact))
    console.print("\nWhat infinite data reveal to someone who knows the graph:", highlight=False)
    console.print(grid, highlight=False)

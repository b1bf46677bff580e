"""The choice of a simulator: by table if the model has one, otherwise by variable."""

from dosuite.causal import SCM

from .by_table import ByTable, OneByTable, compiled
from .by_variable import ByVariable, OneByVariable
from .unit_batch import Batch


def batch(model: SCM, count: int, paired: bool = False) -> Batch:
    """A batch of `count` units.

    It steps by variable, with noise shared across worlds, if the units are to be `paired` or if the
    model has no table.
    """
    table = None if paired else compiled(model)
    return ByVariable(model, count) if table is None else ByTable(count, table)


def one(model: SCM, paired: bool = False) -> "OneByTable | OneByVariable":
    """A single unit, which does what each unit of a `batch` does."""
    table = None if paired else compiled(model)
    return OneByVariable(model) if table is None else OneByTable(table)

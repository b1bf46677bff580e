"""The simulator of a model: by table where there is a table, by variable elsewhere."""

from dosuite.causal import SCM

from .by_table import ByTable, OneByTable, compiled
from .by_variable import ByVariable, OneByVariable
from .unit_batch import Batch


def batch(model: SCM, count: int, paired: bool = False) -> Batch:
    """Units that step by table if the model has one, and with noise for each variable if it has
    none or if they are `paired`.
    """
    seen = None if paired else compiled(model)
    return ByVariable(model, count) if seen is None else ByTable(count, seen)


def one(model: SCM, paired: bool = False) -> "OneByTable | OneByVariable":
    """A single unit, which does what each of a `batch` does."""
    seen = None if paired else compiled(model)
    return OneByVariable(model) if seen is None else OneByTable(seen)

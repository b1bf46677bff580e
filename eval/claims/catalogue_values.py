"""What confounds in each world of the catalogue, and what its reference policies earn.

The values are kept in `envs/worlds/reference_values.csv`, since computing them takes several
seconds. `tests/eval/test_catalogue_values.py` computes them again and fails if the file is not that
of the worlds' code. Rewrite the file after a change of a world's numbers:

    python -m dosuite.eval.claims.catalogue_values
"""

import csv
from functools import cache
from importlib import resources
from pathlib import Path
from typing import NamedTuple

from dosuite.causal import World
from dosuite.envs import world_classes
from dosuite.envs.files import replacing

from ..reports.certificate_text import origin
from ..runs.reference_values import references

FILE = Path(str(resources.files("dosuite.envs.worlds"))) / "reference_values.csv"
VALUES = ("promised", "j_confused", "j_causal", "j_intent")
HEADER = ("world", "confounded_by", *VALUES)


class WorldValues(NamedTuple):
    """A row of the file."""

    confounded_by: str  # names of confounders, or another reason why seeing is not doing
    values: dict[str, float]  # by the names in VALUES; NaN where unknown


def catalogue_values() -> dict[str, WorldValues]:
    """The values of every world by its id; those of worlds that the file lacks are computed."""
    kept = kept_values()
    rows = {}
    for name, cls in world_classes().items():
        rows[name] = kept[name] if name in kept else computed_values(cls())
    return rows


@cache
def kept_values() -> dict[str, WorldValues]:
    """The rows of the file by world; empty if there is no file."""
    if not FILE.exists():
        return {}
    rows = {}
    with FILE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            values = {name: float(row[name]) for name in VALUES}
            rows[row["world"]] = WorldValues(row["confounded_by"], values)
    return rows


def computed_values(model: World) -> WorldValues:
    """The values of a model at its deployment."""
    values = references(model, model.deployed())
    return WorldValues(origin(model), {name: float(values[name]) for name in VALUES})


def write_values() -> None:
    """Compute the values of all worlds and write the file, sorted by world."""
    with replacing(FILE) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        for name, cls in sorted(world_classes().items()):
            row = computed_values(cls())
            numbers = [repr(row.values[key]) for key in VALUES]
            writer.writerow([name, row.confounded_by, *numbers])


if __name__ == "__main__":
    write_values()

"""Work of a study that is not a list of runs: units that are done once, each with its own file."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from dosuite.envs.files import clean, replacing

from ..runs.code import code_hash
from ..runs.run import Run
from ..runs.shards import balanced
from ..runs.workers import in_workers
from .study import Size, Study


@dataclass(frozen=True)
class Unit(ABC):
    """A part of a study that is done at once; its fields are all that its numbers depend on."""

    @abstractmethod
    def rows(self) -> list[dict[str, Any]]:
        """Do it: rows of plain numbers and texts. Equal units have equal rows."""

    def cost(self) -> float:
        """About how many seconds of a processor it takes; only the ratio to others matters.

        A property would be part of the criterion's hash (see `judging_code`), and a method is not.
        """
        return 1.0

    @property
    def key(self) -> str:
        """The name of its file: a hash of the unit and of the code of the package."""
        return blake2b(repr(self).encode() + code_hash(), digest_size=16).hexdigest()


@dataclass(frozen=True)
class UnitStudy(Study):
    """A study of units in place of runs."""

    @abstractmethod
    def units(self, size: Size) -> Sequence[Unit]:
        """The units of a size."""

    def runs(self, size: Size) -> list[Run]:
        """None."""
        return []

    def results(
        self, size: Size, folder: Path, workers: int, quiet: bool, shard: str = ""
    ) -> pd.DataFrame:
        """The rows of the units in their order, with the status "ok"."""
        units = self._units_in(size, shard) if shard else self.units(size)
        return do_units(units, folder, workers).assign(status="ok")

    def amount(self, rows: pd.DataFrame, size: Size, shard: str) -> str:
        """How much of the work of a size is in a shard: "2 of 15 units"."""
        return f"{len(self._units_in(size, shard))} of {len(self.units(size))} units"

    def _units_in(self, size: Size, shard: str) -> list[Unit]:
        return balanced(self.units(size), lambda unit: unit.cost(), shard)


def do_units(units: Sequence[Unit], folder: Path, workers: int) -> pd.DataFrame:
    """Do the units that have no file in `folder/units` yet, and return the rows of all.

    A file is complete or absent, so that a kill costs the units in progress and no other. Raises
    RuntimeError if the process of a unit died.
    """
    place = folder / "units"
    place.mkdir(parents=True, exist_ok=True)
    clean(place)
    missing = [unit for unit in units if not unit_path(folder, unit).is_file()]
    for unit, done in in_workers(partial(_do, folder=folder), missing, workers, lambda _: False):
        if not done:
            raise RuntimeError(f"the process of {unit} died; run the study again")
    rows = [pd.read_parquet(unit_path(folder, unit)) for unit in units]
    return pd.concat(rows, ignore_index=True)


def unit_path(folder: Path, unit: Unit) -> Path:
    """The file of a unit in the folder of a study."""
    return folder / "units" / f"{unit.key}.parquet"


def _do(unit: Unit, folder: Path) -> int:
    """Do a unit on one thread, as equal numbers need; return 1."""
    torch.set_num_threads(1)
    rows = pd.DataFrame(unit.rows())
    with replacing(unit_path(folder, unit)) as temporary:
        rows.to_parquet(temporary)
    return 1

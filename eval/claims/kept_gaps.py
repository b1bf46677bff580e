"""The gaps of the confounded classics that were measured, as a file keeps them.

`confounded_gaps` measures them and says what they are.
"""

import csv
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from importlib import resources
from pathlib import Path
from typing import Any, Self

from dosuite.envs.files import replacing

FILE = Path(str(resources.files("dosuite.eval.claims"))) / "confounded_gaps.csv"


@dataclass(frozen=True)
class Gap:
    """The mean returns of three policies, and the gap with its interval; all are estimated.

    An error is the standard error of a mean over seeds. The interval is that of Student's t of the
    mean difference between two policies of one seed.
    """

    environment: str
    strength: float
    seeds: int
    rows: int  # of each log
    learner: str
    confounded: float  # learned from the log
    confounded_error: float
    experimental: float  # learned from the experiment
    experimental_error: float
    expert: float  # the behaviour, which sees the driver
    expert_error: float
    gap: float
    low: float
    high: float

    @property
    def is_significant(self) -> bool:
        """Whether the whole interval lies above 0."""
        return self.low > 0

    @classmethod
    def read(cls, row: dict[str, str]) -> Self:
        """A gap as a row of the file has it."""
        values = {field.name: _typed(field.type, row[field.name]) for field in fields(cls)}
        return cls(**values)


def kept_gaps() -> list[Gap]:
    """The gaps of the file, sorted by environment and falling strength."""
    if not FILE.exists():
        return []
    with FILE.open(encoding="utf-8", newline="") as file:
        return [Gap.read(row) for row in csv.DictReader(file)]


def _typed(kind: Any, text: str) -> Any:
    return {"float": float, "int": int}.get(getattr(kind, "__name__", kind), str)(text)


def write_gaps(gaps: Sequence[Gap]) -> None:
    """Replace the rows of these environments and strengths in the file."""
    rows = {(gap.environment, -gap.strength): gap for gap in (*kept_gaps(), *gaps)}
    with replacing(FILE) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        names = [field.name for field in fields(Gap)]
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        for _, gap in sorted(rows.items()):
            row = asdict(gap)
            writer.writerow({name: _rounded(value) for name, value in row.items()})


def _rounded(value: Any) -> Any:
    return f"{value:.6g}" if isinstance(value, float) else value

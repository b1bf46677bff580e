"""The rows of the reference submission, which the package has beside it: `reference.parquet`.

`python -m dosuite.eval.leaderboard.reference` makes the file.
"""

import json
from functools import cache
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

PATH = Path(__file__).with_name("reference.parquet")
ABOUT = b"dosuite reference"  # the key, in the file's metadata, of what was run


@cache
def _read(path: Path) -> pd.DataFrame:
    return pd.read_parquet(path)


def reference_rows(path: Path = PATH) -> pd.DataFrame:
    """The rows of the deployments, in the columns of results."""
    return _read(path).copy()


def about_reference(path: Path = PATH) -> dict[str, str]:
    """What was run: the agents, the environments, the budgets, the seeds, the versions, and the
    hash of the code."""
    about: dict[str, str] = json.loads(pq.read_schema(path).metadata[ABOUT])
    return about

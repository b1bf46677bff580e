"""The reference submission: the agents of this package on the suite of families.

`python -m dosuite.eval.leaderboard.reference` runs the agents that learn in seconds (QUICK), and
writes the rows of their deployments into the package, where `run`, `report` and the leaderboard
find them. With `--all` every agent is run in every regime that it learns in, which takes a day on
two cores. Runs that are done already are not repeated, so that an interrupted command goes on.
"""

import argparse
import json
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from dosuite.agents.registry import agent_classes
from dosuite.envs.files import replacing
from dosuite.envs.regimes import Regime

from ..reports.reference_rows import ABOUT, PATH
from ..runs.code import code_hash
from ..runs.suite import execute, grid, suite_environments

SEEDS = 5
RECORDED, PRACTICE = 10_000, 20_000  # the budgets of `dosuite run`

# Agents that count, and so learn in seconds where observations are few.
QUICK = (
    "bc",
    "naive",
    "adjust-all",
    "back-door",
    "identify",
    "iv",
    "proximal",
    "minimax-regret",
    "q-learning@intervene",
    "q-learning@counterfactual",
)


def reference_agents_of_all_kinds() -> list[str]:
    """Every agent that learns, in each of its regimes."""
    return [
        f"{name}@{regime}"
        for name, cls in agent_classes().items()
        for regime in cls.learns
        if Regime(regime) not in (Regime.EXACT, Regime.GIVEN)
    ]


def make_reference(
    agents: Sequence[str],
    environments: Sequence[str],
    folder: Path,
    path: Path,
    seeds: int = SEEDS,
    workers: int = 1,
) -> pd.DataFrame:
    """Run the agents, write the rows of the deployments to `path`, and return them.

    `folder` keeps the results. The metadata of the file says what was run. Failed runs are left
    out.
    """
    runs = grid(environments, agents, seeds, RECORDED, PRACTICE)
    rows = execute(runs, folder, workers)
    rows = rows[(rows["world"] == "") & (rows["status"] == "ok")].reset_index(drop=True)
    about = {
        "agents": " ".join(agents),
        "environments": " ".join(environments),
        "seeds": str(seeds),
        "budgets": f"{RECORDED} recorded steps, {PRACTICE} steps of practice",
        "version": version("dosuite"),
        "code": code_hash().hex()[:32],
        "rows": "deployments only",
    }
    table = pa.Table.from_pandas(rows, preserve_index=False)
    metadata = {**table.schema.metadata, ABOUT: json.dumps(about).encode()}
    with replacing(path) as temporary:
        pq.write_table(table.replace_schema_metadata(metadata), temporary, compression="zstd")
    return rows


def main() -> None:
    """Make the file in the package."""
    parser = argparse.ArgumentParser(description="Make the rows of the reference submission.")
    parser.add_argument("--all", action="store_true", help="every agent, which takes a day")
    parser.add_argument("--out", type=Path, default=Path("reference"), help="keeps the results")
    parser.add_argument("--to", type=Path, default=PATH, help="the file of the rows")
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    agents = reference_agents_of_all_kinds() if options.all else QUICK
    environments = suite_environments("families")
    make_reference(agents, environments, options.out, options.to, workers=options.workers)


if __name__ == "__main__":
    main()

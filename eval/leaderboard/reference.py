"""The reference submission: the agents of this package on the suite of families.

`python -m dosuite.eval.leaderboard.reference` runs the agents that learn in seconds (QUICK) in the
families in which policies are quickly scored (all but SLOW), and those of the main job in its
worlds, with 5 seeds. It writes the rows of their deployments into the package, where `run`,
`report` and the leaderboard find them; on two cores that took 3:36 minutes. With `--all` every
agent is run in every regime that it learns in, in every family, which takes a day. Runs that are
done already are not repeated, so that an interrupted command goes on.
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
from ..runs.suite import AGENTS, execute, grid, suite_environments

Grid = tuple[Sequence[str], Sequence[str]]  # agents, and environments that all are run in

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

# Families in which networks learn or thousands of long episodes are played for every policy.
SLOW = (
    "CopycatCar",
    "CorrelatedNoiseLQ",
    "DelusionBox",
    "MentorFollow",
    "MonsterShield",
    "SepsisDiabetes",
    "TreeHarvest",
)


def quick_environments() -> list[str]:
    """The suite of families without SLOW."""
    families = suite_environments("families")
    return [text for text in families if text.partition("-")[0] not in SLOW]


def learning_agents() -> list[str]:
    """Every agent that learns, in each of its regimes."""
    return [
        f"{name}@{regime}"
        for name, cls in agent_classes().items()
        for regime in cls.learns
        if Regime(regime) not in (Regime.EXACT, Regime.GIVEN)
    ]


def make_reference(
    plan: Sequence[Grid], folder: Path, path: Path, seeds: int = SEEDS, workers: int = 1
) -> pd.DataFrame:
    """Run some grids, write the rows of the deployments to `path`, and return them.

    `folder` keeps the results. The metadata of the file says what was run. Failed runs are left
    out.
    """
    runs = []
    for agents, environments in plan:
        runs += grid(environments, agents, seeds, RECORDED, PRACTICE)
    rows = execute(runs, folder, workers)
    rows = rows[(rows["world"] == "") & (rows["status"] == "ok")].reset_index(drop=True)
    about = {
        "grids": "; ".join(f"{' '.join(agents)} in {' '.join(places)}" for agents, places in plan),
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
    parser.add_argument("--all", action="store_true", help="all agents and families, in a day")
    parser.add_argument("--out", type=Path, default=Path("reference"), help="keeps the results")
    parser.add_argument("--to", type=Path, default=PATH, help="the file of the rows")
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    if options.all:
        plan: list[Grid] = [(learning_agents(), suite_environments("families"))]
    else:
        plan = [(QUICK, quick_environments()), (AGENTS, suite_environments("main"))]
    make_reference(plan, options.out, options.to, workers=options.workers)


if __name__ == "__main__":
    main()

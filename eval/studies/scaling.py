"""Static learners over rows and widths: the runs, and what is measured of them."""

from collections.abc import Mapping, Sequence
from math import ceil
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from dosuite.agents import Policy
from dosuite.causal import NotDiscreteError, TooLargeError, World
from dosuite.causal.exact import log_process
from dosuite.envs import make_model, shown_contexts
from dosuite.envs.settings import parse

from ..runs.kept_policies import kept_policy
from ..runs.run import Run
from ..runs.scored_rows import where_of
from ..scores import metrics
from .compute import scale_of

LEAST_UPDATES = 600  # steps of the optimiser on a small log
PASSES = 8  # over a large one


class Learner(NamedTuple):
    """A static learner of action values, and settings with which it solves the control."""

    agent: str
    optimiser: str
    rate: float  # with the least number of updates
    batch: int
    depth: int = 2
    fixed: str = ""  # settings that would otherwise be the defaults of today

    def __str__(self) -> str:
        return f"{self.agent}, {self.optimiser}, depth {self.depth}"

    def trained_on(self, rows: int, width: int) -> str:
        """The agent with its settings for a log of so many rows.

        With more updates the rate is smaller by the same factor, so that its noise vanishes, too.
        """
        updates = max(LEAST_UPDATES, ceil(PASSES * rows / self.batch))
        return (
            f"{self.agent}:hidden={width},depth={self.depth},optimiser={self.optimiser},"
            f"rate={self.rate * LEAST_UPDATES / updates:.3g},updates={updates},batch={self.batch}"
            f"{self.fixed}"
        )


ADAM = Learner("dqn", "adam", 0.0003, 512)
SGD = Learner("dqn", "sgd", 0.01, 512)
DEEP = Learner("dqn", "adam", 0.0003, 512, depth=4)
IQL = Learner("iql", "adam", 0.0005, 256, fixed=",expectile=0.7,temperature=3.0,decay=0.0")
Widths = Mapping[Learner, Sequence[int]]


def scaling_runs(
    worlds: Sequence[str], rows: Sequence[int], learners: Widths, seeds: int
) -> list[Run]:
    """Learners of some widths on the log of each world and of its control, and exact answers."""
    runs = []
    for world in worlds:
        runs.append(Run(world, "confused", "exact", 1, 0))
        for variant in ("", "control"):
            runs += [
                Run(world, learner.trained_on(budget, width), "observe", budget, seed, variant)
                for learner, widths in learners.items()
                for width in widths
                for budget in rows
                for seed in range(seeds)
            ]
    return runs


def scaling_table(rows: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """A row for each run of a learner.

    Columns: `where`, the world; `variant`, `learner`, `width`, `rows` of the log and `seed`;
    `error`, that of the do-contrasts of the believed action values (ICE_gap, in units of Y); `gap`,
    the same of an associational learner with infinite data from the world, in closed form; `loss`
    (see `predictive_loss`); `regret`, 0 for the best policy and 1 for the worst; and `parameters`
    and `compute` (see `scale_of`).
    """
    deployed = metrics.deployment(rows)
    deployed = deployed.assign(regret=metrics.normalised_regret(deployed))
    gaps = {
        where_of(row): row["ice_gap"]
        for _, row in deployed.iterrows()
        if (row["agent"], row["variant"]) == ("confused", "")
    }
    lines: list[dict[str, Any]] = []
    for _, row in deployed.iterrows():
        name, settings = parse(row["agent"])
        if name == "confused":
            continue
        policy = kept_policy(folder, row["run"])
        lines.append(
            {
                "where": where_of(row),
                "variant": row["variant"],
                "learner": f"{name}, {settings['optimiser']}, depth {settings['depth']}",
                "width": int(settings["hidden"]),
                "rows": int(row["budget"]),
                "seed": int(row["seed"]),
                "error": row["ice_gap"],
                "gap": gaps[where_of(row)],
                "loss": _loss_of(row, policy),
                "regret": row["regret"],
                **scale_of(policy, settings),
            }
        )
    return pd.DataFrame(lines)


def predictive_loss(model: World, policy: Policy) -> float:
    """The mean squared error of action values at new rows of the log, above its least value.

    It is exact: the mean of (Q(o, a) - Q_log(c, a))^2 over contexts c and actions a as they occur
    in the log, and all that a context c can look like, o. Q_log is what infinite data from the log
    give: in one step E[reward | c, a]. NaN if there are no such values.
    """
    try:
        logged, shown = log_process(model), shown_contexts(model)
    except (NotDiscreteError, TooLargeError):
        return np.nan
    contexts, exemplars = shown.shape[:2]
    believed = policy.action_values(shown.reshape(contexts * exemplars, *shown.shape[2:]))
    if believed is None:
        return np.nan
    occurs = logged.visits > 0
    target = np.where(occurs, logged.plan(), 0.0)
    values = np.asarray(believed).reshape(contexts, exemplars, -1)
    squares = np.square(values - target[:, None]).mean(1)
    return float(squares[occurs] @ logged.visits[occurs] / logged.visits.sum())


def _loss_of(row: Any, policy: Policy | None) -> float:
    """The predictive loss of the policy of a run; NaN if its file is gone."""
    if policy is None:
        return np.nan
    return predictive_loss(make_model(where_of(row), variant=row["variant"]), policy)

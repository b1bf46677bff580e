"""How many rows of an experiment an agent needs, against the least that anyone needs."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from dosuite.causal import InputError
from dosuite.causal.world import Frontier
from dosuite.envs.regimes import Regime

from .metrics import PAIR, deployment

WORLD = ["environment", "member"]
BY_BUDGET = [*WORLD, "agent", "regime", "budget"]
EXPERIMENTS = (Regime.MIXED, Regime.INTERVENE)


def interventional_efficiency(
    rows: pd.DataFrame, frontiers: Mapping[tuple[str, str], Frontier], share: float = 0.5
) -> pd.DataFrame:
    """The rows of an experiment that the frontier needs for an agent's value, over those it used.

    `rows` are results in one-step worlds and their twins, of agents that learn from mixed logs,
    whose `share` is interventions, or by acting, where each step of practice is one. `frontiers`
    maps an environment and its member to the frontier of the world and its twin.

    There is a row for each agent, regime and budget with the columns `pair_value`, the mean over
    seeds of the mean value in the two worlds; `rows_used`; `rows_needed`, the least number of rows
    whose frontier reaches that value; and `efficiency`, the second over the first. At 0 the agent
    earns no more than the floor. Rows of the frontier have uniform actions, so that an agent that
    chooses its own can be above 1. Where the frontier never reaches the value, the efficiency is
    NaN. Raises InputError at a share outside (0, 1], or if a run occurs twice.
    """
    if not 0 < share <= 1:
        raise InputError(f"the share of interventions in a log is in (0, 1], and got {share}")
    runs = deployment(rows)
    runs = runs[runs["regime"].isin(EXPERIMENTS) & runs["variant"].isin(["", "twin"])]
    if runs.duplicated([*PAIR, "variant"]).any():
        raise InputError("a run occurs twice; give each agent, world and seed once")
    pairs = runs.groupby(PAIR, as_index=False).agg(
        pair_value=("value", "mean"), worlds=("variant", "size")
    )
    means = pairs[pairs["worlds"] == 2].groupby(BY_BUDGET, as_index=False)["pair_value"].mean()
    known = [(world, member) in frontiers for world, member in means[WORLD].to_numpy()]
    means = means[np.asarray(known, dtype=bool)].reset_index(drop=True)
    is_mixed = means["regime"] == Regime.MIXED
    used = means["budget"] * np.where(is_mixed, share, 1.0)
    needed = pd.Series(
        [
            frontiers[world, member].rows_for(reached)
            for world, member, reached in means[[*WORLD, "pair_value"]].itertuples(index=False)
        ],
        means.index,
        float,
    )
    efficiency = needed.replace(np.inf, np.nan) / used
    scores: pd.DataFrame = means.assign(rows_used=used, rows_needed=needed, efficiency=efficiency)
    return scores

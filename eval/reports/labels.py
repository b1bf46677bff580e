"""How tables and figures name the environment and the agent of a row."""

import numpy as np
import pandas as pd

from dosuite.envs.regimes import Regime

LABELS = {regime.value: regime.label for regime in Regime}


def labelled(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows, sorted, with `where` and `who` they are of.

    `where` is the environment with its member, and `who` the agent with its regime and what it was
    given: "back-door (offline, graph)". Agents are ordered by regime, then by name.
    """
    rank = rows["regime"].map(list(LABELS).index)
    given = rows["needs"].fillna("") if "needs" in rows else pd.Series("", rows.index)
    needs = given.map(lambda text: f", {text}" if text else "")
    who = rows["agent"] + " (" + rows["regime"].map(LABELS) + needs + ")"
    order = list(dict.fromkeys(who.iloc[np.lexsort((rows["agent"], rank))]))
    where = (rows["environment"] + " " + rows["member"]).str.strip()
    labels = rows.assign(where=where, who=pd.Categorical(who, order, ordered=True))
    return labels.sort_values(["where", "variant", "world", "who", "budget", "seed"], kind="stable")

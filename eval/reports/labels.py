"""How tables and figures name the environment and the agent of a row."""

import numpy as np
import pandas as pd

from dosuite.envs.regimes import Regime

from .page import printable

LABELS = {regime.value: regime.label for regime in Regime}


def labelled(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows, sorted, with the labels `where` and `who`.

    `where` is the environment with its member, and `who` the agent with its regime and what it was
    given: "back-door (offline, graph)". Agents are ordered by regime, then by name.
    """
    rank = rows["regime"].map(list(LABELS).index)
    who = _agents(rows).map(printable)
    in_order = who.iloc[np.lexsort((rows["agent"], rank))]
    categories = list(dict.fromkeys(in_order))
    labels = rows.assign(
        where=(rows["environment"] + " " + rows["member"]).str.strip().map(printable),
        who=pd.Categorical(who, categories, ordered=True),
    )
    return labels.sort_values(["where", "variant", "world", "who", "budget", "seed"], kind="stable")


def _agents(rows: pd.DataFrame) -> "pd.Series[str]":
    """The agent of each row, with its regime and what it was given, if the rows say so."""
    given = rows["regime"].map(LABELS)
    if "needs" in rows:
        needs = rows["needs"].fillna("")
        given = given + needs.where(needs == "", ", " + needs)
    return rows["agent"] + " (" + given + ")"

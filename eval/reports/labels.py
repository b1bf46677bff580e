"""How tables and figures name the environment and the agent of a row."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from dosuite.agents.summaries import agent_sources
from dosuite.envs.regimes import Regime
from dosuite.envs.settings import parse, unparse

from .page import printable

LABELS = {regime.value: regime.label for regime in Regime}


def named(rows: pd.DataFrame, beside: Iterable[pd.DataFrame] = ()) -> pd.DataFrame:
    """The rows with the names of a user's agents in place of their files, told apart from those
    `beside` them (see `own_names`).
    """
    if "agent_name" not in rows:
        return rows
    labels = own_names(rows, *beside)
    shown = rows["agent"].map(lambda text: labels.get(text, text))
    return rows.assign(agent=shown).drop(columns="agent_name")


def own_names(*tables: pd.DataFrame) -> dict[str, str]:
    """The names of a user's agents with their settings, "greedy:prior=0.5", by their texts.

    A name that several files have, or that an agent of this package has, is followed by its file:
    "naive [my_agent.py]".
    """
    heads = [table[["agent", "agent_name"]] for table in tables if "agent_name" in table]
    if not heads:
        return {}
    known = pd.concat(heads).drop_duplicates()
    known = known[known["agent_name"].fillna("") != ""]
    labels: dict[str, str] = {}
    for name, own in known.groupby("agent_name"):
        parsed = {text: parse(text) for text in own["agent"]}
        files = dict.fromkeys(file for file, _ in parsed.values())
        ends = _ends(list(files)) if len(files) > 1 or name in agent_sources() else {}
        for text, (file, settings) in parsed.items():
            labels[text] = unparse(str(name), settings) + ends.get(file, "")
    return labels


def _ends(files: list[str]) -> dict[str, str]:
    """What tells files apart, in brackets: their own names if these differ, or the whole text."""
    own = [Path(file).name for file in files]
    texts = own if len(set(own)) == len(files) else files
    return {file: f" [{text}]" for file, text in zip(files, texts, strict=True)}


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

"""The tables of the report, from result rows and from the summary of their scores."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from dosuite.envs.regimes import Budget, Regime

from ..runs.failure import without_file
from ..scores import metrics
from .labels import labelled
from .page import Table, printable
from .rounding import number_text

WIN = 0.5  # CS_chance on both worlds of a pair: above it the pair is won
PASS = 0.02  # the largest normalised regret with which a negative control is passed

MEAN = "mean"  # the column of the headline that is over all families
# Metrics of which more (1) or less (-1) is better; of the others neither is.
BETTER = dict.fromkeys(("value", "causal_score", "chance_score", "twin_score"), 1)
BETTER |= dict.fromkeys(("normalised_regret", "r_mean", "r_worst", "r_cvar", "excess"), -1)
BETTER |= dict.fromkeys(("ice", "ice_gap"), -1)

CONTROLS = (
    "Negative controls: nothing is confused here, so CS is undefined and the normalised regret "
    f"must be at most {PASS}"
)
BLAME = (
    "What offline agents can be blamed for: the regret that is possible where only the log and the "
    "graph are known"
)
NO_BLAME = "offline-optimal confusion"  # where the confused policy is the best that one can do


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """Every metric of every cell, in a row each.

    The columns say what the cell is, and are then `metric`, `runs`, `iqm`, `low`, `high` and
    `std_error` (0 if exact).
    """
    runs = labelled(metrics.run_scores(rows))
    by = ["where", "who", *metrics.CELL]
    scores = [
        metrics.aggregate(runs, each.name, by).assign(metric=each.name)
        for each in metrics.all_metrics()
    ]
    errors = runs.groupby(by, observed=True)["std_error"].max().reset_index()
    return pd.concat(scores).merge(errors, on=by).dropna(subset="iqm").reset_index(drop=True)


def headline(rows: pd.DataFrame) -> Table:
    """CS_pair of each agent in each family of environments and on average over the families, and
    how many pairs of twins it wins.

    An agent that lacks a family has no average.
    """
    pairs = _pairs(rows)
    family = pairs["environment"].str.replace(r"^(\w+)(-\w+)?-v\d+$", r"\1", regex=True)
    pairs = pairs.assign(family=family)
    scores = metrics.aggregate(pairs, "pair_score", ["who", "family", "regime"])
    scores = scores.dropna(subset="iqm")
    families = sorted(scores["family"].unique())
    if len(families) > 1:
        means = _over_families(pairs[pairs["family"].isin(families)], families)
        scores = pd.concat([scores, means], ignore_index=True)
        families = [MEAN, *families]
    scores["text"] = _texts(scores, "pair_score")
    texts, shade = (
        scores.pivot(index="who", columns="family", values=name)[families]
        for name in ("text", "iqm")
    )
    won = _won(pairs).groupby("who", observed=True)["won"].agg(["sum", "size"])
    won = won.reindex(texts.index).astype(str)
    texts = texts.assign(won=won["sum"] + " of " + won["size"])
    # the first and the last column, of names and counts, have no tint
    shade = shade.assign(won=np.nan).reset_index().assign(who=np.nan)
    better = dict.fromkeys(families, 1)
    return Table("headline", _flat(texts), shade, fold=3, better=better)


def _over_families(pairs: pd.DataFrame, families: list[str]) -> pd.DataFrame:
    """The mean of CS_pair over the families, of each agent that has all of them."""
    means = []
    for (who, regime), group in pairs.groupby(["who", "regime"], observed=True):
        parts = [part for _, part in group.dropna(subset="pair_score").groupby("family")]
        if len(parts) < len(families):
            continue
        strata = [(part["environment"] + " " + part["member"]).to_numpy() for part in parts]
        values = [part["pair_score"].to_numpy(float) for part in parts]
        ends = metrics.mean_interval(list(zip(values, strata, strict=True)))
        means.append((who, MEAN, regime, *ends))
    return pd.DataFrame(means, columns=["who", "family", "regime", "iqm", "low", "high"])


def winners(rows: pd.DataFrame) -> list[str]:
    """Which agents win pairs of twins: a sentence for each regime and what was given in it."""
    won = _won(_pairs(rows))
    who = won["who"].astype(str).str.extract(r"(?P<agent>.*) \((?P<kind>.*)\)$")
    won = won.assign(**who)
    won = won[won["kind"] != Regime.EXACT.label]
    counts = won.groupby(["kind", "agent"])["won"].agg(["sum", "size"])
    texts = dict.fromkeys(counts.index.unique("kind"), "nobody wins a pair")
    for kind, winning in counts[counts["sum"] > 0].groupby("kind"):
        texts[kind] = ", ".join(
            f"{agent} wins {pairs_won} of {pairs} pairs"
            for (_, agent), pairs_won, pairs in winning.itertuples()
        )
    return [f"{kind.capitalize()}: {texts[kind]}." for kind in sorted(texts, key=_rank)]


def score_table(name: str, scores: pd.DataFrame, columns: dict[str, str]) -> Table:
    """One row for each environment and agent, one column (heading: metric) for each score that any
    of them has."""
    texts = {}
    for heading, metric in columns.items():
        part = scores[scores["metric"] == metric].set_index(["where", "who"])
        if part.empty:  # such as scores on twins, where there are none
            continue
        texts[heading] = pd.Series(_texts(part, metric), part.index, str)
    cells = scores[["where", "who"]].drop_duplicates().sort_values(["where", "who"])
    frame = pd.DataFrame(texts, pd.MultiIndex.from_frame(cells))
    better = {head: BETTER[columns[head]] for head in texts if columns[head] in BETTER}
    return Table(name, _flat(frame), grouped=True, better=better)


def where_defined(section: str, scores: pd.DataFrame, caption: str) -> list[Table]:
    """A table of a section's metrics in the environments that have one; none if there are none.

    A standard error in the scores is that of J, and is left out.
    """
    columns = metrics.headings(section)
    there = scores.loc[scores["metric"].isin(columns.values()), ["where", "who"]]
    shown = scores.merge(there.drop_duplicates(), on=["where", "who"])
    table = score_table(section, shown.drop(columns="std_error"), columns)
    return [replace(table, caption=caption)] if len(shown) else []


def blame(scores: pd.DataFrame) -> list[Table]:
    """IAS of the agents that learned from the log alone; no table if it is defined nowhere."""
    offline = scores[scores["regime"] == Regime.OBSERVE.value]
    found = where_defined("identifiability", offline, BLAME)
    label = metrics.METRICS["ias"].label
    return [
        replace(table, frame=table.frame.replace({label: {"n/a": NO_BLAME}})) for table in found
    ]


def having(scores: pd.DataFrame, metric: str) -> pd.DataFrame:
    """The scores of the agents in the environments in which they have a metric."""
    cells = scores.loc[scores["metric"] == metric, ["where", "who"]]
    return scores.merge(cells, on=["where", "who"])


def confused_wins(rows: pd.DataFrame) -> str:
    """The shifts in which the confused policy earns more than the causal one, in a sentence."""
    gained = rows["j_confused"] > rows["j_causal"] + metrics.NEGLIGIBLE
    shifted = labelled(rows[(rows["world"] != "") & (rows["variant"] == "") & gained])
    texts = [
        f"{where} {', '.join(sorted(set(group['world'])))}"
        for where, group in shifted.groupby("where")
    ]
    return (
        "Shifts in which the confused policy earns more than the causal one: "
        f"{'; '.join(texts) or 'none'}."
    )


def controls(rows: pd.DataFrame) -> list[Table]:
    """The normalised regret on negative controls, and who passes; no table if there are none."""
    runs = labelled(metrics.run_scores(metrics.largest_budget(rows)))
    runs = runs[metrics.is_control(runs)]
    suffix = runs["variant"].map({"": "", "control": ", unconfounded"})
    runs = runs.assign(where=runs["where"] + suffix)
    by = ["where", "who", "regime"]
    shown = metrics.headings("controls")
    columns = {}
    for heading, metric in shown.items():
        scores = metrics.aggregate(runs, metric, by).set_index(["where", "who"])
        columns[heading] = pd.Series(_texts(scores, metric), scores.index, str)
        if metric == "normalised_regret":
            columns["passes"] = (scores["iqm"] <= PASS).map({True: "yes", False: "no"})
    frame = pd.DataFrame(columns)
    return [Table("controls", _flat(frame), caption=CONTROLS, grouped=True)] if len(frame) else []


def notes(rows: pd.DataFrame) -> Table:
    """The notes of runs and how many runs have each; of those that failed, one traceback."""
    runs = labelled(rows[rows["world"] == ""])
    noted = runs[(runs["status"] != "ok") | (runs["note"] != "")]
    noted = noted.sort_values("status", kind="stable")
    noted = noted.assign(message=noted["note"].map(without_file))
    by = ["where", "who", "variant", "status", "message"]
    counts = noted.groupby(by, observed=True, sort=False).agg(
        note=("note", "first"), runs=("note", "size")
    )
    return Table("notes", _flat(counts.reset_index("message", drop=True)), grouped=True)


def budgets(rows: pd.DataFrame) -> Table:
    """How much each agent learned from, and in how many environments and with how many seeds."""
    runs = labelled(metrics.deployment(rows))
    counts = runs.groupby(["who", "budget"], observed=True).agg(
        environments=("where", "nunique"), seeds=("seed", "nunique")
    )
    return Table("budgets", _flat(counts))


def scale(scores: pd.DataFrame) -> list[Table]:
    """CS_chance by budget, of the agents that were run with several; no table if there are none."""
    chance = scores[(scores["metric"] == "chance_score") & (scores["variant"] == "")]
    count = chance.groupby(["where", "who"], observed=True)["budget"].transform("nunique")
    chance = chance[count > 1]
    frame = chance.assign(text=_texts(chance, "chance_score")).pivot(
        index=["where", "who"], columns="budget", values="text"
    )
    if frame.empty:
        return []
    frame = frame.rename(columns="{:,}".format)
    return [Table("scale", _flat(frame), caption="CS_chance by budget", grouped=True)]


def _pairs(rows: pd.DataFrame) -> pd.DataFrame:
    """The twin-balanced scores, labelled."""
    pairs = metrics.twin_balanced(metrics.largest_budget(rows))
    columns = [*metrics.PAIR, *rows.columns.intersection(["needs"])]
    needs = metrics.deployment(rows).drop_duplicates(metrics.PAIR)[columns]
    return labelled(pairs.merge(needs, on=metrics.PAIR).assign(variant="", world=""))


def _won(pairs: pd.DataFrame) -> pd.DataFrame:
    """For each agent and pair of twins, whether its scores on both are above WIN: the
    interquartile means over seeds."""
    groups = pairs.dropna(subset="twin_balanced").groupby(["who", "where"], observed=True)
    above = [
        groups[score].apply(lambda values: metrics.iqm(values.to_numpy()) > WIN)
        for score in ("chance_score", "twin_score")
    ]
    return (above[0] & above[1]).rename("won").reset_index()


def _rank(kind: str) -> tuple[int, str]:
    """The place of "offline, graph": by regime, then by what was given."""
    labels = [regime.label for regime in Regime]
    return labels.index(kind.partition(",")[0]), kind


def _texts(scores: pd.DataFrame, metric: str) -> list[str]:
    digits = metrics.METRICS[metric].digits
    return [_text(score, digits) for score in scores.to_dict("records")]


def _text(score: dict[Any, Any], digits: int) -> str:
    """A score with its interval, if it has seeds, and its standard error, if it is estimated."""
    middle, low, high = (number_text(score[name], digits) for name in ("iqm", "low", "high"))
    has_seeds = Regime(score["regime"]).budget is not Budget.NONE
    text = f"{middle} [{low}, {high}]" if has_seeds else middle
    if score.get("std_error", 0.0) > 0:
        text += f" (estimated, se {number_text(score['std_error'], digits)})"
    return text


def _flat(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame as texts, with its index as the first columns."""
    texts = frame.astype(object)
    flat = texts.where(texts.notna(), "n/a").rename_axis(columns=None).reset_index()
    flat = flat.rename(columns={"where": "environment", "who": "agent"}).astype(str)
    return flat.map(printable)

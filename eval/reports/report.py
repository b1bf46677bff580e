"""Result rows -> tables, figures and one page.

Nothing is run here: whoever has the rows has the report.
"""

import base64
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from rich.console import Console

from .. import metrics
from . import figures
from .page import Section, Table, markdown, page, print_sections, save

FIGURES = {
    "causal_score": figures.causal_score,
    "shift_regret": figures.shift_regret,
    "belief": figures.belief,
}
SCORES = {"J": "value", "CS": "causal_score", "CS_chance": "chance_score", "on twin": "twin_score"}
SHIFTS = {"R_mean": "r_mean", "R_worst": "r_worst", "R_CVaR.25": "r_cvar", "xReg": "excess"}
BELIEFS = {"believed": "believed", "earned": "value", "delusion": "delusion"}
CALIBRATION = {
    "ICE_gap": "ice_gap",
    "ICE_2": "ice",
    "ICE_obs": "ice_obs",
    "kappa": "kappa",
    "residual": "kappa_residual",
}
METRICS = list(
    dict.fromkeys(
        [
            *SCORES.values(),
            "twin_balanced",
            "normalised_regret",
            *(SHIFTS | BELIEFS | CALIBRATION).values(),
        ]
    )
)
IN_UNITS = {
    "value",
    "believed",
    "delusion",
    "ice",
    "ice_gap",
    "ice_obs",
    "kappa_residual",
}  # three decimals, the others two
# the first line of each docstring defines the number
DEFINED: tuple[Callable[..., object], ...] = (
    metrics.twin_balanced, metrics.chance_score, metrics.causal_score, metrics.normalised_regret, metrics.regret,
    metrics.excess_regret, metrics.shift_regret, metrics.delusion, metrics.interventional_calibration_error,
    metrics.contrast_calibration_error, metrics.confusion_coefficient, metrics.iqm, metrics.interval,
)  # fmt: skip
WIN = 0.5  # CS_chance on both worlds of a pair (M10)
PASS = 0.02  # normalised regret on a negative control (M1)

TWINS = (
    "Twins are two worlds with the same log and different best policies. The score is the mean "
    "over both of CS_chance: 0 for uniform "
    "chance, 1 for the causal optimum on both, more only for who is shown the intent or sees "
    "what is hidden. Whoever follows the log, or "
    f"inverts it, is right once; a pair is won by scoring above {WIN} on each."
)
EARNED = (
    "In the figure, large marks are interquartile means over seeds, small ones are seeds, bars "
    "are 95 % bootstrap intervals, and lines "
    "are reference policies and the mean return of the log. Who learns correlations is on the "
    "confused line on the left and on the "
    "causal one on the right."
)
SHIFTED = "Policies are frozen and the world changes. Regret is 0 for the best policy of the class in that world and 1 for the worst."
BELIEVED = "Believed is the agent's own estimate of what its policy earns. Agents that hold no such belief are left out."
CALIBRATED = (
    "kappa is 0 for an agent that predicts what acting does, and 1 for one that reproduces the log."
)
CONTROLS = f"Negative controls: nothing is confused here, so CS is undefined and the normalised regret must be at most {PASS}"


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """Every score of every cell, a row each:

    what the cell is, `metric`, `runs`, `iqm`, `low`, `high`, `std_error` (0 if exact).
    """
    runs = figures.labelled(metrics.run_scores(rows))
    by = ["where", "who", *metrics.CELL]
    scores = [metrics.aggregate(runs, metric, by).assign(metric=metric) for metric in METRICS]
    errors = runs.groupby(by, observed=True)["std_error"].max().reset_index()
    return pd.concat(scores).merge(errors, on=by).dropna(subset="iqm").reset_index(drop=True)


def print_tables(rows: pd.DataFrame, console: Console) -> None:
    """Print the page's answers to its first three questions and what failed;

    intervals stand in the headline alone.
    """
    first, second, third, _, _, notes, _ = sections(rows, summary(rows))
    print_sections([first, second, third, *[notes] * bool((rows["status"] != "ok").any())], console)


def write(rows: pd.DataFrame, folder: Path) -> Path:
    """Write report.html, figures/*.png, tables/*.md and *.tex, and summary.csv under `folder`; the
    path of the page.

    Everything is rendered before the first file is written, and a file is complete as soon as it is
    there."""
    save(_render(rows), folder)
    return folder / "report.html"


def sections(rows: pd.DataFrame, scores: pd.DataFrame) -> list[Section]:
    """The report in its order; `scores` is the summary of the rows."""
    here = metrics.largest_budget(scores[scores["variant"] == ""])
    return [
        Section("1. Who is right about both twins?", [TWINS, *verdict(rows)], [headline(rows)]),
        Section(
            "2. What does each policy earn?",
            [EARNED],
            [_table("scores", here, SCORES), *_controls(rows)],
            "causal_score",
        ),
        Section(
            "3. And when the world shifts?",
            [SHIFTED, _confused_wins(rows)],
            [_table("shifts", here, SHIFTS)],
            "shift_regret",
        ),
        Section(
            "4. What does it believe it earns?",
            [BELIEVED],
            [_table("belief", _having(here, "believed"), BELIEFS)],
            "belief",
        ),
        Section(
            "5. Does it predict what acting does?",
            [CALIBRATED],
            [_table("calibration", _having(here, "ice"), CALIBRATION)],
        ),
        Section("6. What failed, and what agents said", [], [_notes(rows)]),
        Section(
            "7. How each number is defined",
            [_definition(function) for function in DEFINED],
            [_budgets(rows), *_scale(scores)],
        ),
    ]


def headline(rows: pd.DataFrame) -> Table:
    """The twin-balanced causal score of each agent in each family of environments, and how many
    pairs of twins it wins.
    """
    pairs = _pairs(rows)
    families = pairs.assign(
        family=pairs["environment"].str.replace(r"^(\w+)(-\w+)?-v\d+$", r"\1", regex=True)
    )
    scores = metrics.aggregate(families, "twin_balanced", ["who", "family", "regime"]).dropna(
        subset="iqm"
    )
    frame = scores.assign(text=_texts(scores, 2)).pivot(
        index="who", columns="family", values="text"
    )
    shade = (
        scores.pivot(index="who", columns="family", values="iqm")
        .assign(won=np.nan)
        .reset_index()
        .assign(who=np.nan)
    )
    won = (
        _won(pairs)
        .groupby("who", observed=True)["won"]
        .agg(["sum", "size"])
        .reindex(frame.index)
        .astype(str)
    )
    return Table("headline", _flat(frame.assign(won=won["sum"] + " of " + won["size"])), shade)


def verdict(rows: pd.DataFrame) -> list[str]:
    """Who wins pairs of twins, in a sentence for each regime and what was given in it."""
    won = _won(_pairs(rows))
    who = won["who"].astype(str).str.extract(r"(?P<agent>.*) \((?P<kind>.*)\)$")
    counts = (
        won.assign(**who)[lambda pairs: pairs["kind"] != "exact"]
        .groupby(["kind", "agent"])["won"]
        .agg(["sum", "size"])
    )
    found = dict.fromkeys(counts.index.unique("kind"), "nobody wins a pair")
    for kind, winners in counts[counts["sum"] > 0].groupby("kind"):
        found[kind] = ", ".join(
            f"{agent} wins {won} of {size} pairs" for (_, agent), won, size in winners.itertuples()
        )
    return [f"{kind.capitalize()}: {found[kind]}." for kind in sorted(found, key=_rank)]


def _rank(kind: str) -> tuple[int, str]:
    return list(figures.REGIMES.values()).index(kind.partition(",")[0]), kind


def _pairs(rows: pd.DataFrame) -> pd.DataFrame:
    """The twin-balanced scores, labelled."""
    pairs = metrics.twin_balanced(metrics.largest_budget(rows))
    given = metrics.deployment(rows).drop_duplicates(metrics.PAIR)[
        [*metrics.PAIR, *rows.columns.intersection(["needs"])]
    ]
    return figures.labelled(pairs.merge(given, on=metrics.PAIR).assign(variant="", world=""))


def _won(pairs: pd.DataFrame) -> pd.DataFrame:
    """Of each agent and pair of twins, whether the interquartile means over seeds are above chance
    on both.
    """
    worlds = pairs.dropna(subset="twin_balanced").groupby(["who", "where"], observed=True)
    won = [
        worlds[score].apply(lambda values: metrics.iqm(values.to_numpy()) > WIN)
        for score in ("chance_score", "twin_score")
    ]
    return (won[0] & won[1]).rename("won").reset_index()


def _confused_wins(rows: pd.DataFrame) -> str:
    shifted = rows[
        (rows["world"] != "")
        & (rows["variant"] == "")
        & (rows["j_confused"] > rows["j_causal"] + metrics.NEGLIGIBLE)
    ]
    found = [
        f"{where} {', '.join(sorted(set(group['world'])))}"
        for where, group in figures.labelled(shifted).groupby("where")
    ]
    return f"Shifts in which the confused policy earns more than the causal one: {'; '.join(found) or 'none'}."


def _table(name: str, scores: pd.DataFrame, columns: dict[str, str]) -> Table:
    """One row for each environment and agent, one column for each score."""
    parts = {
        title: scores[scores["metric"] == metric].set_index(["where", "who"])
        for title, metric in columns.items()
    }
    texts = {
        title: pd.Series(_texts(part, 3 if columns[title] in IN_UNITS else 2), part.index, str)
        for title, part in parts.items()
    }
    agents = scores[["where", "who"]].drop_duplicates().sort_values(["where", "who"])
    return Table(name, _flat(pd.DataFrame(texts, pd.MultiIndex.from_frame(agents))))


def _having(scores: pd.DataFrame, metric: str) -> pd.DataFrame:
    """The scores of the agents that have that one."""
    return scores.merge(
        scores.loc[scores["metric"] == metric, ["where", "who"]], on=["where", "who"]
    )


def _texts(scores: pd.DataFrame, digits: int) -> list[str]:
    return [_text(score, digits) for score in scores.to_dict("records")]


def _text(score: dict[Any, Any], digits: int) -> str:
    middle, low, high = (f"{score[name]:z.{digits}f}" for name in ("iqm", "low", "high"))
    estimated = (
        f" (estimated, se {score['std_error']:.{digits}f})"
        if score.get("std_error", 0.0) > 0
        else ""
    )
    return (
        middle if score["regime"] in ("exact", "given") else f"{middle} [{low}, {high}]"
    ) + estimated


def _flat(frame: pd.DataFrame) -> pd.DataFrame:
    """Texts, with the index as the first columns."""
    flat = frame.astype(object).fillna("n/a").rename_axis(columns=None).reset_index()
    return flat.rename(columns={"where": "environment", "who": "agent"}).astype(str)


def _controls(rows: pd.DataFrame) -> list[Table]:
    runs = figures.labelled(metrics.run_scores(metrics.largest_budget(rows)))
    runs = runs[metrics.is_control(runs)]
    runs = runs.assign(
        where=runs["where"] + runs["variant"].map({"": "", "control": ", unconfounded"})
    )
    scores = metrics.aggregate(runs, "normalised_regret", ["where", "who", "regime"]).set_index(
        ["where", "who"]
    )
    frame = pd.DataFrame(
        {
            "NR": pd.Series(_texts(scores, 2), scores.index, str),
            "passes": (scores["iqm"] <= PASS).map({True: "yes", False: "no"}),
        }
    )
    return [Table("controls", _flat(frame), caption=CONTROLS)] if len(frame) else []


def _notes(rows: pd.DataFrame) -> Table:
    runs = figures.labelled(rows[rows["world"] == ""])
    said = runs[(runs["status"] != "ok") | (runs["note"] != "")].sort_values(
        "status", kind="stable"
    )
    by = ["where", "who", "variant", "status", "note"]
    return Table(
        "notes", _flat(said.groupby(by, observed=True, sort=False).size().rename("runs").to_frame())
    )


def _budgets(rows: pd.DataFrame) -> Table:
    runs = figures.labelled(metrics.deployment(rows))
    counts = runs.groupby(["who", "budget"], observed=True).agg(
        environments=("where", "nunique"), seeds=("seed", "nunique")
    )
    return Table("budgets", _flat(counts))


def _scale(scores: pd.DataFrame) -> list[Table]:
    """CS_chance by budget, where an agent was run with several."""
    chance = scores[(scores["metric"] == "chance_score") & (scores["variant"] == "")]
    chance = chance[
        chance.groupby(["where", "who"], observed=True)["budget"].transform("nunique") > 1
    ]
    frame = chance.assign(text=_texts(chance, 2)).pivot(
        index=["where", "who"], columns="budget", values="text"
    )
    return (
        [Table("scale", _flat(frame.rename(columns="{:,}".format)), caption="CS_chance by budget")]
        if len(frame)
        else []
    )


def _definition(function: Callable[..., object]) -> str:
    return str(function.__doc__).partition("\n")[0]


def _render(rows: pd.DataFrame) -> dict[str, bytes]:
    """All files by name."""
    scores = summary(rows)
    found = sections(rows, scores)
    drawn = {name: draw(rows) for name, draw in FIGURES.items()}
    files = {f"figures/{name}.png": _image(figure, "png") for name, figure in drawn.items()}
    for table in (table for section in found for table in section.tables):
        files[f"tables/{table.name}.md"] = markdown(table).encode() + b"\n"
        files[f"tables/{table.name}.tex"] = table.frame.to_latex(index=False, escape=True).encode()
    inline = {
        name: base64.b64encode(_image(figure, "svg")).decode() for name, figure in drawn.items()
    }
    return files | {
        "tables/summary.csv": scores.to_csv(index=False).encode(),
        "report.html": page(found, inline, rows).encode(),
    }


def _image(figure: Figure, kind: str) -> bytes:
    buffer = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "dosuite"}):
        figure.savefig(
            buffer, format=kind, dpi=200, metadata={"Date": None} if kind == "svg" else None
        )
    return buffer.getvalue()

"""Sanity away from confounding:

on the control of each family, every agent that applies must reach the optimum.
"""

import re
from collections.abc import Sequence
from typing import Any

import pandas as pd

from dosuite.agents import agent_classes, make_agent
from dosuite.causal import InputError
from dosuite.envs import make_model
from dosuite.envs.settings import parse

from .. import metrics
from ..reports.page import Section, Table
from ..runs.failure import without_file
from ..runs.run import OFFLINE, ONLINE, Run, acts_there
from ..runs.suite import suite_environments
from .classic_control import Target

MOST_REGRET = 0.02  # of J_* - J_worst, in a control
MEMORYLESS = {
    "causal": "j_causal",
    "confused": "j_confused",
    "behaviour": "j_behaviour",
}  # reference policies, and what they stand in for
CLONES = ("bc", "targeted", "lagged-iv")  # agents that do what was done
FAULT = re.compile(
    r"\w*(Error|Exception|Warning): "
)  # how the note begins of a run that failed otherwise than by a refusal
IDLE = "plays uniformly"  # how the note ends of an agent that has no answer
REACHED, MISSED, UNDECIDED, SHORT, IDLES, REFUSES, FAILED = (
    "reached",
    "missed",
    "undecided",
    "log short",
    "abstains",
    "refuses",
    "failed",
)
VERDICTS = (REACHED, MISSED, UNDECIDED, SHORT, FAILED, IDLES, REFUSES)
CELL = ["environment", "agent", "regime"]

SCORED = (
    "NR = (J_* - J) / (J_* - J_worst) on the control of each family: interquartile mean over "
    "seeds [95 % bootstrap interval]. J_* is what "
    "the causal policy without a memory earns. An agent has reached it if NR is at most "
    f"{MOST_REGRET}, has missed it if the whole "
    "interval is above, and is else undecided. A clone is held against what the behaviour policy "
    "earned, if that is less. A log is short "
    "if who takes an endless one at its word is not at the optimum either, for it lacks actions "
    "or the observations are not the state: an "
    "agent that learns from it and loses no more is no worse than its log. An agent does not "
    "apply if it refuses a world, or says that it "
    "has no answer there and plays uniformly."
)


def runs(
    only: Sequence[str], agents: Sequence[str], seeds: int, rows: int, steps: int
) -> list[Run]:
    """Every agent on the control of every family that has a text of `only` in its name, once on a
    log and once by acting.

    The memoryless reference policies come first. Without `agents` all are taken. `rows` are the
    recorded steps of a log, `steps` those of practice. Raises InputError if nothing is left."""
    names = agents or [name for name, kind in agent_classes().items() if kind.learns != ("exact",)]
    worlds = [
        text
        for text in suite_environments("families")
        if not only or any(part in text for part in only)
    ]
    found, known = [], []
    for world in worlds:
        model = make_model(world, variant="control")
        kinds = [
            (name, regime) for name in names if acts_there(name, model) for regime in _regimes(name)
        ]
        budgets = {regime: rows if regime in OFFLINE else steps for _, regime in kinds}
        found += [
            Run(world, name, regime, budgets[regime], seed, "control")
            for name, regime in kinds
            for seed in range(seeds)
        ]
        known += [
            run
            for run in (Run(world, name, "exact", 1, 0, "control") for name in MEMORYLESS)
            if run.has_answer()
        ]
    if not found:
        raise InputError(
            f"nothing is left to run: no family is called {' or '.join(only)}, or none takes the "
            "actions of the agents"
        )
    return known + found


def _regimes(agent: str) -> list[str]:
    """Where an agent learns: from a log and by acting, in the first regime of each that it can."""
    learns = make_agent(agent).learns
    return [
        next(regime for regime in kind if regime in learns)
        for kind in (OFFLINE, ONLINE)
        if {*kind} & {*learns}
    ]


def judged(rows: pd.DataFrame) -> pd.DataFrame:
    """A row for each agent in each control:

    NR as `iqm`, `low` and `high` over the seeds, a verdict, and what the agent said.
    """
    deployed = memoryless(rows[rows["world"] == ""])
    scored = deployed.assign(regret=control_regret(deployed), short=_short(deployed))
    return pd.DataFrame(
        [
            {**dict(zip(CELL, key, strict=True)), **_judged(part)}
            for key, part in scored.groupby(CELL, sort=False)
        ]
    )


def memoryless(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of agents, in which the values of the reference policies without a memory are those
    that were run, where they were.
    """
    exact = rows["regime"] == "exact"
    found = rows[~exact].copy()
    for name, column in MEMORYLESS.items():
        values = rows[exact & (rows["agent"] == name)].set_index("environment")["value"]
        found[column] = found["environment"].map(values).fillna(found[column])
    return found


def _judged(part: pd.DataFrame) -> dict[str, Any]:
    iqm, low, high = metrics.interval(part["regret"].to_numpy(float))
    said = "; ".join(dict.fromkeys(filter(None, part["note"].map(without_file))))
    return {"iqm": iqm, "low": low, "high": high, "verdict": _verdict(part, iqm, low), "note": said}


def _verdict(part: pd.DataFrame, iqm: float, low: float) -> str:
    failed = part.loc[part["status"] != "ok", "note"]
    if len(failed):
        return FAILED if failed.str.match(FAULT).any() else REFUSES
    if part["note"].str.endswith(IDLE).all():
        return IDLES
    if iqm <= MOST_REGRET:
        return REACHED
    short = part["short"].iloc[0]
    return (
        SHORT
        if short > MOST_REGRET and iqm <= short + MOST_REGRET
        else MISSED
        if low > MOST_REGRET
        else UNDECIDED
    )


def control_regret(rows: pd.DataFrame) -> "pd.Series[float]":
    """NR of each row:

    against the best memoryless policy, or for an agent that clones the behaviour policy, if that
    earned less.
    """
    clones = rows["agent"].map(lambda text: parse(text)[0] in CLONES)
    wanted = rows["j_causal"].mask(clones, rows[["j_causal", "j_behaviour"]].min(axis=1))
    return (wanted - rows["value"]) / _span(rows)


def _short(rows: pd.DataFrame) -> "pd.Series[float]":
    """NR of the policy that takes an endless log of the behaviour policy at its word;

    0 for who does not learn from such a log.
    """
    return ((rows["j_causal"] - rows["j_confused"]) / _span(rows)).where(
        rows["regime"] == "observe", 0.0
    )


def _span(rows: pd.DataFrame) -> "pd.Series[float]":
    """J_* - J_worst; where the worst policy is not known, the worst that is."""
    known = rows[["j_confused", "j_uniform", "j_behaviour"]].min(axis=1)
    return rows["j_causal"] - rows["j_worst"].fillna(known)


def sections(rows: pd.DataFrame) -> list[Section]:
    """What each agent reaches, what it does not, and every number; `rows` are those of the runs."""
    found = judged(rows)
    applies = found[~found["verdict"].isin([IDLES, REFUSES])]
    told = f"Of {len(applies)} pairs of an agent and a control {_counts(applies)}; {len(found) - len(applies)} others do not apply."
    open_ = applies[applies["verdict"] != REACHED]
    return [
        Section("Controls", [SCORED, told], [Table("controls", _by_agent(found))]),
        Section("What was not reached", [], [_listed("not-reached", open_)] if len(open_) else []),
        Section("Every control", [], [_listed("every-control", found)]),
    ]


def _counts(found: pd.DataFrame) -> str:
    return ", ".join(f"{(found['verdict'] == name).sum()} {name}" for name in VERDICTS[:5])


def _by_agent(found: pd.DataFrame) -> pd.DataFrame:
    counted = pd.crosstab([found["agent"], found["regime"]], found["verdict"]).reindex(
        columns=VERDICTS, fill_value=0
    )
    return counted.reset_index().rename_axis(columns=None).astype(str)


def _listed(name: str, found: pd.DataFrame) -> Table:
    numbers = [f"{row.iqm:.3f} [{row.low:.3f}, {row.high:.3f}]" for row in found.itertuples()]
    frame = found[CELL].assign(NR=numbers, verdict=found["verdict"], **{"it said": found["note"]})
    rows = frame.sort_values(["environment", "agent"], kind="stable").astype(str)
    return Table(name, rows, grouped=True)


def classic_section(found: pd.DataFrame) -> Section:
    """The table of classic control; `found` are the rows of `classic.results`."""
    columns = [*Target._fields, "reached", "measured"]
    measured = [f"{row.iqm:.1f} [{row.low:.1f}, {row.high:.1f}]" for row in found.itertuples()]
    frame = found.assign(
        measured=measured, least=found["least"].map("{:.0f}".format).replace("nan", "-")
    )
    told = "Undiscounted return: interquartile mean over seeds [95 % bootstrap interval] of agents that learned from one log of mixed quality."
    texts = frame[columns].rename(columns={"least": "at least"}).astype(str)
    return Section("Classic control", [told], [Table("classic", texts, grouped=True)])

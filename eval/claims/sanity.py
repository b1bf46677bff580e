"""Controls: worlds in which nothing is confounded.

On the control of each family, every agent that applies must reach the optimum.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import pandas as pd

from dosuite.agents import agent_classes, make_agent
from dosuite.causal import InputError
from dosuite.envs import make_model
from dosuite.envs.settings import parse, unparse

from ..reports.page import Section, Table
from ..runs.run import OFFLINE, ONLINE, Run, acts_there
from ..runs.suite import suite_environments
from ..scores import metrics
from .classic_control import Target
from .verdicts import summary

MOST_REGRET = 0.02  # normalised regret at which a control is reached
# memoryless reference policies that are run, and the columns that their values replace
MEMORYLESS = {"causal": "j_causal", "confused": "j_confused", "behaviour": "j_behaviour"}
CLONES = ("bc", "targeted", "lagged-iv")  # agents that imitate the behaviour policy
# the note of a run that failed otherwise than by refusing a world
FAULT = re.compile(r"\w*(Error|Exception|Warning): ")
IDLE = "plays uniformly"  # in the note of an agent that has no answer

REACHED = "reached"
MISSED = "missed"
UNDECIDED = "undecided"
SHORT = "log short"
FAILED = "failed"
ABSTAINS = "abstains"
REFUSES = "refuses"
APPLICABLE = (REACHED, MISSED, UNDECIDED, SHORT, FAILED)
VERDICTS = (*APPLICABLE, ABSTAINS, REFUSES)
PAIR = ["environment", "agent", "regime"]

EXPLANATION = (
    "NR = (J_* - J) / (J_* - J_worst) on the control of each family: interquartile mean over seeds "
    "[95 % bootstrap interval]. J_* is the value of the memoryless causal policy. An agent has "
    f"reached it if NR is at most {MOST_REGRET}, has missed it if the whole interval is above, and "
    "is otherwise undecided. For a clone, J_* is the value of the behaviour policy if that is "
    "less. A log is short if the policy that infinitely many of its rows suggest is not optimal "
    "either, since it lacks actions or the observations are not the state; an agent that learns "
    "from it and loses no more is no worse than its log. An agent does not apply if it refuses a "
    "world, or says that it has no answer there and plays uniformly."
)


def control_runs(
    only: Sequence[str],
    agents: Sequence[str],
    seeds: int,
    recorded: int,
    practice: int,
    observation: str = "",
) -> list[Run]:
    """Runs of agents on the controls of the families that have a text of `only` in their name.

    The memoryless reference policies come first. Without `agents` all are taken. Each learns once
    from a log of `recorded` steps and once in `practice` steps of practice, where it can. With an
    `observation` only the worlds that can be shown so are taken. Raises InputError if nothing is
    left.
    """
    references: list[Run] = []
    runs: list[Run] = []
    for world in _shown(suite_environments("families"), observation):
        if not only or any(part in world for part in only):
            part = _agent_runs(world, agents or _learners(), seeds, recorded, practice)
            runs += part
            references += _reference_runs(world)
    if not runs:
        raise InputError(
            f"nothing is left to run: no family is called {' or '.join(only)}, or none takes the "
            "actions of the agents"
        )
    return references + runs


def _shown(worlds: Iterable[str], observation: str) -> Iterator[str]:
    """The worlds with their contexts shown in this way, without those that cannot be."""
    for world in worlds:
        if not observation:
            yield world
            continue
        name, settings = parse(world)
        shown = unparse(name, settings | {"observation": observation})
        with suppress(InputError):
            make_model(shown)
            yield shown


def _learners() -> list[str]:
    """All agents but the reference policies."""
    return [name for name, kind in agent_classes().items() if kind.learns != ("exact",)]


def _agent_runs(
    world: str, agents: Sequence[str], seeds: int, recorded: int, practice: int
) -> list[Run]:
    model = make_model(world, variant="control")
    runs = []
    for agent in agents:
        if acts_there(agent, model):
            for regime in _regimes(agent):
                budget = recorded if regime in OFFLINE else practice
                runs += [
                    Run(world, agent, regime, budget, seed, "control") for seed in range(seeds)
                ]
    return runs


def _reference_runs(world: str) -> list[Run]:
    runs = [Run(world, name, "exact", 1, 0, "control") for name in MEMORYLESS]
    return [run for run in runs if run.has_answer()]


def _regimes(agent: str) -> list[str]:
    """The first offline and the first online regime that an agent learns in."""
    learns = make_agent(agent).learns
    regimes: list[str] = []
    for kind in (OFFLINE, ONLINE):
        regimes += [regime for regime in kind if regime in learns][:1]
    return regimes


def control_scores(rows: pd.DataFrame) -> pd.DataFrame:
    """A row for each agent in each control, from the results of the runs.

    Columns: `iqm`, `low` and `high` of the normalised regret over seeds, the `verdict`, the `note`
    of the agent, the `budget` and the number of `seeds`.
    """
    deployed = with_memoryless_values(rows[rows["world"] == ""])
    scored = deployed.assign(regret=control_regret(deployed), short=_log_regret(deployed))
    records = []
    for pair, part in scored.groupby(PAIR, sort=False):
        records.append({**dict(zip(PAIR, pair, strict=True)), **_score(part)})
    return pd.DataFrame(records)


def with_memoryless_values(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of agents, with reference values of memoryless policies only.

    The values of the reference policies that were run replace those in the rows.
    """
    exact = rows["regime"] == "exact"
    agents = rows[~exact].copy()
    for name, column in MEMORYLESS.items():
        values = rows[exact & (rows["agent"] == name)].set_index("environment")["value"]
        agents[column] = agents["environment"].map(values).fillna(agents[column])
    return agents


def control_regret(rows: pd.DataFrame) -> "pd.Series[float]":
    """The normalised regret of each row against the best memoryless policy.

    For an agent that clones the behaviour policy, against that policy if it earned less.
    """
    is_clone = rows["agent"].map(lambda text: parse(text)[0] in CLONES)
    for_clones = rows[["j_causal", "j_behaviour"]].min(axis=1)
    wanted = rows["j_causal"].mask(is_clone, for_clones)
    return (wanted - rows["value"]) / _span(rows)


def _log_regret(rows: pd.DataFrame) -> "pd.Series[float]":
    """The normalised regret of the confused policy; 0 where nothing is learned from its log."""
    regret = (rows["j_causal"] - rows["j_confused"]) / _span(rows)
    return regret.where(rows["regime"] == "observe", 0.0)


def _span(rows: pd.DataFrame) -> "pd.Series[float]":
    """J_* - J_worst; where the worst policy is not known, J_worst is the least known value."""
    least = rows[["j_confused", "j_uniform", "j_behaviour"]].min(axis=1)
    return rows["j_causal"] - rows["j_worst"].fillna(least)


def _score(part: pd.DataFrame) -> dict[str, Any]:
    """The interval, the verdict and the notes of one pair of agent and control."""
    regrets = part["regret"].to_numpy(float)
    iqm, low, high = metrics.interval(regrets)
    return {
        "iqm": iqm,
        "low": low,
        "high": high,
        "verdict": _verdict(part, iqm, low),
        "note": summary(part["note"]),
        "budget": part["budget"].iloc[0],
        "seeds": len(part),
    }


def _verdict(part: pd.DataFrame, iqm: float, low: float) -> str:
    failures = part.loc[part["status"] != "ok", "note"]
    if len(failures):
        return FAILED if failures.str.match(FAULT).any() else REFUSES
    if part["note"].str.contains(IDLE, regex=False).all():
        return ABSTAINS
    if iqm <= MOST_REGRET:
        return REACHED
    short = part["short"].iloc[0]
    if short > MOST_REGRET and iqm <= short + MOST_REGRET:
        return SHORT
    return MISSED if low > MOST_REGRET else UNDECIDED


def control_sections(scores: pd.DataFrame, names: Mapping[str, str]) -> list[Section]:
    """The verdicts on each agent, what was not reached, and every number.

    `scores` are those of `control_scores`, and `names` those of the user's agents (see
    `own_names`). A column `best_trial`, from `with_best_trials`, is shown beside the regrets.
    """
    scores = scores.assign(agent=scores["agent"].replace(dict(names)))
    applies = scores[scores["verdict"].isin(APPLICABLE)]
    not_reached = applies[applies["verdict"] != REACHED]
    counts = [f"{(applies['verdict'] == name).sum()} {name}" for name in APPLICABLE]
    summary = (
        f"Of {len(applies)} pairs of an agent and a control {', '.join(counts)}; "
        f"{len(scores) - len(applies)} others do not apply."
    )
    listed = [_listed("not-reached", not_reached)] if len(not_reached) else []
    said = [] if len(not_reached) else ["All controls were reached."]
    said += _tuned(applies) if "best_trial" in applies else []
    return [
        Section("Controls", [EXPLANATION, summary], [Table("controls", _by_agent(scores))]),
        Section("What was not reached", said, listed),
        Section("Every control", [], [_listed("every-control", scores)], on_terminal=False),
    ]


def _tuned(scores: pd.DataFrame) -> list[str]:
    """What the column of trials is, and how many of the misses a trial avoids."""
    of_misses = scores.loc[scores["verdict"] == MISSED, "best_trial"]
    trials = of_misses.dropna()
    if trials.empty:
        return []
    return [
        "The best trial is the least NR of all trials of `dosuite tune` in that control, one seed "
        "each and clipped to [0, 1]; a dash means that the agent was not tuned there. Of the "
        f"misses ({len(of_misses)}), {len(trials)} are of agents that were tuned in the control: "
        f"in {(trials > MOST_REGRET).sum()} of these cases no trial is at most {MOST_REGRET}, and "
        f"in {(trials <= MOST_REGRET).sum()} one is, which may be owed to its seed."
    ]


def _by_agent(scores: pd.DataFrame) -> pd.DataFrame:
    """The number of controls with each verdict, for each agent and regime."""
    counts = pd.crosstab([scores["agent"], scores["regime"]], scores["verdict"])
    counts = counts.reindex(columns=list(VERDICTS), fill_value=0)
    return counts.reset_index().rename_axis(columns=None).astype(str)


def _listed(name: str, scores: pd.DataFrame) -> Table:
    frame = scores[[*PAIR, "verdict", "note"]].rename(columns={"note": "it said"})
    frame.insert(len(PAIR), "NR", _intervals(scores, 3))
    if "best_trial" in scores and scores["best_trial"].notna().any():
        frame.insert(len(PAIR) + 1, "best trial", _or_dash(scores["best_trial"], 3))
    frame = frame.sort_values(["environment", "agent"], kind="stable").astype(str)
    return Table(name, frame, grouped=True)


def classic_section(scores: pd.DataFrame) -> Section:
    """The table of classic control; `scores` are those of `target_scores`."""
    explanation = (
        "Undiscounted return: interquartile mean over seeds [95 % bootstrap interval] of agents "
        "that learned from one log of mixed quality."
    )
    least = _or_dash(scores["least"], 0)
    frame = scores.assign(measured=_intervals(scores, 1), least=least)
    frame = frame[[*Target._fields, "reached", "measured"]].rename(columns={"least": "at least"})
    return Section(
        "Classic control", [explanation], [Table("classic", frame.astype(str), grouped=True)]
    )


def _or_dash(numbers: "pd.Series[float]", digits: int) -> "pd.Series[str]":
    return numbers.map(f"{{:.{digits}f}}".format).replace("nan", "-")


def _intervals(scores: pd.DataFrame, digits: int) -> list[str]:
    texts = []
    for row in scores.to_dict("records"):
        middle, low, high = (f"{row[name]:.{digits}f}" for name in ("iqm", "low", "high"))
        texts.append(f"{middle} [{low}, {high}]")
    return texts

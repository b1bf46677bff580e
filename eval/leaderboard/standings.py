"""The standings: scores of each family of worlds, and comparisons of any two lines of a track.

A line is an agent of an entry; an entry is a submission, or the reference. Only its largest budget
counts.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations
from typing import Any

import numpy as np
import pandas as pd

from dosuite.causal import Array, InputError

from ..runs.pairs import floor_value, learned_pair
from ..scores import metrics
from ..scores.bootstrap import Interval
from ..scores.comparisons import Scores, performance_profile, probability_of_improvement
from .tracks import Track, track_of

# The scores of a cell: columns of `scored_runs`, and their headings.
SCORES = {"causal_score": "score", "floor_distance": "to the floor", "twin_balanced": "both twins"}
VERIFIED = "yes"  # the verdict on a run that is what it says
WRONG = "WRONG"  # the verdict on a run that is not what it says
THRESHOLDS: Array = np.linspace(-0.5, 1.5, 81)
LINE = ("entry", "agent")
_FAMILY = re.compile(r"^(\w+?)(-\w+)?-v\d+$")


@dataclass(frozen=True)
class Cell:
    """The scores of a line in a family of worlds."""

    track: Track
    family: str
    entry: str
    agent: str
    scores: dict[str, Interval]  # by the names of SCORES
    runs: pd.DataFrame  # the rows that it is computed from

    @property
    def verdict(self) -> str:
        """The verdict on its runs in a word: that on all of them, or "partly"; WRONG if one is.

        Where runs failed, of which it has no scores, it is "partly" for "yes".
        """
        verdicts = set(self.runs["verified"])
        if self.runs["failed"].any() and verdicts == {VERIFIED}:
            return "partly"
        if len(verdicts) == 1:
            return str(verdicts.pop())
        return WRONG if WRONG in verdicts else "partly"


@dataclass(frozen=True)
class Improvement:
    """The probability that a run of the first line scores above one of the second."""

    track: Track
    first: str
    second: str
    worlds: int  # that both are scored in
    probability: Interval


@dataclass(frozen=True)
class Profile:
    """The share of the runs of a line that score above each of THRESHOLDS."""

    track: Track
    line: str
    share: Array
    low: Array
    high: Array


def scored_runs(entry: str, rows: pd.DataFrame) -> pd.DataFrame:
    """The runs of an entry in worlds and in twins, with every score, `entry`, `track`, `family`
    and `failed`: whether a run of the same agent in the same family and regime failed.

    Raises InputError if a run is there twice. A run that learned once for two worlds, from the log
    or from log and graph, has their floor in its row. For learners with more than that it is the
    floor of memoryless policies in the world and its twin, which they may pass.
    """
    rows = rows[rows["variant"].isin(["", "twin"])]
    failed = {_cell_of(row) for row in rows[rows["status"] != "ok"].to_dict("records")}
    runs = metrics.largest_budget(metrics.run_scores(rows))
    pairs = zip(runs["regime"], runs["needs"], strict=True)
    tracks = [str(track_of(regime, needs) or "") for regime, needs in pairs]
    runs = runs.assign(entry=entry, track=tracks)
    runs["family"] = [_family(name) for name in runs["environment"]]
    runs["failed"] = [_cell_of(row) in failed for row in runs.to_dict("records")]
    runs = runs[runs["track"] != ""].reset_index(drop=True)
    return runs.assign(floor_distance=_floor_distances(runs))


def cells(runs: pd.DataFrame) -> list[Cell]:
    """A cell for each line and family, those of a family in the order of their scores."""
    runs = runs.sort_values(["environment", "member", "variant", "budget", "seed"])
    found = [
        Cell(Track(track), family, entry, agent, _scores(group), group)
        for (track, family, entry, agent), group in _groups(runs, "track", "family", *LINE)
    ]
    order = list(Track)
    return sorted(found, key=lambda cell: (order.index(cell.track), cell.family, _rank(cell)))


def improvements(runs: pd.DataFrame) -> list[Improvement]:
    """A comparison of every ordered pair of lines of a track that share a world."""
    compared = []
    for track, scores in scores_by_track(runs):
        for first, second in permutations(scores, 2):
            shared = len(scores[first].keys() & scores[second].keys())
            if shared:
                chance = probability_of_improvement(scores[first], scores[second])
                compared.append(Improvement(track, first, second, shared, chance))
    return compared


def profiles(runs: pd.DataFrame) -> list[Profile]:
    """The performance profile of every line."""
    return [
        Profile(track, line, *performance_profile(scores, THRESHOLDS))
        for track, lines in scores_by_track(runs)
        for line, scores in lines.items()
    ]


def scores_by_track(runs: pd.DataFrame) -> Iterable[tuple[Track, dict[str, Scores]]]:
    """The scores of the seeds in each world, by line, where they are defined."""
    here = runs[(runs["variant"] == "") & runs["causal_score"].notna()]
    world = here["environment"] + " " + here["member"]
    for track in Track:
        lines: dict[str, Scores] = {}
        for (entry, agent), group in _groups(here[here["track"] == track], *LINE):
            tasks = group.groupby(world.loc[group.index])["causal_score"]
            lines[line_name(entry, agent)] = {
                str(task): values.to_numpy(float) for task, values in tasks
            }
        if lines:
            yield track, lines


def line_name(entry: str, agent: str) -> str:
    """How a line is called."""
    return f"{entry}: {agent}"


def _scores(group: pd.DataFrame) -> dict[str, Interval]:
    """The interquartile mean of each score, with its interval over the training seeds."""
    here = group[group["variant"] == ""]
    worlds = (here["environment"] + " " + here["member"]).to_numpy()
    return {name: metrics.interval(here[name].to_numpy(float), worlds) for name in SCORES}


def _rank(cell: Cell) -> tuple[float, str, str]:
    middle = cell.scores["causal_score"][0]
    return (np.inf if np.isnan(middle) else -middle), cell.entry, cell.agent


def _floor_distances(runs: pd.DataFrame) -> "pd.Series[float]":
    """The floor less the mean value in the two worlds of a pair; NaN where there is no pair."""
    twins = runs[runs["variant"] == "twin"].set_index(metrics.PAIR)["value"].to_dict()
    from_log = runs[runs["track"] == Track.LOG]
    floors = from_log.groupby(["environment", "member"])["floor"].min().dropna().to_dict()
    distances = []
    for row in _records(runs):
        other = twins.get(tuple(row[name] for name in metrics.PAIR), np.nan)
        if row["variant"] != "":
            distances.append(np.nan)
        elif not np.isnan(row["floor"]):
            distances.append(row["floor"] - row["pair_value"])
        elif np.isnan(other) or row["track"] == Track.GRAPH:
            distances.append(np.nan)
        else:
            place = row["environment"], row["member"]
            floor = floors[place] if place in floors else _floor(*place)
            distances.append(floor - (row["value"] + other) / 2)
    return pd.Series(distances, runs.index, float)


def _groups(runs: pd.DataFrame, *names: str) -> Iterable[tuple[tuple[str, ...], pd.DataFrame]]:
    """The runs that share some columns of texts, with these texts."""
    return ((tuple(map(str, key)), group) for key, group in runs.groupby(list(names)))


def _records(runs: pd.DataFrame) -> Sequence[dict[Any, Any]]:
    return runs.to_dict("records")


@lru_cache(maxsize=512)
def _floor(environment: str, member: str) -> float:
    """The floor of memoryless policies in a world and its twin; NaN if it is not computed."""
    try:
        name = f"{environment}:{member}" if member else environment
        pair = learned_pair(name, "", ("twin",))
    except InputError:  # a world in a file of the author's
        return np.nan
    return np.nan if pair is None else floor_value(pair, False)


def _cell_of(row: Mapping[Any, Any]) -> tuple[str, str, str]:
    return row["agent"], _family(row["environment"]), row["regime"]


def _family(environment: str) -> str:
    """ "IceCreamShorts" for "IceCreamShorts-Thermo-v0"; a world of a file is its own family."""
    match = _FAMILY.match(environment)
    return match.group(1) if match else environment

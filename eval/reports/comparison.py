"""Folders of results side by side: their scores, paired by seed, and what differs in settings."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from ..runs.requests import records
from ..scores import bootstrap, metrics
from .labels import labelled, named
from .page import Section, Table

PAIR = ["where", "variant", "who", "seed"]  # what is the same in both runs of a pair
METRICS = ("causal_score", "value")
PAIRED = (
    "Scores are interquartile means over seeds. A difference is that of the runs with the same "
    "agent, world and seed, folder minus first folder, with its 95 % percentile bootstrap interval "
    "over seeds; a star marks an interval without 0. Logs and practice depend on the seed alone, "
    "so that what both folders share does not blur the difference."
)


def comparison(folders: Mapping[str, pd.DataFrame], settings: Mapping[str, Path]) -> list[Section]:
    """The sections of a comparison of the rows of two folders or more; the first is the baseline.

    `settings` are the paths of the folders, whose records say what was asked for.
    """
    together = list(folders.values())
    scores = {name: _scores(named(rows, together)) for name, rows in folders.items()}
    tables = [_paired(scores, metric) for metric in METRICS]
    return [
        Section("1. The same seeds, side by side", [PAIRED, *_alone(scores)], tables),
        Section("2. What differs in the settings", [], [_settings(settings)]),
    ]


def _scores(rows: pd.DataFrame) -> pd.DataFrame:
    """The scores of the runs at the largest budget, by what pairs them."""
    runs = metrics.largest_budget(labelled(metrics.run_scores(rows)))
    runs = runs[runs["regime"] != "exact"].assign(who=lambda known: known["who"].astype(str))
    return runs.drop_duplicates(PAIR).set_index(PAIR)[[*METRICS]].sort_index()


def _paired(scores: Mapping[str, pd.DataFrame], metric: str) -> Table:
    """A line for each agent in each world that the first folder shares with another one."""
    first, *others = scores
    cells = {name: dict(list(each[metric].groupby(PAIR[:-1]))) for name, each in scores.items()}
    lines = []
    for cell, base in cells[first].items():
        if not any(cell in cells[name] for name in others):
            continue
        where, variant, who = cell
        line = {"world": f"{where} {variant}".strip(), "agent": who, first: _mean(base)}
        for name in others:
            values = cells[name].get(cell)
            line[name] = "-" if values is None else _mean(values)
            line[f"{name} - {first}"] = "-" if values is None else _difference(values, base)
        lines.append(line)
    columns = ["world", "agent", first]
    columns += [column for name in others for column in (name, f"{name} - {first}")]
    title = "CS (0 confused, 1 causal)" if metric == "causal_score" else "J, the value"
    return Table(metric, pd.DataFrame(lines, columns=columns), caption=title)


def _mean(values: "pd.Series[float]") -> str:
    known = values.dropna().to_numpy(float)
    return f"{bootstrap.iqm(known):.3f}" if len(known) else "-"


def _difference(values: "pd.Series[float]", base: "pd.Series[float]") -> str:
    """The mean difference of the pairs, its interval, and how many pairs there are."""
    both = pd.concat([values, base], axis=1, join="inner").dropna().to_numpy(float)
    if not len(both):
        return "-"
    middle, low, high = bootstrap.interval(both[:, 0] - both[:, 1])
    star = "*" if low > 0 or high < 0 else ""
    return f"{middle:+.3f} in {low:+.3f} to {high:+.3f}{star} (n={len(both)})"


def _alone(scores: Mapping[str, pd.DataFrame]) -> list[str]:
    """What only some of the folders have."""
    cells = {name: {cell[:3] for cell in each.index} for name, each in scores.items()}
    sentences = []
    for name, own in cells.items():
        elsewhere = set().union(*(other for key, other in cells.items() if key != name))
        if alone := sorted(own - elsewhere):
            agents = sorted({who for _, _, who in alone})
            sentences.append(f"Only {name} has {len(alone)} cells, of {', '.join(agents)}.")
    return sentences


def _settings(folders: Mapping[str, Path]) -> Table:
    """The settings, versions and machines of the last command of each folder that are not equal."""
    columns: dict[str, dict[str, str]] = {}
    for name, folder in folders.items():
        found = records(folder)
        last: dict[str, Any] = {}
        if found:
            last = {**found[-1].settings, "code": found[-1].code, **found[-1].machine}
        columns[name] = {key: _text(value) for key, value in last.items()}
    keys = dict.fromkeys(key for column in columns.values() for key in column)
    lines = []
    for key in keys:
        values = [column.get(key, "-") for column in columns.values()]
        if len(set(values)) > 1:
            lines.append([key, *values])
    frame = pd.DataFrame(lines or [["nothing", *[""] * len(columns)]])
    return Table("settings", frame.set_axis(["setting", *columns], axis=1))


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)

"""The entries of the leaderboard: submissions, scored again with the present code."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from dosuite.causal import InputError
from dosuite.envs import make_model
from dosuite.envs.plugins import names_file
from dosuite.envs.regimes import Regime

from ..reports.labels import named
from ..reports.reference_rows import about_reference, reference_rows
from ..runs.code import hash_of_floors
from ..runs.reference_values import REFERENCES, references
from ..submissions.archive import unpack
from ..submissions.check import NOT_RESCORED, OK, check
from ..submissions.findings import MISFITS
from ..submissions.manifest import ABOUT, WORLDS, Manifest, name_of
from ..submissions.rescoring import EXACT, rescored
from .policies import loaded_policy
from .standings import VERIFIED, scored_runs

REFERENCE = "reference"  # the entry of this package's own agents
VERDICTS = {OK: VERIFIED, NOT_RESCORED: "not re-scored"}
UNCHECKED = "not checked here"


@dataclass(frozen=True)
class Entry:
    """A submission, or the reference."""

    name: str
    file: str  # its name; "" for the reference
    runs: pd.DataFrame  # see `standings.scored_runs`, and the column `verified`
    about: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()

    @property
    def summary(self) -> str:
        """How many runs have each verdict."""
        counts = Counter(self.runs["verified"])
        if len(counts) == 1:
            return str(next(iter(counts)))
        return ", ".join(f"{number} {verdict}" for verdict, number in counts.most_common())

    @property
    def credits(self) -> list[str]:
        """Who made it, what to cite, and what it ran on."""
        return [f"{key}: {text}" for key, text in self.about.items() if key != "name" and text]


def read_entries(folder: Path, workers: int, checked: bool) -> list[Entry]:
    """The submissions in a folder, in the order of their files.

    A file that is no submission is an entry without runs, whose note says why. Raises InputError if
    the folder has no zip.
    """
    paths = sorted(folder.glob("*.zip"))
    if not paths:
        raise InputError(f"there is no .zip file in {folder}; `dosuite submission` makes one")
    names: Counter[str] = Counter([REFERENCE])
    entries = []
    for path in paths:
        entry = _entry_or_refusal(path, workers, checked)
        names[entry.name] += 1
        if names[entry.name] > 1:  # two submissions of one name, or one that is called as ours
            name = f"{entry.name} ({path.name})"
            entry = replace(entry, name=name, runs=entry.runs.assign(entry=name))
        entries.append(entry)
    return entries


def reference_entry() -> Entry:
    """The entry of this package's own agents, from the rows in the package."""
    about = about_reference()
    note = f"{about['seeds']} seeds, {about['budgets']}, made with version {about['version']}"
    rows = _of_learners(reference_rows())
    runs = scored_runs(REFERENCE, rows).assign(verified=UNCHECKED)
    return Entry(REFERENCE, "", runs, {}, [note, *_other_numbers(rows, _with_references(rows))])


def _entry_or_refusal(path: Path, workers: int, checked: bool) -> Entry:
    try:
        return _entry(path, workers, checked)
    except InputError as error:
        nothing = reference_rows().iloc[:0]
        runs = scored_runs(path.stem, nothing).assign(verified="")
        reason = str(error).replace(str(path), path.name)
        return Entry(path.stem, path.name, runs, {}, [f"refused: {reason}"])


def _entry(path: Path, workers: int, checked: bool) -> Entry:
    """A submission, scored again. Raises InputError if it is none, or has a run twice."""
    with TemporaryDirectory() as name:
        manifest, submitted = unpack(path, Path(name))
        submitted = _of_learners(submitted)
        rows, again = _rescored_rows(manifest, submitted, Path(name))
    verdicts = {}
    notes = _version_notes(manifest)
    if checked:
        for verdict in check(path, workers):
            verdicts[verdict.key] = VERDICTS.get(verdict.status, verdict.status)
            if not verdict.key and verdict.why:
                notes.append(f"{verdict.subject}: {verdict.why}")
    notes += _other_numbers(submitted, rows)
    notes += _failures(rows)
    if len(again) < submitted["run"].nunique():
        notes.append(f"{submitted['run'].nunique() - len(again)} runs are not re-scored")
    about = {key: manifest.about.get(key, "") for key in ABOUT}
    title = about["name"] or path.stem
    runs = scored_runs(title, named(rows))
    runs = runs.assign(verified=[verdicts.get(key, UNCHECKED) for key in runs["run"]])
    return Entry(title, path.name, runs, about, notes)


def _rescored_rows(
    manifest: Manifest, submitted: pd.DataFrame, folder: Path
) -> tuple[pd.DataFrame, set[str]]:
    """The rows, those of policies that can be loaded as the present code scores them, and the keys
    of the latter.
    """
    rows: list[Mapping[Any, Any]] = []
    again = set()
    for key, group in submitted.groupby("run", sort=False):
        heads = group.to_dict("records")
        entry = manifest.runs.get(str(key))
        policy = loaded_policy(folder, str(key))
        if entry is None or policy is None or names_file(name_of(entry.environment)):
            rows += heads
            continue
        try:
            scores = rescored(entry, policy)
        except MISFITS:
            rows += heads
            continue
        again.add(str(key))
        rows += [heads[0] | row for row in scores]
    return pd.DataFrame(rows, columns=submitted.columns), again


def _version_notes(manifest: Manifest) -> list[str]:
    """That an entry was made with other worlds, if it was."""
    if manifest.worlds == hash_of_floors(WORLDS).hex():
        return []
    version = manifest.versions.get("dosuite", "?")
    return [f"made with the worlds of version {version}, and scored again in the present ones"]


def _failures(rows: pd.DataFrame) -> list[str]:
    """Whose runs failed, which no score counts."""
    failed = rows[rows["status"] != "ok"].to_dict("records")
    counts = Counter((row["agent"], row["environment"]) for row in failed)
    return [
        f"runs of {agent} in {environment} that failed, and are in no score: {count}"
        for (agent, environment), count in counts.items()
    ]


def _of_learners(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows in deployments of the runs in which something is learned, or a policy is given."""
    return rows[(rows["regime"] != Regime.EXACT) & (rows["world"] == "")].reset_index(drop=True)


def _with_references(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with the reference values that the present code computes."""
    values = {}
    for place in {_place(row) for row in rows.to_dict("records")}:
        environment, member, variant = place
        model = make_model(f"{environment}:{member}" if member else environment, variant=variant)
        values[place] = references(model, model.deployed())
    present = [values[_place(row)] for row in rows.to_dict("records")]
    return rows.assign(**pd.DataFrame(present, rows.index))


def _other_numbers(submitted: pd.DataFrame, present: pd.DataFrame) -> list[str]:
    """Which worlds have other reference values than those that an entry was made with."""
    both = submitted.merge(present, on=["run", "world"], suffixes=("", " now"))
    differs = np.zeros(len(both), dtype=bool)
    for column in REFERENCES:
        before, now = both[column].to_numpy(float), both[f"{column} now"].to_numpy(float)
        differs |= abs(before - now) > EXACT * np.maximum(1.0, abs(now))  # NaN is no difference
    worlds = sorted(set(both.loc[differs, "environment"]))
    if not worlds:
        return []
    return [f"made with other numbers of {', '.join(worlds)}; scored in the present ones"]


def _place(row: Mapping[Any, Any]) -> tuple[str, str, str]:
    return row["environment"], row["member"], row["variant"]

"""Joining the results of shards, or of several folders, into one folder."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from shutil import copyfile

import pandas as pd

from dosuite.causal import InputError
from dosuite.envs.files import alone_in, replacing

from .failure import traceback_name
from .kept_policies import policy_path
from .requests import Line, Record, Request, keep_lines, records, shown_runs
from .store import (
    ORDER,
    PACK,
    having_rows,
    load_packed,
    path_of,
    rows_of,
    runs_in,
    save_pack,
    save_rows,
)

NAMED = 5  # runs that a refusal names


def gather(folders: Sequence[Path], out: Path) -> pd.DataFrame:
    """Copy the results of folders to `out`, and return the rows of all that it then has.

    They are equal, to the last bit, to those of one machine that did all runs. Raises InputError,
    before anything is written, if the folders are of several versions of the code, if a run is in
    two of them, if a shard is missing, or if a run has no rows.
    """
    check_distinct(folders, out)
    found = {folder: _records_in(folder) for folder in folders}
    before = records(out)
    of_code = found | ({out: before} if before else {})
    _check_code(of_code)
    _check_duplicates(found)
    _check_gaps(found)
    runs_in(out).mkdir(parents=True, exist_ok=True)
    with alone_in(out):
        for folder in folders:
            _copy(folder, list(shown_runs(found[folder])), out)
        for record in _joined([one for each in found.values() for one in each]):
            request = Request(record.settings)
            keep_lines(out, request, record.grid, record.code, record.command, record.runs)
        rows = rows_of(out, having_rows(out, shown_runs(records(out))))
        rows = rows.sort_values(ORDER, ignore_index=True, kind="stable")
        save_rows(rows, out / "results.parquet")
    return rows


def check_distinct(folders: Sequence[Path], out: Path) -> None:
    """Raise InputError if a folder is named twice."""
    if len({folder.resolve() for folder in (*folders, out)}) <= len(folders):
        raise InputError("the folders to gather, and the one to gather in, must all differ")


def _records_in(folder: Path) -> list[Record]:
    found = records(folder)
    if not found:
        raise InputError(f"{folder} has no results of this version; `dosuite run` makes them")
    return found


def _check_code(found: Mapping[Path, Sequence[Record]]) -> None:
    """Raise InputError if the last commands of the folders ran different code."""
    codes = {folder: each[-1] for folder, each in found.items()}
    first, *others = codes.items()
    for folder, record in others:
        if record.code != first[1].code:
            versions = [f"{one.machine.get('dosuite')}" for one in (first[1], record)]
            raise InputError(
                f"{first[0]} and {folder} are of other versions of the code or of a library "
                f"(dosuite {versions[0]} and {versions[1]}); do the runs of one of them again"
            )


def _check_duplicates(found: Mapping[Path, Sequence[Record]]) -> None:
    """Raise InputError if two folders have a run of the same agent, world, budget and seed."""
    places: dict[tuple[object, ...], Path] = {}
    twice: list[str] = []
    where: set[Path] = set()
    for folder, each in found.items():
        for line in shown_runs(each).values():
            other = places.setdefault(line.head, folder)
            if other != folder:
                twice.append(str(line))
                where |= {other, folder}
    if twice:
        names = ", ".join(sorted(map(str, where)))
        raise InputError(f"{names} have the same seeds: {some(twice)}")


def _check_gaps(found: Mapping[Path, Sequence[Record]]) -> None:
    """Raise InputError if shards of a grid are missing, or runs without rows."""
    shards: dict[str, set[str]] = {}
    for folder, each in found.items():
        lines = shown_runs(each)
        missing = lines.keys() - set(having_rows(folder, lines))
        if missing:
            names = [str(line) for key, line in lines.items() if key in missing]
            raise InputError(
                f"{folder} is not done: {some(names)}; do its command again: {each[-1].command}"
            )
        for record in each:
            if record.shard:
                shards.setdefault(record.grid, set()).add(record.shard)
    for there in shards.values():
        count = int(next(iter(there)).partition("/")[2])
        lacking = [f"{k}/{count}" for k in range(1, count + 1) if f"{k}/{count}" not in there]
        if lacking:
            raise InputError(f"shards are missing: {some(lacking)}")


def some(names: Sequence[str]) -> str:
    """The first of some names, and how many there are beside them."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return "; ".join(names[:NAMED]) + more


def _copy(folder: Path, keys: Sequence[str], out: Path) -> None:
    """Copy rows, policies and tracebacks: runs that are done in packs, unless they are few."""
    there = load_packed(out)
    rows = rows_of(folder, keys)
    failed = set(rows.loc[rows["status"] != "ok", "run"])
    new = rows[~rows["run"].isin(failed | there.places.keys())]
    many = new["run"].nunique() >= PACK
    if many:
        save_pack(new, out)
    for name, part in rows.groupby("run", sort=False):
        key = str(name)
        if key not in there and not (many and key not in failed):
            save_rows(part.reset_index(drop=True), path_of(out, key))
        for source, target in (
            (policy_path(folder, key), policy_path(out, key)),
            (folder / traceback_name(key), out / traceback_name(key)),
        ):
            if source.is_file():
                with replacing(target) as temporary:
                    copyfile(source, temporary)


def _joined(found: Sequence[Record]) -> list[Record]:
    """One record for all shards of a grid, and the others as they are."""
    grids: dict[tuple[str, str], list[Record]] = {}
    for record in found:
        grids.setdefault((record.grid, record.code), []).append(record)
    joined = []
    for parts in grids.values():
        lines: dict[str, Line] = {line.key: line for part in parts for line in part.runs}
        last = max(parts, key=lambda part: part.last)
        joined.append(replace(last, shard="", runs=tuple(lines.values())))
    return sorted(joined, key=lambda record: record.last)

"""Making a submission of the results in a folder."""

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import pandas as pd

from dosuite.causal import InputError

from ..runs.kept_policies import policy_path
from ..runs.run import Run
from ..runs.scored_rows import write_rows
from .archive import MANIFEST, ROWS, pack
from .grids import grid_faults, seeds_of
from .manifest import Entry, Manifest, entry_of, log_hash, new_manifest


def submit(rows: pd.DataFrame, folder: Path, out: Path, about: Mapping[str, str]) -> Manifest:
    """Write results and their kept policies in a folder to one file; return its manifest.

    Raises InputError if a run is not of the present code, or if the runs are not a whole grid.
    """
    heads = rows.drop_duplicates("run").to_dict("records")
    entries = {row["run"]: entry_of(row) for row in heads}
    seeds = seeds_of(entries.values())
    if faults := grid_faults(entries.values(), seeds):
        raise InputError(f"the results are no whole grid: {faults[0]}")
    table = BytesIO()
    write_rows(rows, table)
    contents = {ROWS: table.getvalue()}
    runs = {}
    for key, entry in entries.items():
        _check_key(key, entry)
        path = policy_path(folder, key)
        policy = path.read_bytes() if path.is_file() else b""
        if policy:
            contents[f"policies/{key}.pt"] = policy
        hashed = sha256(policy).hexdigest() if policy else ""
        runs[key] = replace(entry, log=log_hash(entry), policy=hashed)
    manifest = new_manifest(runs, seeds, about)
    contents[MANIFEST] = manifest.to_json().encode()
    pack(contents, out)
    return manifest


def run_of(entry: Entry) -> Run:
    """The run of an entry. Raises InputError if there is none."""
    return Run(
        entry.environment, entry.agent, entry.regime, entry.budget, entry.seed, entry.variant
    )


def _check_key(key: str, entry: Entry) -> None:
    if run_of(entry).key != key:
        raise InputError(
            f"the results of {entry} are of other code than the present, or of a log that no seed "
            "gives; do the runs again with `dosuite run` and without --log or "
            "--log-rows"
        )

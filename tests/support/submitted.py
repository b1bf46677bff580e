"""A small submission, taken apart so that a test can change it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd

from dosuite.eval.runs.suite import execute, grid
from dosuite.eval.submissions.archive import MANIFEST, ROWS, pack, unpack
from dosuite.eval.submissions.check import Verdict, check
from dosuite.eval.submissions.manifest import Entry, Manifest
from dosuite.eval.submissions.submission import submit

ICE, CLINIC = "IceCreamShorts-v0", "SimpsonClinic-v0:study=KidneyStones"


@dataclass(frozen=True)
class Parts:
    """The contents of a submission: policies by the keys of their runs."""

    manifest: Manifest
    rows: pd.DataFrame
    policies: dict[str, bytes]

    def key(self, agent: str, seed: int = 0, variant: str = "", environment: str = ICE) -> str:
        """The key of a run."""
        keys = [
            key
            for key, entry in self.manifest.runs.items()
            if (entry.agent, entry.seed, entry.variant, entry.environment)
            == (agent, seed, variant, environment)
        ]
        assert len(keys) == 1
        return keys[0]

    def with_cell(self, key: str, column: str, value: Any) -> "Parts":
        """Another value in the first row of a run."""
        rows = self.rows.copy()
        rows.loc[rows.index[rows["run"] == key][0], column] = value
        return replace(self, rows=rows)

    def with_entry(self, key: str, change: Callable[[Entry], Entry]) -> "Parts":
        """Another entry in the manifest."""
        runs = {**self.manifest.runs, key: change(self.manifest.runs[key])}
        return replace(self, manifest=replace(self.manifest, runs=runs))

    def with_policy(self, key: str, content: bytes) -> "Parts":
        """Another policy, with its hash in the manifest."""
        hashed = sha256(content).hexdigest()
        changed = self.with_entry(key, lambda entry: replace(entry, policy=hashed))
        return replace(changed, policies={**self.policies, key: content})

    def renamed(self, key: str, new: str) -> "Parts":
        """Another key for a run, in the rows, the manifest and the name of its policy."""
        rename = {key: new}
        runs = {rename.get(each, each): entry for each, entry in self.manifest.runs.items()}
        policies = {rename.get(each, each): content for each, content in self.policies.items()}
        rows = self.rows.replace({"run": rename})
        return Parts(replace(self.manifest, runs=runs), rows, policies)

    def contents(self) -> dict[str, bytes]:
        """The members of the file."""
        buffer = BytesIO()
        self.rows.to_parquet(buffer, index=False, write_page_checksum=True)
        policies = {f"policies/{key}.pt": content for key, content in self.policies.items()}
        manifest = self.manifest.to_json().encode()
        return {MANIFEST: manifest, ROWS: buffer.getvalue(), **policies}

    def checked(self, folder: Path) -> list[Verdict]:
        """The verdicts on the submission."""
        path = folder / "changed.zip"
        pack(self.contents(), path)
        return check(path, workers=1)


def small_submission(folder: Path) -> Path:
    """The file of a submission of three agents in two worlds and their twins, two seeds each."""
    agents = ("naive", "bc", "back-door")
    runs = grid([ICE, CLINIC], agents, 2, 200, 200)
    rows = execute(runs, folder, 1, quiet=True, policies=True)
    path = folder / "submission.zip"
    submit(rows, folder, path, {"name": "small"})
    return path


def parts_of(path: Path, folder: Path) -> Parts:
    """The contents of a submission."""
    manifest, rows = unpack(path, folder)
    policies = {file.stem: file.read_bytes() for file in (folder / "policies").iterdir()}
    return Parts(manifest, rows, policies)

"""Checking a submission: logs and values are computed again, and no code of its author is run."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import torch

from dosuite.causal import InputError
from dosuite.envs.plugins import names_file
from dosuite.envs.regimes import Regime

from ..runs.code import hash_of_floors, versions
from ..runs.reference_values import reference_agents
from ..runs.run import Run
from ..runs.scored_rows import HEAD
from ..runs.workers import in_workers
from .archive import unpack
from .findings import OTHER_CODE, Claim, Finding, finding_of
from .grids import grid_faults
from .manifest import WORLDS, Manifest, entry_of, name_of, present_code
from .rescoring import Rows, floor_fault

OK, NOT_RESCORED, WRONG = "ok", "not re-scored", "WRONG"


@dataclass(frozen=True)
class Verdict:
    """Whether a run, or the submission as a whole, is what it says; `why` is "" if it is."""

    subject: str
    status: str  # OK, NOT_RESCORED or WRONG
    why: str = ""
    key: str = ""  # of the run

    def __str__(self) -> str:
        line = f"{self.status:<13} {self.subject}" + (f": {self.why}" if self.why else "")
        return "".join(letter if letter.isprintable() else "?" for letter in line)


def check(path: Path, workers: int) -> list[Verdict]:
    """A verdict on the whole submission, and one on each run.

    Every log is collected again from its seed, every policy is scored again, and every reference
    is computed again. Raises InputError if the file is none that `submit` writes.
    """
    with TemporaryDirectory() as name:
        folder = Path(name)
        manifest, rows = unpack(path, folder)
        claims = [_claim(str(key), table) for key, table in rows.groupby("run", sort=False)]
        groups: dict[str, list[Claim]] = defaultdict(list)
        for claim in claims:
            groups[claim.entry.environment].append(claim)
        do = partial(_check_group, manifest=manifest, folder=folder)
        tasks = sorted(groups.values(), key=len, reverse=True)
        for _ in in_workers(do, tasks, workers, _never):
            pass
        verdicts = []
        for environment, group in groups.items():
            verdicts += _read_verdicts(folder, environment, group)
        surplus = sorted(
            path.stem for path in folder.glob("policies/*.pt") if path.stem not in manifest.runs
        )
    return [*_whole(manifest, rows, verdicts, surplus), *verdicts]


def _claim(key: str, table: pd.DataFrame) -> Claim:
    rows: Rows = [{str(name): value for name, value in row.items()} for row in _records(table)]
    return Claim(key, entry_of(rows[0]), rows)


def _records(table: pd.DataFrame) -> Iterable[Mapping[Any, Any]]:
    return table.to_dict("records")


def _never(task: object) -> bool:
    return False


def _whole(
    manifest: Manifest, rows: pd.DataFrame, verdicts: Sequence[Verdict], surplus: Sequence[str]
) -> list[Verdict]:
    """Verdicts on the manifest and on the grid of runs. `surplus` are policies of no run."""
    faults = []
    is_present = manifest.code == present_code()
    if is_present and manifest.worlds != hash_of_floors(WORLDS).hex():
        faults.append("its hash of the worlds' code is not the one of its code")
    others = sum(OTHER_CODE in verdict.why for verdict in verdicts)
    if others:
        faults.append(
            f"{others} of {len(verdicts)} runs are of other code or versions than it names, or are "
            "described wrongly"
        )
    if surplus:
        faults.append(f"it names no run of policies/{surplus[0]}.pt")
    if faults:
        about = Verdict("the manifest", WRONG, "; ".join(faults))
    else:
        about = Verdict("the manifest", OK, _other_code(manifest))
    entries = [entry_of(row) for row in _records(rows.drop_duplicates(list(HEAD)))]
    there = set(rows["run"])
    gone = [
        f"{entry}: its rows are missing" for key, entry in manifest.runs.items() if key not in there
    ]
    gone += grid_faults(entries, manifest.seeds)
    return [about, *(Verdict("the grid", WRONG, fault) for fault in gone)]


def _other_code(manifest: Manifest) -> str:
    """A note on what made the submission, if it is not the present code and versions."""
    is_present = manifest.code == present_code() and manifest.versions == versions()
    if is_present:
        return ""
    return (
        f"made by other code or libraries (dosuite {manifest.versions.get('dosuite', '?')}); its "
        "rows are compared with what the present ones compute"
    )


def _check_group(claims: Sequence[Claim], manifest: Manifest, folder: Path) -> int:
    """Check the runs in one environment, and write the verdicts to a file of the folder."""
    torch.set_num_threads(1)  # as in a run, so that networks give the same numbers
    findings = {claim.key: finding_of(claim, manifest, folder) for claim in claims}
    for one, twin in _pairs(claims):
        if fault := _pair_fault(one, twin, findings, manifest):
            findings[one.key].faults.append(fault)
            findings[twin.key].faults.append(fault)
    verdicts = [_verdict(claim, findings[claim.key]) for claim in claims]
    verdicts += _missing_references(claims)
    texts = json.dumps([asdict(verdict) for verdict in verdicts])
    _verdict_path(folder, claims[0].entry.environment).write_text(texts, encoding="utf-8")
    return len(claims)


def _verdict(claim: Claim, finding: Finding) -> Verdict:
    why = finding.faults + [finding.unscored] * bool(finding.unscored)
    status = OK
    if finding.faults:
        status = WRONG
    elif finding.unscored:
        status = NOT_RESCORED
    return Verdict(str(claim.entry), status, "; ".join(why), claim.key)


def _verdict_path(folder: Path, environment: str) -> Path:
    name = blake2b(environment.encode(), digest_size=10).hexdigest()
    return folder / f"{name}.verdicts.json"


def _read_verdicts(folder: Path, environment: str, claims: Sequence[Claim]) -> list[Verdict]:
    """The verdicts on a group, or that the process that was to give them died."""
    path = _verdict_path(folder, environment)
    if path.exists():
        return [Verdict(**parts) for parts in json.loads(path.read_text(encoding="utf-8"))]
    died = "the process that checked it died"
    return [Verdict(str(claim.entry), WRONG, died, claim.key) for claim in claims]


def _pairs(claims: Iterable[Claim]) -> list[tuple[Claim, Claim]]:
    """The runs in a world and in its twin or hedge whose agents learned once for both."""
    claims = list(claims)
    originals = {claim.entry: claim for claim in claims if claim.entry.variant == ""}
    pairs = []
    for claim in claims:
        original = originals.get(replace(claim.entry, variant=""))
        if claim.entry.variant in claim.entry.partners and original is not None:
            pairs.append((original, claim))
    return pairs


def _pair_fault(
    one: Claim, twin: Claim, findings: Mapping[str, Finding], manifest: Manifest
) -> str:
    """Why the runs in a world and its twin are not those of one policy; "" if they may be."""
    files = [manifest.runs[each.key].policy for each in (one, twin) if each.key in manifest.runs]
    faults = []
    if len(set(files)) == 2:
        variant = twin.entry.variant
        faults.append(f"it learns once for a world and its {variant}, and their policies differ")
    firsts = [findings[each.key].first for each in (one, twin)]
    scored_rows = [first for first in firsts if first is not None]
    if len(scored_rows) == 2:
        memory = findings[one.key].remembers or findings[twin.key].remembers
        where = one.entry.environment, twin.entry.variant
        faults.append(floor_fault(*where, scored_rows, memory))
    return "; ".join(filter(None, faults))


def _missing_references(claims: Sequence[Claim]) -> list[Verdict]:
    """The reference policies that can be computed in an environment and have no run there."""
    environment = claims[0].entry.environment
    if names_file(name_of(environment)):
        return []
    there = {(claim.entry.variant, claim.entry.agent) for claim in claims}
    missing = []
    # a hedge has no runs of reference policies
    for variant in sorted({variant for variant, _ in there} - {"hedge"}):
        for agent in reference_agents():
            if (variant, agent) in there:
                continue
            try:
                is_missing = Run(environment, agent, Regime.EXACT, 1, 0, variant).has_answer()
            except InputError:  # there is no such environment, which its runs say
                is_missing = False
            if is_missing:
                where = " ".join(filter(None, (environment, variant)))
                missing.append(Verdict(where, WRONG, f"the reference {agent} is missing"))
    return missing

"""Checking one run of a submission by itself, without running any code of its author."""

from dataclasses import dataclass, fields, replace
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from dosuite.agents import Policy, load_policy, make_agent
from dosuite.agents.summaries import agent_sources
from dosuite.causal import InputError
from dosuite.envs import make_model
from dosuite.envs.plugins import names_file
from dosuite.envs.regimes import Regime

from ..runs.kept_policies import policy_path
from ..runs.pairs import leak
from ..runs.run import Run
from .manifest import Entry, Manifest, entry_of, log_hash, name_of
from .rescoring import Rows, claim_faults, rescored, row_faults
from .submission import run_of

MOST_STEPS = 10**7  # of a log that is collected again
OTHER_CODE = "its key is not that of this run under the code and versions of the manifest"
# what a policy that was made for another world, or by hand, may raise as it is scored
MISFITS = (
    *(ValueError, RuntimeError, TypeError, KeyError, IndexError, AttributeError),
    *(ArithmeticError, AssertionError, MemoryError),
)


@dataclass(frozen=True)
class Claim:
    """What a submission says of one run."""

    key: str
    entry: Entry
    rows: Rows


@dataclass(frozen=True)
class Finding:
    """What is wrong with a claim, or why it was not scored again."""

    faults: list[str]
    unscored: str = ""
    first: dict[str, Any] | None = None  # its row at deployment, computed again if it can be
    remembers: bool = False


def finding_of(claim: Claim, manifest: Manifest, folder: Path) -> Finding:
    """Check one run by itself."""
    entry = manifest.runs.get(claim.key)
    if entry is None:
        return Finding(["the manifest does not name it"])
    faults = _description_faults(claim, entry, manifest)
    if names_file(name_of(entry.environment)):
        return Finding(faults, "its world is in a file of the author's")
    if faults:
        return Finding(faults)
    try:
        faults = _log_faults(entry)
    except (InputError, MemoryError) as error:
        faults = [f"its log cannot be collected again: {error}"]
    if any(row["status"] != "ok" for row in claim.rows):
        faults += _failure_faults(claim, entry)
        return Finding(faults, f"the run failed: {claim.rows[0]['note']}")
    try:
        policy = _policy(claim.key, entry, folder)
    except InputError as error:
        return Finding([*faults, str(error)])
    if isinstance(policy, str):
        faults += claim_faults(entry, claim.rows)
        # what it says of itself is held against the floor of policies with memory, which is higher
        first = {**claim.rows[0], "std_error": np.nan_to_num(claim.rows[0]["std_error"])}
        return Finding(faults, policy, first, remembers=True)
    try:
        recomputed = rescored(entry, policy)
    except MISFITS as error:
        text = (str(error).splitlines() or [type(error).__name__])[0]
        return Finding([*faults, f"its policy does not fit its world: {text}"])
    faults += row_faults(claim.rows, recomputed)
    if entry.partners and (told := leak(recomputed[0])):
        faults.append(told)
    return Finding(faults, first=recomputed[0], remembers=policy.remembers)


def _description_faults(claim: Claim, entry: Entry, manifest: Manifest) -> list[str]:
    """Where the rows, the manifest and the package describe a run differently."""
    faults = []
    described = replace(entry, log="", policy="")
    for row in claim.rows:
        for each in fields(described):
            here, there = getattr(entry_of(row), each.name), getattr(described, each.name)
            fault = f"its {each.name} is {here!r} in the rows and {there!r} in the manifest"
            if here != there and fault not in faults:
                faults.append(fault)
    if names_file(name_of(entry.environment)):
        return faults
    if name_of(entry.agent) not in agent_sources():
        return faults + _user_faults(entry)
    try:
        run = run_of(entry)
    except InputError as error:
        return [*faults, str(error)]
    needs = ", ".join(sorted(make_agent(entry.agent).needs))
    if entry.needs != needs:
        listed, told = entry.needs or "nothing", needs or "nothing"
        faults.append(f"it is listed as told {listed}, and {entry.agent} is told {told}")
    elif run.key_under(manifest.code_bytes) != claim.key:
        faults.append(OTHER_CODE)
    return faults


def _user_faults(entry: Entry) -> list[str]:
    """What no run of an agent of the author's has."""
    try:
        make_model(entry.environment, variant=entry.variant)
    except InputError as error:
        return [str(error)]
    if entry.regime not in tuple(Regime) or entry.regime == Regime.EXACT:
        return [f"no agent of the author's learns in the regime {entry.regime!r}"]
    if entry.budget < 1 or entry.seed < 0:
        return ["its budget or its seed is no such number"]
    return []


def _failure_faults(claim: Claim, entry: Entry) -> list[str]:
    """What the rows of a run that failed do not have."""
    if any(row["status"] not in ("ok", "failed") for row in claim.rows):
        return ["its status is neither ok nor failed"]
    if entry.policy:
        return ["its rows say that it failed, and no policy is kept of a run that failed"]
    return []


def _log_faults(entry: Entry) -> list[str]:
    if entry.budget > MOST_STEPS:
        return []
    if log_hash(entry) != entry.log:
        return ["the hash of its log is not that of the log that its seed gives"]
    return []


def _policy(key: str, entry: Entry, folder: Path) -> Policy | str:
    """The policy of a run, or why there is none to score. Raises InputError if it is a wrong one.

    References are computed again. Nothing is run that the author wrote.
    """
    if entry.regime == Regime.EXACT:
        learned = _learned(run_of(entry))
        return learned if isinstance(learned, Policy) else "the reference cannot be computed"
    path = policy_path(folder, key)
    content = path.read_bytes() if path.is_file() else b""
    if (sha256(content).hexdigest() if content else "") != entry.policy:
        raise InputError("its policy is not the file that the manifest names")
    if not content:
        return "its policy is not in the file"
    if entry.budget > MOST_STEPS:
        return f"its log of more than {MOST_STEPS:,} steps is not collected again"
    return _loaded(content)


@lru_cache(maxsize=256)
def _learned(reference: Run) -> Policy | BaseException:
    return reference.learned().policy


@lru_cache(maxsize=256)
def _loaded(content: bytes) -> Policy | str:
    """The policy in the bytes of a file, one object for equal files, or why there is none."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "policy.pt"
        path.write_bytes(content)
        try:
            return load_policy(path)
        except InputError as error:
            return str(error).replace(str(path), "its policy")

"""The manifest of a submission: what made it, who sent it, and which runs it is of."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import lru_cache
from typing import Any

from dosuite.causal import InputError
from dosuite.envs.regimes import OFFLINE
from dosuite.envs.settings import parse

from ..runs.code import HASH_BYTES, code_bytes, code_hash, hash_of_floors, versions
from ..runs.pairs import partners
from ..runs.run import recorded_log

FORMAT = 1
WORLDS = ("causal", "envs")  # the floors whose code the worlds' numbers depend on
MOST_SEEDS = 10_000
KEY = re.compile("[0-9a-f]{20}")  # of a run
ABOUT = ("name", "authors", "cite", "hardware")


@dataclass(frozen=True)
class Entry:
    """A run as the manifest describes it, and the hashes of its log and its policy."""

    environment: str  # an id with settings
    variant: str
    agent: str
    regime: str
    needs: str  # what the agent was told in addition to its source: "graph, labels"
    budget: int
    seed: int
    log: str = ""  # the content hash; "" if the run has no log
    policy: str = ""  # the SHA-256 of its file; "" if it is not kept

    def __str__(self) -> str:
        place = " ".join(filter(None, (self.environment, self.variant)))
        return f"{place} {self.agent}@{self.regime} seed {self.seed}"

    @property
    def partners(self) -> tuple[str, ...]:
        """The variants for which it learns once together with the world itself."""
        return partners(self.regime, list(filter(None, self.needs.split(", "))))


@dataclass(frozen=True)
class Manifest:
    """What made a submission, who sent it, and its runs by key."""

    code: str  # hash of the package's code, in hexadecimal digits
    worlds: str  # hash of the part of the code that the worlds' numbers depend on
    versions: Mapping[str, str]  # of the package and of the libraries it computes with
    seeds: int  # of each run that learns: 0 to seeds - 1
    about: Mapping[str, str]  # see ABOUT
    runs: Mapping[str, Entry] = field(default_factory=dict)

    @property
    def code_bytes(self) -> bytes:
        """The `code_hash` that the keys of the runs were made with."""
        return code_bytes(bytes.fromhex(self.code), self.versions)

    def to_json(self) -> str:
        """The text of the manifest's file; equal manifests have equal texts."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1, sort_keys=True)


def new_manifest(runs: Mapping[str, Entry], seeds: int, about: Mapping[str, str]) -> Manifest:
    """The manifest of runs that the present code has made."""
    return Manifest(present_code(), hash_of_floors(WORLDS).hex(), versions(), seeds, about, runs)


def present_code() -> str:
    """The hash of the code that this process has loaded, in hexadecimal digits."""
    return code_hash()[:HASH_BYTES].hex()


def read_manifest(content: bytes) -> Manifest:
    """The manifest in the bytes of its file. Raises InputError if it is none of this format."""
    try:
        parts = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InputError("the manifest is not JSON") from error
    if not isinstance(parts, dict):
        raise InputError("the manifest is not a JSON object")
    if parts.pop("format", None) != FORMAT:
        raise InputError(f"the manifest has another format than {FORMAT}, which this version reads")
    runs = parts.get("runs")
    if not isinstance(runs, dict):
        raise InputError("the manifest names no runs")
    for key in runs:
        if not KEY.fullmatch(key):  # it is part of a file's name
            raise InputError(f"the manifest has a run {key!r}, which is the key of none")
    parts["runs"] = {key: _checked(Entry, entry, f"run {key}") for key, entry in runs.items()}
    manifest: Manifest = _checked(Manifest, parts, "it")
    for name in ("versions", "about"):
        texts = getattr(manifest, name)
        if not all(isinstance(text, str) for text in texts.values()):
            raise InputError(f"the manifest's {name} are not texts")
    if not 1 <= manifest.seeds <= MOST_SEEDS:
        raise InputError(f"the manifest's seeds are not from 1 to {MOST_SEEDS:,}")
    try:
        bytes.fromhex(manifest.code)
    except ValueError as error:
        raise InputError("the manifest's code is no hash") from error
    return manifest


def _checked(kind: Any, parts: Any, what: str) -> Any:
    """A dataclass with these parts. Raises InputError if one is missing or of a wrong type."""
    names = {each.name for each in fields(kind)}
    if not isinstance(parts, dict) or set(parts) != names:
        raise InputError(f"the manifest does not say of {what} exactly {', '.join(sorted(names))}")
    wanted: dict[Any, type] = {str: str, int: int}
    for each in fields(kind):
        if type(parts[each.name]) is not wanted.get(each.type, dict):
            raise InputError(f"the manifest says of {what} a {each.name} of a wrong type")
    return kind(**parts)


def entry_of(row: Mapping[Any, Any]) -> Entry:
    """The run that a row describes, without hashes."""
    member = f":{row['member']}" if row["member"] else ""
    return Entry(
        environment=row["environment"] + member,
        variant=row["variant"],
        agent=row["agent"],
        regime=row["regime"],
        needs=row["needs"],
        budget=int(row["budget"]),
        seed=int(row["seed"]),
    )


def log_hash(entry: Entry) -> str:
    """The content hash of the log of a run, collected again from its seed; "" if it has none."""
    needs_log = "log" in entry.needs.split(", ")
    if entry.regime not in OFFLINE and not needs_log:
        return ""
    # one log is a sample of both worlds of a pair
    variant = "" if entry.variant in entry.partners else entry.variant
    return _log_hash(entry.environment, variant, entry.regime, entry.budget, entry.seed)


@lru_cache(maxsize=65_536)
def _log_hash(environment: str, variant: str, regime: str, budget: int, seed: int) -> str:
    """The hash of a log, which all agents in a regime share."""
    return recorded_log(environment, variant, regime, budget, seed).content_hash


def name_of(text: str) -> str:
    """The name of an environment or an agent without its settings."""
    return parse(text)[0]

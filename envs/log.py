"""Logs: what a behaviour policy, an experimenter, or both have recorded, as columns.

A log file is one Arrow file; its latents go to a second file beside it, which loading a log never opens. A learner is
handed neither, but a `Data`: columns and spaces.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
from minari.serialization import deserialize_space, serialize_space

from confoundry.causal import Array, Columns, InputError

from . import arrow
from .spaces import Space

LABELS = ("regime", "domain", "propensity")  # what a log without labels lacks


@dataclass(frozen=True)
class Data:
    """What a learner gets of a log: columns and spaces, the task's horizon and discount, and what it declared it needs."""

    columns: Mapping[str, Array]  # those of a `Log`; without labels, no regime, domain or propensity
    logged: tuple[str, ...]  # the names of the logged variables among the columns
    observation_space: Space
    action_space: Space
    horizon: int  # steps in an episode
    discount: float
    graph: "nx.DiGraph[str] | None" = None  # of one step, with the role of each variable

    def __getitem__(self, name: str) -> Array:
        return self.columns[name]

    def __len__(self) -> int:
        return len(self.columns["reward"])


@dataclass(frozen=True)
class Log:
    """A log: columns, spaces, and for people where it comes from.

    Columns have n rows, sorted by episode and step: episode, step, observation, action, reward, next_observation (before
    any reset), terminated, truncated, each logged variable, regime (0 where the behaviour policy acted, 1 where an
    experimenter did) and propensity, P(action | observation) of whoever acted with the latents summed out.
    """

    columns: Mapping[str, Array]
    logged: tuple[str, ...]
    observation_space: Space
    action_space: Space
    horizon: int
    discount: float
    origin: Mapping[str, Any] = field(default_factory=dict)  # world, regime, seed, version: enough to write it again
    latents: Columns = field(default_factory=dict, repr=False)  # empty in a log that was loaded

    def __len__(self) -> int:
        return len(self.columns["reward"])

    @property
    def episodes(self) -> int:
        """The number of recorded episodes."""
        return len(np.unique(self.columns["episode"]))

    @cached_property
    def content_hash(self) -> str:
        """A hash of columns, spaces, horizon and discount."""
        digest = blake2b(json.dumps(self._task(), sort_keys=True).encode(), digest_size=16)
        for name, column in sorted(self.columns.items()):
            digest.update(f"{name} {column.dtype.str} {column.shape}".encode())
            digest.update(np.ascontiguousarray(column).view(np.uint8).data)
        return digest.hexdigest()

    def _task(self) -> dict[str, Any]:
        spaces = {"observation_space": self.observation_space, "action_space": self.action_space}
        texts = {name: serialize_space(space) for name, space in spaces.items()}
        return {**texts, "horizon": self.horizon, "discount": self.discount, "logged": list(self.logged)}

    def view(self, rng: np.random.Generator, labels: bool = False, graph: "nx.DiGraph[str] | None" = None) -> Data:
        """What a learner gets: a copy. Without labels the episodes are shuffled, and regime, domain and propensity left out."""
        hidden = () if labels else LABELS
        columns = {name: column for name, column in self.columns.items() if name not in hidden}
        if labels:
            columns = {name: column.copy() for name, column in columns.items()}
        else:
            _, old = np.unique(columns["episode"], return_inverse=True)
            new = rng.permutation(old.max() + 1)[old]
            order = np.argsort(new, kind="stable")
            columns = {name: column[order] for name, column in columns.items()} | {"episode": new[order]}
        logged = tuple(name for name in self.logged if name not in hidden)
        return Data(columns, logged, self.observation_space, self.action_space, self.horizon, self.discount, graph)

    def save(self, path: str | Path) -> Path:
        """Write the log to `path`, and its latents, if it has them, to a file beside it. Returns the path.

        Raises InputError if it cannot; then the files are as they were.
        """
        path = Path(path)
        about = {**self._task(), "origin": dict(self.origin), "hash": self.content_hash}
        sidecar = {latents_path(path): (self.latents, {"log": self.content_hash})} if self.latents else {}
        arrow.write({path: (self.columns, about), **sidecar})
        return path

    @staticmethod
    def load(path: str | Path) -> "Log":
        """Memory-map a log. Raises InputError if the file is not a log, not a whole one, or was changed."""
        columns, about = arrow.read(Path(path))
        if "hash" not in about:
            raise InputError(f"{path} is not a log; a log is written by `confoundry data`")
        try:
            spaces = deserialize_space(about["observation_space"]), deserialize_space(about["action_space"])
            log = Log(columns, tuple(about["logged"]), *spaces, about["horizon"], about["discount"], about["origin"])
            unchanged = log.content_hash == about["hash"]
        except Exception:  # a changed description can raise anything
            unchanged = False
        if not unchanged:
            raise InputError(f"{path} was changed after it was written: its content hash is not the one it names")
        return log


def latents_path(path: str | Path) -> Path:
    """Where the latents of the log at `path` are."""
    path = Path(path)
    return path.with_suffix(".latents" + path.suffix)


def load_latents(path: str | Path) -> Columns:
    """The latents of the log at `path`, row by row: for reference policies and tests.

    Raises InputError if there are none, or if they are those of another log.
    """
    columns, about = arrow.read(latents_path(path))
    if about.get("log") != arrow.read(Path(path))[1].get("hash"):
        raise InputError(f"{latents_path(path)} has the latents of another log than {path}")
    return columns

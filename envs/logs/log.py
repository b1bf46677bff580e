"""Logs: what a behaviour policy, an experimenter, or both have recorded, as columns.

A log file is one Arrow file; its latents go to a second file beside it, which loading a log never
opens. A learner is handed neither, but a `Data`: columns and spaces. A log that is mapped from its
file may be larger than memory."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import networkx as nx
import numpy as np
from minari.serialization import deserialize_space, serialize_space

from dosuite.causal import Array, Columns, InputError

from ..spaces import Space
from . import arrow_file as arrow
from .growing_columns import fingerprint
from .shuffle import ROWS, copied, number_episodes, shuffled

LABELS = ("regime", "domain", "propensity")  # what a log without labels lacks


@dataclass(frozen=True)
class Data:
    """What a learner gets of a log: columns and spaces, the task's horizon and discount, and what
    it declared it needs.

    Columns may be mapped from files that are larger than memory: then `chunks` has them in pieces.
    """

    columns: Mapping[
        str, Array
    ]  # those of a `Log`; without labels, no regime, domain or propensity
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

    def at(self, rows: Any) -> "Data":
        """Some of the rows alone: a slice, a mask (n,) or their numbers."""
        return replace(self, columns={name: column[rows] for name, column in self.columns.items()})

    def chunks(self) -> Iterator["Data"]:
        """The same in pieces, each of which fits in memory though the whole may not."""
        for start in range(0, len(self), ROWS):
            yield self.at(slice(start, start + ROWS))


@dataclass(frozen=True)
class Log:
    """A log: columns, spaces, and for people where it comes from.

    Columns have n rows, sorted by episode and step: episode, step, observation, action, reward, next_observation (before
    any reset), terminated, truncated, each logged variable, regime (0 where the behaviour policy acted, 1 where an
    experimenter did) and propensity, P(action | observation) of whoever acted with the latents summed out.
    An action of a Box is a float, which a behaviour policy may have chosen outside the bounds that hold for a learner; where
    action or observation is a continuous number, the propensity is NaN.
    """

    columns: Mapping[str, Array]
    logged: tuple[str, ...]
    observation_space: Space
    action_space: Space
    horizon: int
    discount: float
    origin: Mapping[str, Any] = field(
        default_factory=dict
    )  # world, regime, seed, version: enough to write it again
    latents: Columns = field(default_factory=dict, repr=False)  # empty in a log that was loaded
    path: Path | None = (
        None  # the file that the columns are mapped from; None if they are in memory
    )

    def __len__(self) -> int:
        return len(self.columns["reward"])

    @property
    def episodes(self) -> int:
        """The number of recorded episodes."""
        return max(int(number[-1]) for _, number in number_episodes(self.columns)) + 1

    @cached_property
    def content_hash(self) -> str:
        """A hash of columns, spaces, horizon and discount."""
        return self.hash_of({name: fingerprint(column) for name, column in self.columns.items()})

    def hash_of(self, fingerprints: Mapping[str, str]) -> str:
        """The content hash, given the fingerprint of each column."""
        columns = [
            (name, column.dtype.str, column.shape, fingerprints[name])
            for name, column in sorted(self.columns.items())
        ]
        return blake2b(
            json.dumps([self._task(), columns], sort_keys=True).encode(), digest_size=16
        ).hexdigest()

    def with_hash(self, content_hash: str) -> "Log":
        """The same log, whose content hash is known and need not be computed."""
        log = replace(self)
        vars(log)["content_hash"] = content_hash
        return log

    def _task(self) -> dict[str, Any]:
        spaces = {"observation_space": self.observation_space, "action_space": self.action_space}
        texts = {name: serialize_space(space) for name, space in spaces.items()}
        return {
            **texts,
            "horizon": self.horizon,
            "discount": self.discount,
            "logged": list(self.logged),
        }

    def view(
        self, rng: np.random.Generator, labels: bool = False, graph: "nx.DiGraph[str] | None" = None
    ) -> Data:
        """What a learner gets: a copy. Without labels the episodes are shuffled, and regime, domain
        and propensity left out.

        If the log is mapped from a file, so is the copy, from files of its own. Raises InputError
        if there is no room for them."""
        hidden = () if labels else LABELS
        columns = {name: column for name, column in self.columns.items() if name not in hidden}
        try:
            columns = (
                copied(columns, self._folder())
                if labels
                else shuffled(columns, rng, self._folder())
            )
        except OSError as error:
            raise InputError(
                f"{self.path} cannot be copied for a learner: {error.strerror or error}"
            ) from None
        logged = tuple(name for name in self.logged if name not in hidden)
        return Data(
            columns,
            logged,
            self.observation_space,
            self.action_space,
            self.horizon,
            self.discount,
            graph,
        )

    def _folder(self) -> Path | None:
        """Where copies go: beside the log's file if they may, for there is room for such a file."""
        beside = self.path and self.path.parent
        return beside if beside is None or os.access(beside, os.W_OK) else Path(gettempdir())

    def save(self, path: str | Path) -> Path:
        """Write the log to `path`, and its latents, if it has them, to a file beside it. Returns
        the path.

        Raises InputError if it cannot; then the files are as they were.
        """
        path = Path(path)
        about = {**self._task(), "origin": dict(self.origin), "hash": self.content_hash}
        sidecar = (
            {latents_path(path): (self.latents, {"log": self.content_hash})} if self.latents else {}
        )
        arrow.write({path: (self.columns, about), **sidecar})
        return path

    @staticmethod
    def load(path: str | Path, check: bool = True) -> "Log":
        """Memory-map a log. Raises InputError if the file is not a log, not a whole one, or was
        changed.

        Without `check` the columns are not read, and have the content hash that the file names.
        """
        columns, about = arrow.read(Path(path))
        if "hash" not in about:
            raise InputError(f"{path} is not a log; a log is written by `dosuite data`")
        try:
            spaces = (
                deserialize_space(about["observation_space"]),
                deserialize_space(about["action_space"]),
            )
            task = about["horizon"], about["discount"], about["origin"]
            log = Log(columns, tuple(about["logged"]), *spaces, *task, path=Path(path))
            unchanged = not check or log.content_hash == about["hash"]
        except Exception:  # a changed description can raise anything
            unchanged = False
        if not unchanged:
            raise InputError(
                f"{path} was changed after it was written: its content hash is not the one it names"
            )
        return log.with_hash(about["hash"])


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

"""Logs: what a behaviour policy, an experimenter, or both have recorded, as columns.

A log file is one Arrow file. The latents of a log go to a second file, which loading a log never
opens. A learner gets neither: it gets a `Data`, which has columns and spaces only. A log that is
mapped from its file may be larger than memory.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium.spaces import Box

from dosuite.causal import Array, Columns, InputError
from dosuite.causal.counts import whole_number
from dosuite.causal.errors import did_you_mean

from ..files import alone_in
from ..spaces import Space
from . import arrow_file as arrow
from . import cells, tables
from .checks import check_columns, check_episodes
from .growing_columns import fingerprint
from .latents import keeping_latents, latents_path, seal_of
from .shuffle import ROWS, copied, number_episodes, shuffled

if TYPE_CHECKING:
    import networkx as nx

    from dosuite.causal.graphs.conversion import AnyGraph

LABELS = ("regime", "domain", "propensity")  # the columns that a log without labels lacks


@dataclass(frozen=True)
class Data:
    """What a learner gets of a log: columns, spaces, and the task's horizon and discount.

    The columns are those of a `Log`; without labels, regime, domain and propensity are missing.
    They may be mapped from files that are larger than memory: `chunks` gives them in pieces.
    """

    columns: Mapping[str, Array]
    logged: tuple[str, ...]  # the names of the logged variables among the columns
    observation_space: Space
    action_space: Space
    horizon: int  # steps in an episode
    discount: float
    graph: "nx.DiGraph[str] | None" = None  # of one step, with roles; if the learner needs it

    def __getitem__(self, name: str) -> Array:
        return _column(self.columns, name)

    def __len__(self) -> int:
        return len(self.columns["reward"])

    def at(self, rows: Any) -> "Data":
        """The same data with some of the rows: a slice, a mask (n,), or row numbers."""
        return replace(self, columns={name: column[rows] for name, column in self.columns.items()})

    def chunks(self) -> Iterator["Data"]:
        """The same data in pieces that each fit in memory, in order."""
        for start in range(0, len(self), ROWS):
            yield self.at(slice(start, start + ROWS))


@dataclass(frozen=True)
class Log:
    """A log: columns, spaces, and its origin. `log["action"]` is a column.

    Columns have n rows, sorted by episode and step:

    - episode, step;
    - observation and next_observation (before any reset), (n,), (n, contexts) or, of images,
      (n, 1, height, width);
    - action: a float if the space is a Box. The behaviour policy may have left the bounds that hold
      for a learner;
    - reward, terminated, truncated;
    - each logged variable;
    - regime: 0 where the behaviour policy acted, 1 where an experimenter did;
    - propensity: P(action | observation) of whoever acted, with the latents summed out; NaN if
      action or observation is continuous.

    Raises InputError, with column and row, if a reward, action or observation is not finite or not
    in its space, or a step is beyond the horizon. Columns that are mapped from a file are checked
    when they are read.
    """

    columns: Mapping[str, Array]
    logged: tuple[str, ...]
    observation_space: Space
    action_space: Space
    horizon: int
    discount: float
    # world, regime, seed, version: enough to collect the log again
    origin: Mapping[str, Any] = field(default_factory=dict)
    # empty in a log that was loaded
    latents: Columns = field(default_factory=dict, repr=False)
    # the file that the columns are mapped from; None if they are in memory
    path: Path | None = None

    # of one step, with roles; not written to files
    graph: "nx.DiGraph[str] | None" = None

    @staticmethod
    def of(
        table: Any,
        observation: str | Sequence[str] = "observation",
        action: str = "action",
        reward: str = "reward",
        logged: Sequence[str] = (),
        graph: "AnyGraph | None" = None,
        observation_space: Space | None = None,
        action_space: Space | None = None,
        discount: float = 1.0,
    ) -> "Log":
        """A log of a pandas frame, a mapping of columns, or the path of a CSV file.

        `observation` names one context, several, or none; `logged` names covariates. Columns named
        episode, step, terminated, truncated, next_observation, regime and propensity are used if
        the table has them, and refused under other tools' names, such as done; without them each
        row is an episode of the behaviour policy. In the last row of an episode the next
        observation is the row's own, unless the table has it. A `graph` over the columns' names,
        such as the text "age -> action", makes its other nodes latent. Whole numbers become
        Discrete spaces, others a Box. Raises InputError, with column and row, at what cannot be
        learned from.
        """
        contexts = tables.as_names(observation, "a context")
        names = tables.as_names(logged, "a logged variable")
        tables.check_task(contexts, action, reward, discount, observation_space, action_space)
        frame = tables.read_table(table)
        values = [cells.numbers(frame, name) for name in contexts]
        space = observation_space
        if space is None:
            space = tables.space_of_contexts(contexts, values)
        columns = tables.columns_of(frame, values, space, (*contexts, action, reward, *names))
        columns["action"] = cells.numbers(frame, action)
        columns["reward"] = cells.numbers(frame, reward).astype(float)
        for name in names:
            if name in columns:
                raise InputError(f"a logged variable cannot have the name {name!r}; rename it")
            columns[name] = cells.numbers(frame, name)
        if action_space is None:
            action_space = tables.space_of_actions(action, columns["action"])
        if isinstance(action_space, Box):
            columns["action"] = columns["action"].astype(float)
        if graph is not None:
            graph = tables.graph_with_roles(graph, contexts, action, reward, names)
        horizon = int(columns["step"].max()) + 1
        source = {"table": str(table) if isinstance(table, str | Path) else "in memory"}
        return Log(columns, names, space, action_space, horizon, discount, source, graph=graph)

    def __post_init__(self) -> None:
        if self.path is None:
            self.check()

    def check(self) -> None:
        """Raise InputError, with column and row, if the columns hold what a log cannot hold."""
        check_columns(self.columns, self.observation_space, self.action_space)
        check_episodes(self.columns["step"], self.horizon, self.discount)

    def __getitem__(self, name: str) -> Array:
        return _column(self.columns, name)

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
        """The content hash, given the `fingerprint` of each column."""
        columns = [
            (name, column.dtype.str, column.shape, fingerprints[name])
            for name, column in sorted(self.columns.items())
        ]
        text = json.dumps([self._task(), columns], sort_keys=True)
        return blake2b(text.encode(), digest_size=16).hexdigest()

    def with_hash(self, content_hash: str) -> "Log":
        """The same log, with a content hash that is known already and is not computed again."""
        log = copy(self)
        object.__setattr__(log, "content_hash", content_hash)  # the class is frozen
        return log

    def _task(self) -> dict[str, Any]:
        from minari.serialization import serialize_space  # minari is slow to import

        return {
            "observation_space": serialize_space(self.observation_space),
            "action_space": serialize_space(self.action_space),
            "horizon": self.horizon,
            "discount": self.discount,
            "logged": list(self.logged),
        }

    def view(
        self,
        rng: np.random.Generator | int = 0,
        labels: bool = False,
        graph: "nx.DiGraph[str] | None" = None,
    ) -> Data:
        """A copy for a learner.

        Without `labels` the episodes are shuffled by `rng`, a generator or a seed, and regime,
        domain and propensity are left out. The copy of a mapped log is mapped from temporary files.
        Raises InputError if there is no room for them, and if the log fails `check`.
        """
        self.check()
        if not isinstance(rng, np.random.Generator):
            rng = whole_number("rng, a generator or a seed,", rng, 0)
        hidden = () if labels else LABELS
        columns = {name: column for name, column in self.columns.items() if name not in hidden}
        try:
            if labels:
                columns = copied(columns, self._folder())
            else:
                columns = shuffled(columns, np.random.default_rng(rng), self._folder())
        except OSError as error:
            reason = error.strerror or error
            raise InputError(f"{self.path} cannot be copied for a learner: {reason}") from error
        return Data(
            columns,
            tuple(name for name in self.logged if name not in hidden),
            self.observation_space,
            self.action_space,
            self.horizon,
            self.discount,
            self.graph if graph is None else graph,
        )

    def _folder(self) -> Path | None:
        """The folder for temporary copies; None if the log is in memory.

        It is that of the log's file, which has room for such files, if it can be written to.
        """
        if self.path is None:
            return None
        folder = self.path.parent
        return folder if os.access(folder, os.W_OK) else Path(gettempdir())

    def save(self, path: str | Path) -> Path:
        """Write the log to `path`, and its latents, if any, to `latents_path(path)`.

        Returns the path. Raises InputError if the log fails `check`, or a file cannot be written;
        then both are as before.
        """
        self.check()
        path = Path(path)
        about = {**self._task(), "origin": dict(self.origin), "hash": self.content_hash}
        about["seal"] = seal_of({}, about)
        files: dict[Path, tuple[Mapping[str, Array], arrow.Description]]
        files = {path: (self.columns, about)}
        if self.latents:
            names = {"log": self.content_hash}
            names["seal"] = seal_of(self.latents, names)
            files[latents_path(path)] = (self.latents, names)
        with arrow.writing(path), alone_in(path.parent), keeping_latents(path):
            arrow.write(files)
        return path

    @staticmethod
    def load(path: str | Path, check: bool = True) -> "Log":
        """Memory-map a log.

        Without `check` the columns are not read, and the content hash is the one the file names.
        Raises InputError if the file is not a log, is incomplete, was changed, or fails `check`.
        """
        path = Path(path)
        columns, about = arrow.read(path)
        if "hash" not in about:
            raise InputError(f"{path} is not a log; a log is written by `dosuite data`")
        try:
            log = _described(columns, about, path)
            content_hash = log.content_hash if check else about["hash"]
            seal = seal_of({}, about)
        except (AssertionError, LookupError, TypeError, ValueError) as error:
            raise InputError(
                f"{path} was changed after it was written: its description cannot be read"
            ) from error
        if content_hash != about["hash"]:
            raise InputError(
                f"{path} was changed after it was written: its content hash is not the one it names"
            )
        if check and seal != about.get("seal"):
            raise InputError(
                f"{path} was changed after it was written: its description is not the one it sealed"
            )
        if check:
            log.check()
        return log.with_hash(content_hash)


def _column(columns: Mapping[str, Array], name: str) -> Array:
    """A column by its name. Raises InputError if there is none."""
    if name not in columns:
        raise InputError(f"a log has no column {name!r} here; {did_you_mean(str(name), columns)}")
    return columns[name]


def _described(columns: Columns, about: Mapping[str, Any], path: Path) -> Log:
    """The log with the columns and the description of a file."""
    from minari.serialization import deserialize_space  # minari is slow to import

    space = deserialize_space(about["observation_space"])
    for name in ("observation", "next_observation"):
        columns[name] = columns[name].reshape(-1, *(space.shape or ()))
    return Log(
        columns,
        tuple(about["logged"]),
        space,
        deserialize_space(about["action_space"]),
        about["horizon"],
        about["discount"],
        about["origin"],
        path=path,
    )

"""Populations: many worlds of one kind, their logs in one file, and their exact truths."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from dosuite.causal import Columns, InputError, World
from dosuite.causal.arrays import Array, Floats
from dosuite.causal.counts import whole_number
from dosuite.causal.errors import checked_type, short
from dosuite.causal.exact import Process, do_process, log_process
from dosuite.causal.model.scm import check_model

from ..logs.arrow_file import writing
from ..logs.collect import collect
from ..logs.growing_columns import Spool
from ..logs.latents import latents_path
from ..logs.log import Log
from ..observations import observation_space
from ..registry import make_model, world_text
from ..spaces import action_space
from .vector_env import PopulationVectorEnv

WORLD = "world"  # the column of a population's log that numbers the worlds


class Pair(NamedTuple):
    """The log of one world of a population, and its truth."""

    log: Log
    truth: Floats  # E(reward | do(action), context), (C, A); NaN in contexts that never occur


class Population:
    """Worlds with the same observation space, action space, horizon, discount and logged columns.

    `Population("RandomSCM", seeds=range(1000))` has a world for each seed, in this order; other
    knobs are the same in all. So the prior of a population is the law of a world's numbers over
    seeds, which the docstring of the world gives. `Population.of` takes models of any kind.

    `population[i]` is the model of world i. Raises InputError if there is no world, if its class
    has no knob `seed`, or if two worlds differ in what must be the same.
    """

    def __init__(self, world: str, seeds: Iterable[int], **knobs: Any):
        checked_type(world, str, "a population is named by the id of a world")
        numbers = _checked_seeds(seeds)
        first = make_model(world, **knobs)
        if "seed" not in {field.name for field in fields(first)}:
            raise InputError(f"{world} has no knob `seed`: it is one world, and no population")
        self.worlds = tuple(replace(first, seed=number) for number in numbers)  # type: ignore[call-arg]
        # what the file of a log names, for people: never handed to a learner
        self.origin: dict[str, Any] = {"population": world_text(self.worlds[0]), "seeds": numbers}
        self._check_alike()

    @staticmethod
    def of(worlds: Iterable[World]) -> "Population":
        """A population of models. Raises InputError as `Population` does."""
        population = Population.__new__(Population)
        population.worlds = tuple(worlds)
        if not population.worlds:
            raise InputError("a population needs at least one world")
        for model in population.worlds:
            check_model(model)
        population.origin = {"population": "of models"}
        population._check_alike()
        return population

    def __len__(self) -> int:
        return len(self.worlds)

    def __getitem__(self, number: int) -> World:
        return self.worlds[number]

    def __iter__(self) -> Iterator[World]:
        return iter(self.worlds)

    def twins(self) -> "Population":
        """The twin of each world: it has the same law of the log and another best policy.

        Raises InputError if a world has no twin.
        """
        twins = [model.twin() for model in self.worlds]
        for number, twin in enumerate(twins):
            if twin is None:
                raise InputError(f"{self._named(number)} has no twin; leave its seed out")
        return Population.of(twin for twin in twins if twin is not None)

    @cached_property
    def truths(self) -> Floats:
        """E(reward | do(action), context) of every world, exact: (worlds, C, A).

        It is NaN in contexts that never occur. Raises InputError if the worlds have several steps.
        """
        return self._rewards(do_process)

    @cached_property
    def associations(self) -> Floats:
        """E(reward | action, context) in an infinite log of every world, exact: (worlds, C, A).

        It is NaN where the log has no rows. Raises InputError if the worlds have several steps.
        """
        return self._rewards(log_process)

    def _rewards(self, process_of: Any) -> Floats:
        if self.worlds[0].horizon > 1:
            raise InputError(
                f"the truth of a population is that of one step, and {self._named(0)} has a "
                f"horizon of {self.worlds[0].horizon}"
            )
        processes: list[Process] = [process_of(model) for model in self.worlds]
        return np.stack([np.where(one.visits > 0, one.reward, np.nan) for one in processes])

    def pairs(self, episodes: int, seed: int, regime: str = "observe") -> Iterator[Pair]:
        """The log and the truth of each world, in order, one at a time.

        The log of world i is `collect(population[i], episodes, seed + i, regime)`: equal seeds give
        equal logs, and no two worlds share their noise.
        """
        for number, truth in enumerate(self.truths):
            yield Pair(self._log_of(number, episodes, seed, regime), truth)

    def collect(
        self, episodes: int, seed: int, path: str | Path | None = None, regime: str = "observe"
    ) -> Log:
        """The logs of all worlds, those of `pairs`, as one log, with `episodes` of each world.

        The column "world" has the number of the world, and episodes are numbered from 0 in the
        first world to the end of the last. A learner may tell worlds apart by the column; it is
        neither an observation nor a logged variable. With a `path` the log is written there, world
        by world, and its latents beside it, and is returned mapped. Raises InputError at a bad
        argument, or if a file cannot be written.
        """
        episodes = whole_number("episodes", episodes, 1)
        chunks = self._chunks(episodes, seed, regime)
        about = {**self.origin, "regime": regime, "seed": int(seed), "episodes": episodes}
        if path is None:
            blocks = list(chunks)
            columns = {
                name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]
            }
            return self._log(columns, about)
        path = Path(path)
        with writing(path, latents_path(path)), Spool(path.parent) as spool:
            for rows in chunks:
                spool.append(rows)
            log = self._log(spool.columns(), about)
            log.with_hash(log.hash_of(spool.fingerprints())).save(path)
            return Log.load(path, check=False)

    def vector_env(self, **settings: Any) -> PopulationVectorEnv:
        """A vector environment in which unit i is world i; see `PopulationVectorEnv`."""
        return PopulationVectorEnv(self.worlds, **settings)

    def _log_of(self, number: int, episodes: int, seed: int, regime: str) -> Log:
        seed = whole_number("the seed of a population's logs", seed, 0)
        return collect(self.worlds[number], episodes, seed + number, regime)

    def _chunks(self, episodes: int, seed: int, regime: str) -> Iterator[Columns]:
        """The rows and latents of each world, with the number of the world."""
        kinds: dict[str, Any] = {}
        for number in range(len(self)):
            log = self._log_of(number, episodes, seed, regime)
            rows = {WORLD: np.full(len(log), number), **log.columns, **log.latents}
            rows["episode"] = rows["episode"] + number * episodes
            for name, column in rows.items():
                if kinds.setdefault(name, column.dtype) != column.dtype:
                    raise InputError(
                        f"{name} is {kinds[name]} in world 0 and {column.dtype} in "
                        f"{self._named(number)}; make it one type"
                    )
            yield rows

    def _log(self, rows: Columns, about: Mapping[str, Any]) -> Log:
        model = self.worlds[0]
        hidden = model.names("latent")
        return Log(
            {name: column for name, column in rows.items() if name not in hidden},
            model.names("logged"),
            observation_space(model),
            action_space(model),
            model.horizon,
            model.discount,
            about,
            {name: rows[name] for name in hidden},
        )

    def _check_alike(self) -> None:
        """Raise InputError if a world has not the spaces and columns of the first one."""
        first = _task(self.worlds[0])
        for number, model in enumerate(self.worlds):
            for what, value in _task(model).items():
                if value != first[what]:
                    raise InputError(
                        f"the worlds of a population have one {what}: {self._named(number)} has "
                        f"{value}, and {self._named(0)} has {first[what]}"
                    )
        if WORLD in first["set of columns"]:
            raise InputError(
                f"{self._named(0)} has a variable `{WORLD}`, a column's name; rename it"
            )

    def _named(self, number: int) -> str:
        """A world in a message."""
        model = self.worlds[number]
        text = f"an edited {type(model).__name__}" if model.edits else world_text(model)
        return f"world {number} ({text})"


def split(log: Log) -> Iterator[Log]:
    """The logs of the worlds in a population's log, in order, without the column "world".

    Raises InputError if the log is not one of a population.
    """
    worlds: Array = log[WORLD]
    ends = (*(np.flatnonzero(np.diff(worlds)) + 1).tolist(), len(log))
    for start, end in pairwise((0, *ends)):
        rows = {name: column[start:end] for name, column in log.columns.items() if name != WORLD}
        rows["episode"] = rows["episode"] - rows["episode"][0]
        yield replace(log, columns=rows, path=None, latents={}, origin={})


def _checked_seeds(seeds: Iterable[int]) -> list[int]:
    """The seeds as a list. Raises InputError if there are none, or if one is no whole number."""
    if isinstance(seeds, str) or not isinstance(seeds, Iterable):
        raise InputError(f"the seeds of a population are whole numbers, and got {short(seeds)}")
    numbers = [whole_number("a seed of a population", seed, 0) for seed in seeds]
    if not numbers:
        raise InputError("a population needs at least one seed")
    return numbers


def _task(model: World) -> dict[str, Any]:
    """What all worlds of a population have in common, by its name in a message."""
    return {
        "observation space": observation_space(model),
        "kind of observation": model.observation,
        "action space": action_space(model),
        "horizon": model.horizon,
        "discount": model.discount,
        "set of columns": model.names("logged", "latent"),
    }

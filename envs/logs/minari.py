"""Logs to and from Minari, for exchange with other offline learners.

Minari stores each episode apart, which costs milliseconds and kilobytes an episode. So the episodes
of one-step worlds are packed, 1,000 to a Minari episode; their ends are in its terminations.
Columns that Minari has no place for are in `infos`."""

import json
import warnings
from contextlib import suppress
from typing import Any

import minari
import numpy as np
from minari.data_collector import EpisodeBuffer
from minari.dataset.minari_dataset import parse_dataset_id
from minari.storage import get_dataset_path

from dosuite.causal import Array, Columns, InputError

from ..spaces import Space
from .log import Log

_PACK = 1000
_KEY = "dosuite"


def check_new(dataset_id: str) -> None:
    """Raise InputError if there can be no new local Minari data set of this name."""
    try:
        parse_dataset_id(dataset_id)
    except (ValueError, TypeError):  # the latter where the version is missing
        raise InputError(
            f"Minari does not write {dataset_id!r}: choose a name such as namespace/name-v0"
        ) from None
    if get_dataset_path(dataset_id).exists():
        raise InputError(
            f"Minari does not write {dataset_id!r}: there is one already; delete it or choose "
            "another name"
        )


def to_minari(log: Log, dataset_id: str) -> "minari.MinariDataset":
    """Write a log, which must fit in memory, as the new local Minari data set `namespace/name-vN`.

    Raises InputError if Minari refuses.
    """
    check_new(dataset_id)
    starts = (
        np.arange(_PACK, len(log), _PACK)
        if log.horizon == 1
        else np.flatnonzero(log.columns["step"] == 0)[1:]
    )
    space = log.action_space
    blocks = np.split(np.arange(len(log)), starts)
    buffers = [
        _buffer({name: column[rows] for name, column in log.columns.items()}, space)
        for rows in blocks
    ]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", UserWarning
            )  # it would have an author's address and a link to code
            data = minari.create_dataset_from_buffers(
                dataset_id,
                buffers,
                observation_space=log.observation_space,
                action_space=space,
                description=f"A log of {log.origin.get('world', 'a causal model')}, written by dosuite.",
            )
    except Exception as error:
        with suppress(
            Exception
        ):  # a failed write leaves a folder that the next one would stumble over
            minari.delete_dataset(dataset_id)
        raise InputError(
            f"Minari does not write {dataset_id!r}: {' '.join(str(error).split())}"
        ) from None
    about = {
        "logged": log.logged,
        "horizon": log.horizon,
        "discount": log.discount,
        "origin": dict(log.origin),
    }
    data.storage.update_metadata({_KEY: json.dumps(about)})
    return data


def from_minari(dataset_id: str, discount: float = 1.0) -> Log:
    """Read a local Minari data set whose actions are discrete or one number as a log. Raises
    InputError if it is not there or does not fit.

    One that `to_minari` wrote comes back as it went. Of any other the horizon is its longest
    episode, the discount is the one given, and there are no labels."""
    try:
        data = minari.load_dataset(dataset_id)
    except (FileNotFoundError, ValueError) as error:
        raise InputError(
            f"Minari does not read {dataset_id!r}: {' '.join(str(error).split())}"
        ) from None
    about = data.storage.metadata.get(_KEY)
    episodes = [
        _rows(episode, number, about is not None)
        for number, episode in enumerate(data.iterate_episodes())
    ]
    columns: Columns = {
        name: np.concatenate([rows[name] for rows in episodes]) for name in episodes[0]
    }
    task: dict[str, Any] = {
        "logged": (),
        "horizon": int(columns["step"].max()) + 1,
        "discount": discount,
        "origin": {"minari": dataset_id},
    }
    task |= json.loads(str(about)) if about is not None else {}
    task["logged"] = tuple(task["logged"])
    return Log(
        columns, observation_space=data.observation_space, action_space=data.action_space, **task
    )


def _buffer(rows: Columns, space: Space) -> EpisodeBuffer:
    observations = np.concatenate([rows["observation"], rows["next_observation"][-1:]])
    infos: dict[str, Array] = {
        name: np.concatenate([column, column[-1:]]) for name, column in rows.items()
    }  # one for the reset
    return EpisodeBuffer(
        observations=observations,
        actions=rows["action"].reshape(-1, *(space.shape or ())).astype(space.dtype),
        rewards=rows["reward"],
        terminations=rows["terminated"],
        truncations=rows["truncated"],
        infos=infos,
    )


def _rows(episode: Any, number: int, ours: bool) -> Columns:
    if ours:
        return {name: np.asarray(column)[:-1] for name, column in episode.infos.items()}
    steps = len(episode.rewards)
    return {
        "episode": np.full(steps, number),
        "step": np.arange(steps),
        "observation": episode.observations[:-1],
        "action": episode.actions.reshape(steps),
        "reward": np.asarray(episode.rewards, dtype=float),
        "next_observation": episode.observations[1:],
        "terminated": np.asarray(episode.terminations, dtype=bool),
        "truncated": np.asarray(episode.truncations, dtype=bool),
    }

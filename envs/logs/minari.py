"""Logs to and from Minari, for exchange with other libraries of offline learners.

Minari stores each episode apart, which costs milliseconds and kilobytes per episode. The episodes
of one-step worlds are therefore packed, 1,000 to a Minari episode; the terminations say where each
ends. Columns for which Minari has no place are stored in `infos`.
"""

import json
import os
import warnings
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from shutil import rmtree
from typing import Any

import gymnasium
import minari
import numpy as np
from gymnasium.envs.registration import EnvSpec
from minari.data_collector import EpisodeBuffer
from minari.dataset.minari_dataset import parse_dataset_id
from minari.storage import get_dataset_path

from dosuite.causal import (
    Array,
    Columns,
    InputError,
    NotDiscreteError,
    TooLargeError,
    uniform_policy,
    value,
)

from ..child import ChildDiedError, shared_child
from ..files import clean, temporary_beside
from ..observations import observation_space
from ..registry import make_model, world_classes
from ..settings import parse, typed
from ..spaces import Space, action_space
from .log import Log

_PACK = 1000
_KEY = "dosuite"
_ROOT = "MINARI_DATASETS_PATH"  # the variable of the environment that says where data sets are


def check_new(dataset_id: str) -> None:
    """Raise InputError if no local Minari data set can be written under this name.

    One that `to_minari` wrote may be there: it is kept if it is of the same log.
    """
    try:
        parse_dataset_id(dataset_id)
    except (ValueError, TypeError) as error:  # the latter if the version is missing
        raise InputError(
            f"Minari does not write {dataset_id!r}: choose a name such as namespace/name-v0"
        ) from error
    place = get_dataset_path(dataset_id)
    if place.exists() and any(place.iterdir()) and not _hash_of_log(dataset_id):
        raise _there_already(dataset_id)


def _there_already(dataset_id: str) -> InputError:
    return InputError(
        f"Minari does not write {dataset_id!r}: there is one already; delete it or choose "
        "another name"
    )


def _hash_of_log(dataset_id: str) -> str:
    """The content hash of the log in a local data set; "" if `to_minari` has not written it."""
    try:
        about = minari.load_dataset(dataset_id).storage.metadata.get(_KEY)
        return str(json.loads(str(about))["hash"])
    except (OSError, ValueError, LookupError, TypeError):
        return ""


def to_minari(log: Log, dataset_id: str) -> "minari.MinariDataset":
    """Write a log, which must fit in memory, as the local Minari data set `namespace/name-vN`.

    It is written aside, by a child process since a full disk may crash HDF5, and then moved: it is
    complete or absent. If the log's world is registered, `recover_environment()` of the data set
    makes it, with its knobs, once `dosuite.envs` is imported. Its normalised score is 0 for the
    uniform policy and 1 for the causal one (see `reference_scores`).

    Raises InputError if the name is that of another data set, or Minari cannot write it.
    """
    check_new(dataset_id)
    if _hash_of_log(dataset_id) == log.content_hash:
        return minari.load_dataset(dataset_id)
    if _hash_of_log(dataset_id):
        raise _there_already(dataset_id)
    about = {
        "logged": log.logged,
        "horizon": log.horizon,
        "discount": log.discount,
        "origin": dict(log.origin),
        "hash": log.content_hash,
    }
    root = get_dataset_path()
    clean(root)
    aside = temporary_beside(root / "data")
    bare = replace(log, latents={}, graph=None)
    try:
        aside.mkdir()
        scores = reference_scores(log)
        shared_child().call(
            _write, bare, dataset_id, _spec(log), scores, json.dumps(about), str(aside)
        )
        _move(aside, root, dataset_id)
    except ChildDiedError as error:
        raise InputError(
            f"Minari does not write {dataset_id!r}: its process died, as it does where {root} is "
            "full"
        ) from error
    except Exception as error:  # Minari, or a library that it calls
        shared_child().kill()  # HDF5 may crash later
        reason = " ".join(str(error).split())
        raise InputError(f"Minari does not write {dataset_id!r}: {reason}") from error
    finally:
        rmtree(aside, ignore_errors=True)
    if _hash_of_log(dataset_id) != log.content_hash:  # another process was faster
        raise _there_already(dataset_id)
    return minari.load_dataset(dataset_id)


def reference_scores(log: Log) -> dict[str, float]:
    """The exact values of the uniform and of the causal policy in the log's world, by Minari's
    names `ref_min_score` and `ref_max_score`; empty where they are not known.
    """
    try:
        model = make_model(str(log.origin["world"]), variant=str(log.origin.get("variant", "")))
        world = model.deployed()
        values = dict(model.values_in(world))
        if "j_uniform" not in values:
            values["j_uniform"] = value(world, uniform_policy(world))
        if "j_causal" not in values:
            values["j_causal"] = value(world, world.causal_policy())
    except (LookupError, InputError, NotDiscreteError, TooLargeError):
        return {}
    low, high = float(values["j_uniform"]), float(values["j_causal"])
    return {"ref_min_score": low, "ref_max_score": high} if low < high else {}


def _write(
    log: Log,
    dataset_id: str,
    spec: EnvSpec | None,
    scores: Mapping[str, float],
    about: str,
    root: str,
) -> None:
    """Write a data set under another root than Minari's, in a child process.

    HDF5 tells stderr at length why it fails, also after this has raised: from then on it is silent.
    """
    stderr = os.dup(2)
    with open(os.devnull, "wb") as nothing:
        os.dup2(nothing.fileno(), 2)
    buffers = []
    for rows in np.split(np.arange(len(log)), _starts(log)):
        columns = {name: column[rows] for name, column in log.columns.items()}
        buffers.append(_buffer(columns, log.action_space))
    world = log.origin.get("world", "a causal model")
    before = os.environ.get(_ROOT)
    os.environ[_ROOT] = root
    try:
        with warnings.catch_warnings():
            # Minari wants an author's address and a link to code.
            warnings.simplefilter("ignore", UserWarning)
            data = minari.create_dataset_from_buffers(
                dataset_id,
                buffers,
                env=spec,
                observation_space=log.observation_space,
                action_space=log.action_space,
                description=f"A log of {world}, written by dosuite.",
                **scores,
            )
        data.storage.update_metadata({_KEY: about})
        os.dup2(stderr, 2)
    finally:
        os.close(stderr)
        os.environ.pop(_ROOT)
        if before is not None:
            os.environ[_ROOT] = before


def _move(aside: Path, root: Path, dataset_id: str) -> None:
    """Move a data set to its place, with those of its namespaces that are not there, at once."""
    parts = Path(dataset_id).parts
    for depth in range(1, len(parts) + 1):
        place = Path(*parts[:depth])
        if depth < len(parts) and (root / place).is_dir():
            continue
        try:
            os.rename(aside / place, root / place)
        except OSError:
            # Another process has made it since.
            if not (root / place).is_dir():
                raise
        else:
            return


def _spec(log: Log) -> EnvSpec | None:
    """The registration of the log's world, with its knobs; None if it is not registered.

    A world of a user's file may have the id of a registered one; its spaces then tell them apart.
    """
    name, settings = parse(str(log.origin.get("world", "")))
    cls = world_classes().get(name)
    if cls is None:
        return _spec_of_classic(name, settings)
    try:
        knobs = typed(cls, settings)
        model = cls(**knobs)
    except InputError:  # a log of another version
        return None
    if (observation_space(model), action_space(model)) != (log.observation_space, log.action_space):
        return None
    spec = deepcopy(gymnasium.spec(name))
    spec.kwargs |= knobs
    return spec


def _spec_of_classic(name: str, settings: dict[str, str]) -> EnvSpec | None:
    """The registration of a confounded classic, whose settings are numbers."""
    spec = deepcopy(gymnasium.registry.get(name))
    if spec is not None:
        spec.kwargs |= {setting: float(number) for setting, number in settings.items()}
    return spec


def from_minari(dataset_id: str, discount: float = 1.0) -> Log:
    """Read a local Minari data set as a log; its actions are Discrete, or a Box with one axis.

    A data set that `to_minari` wrote gives the same log. Of any other the horizon is the longest
    episode, the discount is the argument, and there are no labels. Raises InputError if there is no
    such data set, or it cannot be read.
    """
    try:
        data = minari.load_dataset(dataset_id)
    except (FileNotFoundError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"Minari does not read {dataset_id!r}: {reason}") from error
    if data.total_episodes == 0:
        raise InputError(
            f"Minari does not read {dataset_id!r}: it has no episodes, as one that was not written "
            "to its end"
        )
    about = data.storage.metadata.get(_KEY)
    read = _rows_of_other if about is None else _rows_of_ours
    episodes = [read(episode, number) for number, episode in enumerate(data.iterate_episodes())]
    columns: Columns = {
        name: np.concatenate([rows[name] for rows in episodes]) for name in episodes[0]
    }
    task: dict[str, Any] = {
        "logged": (),
        "horizon": int(columns["step"].max()) + 1,
        "discount": discount,
        "origin": {"minari": dataset_id},
    }
    if about is not None:
        task |= json.loads(str(about))
        task.pop("hash", None)
        task["logged"] = tuple(task["logged"])
    return Log(
        columns, observation_space=data.observation_space, action_space=data.action_space, **task
    )


def _starts(log: Log) -> Array:
    """The rows at which a Minari episode begins, but for row 0."""
    if log.horizon == 1:
        return np.arange(_PACK, len(log), _PACK)
    return np.flatnonzero(log.columns["step"] == 0)[1:]


def _buffer(rows: Columns, space: Space) -> EpisodeBuffer:
    # Minari has one more observation and info than steps: those of the reset.
    observations = np.concatenate([rows["observation"], rows["next_observation"][-1:]])
    infos = {name: np.concatenate([column, column[-1:]]) for name, column in rows.items()}
    return EpisodeBuffer(
        observations=observations,
        actions=rows["action"].reshape(-1, *(space.shape or ())).astype(space.dtype),
        rewards=rows["reward"],
        terminations=rows["terminated"],
        truncations=rows["truncated"],
        infos=infos,
    )


def _rows_of_ours(episode: Any, number: int) -> Columns:
    return {name: np.asarray(column)[:-1] for name, column in episode.infos.items()}


def _rows_of_other(episode: Any, number: int) -> Columns:
    steps = len(episode.rewards)
    shape = () if episode.actions.size == steps else episode.actions.shape[1:]
    return {
        "episode": np.full(steps, number),
        "step": np.arange(steps),
        "observation": episode.observations[:-1],
        "action": episode.actions.reshape(steps, *shape),
        "reward": np.asarray(episode.rewards, dtype=float),
        "next_observation": episode.observations[1:],
        "terminated": np.asarray(episode.terminations, dtype=bool),
        "truncated": np.asarray(episode.truncations, dtype=bool),
    }

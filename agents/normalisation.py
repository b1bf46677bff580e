"""The statistics of `VecNormalize`, without which a model of Stable-Baselines3 acts at random."""

import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium.spaces import Box
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.vec_env import VecNormalize

from dosuite.causal import InputError

USUAL_BOUND = 10.0  # of VecNormalize's `clip_obs`, in standard deviations


def scales_of(algorithm: BaseAlgorithm) -> list[Any] | None:
    """The mean, the standard deviation and the bound that rescale the observations of a model.

    None if it was trained on observations as they are. Raises InputError if it was trained on
    normalised ones and the statistics are missing.
    """
    statistics = algorithm.get_vec_normalize_env()
    if statistics is None:
        if was_normalised(algorithm):
            raise InputError(
                "the model was trained in VecNormalize, whose statistics are missing: save them "
                "beside model.zip by model.get_vec_normalize_env().save('model.pkl')"
            )
        return None
    if not statistics.norm_obs:
        return None
    averages: Any = statistics.obs_rms
    if np.shape(averages.mean) != algorithm.observation_space.shape:
        raise InputError(
            f"the statistics of VecNormalize are of observations {np.shape(averages.mean)}, and "
            f"those of the model are {algorithm.observation_space.shape}"
        )
    std = np.sqrt(averages.var + statistics.epsilon)
    return [averages.mean.copy(), std, float(statistics.clip_obs)]


UNKNOWN_NOTE = (
    "the model's file does not tell whether it was trained in VecNormalize; it was given the "
    "observations as they are"
)


def note_on_scales(algorithm: BaseAlgorithm) -> str:
    """What a model's rows say if it may have been trained in VecNormalize; else ""."""
    is_unknown = algorithm.get_vec_normalize_env() is None and was_normalised(algorithm) is None
    return UNKNOWN_NOTE if is_unknown else ""


def was_normalised(algorithm: Any) -> bool | None:
    """Whether the last observations in training tell that they were normalised; None if they may
    have been.

    Models that learn on policy keep the original ones in `VecNormalize` only. Others always keep
    some, of the same step in `VecNormalize` and of the step before without: normalised ones are a
    rescaling of these, which can be told from 3 environments on. Fewer tell it if they are outside
    the space while the original ones are in it, or lie beyond the usual bound of `VecNormalize`.
    """
    last, original = algorithm._last_obs, algorithm._last_original_obs
    space = algorithm.observation_space
    if not isinstance(space, Box) or original is None or last is None:
        return False
    if not hasattr(algorithm, "replay_buffer_class"):
        return True
    if np.shape(last) != np.shape(original) or np.array_equal(last, original):
        return False
    if not _is_inside(space, last) and _is_inside(space, original):
        return True
    if np.abs(last).max() > USUAL_BOUND:
        return False
    if len(last) < 3:
        return None
    for now, before in zip(np.transpose(last), np.transpose(original), strict=True):
        slope, offset = np.polyfit(before.astype(float), now.astype(float), 1)
        if slope <= 0 or not np.allclose(slope * before + offset, now, atol=1e-3):
            return False
    return True


def _is_inside(space: Box, observations: Any) -> bool:
    return bool(((observations >= space.low) & (observations <= space.high)).all())


def statistics_files(path: Path) -> list[Path]:
    """The files beside `model.zip` that hold its statistics by the names in use, that exist."""
    stem = path.stem
    names = [f"{stem}.pkl", f"{stem}_vecnormalize.pkl", f"{stem}_vec_normalize.pkl"]
    if checkpoint := re.fullmatch(r"(.+)_(\d+)_steps", stem):
        names.append(f"{checkpoint[1]}_vecnormalize_{checkpoint[2]}_steps.pkl")
    names += ["vecnormalize.pkl", "vec_normalize.pkl"]
    return [path.with_name(name) for name in names if path.with_name(name).is_file()]


def take_statistics(algorithm: Any, path: Path) -> None:
    """Give a model of a zip the statistics beside it, if it was trained with any.

    They are unpickled, as the zip is: both are code of the same source. Raises InputError if the
    file cannot be read.
    """
    has_trained = algorithm._last_obs is not None
    on_policy = not hasattr(algorithm, "replay_buffer_class")
    if has_trained and on_policy and algorithm._last_original_obs is None:
        return
    for file in statistics_files(path):
        try:
            statistics = pickle.loads(file.read_bytes())
        except Exception as error:  # unpickling a foreign file can raise anything
            raise InputError(f"{file} does not load as statistics of VecNormalize") from error
        if isinstance(statistics, VecNormalize):
            algorithm._vec_normalize_env = statistics
            return

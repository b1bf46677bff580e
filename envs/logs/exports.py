"""Logs as tables and as the data sets of other libraries of learning.

Every export has the rows of the log in their order, and no latents; an agent can export what it is
given of a log. The other library is imported at the call; InputError says so where it is not
installed. For Minari, see `minari.py`.
"""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium.spaces import Discrete

from dosuite.causal import Array, InputError

from ..files import replacing
from .log import Data, Log

if TYPE_CHECKING:
    import pandas as pd
    import torch
    from torch.utils.data import TensorDataset

TABLES = (".csv", ".parquet")

# how a library is installed, if not by its name; d3rlpy pins an older Gymnasium than ours
INSTALLED = {"d3rlpy": "--no-deps d3rlpy && pip install structlog colorama dataclasses-json gym"}


def to_pandas(log: Log | Data) -> "pd.DataFrame":
    """A frame with the columns of the log; two contexts are observation_0 and observation_1, and
    the pixels of an image likewise, row by row.
    """
    import pandas as pd

    columns: dict[str, Array] = {}
    for name, column in log.columns.items():
        if column.ndim == 1:
            columns[name] = column
        else:
            flat = column.reshape(len(column), int(np.prod(column.shape[1:])))
            columns |= {f"{name}_{k}": flat[:, k] for k in range(flat.shape[1])}
    return pd.DataFrame(columns)


def to_table(log: Log | Data, path: str | Path) -> Path:
    """Write the frame of `to_pandas` to a .csv or a .parquet file, and return the path.

    Numbers in CSV have all their digits. Raises InputError if the path is named otherwise.
    """
    path = Path(path)
    if path.suffix not in TABLES:
        raise InputError(f"a table is a file {' or '.join(TABLES)}, and not {str(path)!r}")
    frame = to_pandas(log)
    with replacing(path) as temporary:
        if path.suffix == ".csv":
            frame.to_csv(temporary, index=False)
        else:
            frame.to_parquet(temporary, index=False)
    return path


def to_torch(log: Log | Data) -> "TensorDataset":
    """A torch data set of (observation, action, reward, next_observation, terminated).

    Observations are those of `numbered`, rewards float32.
    """
    from torch.utils.data import TensorDataset

    return TensorDataset(
        _tensor(numbered(log, "observation")),
        _tensor(log["action"]),
        _tensor(log["reward"].astype(np.float32)),
        _tensor(numbered(log, "next_observation")),
        _tensor(log["terminated"]),
    )


def to_torchrl(log: Log | Data, batch_size: int = 256) -> Any:
    """A TorchRL `TensorDictReplayBuffer` of the log's transitions, with TorchRL's own keys.

    `episode` is the key "episode", by which its samplers find trajectories.
    """
    tensordict, data = _library("tensordict"), _library("torchrl.data")
    size = [len(log)]

    def flags(name: str) -> "torch.Tensor":
        return _tensor(log[name])[:, None]

    following = {
        "observation": _tensor(numbered(log, "next_observation")),
        "reward": _tensor(log["reward"].astype(np.float32))[:, None],
        "terminated": flags("terminated"),
        "truncated": flags("truncated"),
        "done": flags("terminated") | flags("truncated"),
    }
    rows = tensordict.TensorDict(
        {
            "observation": _tensor(numbered(log, "observation")),
            "action": _tensor(log["action"]),
            "episode": _tensor(log["episode"]),
            "next": tensordict.TensorDict(following, size),
        },
        size,
    )
    storage = data.LazyTensorStorage(len(log))
    buffer = data.TensorDictReplayBuffer(storage=storage, batch_size=batch_size)
    buffer.extend(rows)
    return buffer


def to_d3rlpy(log: Log | Data) -> Any:
    """A d3rlpy `MDPDataset`, whose observations are those of `numbered`."""
    d3rlpy = _library("d3rlpy")
    kinds, space = d3rlpy.constants.ActionSpace, log.action_space
    return d3rlpy.dataset.MDPDataset(
        observations=numbered(log, "observation"),
        actions=log["action"].reshape(len(log), 1),
        rewards=log["reward"].astype(np.float32).reshape(len(log), 1),
        terminals=log["terminated"].astype(np.float32),
        timeouts=log["truncated"].astype(np.float32),
        action_space=kinds.DISCRETE if isinstance(space, Discrete) else kinds.CONTINUOUS,
        action_size=int(space.n) if isinstance(space, Discrete) else 1,
    )


def numbered(log: Log | Data, name: str) -> Array:
    """A column of observations as numbers for a network: (n, k), float32.

    An observation of a Discrete space is one-hot; others are the numbers themselves.
    """
    column, space = log[name], log.observation_space
    if isinstance(space, Discrete):
        hot = np.zeros((len(column), int(space.n)), dtype=np.float32)
        hot[np.arange(len(column)), column - int(space.start)] = 1
        return hot
    return column.astype(np.float32).reshape(len(column), -1)


def _tensor(column: Array) -> "torch.Tensor":
    import torch

    return torch.as_tensor(np.array(column))  # a copy: the column may be mapped from a file


def _library(name: str) -> Any:
    """A library that is an optional dependency. Raises InputError if it is not installed."""
    try:
        return import_module(name)
    except ImportError as error:
        package = name.partition(".")[0]
        how = INSTALLED.get(package, package)
        raise InputError(f"this needs {package}: pip install {how} ({error})") from error

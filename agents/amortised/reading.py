"""A log as the network reads it: its distinct rows, how often each occurs, and the queries."""

from typing import NamedTuple

import numpy as np

from dosuite.causal.arrays import Array, Floats
from dosuite.envs import Data, cells, choices

from ..tabular.counting import table_of
from .prior import MOST, MOST_LOGGED, features, queries


class Reading(NamedTuple):
    """What the network is given of one log, and the scale of its answers."""

    rows: Floats  # (n, FEATURES)
    counts: Floats  # (n,)
    queries: Floats  # (contexts * 2, 2)
    lowest: float  # reward in the log, which is read as 0
    highest: float  # reward in the log, which is read as 1

    def rewards(self, answers: Floats) -> Floats:
        """Answers in [0, 1] to all queries as rewards: (contexts, 2)."""
        return (self.lowest + (self.highest - self.lowest) * answers).reshape(-1, 2)


def unfit(data: Data) -> str:
    """Why a log is not one of the prior's, in a few words; "" if it is one."""
    count = cells(data.observation_space)
    if data.horizon > 1:
        return "it was trained on worlds of one step"
    if count is None or count > 2:
        return "it was trained on contexts of one or two values"
    if choices(data.action_space) != 2:
        return "it was trained on two actions"
    varied = _varied(data)
    if len(varied) > MOST_LOGGED:
        return f"it was trained on at most {MOST_LOGGED} logged variables"
    if any(len(np.unique(data[name])) > 2 for name in varied):
        return "it was trained on logged variables of two values"
    return ""


def read(data: Data) -> Reading:
    """Read a log that is not `unfit`.

    Rewards are scaled to [0, 1] by the lowest and highest one of the log, and a row with the reward
    r is read as r rows with 1 and 1 - r rows with 0, which has the same mean. Of more than 30,000
    rows the shares are read, as if there were so many.
    """
    logged = _varied(data)
    table, (*_, rewards) = table_of(data, [*logged, "reward"])
    lowest, highest = float(rewards[0]), float(rewards[-1])
    ones = (rewards - lowest) / (highest - lowest) if highest > lowest else np.zeros(1)
    counts = np.stack([table @ (1.0 - ones), table @ ones], axis=-1)
    counts *= min(1.0, MOST / counts.sum())
    context, action, *others, reward = (place.ravel() for place in np.indices(counts.shape))
    occurs = counts.ravel() > 0
    contexts = context[:, None] if len(table) == 2 else np.zeros((len(context), 0))
    rows = features(contexts, action, reward, _side_by_side(others, len(context)))
    return Reading(rows[occurs], counts.ravel()[occurs], queries(len(table)), lowest, highest)


def _varied(data: Data) -> list[str]:
    """The logged variables that have more than one value in the log."""
    return [name for name in data.logged if len(np.unique(data[name])) > 1]


def _side_by_side(columns: list[Array], rows: int) -> Array:
    return np.stack(columns, axis=1) if columns else np.zeros((rows, 0))

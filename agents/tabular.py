"""Counting: the decision process that a log shows, where observations are few."""

import numpy as np

from confoundry.causal import Array, Process
from confoundry.envs import Data, as_integer, cells

MOST_CELLS = 10_000  # observations that are counted; above, a network learns


def is_tabular(data: Data) -> bool:
    """Whether the observations are few enough to count."""
    count = cells(data.observation_space)
    return count is not None and count <= MOST_CELLS


def counts(data: Data, stratum: Array | None = None) -> Array:
    """How often each action was taken in each context and stratum (n,): (C, A, strata); all rows are one stratum if none is given."""
    return np.bincount(_cell(data, stratum), minlength=np.prod(_shape(data, stratum))).reshape(_shape(data, stratum))


def process_of(data: Data, stratum: Array | None = None) -> Process:
    """The process that the log shows; with strata (n,), the one after adjusting for them: P(stratum | context) is kept.

    Sums over strata E[. | context, action, stratum] P(stratum | context), the back-door formula (Pearl, Causality, 2009,
    theorem 3.3.2). Strata without data of an action are left out.
    """
    contexts, _, _ = shape = _shape(data, stratum)
    cell, count, size = _cell(data, stratum), counts(data, stratum), int(np.prod(shape))
    c, c_next = (as_integer(data.observation_space, data[name]) for name in ("observation", "next_observation"))
    reward = np.bincount(cell, data["reward"], minlength=size).reshape(shape)
    going_on = ~data["terminated"]
    following = np.bincount(cell[going_on] * contexts + c_next[going_on], minlength=size * contexts).reshape(*shape, contexts)

    share = count.sum(1) / np.maximum(count.sum((1, 2))[:, None], 1)  # P(stratum | context), (C, strata)
    weight = np.where(count > 0, share[:, None, :], 0.0)
    covered = weight.sum(2, keepdims=True)
    weight = weight / np.where(covered > 0, covered, 1.0) / np.maximum(count, 1)
    start = np.bincount(c[data["step"] == 0], minlength=contexts)
    return Process(
        reward=(weight * reward).sum(2),
        transition=np.einsum("cad,cadn->can", weight, following),
        visits=count.sum(2).astype(float),
        start=start / start.sum(),
        horizon=data.horizon,
        discount=data.discount,
    )


def uncovered(data: Data, stratum: Array) -> Array:
    """The share of each context's rows whose stratum (n,) has no data with the action: (C, A)."""
    count = counts(data, stratum)
    missing = np.where(count == 0, count.sum(1, keepdims=True), 0).sum(2)
    return np.asarray(missing / np.maximum(count.sum((1, 2))[:, None], 1))


def _shape(data: Data, stratum: Array | None) -> tuple[int, int, int]:
    depth = 1 if stratum is None else int(stratum.max()) + 1
    return cells(data.observation_space) or 0, int(data.action_space.n), depth  # type: ignore[attr-defined]


def _cell(data: Data, stratum: Array | None) -> Array:
    """Context, action and stratum of each row as one integer."""
    columns = (as_integer(data.observation_space, data["observation"]), data["action"], 0 if stratum is None else stratum)
    return np.ravel_multi_index(columns, _shape(data, stratum))

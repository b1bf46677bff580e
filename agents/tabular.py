"""Counting: the decision process that a log shows, where observations are few."""

import numpy as np

from confoundry.causal import Array, Process
from confoundry.envs import Data, as_integer, cells

MOST_CELLS = 10_000  # observations that are counted; above, a network learns


def is_tabular(data: Data) -> bool:
    """Whether the observations are few enough to count."""
    count = cells(data.observation_space)
    return count is not None and count <= MOST_CELLS


def process_of(data: Data, stratum: Array | None = None) -> Process:
    """The process that the log shows; with strata (n,), the one after adjusting for them: P(stratum | context) is kept.

    Sums over strata E[. | context, action, stratum] P(stratum | context), the back-door formula (Pearl, Causality, 2009,
    theorem 3.3.2). `visits` is the share of P(stratum | context) that has data with the action, times the context's rows.
    """
    contexts, actions = cells(data.observation_space) or 0, int(data.action_space.n)  # type: ignore[attr-defined]
    strata = np.zeros(len(data), dtype=np.int64) if stratum is None else stratum
    depth = int(strata.max()) + 1
    c, c_next = (as_integer(data.observation_space, data[name]) for name in ("observation", "next_observation"))
    a = data["action"]
    cell = (c * actions + a) * depth + strata
    shape = (contexts, actions, depth)
    count = np.bincount(cell, minlength=np.prod(shape)).reshape(shape)
    reward = np.bincount(cell, data["reward"], minlength=np.prod(shape)).reshape(shape)
    going_on = ~data["terminated"]
    following = np.bincount(cell[going_on] * contexts + c_next[going_on], minlength=np.prod(shape) * contexts).reshape(*shape, contexts)

    seen = count > 0
    share = count.sum(1) / np.maximum(count.sum((1, 2))[:, None], 1)  # P(stratum | context), (C, depth)
    weight = np.where(seen, share[:, None, :], 0.0)
    covered = weight.sum(2)
    weight = weight / np.where(covered > 0, covered, 1.0)[..., None] / np.maximum(count, 1)
    start = np.bincount(c[data["step"] == 0], minlength=contexts)
    return Process(
        reward=(weight * reward).sum(2),
        transition=np.einsum("cad,cadn->can", weight, following),
        visits=covered * count.sum((1, 2))[:, None],
        start=start / start.sum(),
        horizon=data.horizon,
        discount=data.discount,
    )

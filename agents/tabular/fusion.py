"""Fusion of experimental and observational rows."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dosuite.causal import Array
from dosuite.causal.exact import greedy
from dosuite.causal.partial_identification import manski
from dosuite.envs import Data

from ..agent import OfflineAgent
from ..policy import Policy, TabularPolicy
from ..settings import check_labels
from .counting import ValuedPolicy, abstain, check_countable, process_of, table_of


@dataclass(frozen=True)
class Fused(OfflineAgent):
    """Plans on the experimental rows of a labelled log, within the bounds of the other rows.

    At horizon 1 the mean of an action in the experimental rows is clipped to Manski's bounds from
    the observational rows; without experimental rows it is the middle of the bounds. Without labels
    the rows cannot be told apart: pooling them is what `naive` does on a mixed log.

    Source: the bounds of Manski (1990), Nonparametric bounds on treatment effects.
    """

    name: ClassVar[str] = "fused"
    learns: ClassVar[tuple[str, ...]] = ("mixed",)
    needs: ClassVar[frozenset[str]] = frozenset({"labels"})

    def learn_from(self, source: Data, rng: np.random.Generator) -> Policy:
        """Fuse and plan. Raises InputError if observations or rewards cannot be counted."""
        check_countable(source, self.name)
        check_labels(self, source)
        if source.horizon > 1:
            experimental = source.at(source["regime"] == 1)
            if not len(experimental):
                return abstain(source, "the log has no experimental rows")
            process = process_of(experimental)
            note = "plans on the experimental rows"
            return TabularPolicy(greedy(process.plan()), source.observation_space, process, note)
        # counts of each reward in observational (regime 0) and experimental rows: (C, A, R)
        table, (regimes, rewards) = table_of(source, ["regime", "reward"])
        observed = table[:, :, regimes == 0].sum(2)
        tried = table[:, :, regimes == 1].sum(2)
        # experimental means, clipped to the bounds of the observational rows
        low, high = np.moveaxis(_bounds(observed, rewards), 2, 0)
        count = tried.sum(2)
        middle = (low + high) / 2
        experimental_means = tried @ rewards / np.maximum(count, 1)
        means = np.where(count > 0, experimental_means, middle)
        moved = int(((means < low) | (means > high)).sum())
        note = f"{moved} of {means.size} means moved into their bounds"
        return ValuedPolicy(means.clip(low, high), source.observation_space, note)


def _bounds(table: Array, rewards: Array) -> Array:
    """Manski's bounds in each context, (C, A, 2); without rows, the range of the reward."""
    contexts, actions, _ = table.shape
    widest = rewards[[0, -1]]
    bounds = np.broadcast_to(widest, (contexts, actions, 2)).copy()
    has_rows = table.sum((1, 2)) > 0
    if has_rows.any():
        bounds[has_rows] = manski(table[has_rows], rewards)
    return bounds

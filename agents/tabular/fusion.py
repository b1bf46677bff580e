"""Fusion:

effects from the rows in which an experimenter acted, within the bounds that the other rows set.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dosuite.causal import Array
from dosuite.causal.exact import greedy
from dosuite.causal.partial_identification import manski
from dosuite.envs import Data

from ..agent import Agent, Policy, TabularPolicy
from .counting import ValuedPolicy, counted, process_of, table_of


@dataclass(frozen=True)
class Fused(Agent):
    """Plans on the experimenter's rows of a labelled log; in one step each mean is moved into the
    bounds that the other rows set.

    An effect without experimental rows is taken to be in the middle of its bounds. Without labels
    there is nothing to tell the rows apart: to pool them is what `naive` does on a mixed log.

    Source: the bounds of Manski (1990).
    """

    name: ClassVar[str] = "fused"
    learns: ClassVar[tuple[str, ...]] = ("mixed",)
    needs: ClassVar[frozenset[str]] = frozenset({"labels"})

    def learn(self, source: Data, rng: np.random.Generator) -> Policy:
        """Fuse and plan. Raises InputError if the observations or rewards cannot be counted."""
        counted(source, self.name)
        if source.horizon > 1:
            process = process_of(source.at(source["regime"] == 1))
            return TabularPolicy(
                greedy(process.plan()),
                source.observation_space,
                process,
                "plans on the experimental rows",
            )
        table, values = table_of(source, ["regime", "reward"])
        regimes, rewards = values
        seen, done = (table[:, :, regimes == regime].sum(2) for regime in (0, 1))
        low, high = np.moveaxis(_bounds(seen, rewards), 2, 0)
        count = done.sum(2)
        means = np.where(count > 0, done @ rewards / np.maximum(count, 1), (low + high) / 2)
        moved = int(((means < low) | (means > high)).sum())
        return ValuedPolicy(
            means.clip(low, high),
            source.observation_space,
            f"{moved} of {means.size} means moved into their bounds",
        )


def _bounds(table: Array, rewards: Array) -> Array:
    """Manski's bounds in each context, (C, A, 2); in one without rows the range of the reward."""
    ends = np.broadcast_to(rewards[[0, -1]], (*table.shape[:2], 2)).copy()
    some = table.sum((1, 2)) > 0
    if some.any():
        ends[some] = manski(table[some], rewards)
    return ends

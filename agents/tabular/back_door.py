"""Back-door adjustment:

given the graph, compare like with like; where it cannot be done, say so.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dosuite.causal import InputError
from dosuite.causal.exact import greedy
from dosuite.causal.identification import back_door_set
from dosuite.envs import Data

from ..agent import Agent, Policy, TabularPolicy
from .counting import Strata, abstain, is_tabular, process_of, uncovered


@dataclass(frozen=True)
class BackDoor(Agent):
    """Plans in the process adjusted for the smallest back-door set of the graph; uniform where
    there is none.

    Source: Pearl, Causality (2009), section 3.3.
    """

    name: ClassVar[str] = "back-door"
    learns: ClassVar[tuple[str, ...]] = ("observe",)
    needs: ClassVar[frozenset[str]] = frozenset({"graph"})

    missing: float = (
        0.01  # share of a context's strata that may lack an action; above, there is no overlap
    )

    def learn(self, source: Data, rng: np.random.Generator) -> Policy:
        """Adjust and plan. Raises InputError if the observations cannot be counted."""
        if source.graph is None or not is_tabular(source):
            raise InputError("back-door needs the graph and a discrete observation space")
        chosen = back_door_set(source.graph)
        if chosen is None or not set(chosen) <= set(source.logged):
            return abstain(source, "no back-door set")
        strata = Strata(source, chosen)
        process = process_of(source, strata)
        if chosen and (uncovered(source, strata) > self.missing).any():
            return abstain(source, f"adjusting for {', '.join(chosen)} has no overlap")
        note = f"adjusts for {', '.join(chosen)}" if chosen else "nothing to adjust for"
        return TabularPolicy(greedy(process.plan()), source.observation_space, process, note)

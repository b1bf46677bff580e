"""Back-door adjustment by the graph."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dosuite.causal import InputError
from dosuite.causal.exact import greedy
from dosuite.causal.identification import back_door_set
from dosuite.envs import Data

from ..agent import OfflineAgent
from ..policy import Policy, TabularPolicy
from .counting import Strata, abstain, is_tabular, process_of, uncovered


@dataclass(frozen=True)
class BackDoor(OfflineAgent):
    """Plans in the process adjusted for the smallest back-door set of the graph, else uniform.

    It is uniform too if a context lacks an action in more than a fraction `missing` of its rows'
    strata: then there is no overlap.

    Source: Pearl, Causality (2009), section 3.3.
    """

    name: ClassVar[str] = "back-door"
    learns: ClassVar[tuple[str, ...]] = ("observe",)
    needs: ClassVar[frozenset[str]] = frozenset({"graph"})

    missing: float = 0.01

    def learn_from(self, source: Data, rng: np.random.Generator) -> Policy:
        """Adjust and plan. Raises InputError if the observations cannot be counted."""
        if source.graph is None or not is_tabular(source):
            raise InputError("back-door needs the graph and a discrete observation space")
        adjusted = back_door_set(source.graph)
        if adjusted is None or not set(adjusted) <= set(source.logged):
            return abstain(source, "no back-door set")
        strata = Strata(source, adjusted)
        process = process_of(source, strata)
        names = ", ".join(adjusted)
        if adjusted and (uncovered(source, strata) > self.missing).any():
            return abstain(source, f"adjusting for {names} has no overlap")
        note = f"adjusts for {names}" if adjusted else "nothing to adjust for"
        return TabularPolicy(greedy(process.plan()), source.observation_space, process, note)

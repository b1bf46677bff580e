"""Pessimism: the action with the greatest lower bound under arbitrary confounding."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dosuite.causal.partial_identification import interval_values
from dosuite.envs import Data

from ..agent import OfflineAgent
from ..policy import Policy
from .counting import ValuedPolicy, check_countable, process_of


@dataclass(frozen=True)
class Maximin(OfflineAgent):
    """Takes the action of the greatest value in the worst world that is consistent with the log.

    At horizon 1 that value is Manski's lower bound
    P(a | c) E[r | c, a] + (1 - P(a | c)) r_min; at longer horizons it is that of interval value
    iteration. The range of the reward is that of the log, and if the log has an episode that ends
    early, any step may end one. The bounds hold if hidden causes are drawn anew at each step. No
    graph is used.

    Source: Manski (1990), Nonparametric bounds on treatment effects; Givan, Leach and Dean (2000),
    Bounded-parameter Markov decision processes.
    """

    name: ClassVar[str] = "maximin"
    learns: ClassVar[tuple[str, ...]] = ("observe",)

    def learn_from(self, source: Data, rng: np.random.Generator) -> Policy:
        """Bound and plan. Raises InputError if the observations cannot be counted."""
        check_countable(source, self.name)
        low, high, ends = np.inf, -np.inf, False
        for part in source.chunks():
            low = min(low, float(part["reward"].min()))
            high = max(high, float(part["reward"].max()))
            ends = ends or bool(part["terminated"].any())
        values = interval_values(process_of(source), reward=(low, high), ends=ends)
        note = f"rewards are taken to be from {low:.3g} to {high:.3g}"
        return ValuedPolicy(values, source.observation_space, note)

"""Pessimism: the action with the greatest guarantee, if anything may confound every step."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dosuite.causal.partial_identification import interval_values
from dosuite.envs import Data

from ..agent import Agent, Policy
from .counting import ValuedPolicy, counted, process_of


@dataclass(frozen=True)
class Maximin(Agent):
    """Takes the action whose value is greatest in the worst world that could have written the log,
    without a graph.

    In one step that is the lower bound of Manski, P(action | context) E[reward | context, action] + (1 - P(action | context))
    times the least reward; in several, interval value iteration. The limits of the reward are the least and the greatest that
    the log shows, and where it shows an episode that ends early, any step may end one. The bounds hold where hidden causes are
    drawn anew at each step.

    Source: Manski (1990); Givan, Leach and Dean (2000).
    """

    name: ClassVar[str] = "maximin"
    learns: ClassVar[tuple[str, ...]] = ("observe",)

    def learn(self, source: Data, rng: np.random.Generator) -> Policy:
        """Bound and plan. Raises InputError if the observations cannot be counted."""
        counted(source, self.name)
        low, high = np.inf, -np.inf
        ends = False
        for part in source.chunks():
            low, high = (
                min(low, float(part["reward"].min())),
                max(high, float(part["reward"].max())),
            )
            ends = ends or bool(part["terminated"].any())
        values = interval_values(process_of(source), reward=(low, high), ends=ends)
        return ValuedPolicy(
            values,
            source.observation_space,
            f"rewards are taken to be from {low:.3g} to {high:.3g}",
        )

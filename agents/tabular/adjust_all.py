"""Adjusting for everything in the log:

right where all of it comes before the action and closes the back door.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dosuite.causal.exact import greedy
from dosuite.causal.model.elimination import check_size
from dosuite.envs import Data, cells, choices

from ..agent import Agent, Policy, TabularPolicy
from .counting import Strata, counted, process_of


@dataclass(frozen=True)
class AdjustAll(Agent):
    """Plans in the process adjusted for every logged variable, whatever it is: a confounder, a
    mediator or a collider.

    Source: the back-door formula of Pearl, Causality (2009), theorem 3.3.2, without its condition;
    on what that costs, Cinelli, Forney and Pearl (2022), A crash course in good and bad controls.
    """

    name: ClassVar[str] = "adjust-all"
    learns: ClassVar[tuple[str, ...]] = ("observe", "mixed")

    def learn(self, source: Data, rng: np.random.Generator) -> Policy:
        """Adjust and plan.

        Raises InputError if observations or logged variables take too many values to count.
        """
        counted(source, self.name)
        strata = Strata(source, source.logged)
        contexts = cells(source.observation_space) or 0
        check_size(
            [contexts, contexts, choices(source.action_space), strata.count],
            "adjusting for all that is logged",
        )
        process = process_of(source, strata)
        note = f"adjusts for {', '.join(source.logged) or 'nothing, for nothing is logged'}"
        return TabularPolicy(greedy(process.plan()), source.observation_space, process, note)

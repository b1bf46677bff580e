"""Adjustment for everything in the log."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dosuite.causal.exact import greedy
from dosuite.causal.model.elimination import check_size
from dosuite.envs import Data, choices

from ..agent import OfflineAgent
from ..policy import Policy, TabularPolicy
from .counting import Strata, process_of, size_of


@dataclass(frozen=True)
class AdjustAll(OfflineAgent):
    """Plans in the process adjusted for every logged variable, good control or bad.

    This is right if all logged variables precede the action and close the back door, and wrong
    for mediators and colliders.

    Source: the back-door formula of Pearl, Causality (2009), theorem 3.3.2, without its condition;
    on what that costs, Cinelli, Forney and Pearl (2022), A crash course in good and bad controls.
    """

    name: ClassVar[str] = "adjust-all"

    def learn_from(self, source: Data, rng: np.random.Generator) -> Policy:
        """The optimal policy of the process that is adjusted for every logged variable.

        Raises InputError if observations or logged variables take too many values to count.
        """
        contexts = size_of(source.observation_space, self.name)
        strata = Strata(source, source.logged)
        sizes = [contexts, contexts, choices(source.action_space), strata.count]
        check_size(sizes, "adjusting for all that is logged")
        process = process_of(source, strata)
        note = f"adjusts for {', '.join(source.logged) or 'nothing, for nothing is logged'}"
        return TabularPolicy(greedy(process.plan()), source.observation_space, process, note)

"""Naive value learning, which takes association for effect."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dosuite.causal.exact import greedy
from dosuite.envs import Data

from ..policy import Policy, TabularPolicy
from ..tabular.counting import is_tabular, process_of
from .fitted_q import FQI


@dataclass(frozen=True)
class Naive(FQI):
    """Fitted Q iteration on the log: by counting if observations are few, else with a network.

    Source: Ernst, Geurts and Wehenkel (2005), Tree-based batch mode reinforcement learning,
    figure 1.
    """

    name: ClassVar[str] = "naive"

    batch: int = 1024  # rows of a minibatch, if a network learns
    hidden: int = 64

    def learn_all(
        self, sources: Sequence[Data], rngs: Sequence[np.random.Generator]
    ) -> list[Policy | Exception]:
        """Plan in the process of relative frequencies in each log, or train networks."""
        if not is_tabular(sources[0]):
            return super().learn_all(sources, rngs)
        return [_planned(source) for source in sources]


def _planned(data: Data) -> Policy:
    process = process_of(data)
    return TabularPolicy(greedy(process.plan()), data.observation_space, process)

"""The reference policies, computed exactly from the model: the scale on which agents are scored."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dosuite.causal import behaviour_policy, uniform_policy
from dosuite.causal.exact import do_process, log_process
from dosuite.envs import every_observation

from .agent import ReferenceAgent
from .policy import Policy, TabularPolicy
from .sources import Exact


@dataclass(frozen=True)
class Confused(ReferenceAgent):
    """The limit of an associational learner with infinite data: it plans in the logged process."""

    name: ClassVar[str] = "confused"

    def learn_from(self, source: Exact, rng: np.random.Generator) -> Policy:
        """The confused policy of the model."""
        model = source.model
        observations = every_observation(model)
        return TabularPolicy(model.confused_policy(), observations, log_process(model))


@dataclass(frozen=True)
class Causal(ReferenceAgent):
    """The best memoryless policy under intervention, in the deployed world."""

    name: ClassVar[str] = "causal"

    def learn_from(self, source: Exact, rng: np.random.Generator) -> Policy:
        """The causal policy of the model."""
        world = source.model.deployed()
        return TabularPolicy(world.causal_policy(), every_observation(world), do_process(world))


@dataclass(frozen=True)
class UniformReference(ReferenceAgent):
    """Every action with equal probability."""

    name: ClassVar[str] = "uniform"

    def learn_from(self, source: Exact, rng: np.random.Generator) -> Policy:
        """The uniform policy of the model."""
        return TabularPolicy(uniform_policy(source.model), every_observation(source.model))


@dataclass(frozen=True)
class Behaviour(ReferenceAgent):
    """The behaviour policy given the contexts, P(action | context), the limit of perfect cloning.

    The latent causes of the action are summed out.
    """

    name: ClassVar[str] = "behaviour"

    def learn_from(self, source: Exact, rng: np.random.Generator) -> Policy:
        """The propensities of the model."""
        return TabularPolicy(behaviour_policy(source.model), every_observation(source.model))
